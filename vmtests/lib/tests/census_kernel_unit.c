// SPDX-License-Identifier: GPL-2.0
/*
 * What a census of the whole kernel adds to that of one range: vmemmap, sums of page tables, and
 * what differs from one census to another.
 *
 * Method: synthetic core files, as for a census of one range.
 */
#include <errno.h>
#include <string.h>

#include <libmm/base.h>
#include <vmtests/census_compare.h>
#include <vmtests/census_kernel.h>

#include "census_core.h"
#include "kselftest_harness.h"

#define SECTION_BITS	27

FIXTURE(census_kernel)
{
	struct census_core cc;
};

FIXTURE_SETUP(census_kernel)
{
	census_core_init(&self->cc);
}

FIXTURE_TEARDOWN(census_kernel)
{
	census_core_destroy(&self->cc);
}

static int range_of(FIXTURE_DATA(census_kernel) * self, const char *name, uint64_t *start,
		    uint64_t *end)
{
	return census_kernel_range(self->cc.kc, name, start, end, self->cc.why,
				   sizeof(self->cc.why));
}

TEST_F(census_kernel, vmemmap)
{
	uint64_t start, end;

	/* A page behind a hole: RAM ends within a section. */
	synth_segment(&self->cc.synth, self->cc.synth.linear_va + 2 * SYNTH_RAM_SIZE,
		      SYNTH_RAM_PA + 2 * SYNTH_RAM_SIZE, PAGE, SYNTH_RAM_OFFSET);
	synth_info(&self->cc.synth, "SYMBOL(vmemmap)=fffffdffbe000000\nSIZE(page)=64\n");
	synth_info(&self->cc.synth, "NUMBER(SECTION_SIZE_BITS)=%d\n", SECTION_BITS);
	ASSERT_EQ(0, census_core_open(&self->cc));
	/*
	 * RAM begins on a section's edge, 0x80000000, and its last page is at 0x88000000: the
	 * first of the second section.
	 */
	ASSERT_EQ(0, range_of(self, "vmemmap", &start, &end));
	ASSERT_EQ(0xfffffdffbe000000 + 0x80000000 / PAGE * 64, start);
	ASSERT_EQ(0xfffffdffbe000000 + 0x90000000 / PAGE * 64, end);
}

TEST_F(census_kernel, no_vmemmap)
{
	uint64_t start, end;

	ASSERT_EQ(0, census_core_open(&self->cc));
	ASSERT_EQ(-ENOENT, range_of(self, "vmemmap", &start, &end));
	ASSERT_NE(NULL, strstr(self->cc.why, "SPARSEMEM_VMEMMAP"));
}

/* Each name is known: what this core does not tell is refused with a reason of its own. */
TEST_F(census_kernel, range_names)
{
	static const char *const names[] = { "linear", "vmemmap", "vmalloc", "modules", "image" };
	uint64_t start, end;
	size_t i;

	ASSERT_EQ(0, census_core_open(&self->cc));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		ASSERT_STREQ(names[i], census_range_name(i));
	ASSERT_EQ(NULL, census_range_name(i));
	ASSERT_EQ(0, range_of(self, "linear", &start, &end));
	ASSERT_EQ(self->cc.synth.linear_va, start);
	ASSERT_EQ(0, range_of(self, "image", &start, &end));
	ASSERT_EQ(SYNTH_IMAGE_VA, start);
}

TEST_F(census_kernel, bytes_of_page_tables)
{
	struct census all[3];

	census_core_mix(&self->cc);
	ASSERT_EQ(0, census_core_open(&self->cc));
	/* One PMD and one PTE table, and the PUD table above; the root is the image's. */
	ASSERT_EQ(0, census_core_count(&self->cc, self->cc.va, self->cc.va + 2 * PUD));
	ASSERT_EQ(3 * PAGE, census_pgtable_bytes(&self->cc.census));
	all[0] = self->cc.census;
	/* Within the first range, which has counted its tables. */
	ASSERT_EQ(0, census_core_count(&self->cc, self->cc.va + PUD, self->cc.va + 2 * PUD));
	ASSERT_EQ(3 * PAGE, census_pgtable_bytes(&self->cc.census));
	all[1] = self->cc.census;
	ASSERT_EQ(0, census_core_count(&self->cc, self->cc.va + 8 * PUD, self->cc.va + 9 * PUD));
	ASSERT_EQ(PAGE, census_pgtable_bytes(&self->cc.census));
	all[2] = self->cc.census;
	ASSERT_EQ(4 * PAGE, census_kernel_pgtable_bytes(all, 3));
}

TEST_F(census_kernel, comparison)
{
	struct census_change changes[CENSUS_CHANGES_MAX];
	struct census before;

	census_core_mix(&self->cc);
	ASSERT_EQ(0, census_core_open(&self->cc));
	ASSERT_EQ(0, census_core_count(&self->cc, self->cc.va, self->cc.va + 2 * PUD));
	before = self->cc.census;
	ASSERT_EQ(0, census_compare(&before, &self->cc.census, changes));

	/* A writable page of the last table becomes read-only, another goes; the PUD is split. */
	census_core_map(&self->cc, self->cc.va + PUD + 2 * PMD + 3 * PAGE, KPG_PTE, RDONLY | PXN);
	synth_map(&self->cc.synth, self->cc.va + PUD + 2 * PMD, KPG_PTE, 0);
	synth_map(&self->cc.synth, self->cc.va, KPG_PUD, 0);
	census_core_map(&self->cc, self->cc.va, KPG_PMD, PXN);
	ASSERT_EQ(0, census_core_count(&self->cc, self->cc.va, self->cc.va + 2 * PUD));
	ASSERT_EQ(7, census_compare(&before, &self->cc.census, changes));
	/* From the highest level down, and the tables after the leaves. */
	ASSERT_EQ(KPG_PUD, changes[0].level);
	ASSERT_EQ(CENSUS_MAPPED, changes[0].attr);
	ASSERT_EQ(1, changes[0].before);
	ASSERT_EQ(0, changes[0].after);
	ASSERT_EQ(KPG_PMD, changes[1].level);
	ASSERT_EQ(CENSUS_MAPPED, changes[1].attr);
	ASSERT_EQ(3, changes[1].after);
	ASSERT_EQ(CENSUS_ATTRS, changes[2].attr);
	ASSERT_EQ(2, changes[2].after);
	ASSERT_EQ(CENSUS_MAPPED, changes[3].attr);
	ASSERT_EQ(3, changes[3].after);
	ASSERT_EQ(CENSUS_READONLY, changes[4].attr);
	ASSERT_EQ(3, changes[4].after);
	ASSERT_EQ(CENSUS_EXEC, changes[5].attr);
	ASSERT_EQ(CENSUS_WX, changes[6].attr);
	ASSERT_EQ(0, changes[6].after);
}

TEST_F(census_kernel, comparison_of_unlike)
{
	struct census_change changes[CENSUS_CHANGES_MAX];
	struct census other;

	ASSERT_EQ(0, census_core_open(&self->cc));
	ASSERT_EQ(0, census_core_count(&self->cc, self->cc.va, self->cc.va + PUD));
	other = self->cc.census;
	other.start += PUD;
	ASSERT_EQ(0, census_compare(&self->cc.census, &other, changes));
	other.page_size = 16384;
	ASSERT_EQ(-EINVAL, census_compare(&self->cc.census, &other, changes));
	other = self->cc.census;
	other.levels = 5;
	ASSERT_EQ(-EINVAL, census_compare(&self->cc.census, &other, changes));
	other = self->cc.census;
	strcpy(other.name, "there");
	ASSERT_EQ(-EINVAL, census_compare(&self->cc.census, &other, changes));
	other = self->cc.census;
	strcpy(other.arch, "x86_64");
	ASSERT_EQ(-EINVAL, census_compare(&self->cc.census, &other, changes));
}

TEST_HARNESS_MAIN
