// SPDX-License-Identifier: GPL-2.0
/*
 * What a census of the whole kernel adds to that of one range: vmemmap, sums of page tables, and
 * what differs from one census to another.
 *
 * Method: synthetic core files, as for libmm's census.
 */
#include <errno.h>
#include <string.h>

#include <libmm/base.h>
#include <vmtests/census_compare.h>
#include <vmtests/census_kernel.h>

#include "synthetic_core.h"
#include "kselftest_harness.h"

#define PAGE		UINT64_C(4096)
#define PMD		(512 * PAGE)
#define PUD		(512 * PMD)

/* The arm64 descriptor bits that a census tells apart. */
#define RDONLY		(UINT64_C(1) << 7)
#define CONT		(UINT64_C(1) << 52)
#define PXN		(UINT64_C(1) << 53)

#define SECTION_BITS	27

FIXTURE(census_kernel)
{
	struct synth core;
	struct kcore *kc;
	struct kpgtable *pgt;
	struct census census;
	uint64_t va;
	char why[KCORE_REASON_MAX];
};

FIXTURE_SETUP(census_kernel)
{
	synth_init(&self->core, &synth_arm64_4k_48);
	self->va = self->core.layout->kernel_start + PUD;
}

FIXTURE_TEARDOWN(census_kernel)
{
	kpgtable_close(self->pgt);
	kcore_close(self->kc);
	synth_destroy(&self->core);
}

static int census_open(FIXTURE_DATA(census_kernel) * self)
{
	int ret;

	synth_finish(&self->core);
	ret = kcore_open(&self->kc, self->why, sizeof(self->why));
	if (!ret)
		ret = kpgtable_open(&self->pgt, self->kc, self->why, sizeof(self->why));
	if (ret)
		fprintf(stderr, "# %s\n", self->why);
	return ret;
}

static int census_at(FIXTURE_DATA(census_kernel) * self, uint64_t start, uint64_t end)
{
	return census_count(self->pgt, "here", start, end, &self->census, self->why,
			    sizeof(self->why));
}

static void map(FIXTURE_DATA(census_kernel) * self, uint64_t va, unsigned int level, uint64_t bits)
{
	synth_map(&self->core, va, level, synth_leaf(self->core.layout, level, PUD) | bits);
}

/* One PUD, two PMDs, five PTEs, no two alike in what is counted. */
static void mixture_map(FIXTURE_DATA(census_kernel) * self)
{
	uint64_t at = self->va;

	map(self, at, KPG_PUD, PXN);
	at += PUD;
	map(self, at, KPG_PMD, PXN | CONT);
	map(self, at + PMD, KPG_PMD, RDONLY);
	at += 2 * PMD;
	map(self, at, KPG_PTE, 0);
	map(self, at + PAGE, KPG_PTE, RDONLY | PXN);
	map(self, at + 2 * PAGE, KPG_PTE, RDONLY | PXN | CONT);
	map(self, at + 3 * PAGE, KPG_PTE, PXN);
	synth_map(&self->core, at + 4 * PAGE, KPG_PTE,
		  (synth_leaf(self->core.layout, KPG_PTE, PUD) | RDONLY | CONT) & ~UINT64_C(1));
}

static int range_of(FIXTURE_DATA(census_kernel) * self, const char *name, uint64_t *start,
		    uint64_t *end)
{
	return census_kernel_range(self->kc, name, start, end, self->why, sizeof(self->why));
}

TEST_F(census_kernel, vmemmap)
{
	uint64_t start, end;

	/* A page behind a hole: RAM ends within a section. */
	synth_segment(&self->core, self->core.linear_va + 2 * SYNTH_RAM_SIZE,
		      SYNTH_RAM_PA + 2 * SYNTH_RAM_SIZE, PAGE, SYNTH_RAM_OFFSET);
	synth_info(&self->core, "SYMBOL(vmemmap)=fffffdffbe000000\nSIZE(page)=64\n");
	synth_info(&self->core, "NUMBER(SECTION_SIZE_BITS)=%d\n", SECTION_BITS);
	ASSERT_EQ(0, census_open(self));
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

	ASSERT_EQ(0, census_open(self));
	ASSERT_EQ(-ENOENT, range_of(self, "vmemmap", &start, &end));
	ASSERT_NE(NULL, strstr(self->why, "SPARSEMEM_VMEMMAP"));
}

/* Each name is known: what this core does not tell is refused with a reason of its own. */
TEST_F(census_kernel, range_names)
{
	static const char *const names[] = { "linear", "vmemmap", "vmalloc", "modules", "image" };
	uint64_t start, end;
	size_t i;

	ASSERT_EQ(0, census_open(self));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		ASSERT_STREQ(names[i], census_range_name(i));
	ASSERT_EQ(NULL, census_range_name(i));
	ASSERT_EQ(0, range_of(self, "linear", &start, &end));
	ASSERT_EQ(self->core.linear_va, start);
	ASSERT_EQ(0, range_of(self, "image", &start, &end));
	ASSERT_EQ(SYNTH_IMAGE_VA, start);
}

TEST_F(census_kernel, bytes_of_page_tables)
{
	struct census all[3];

	mixture_map(self);
	ASSERT_EQ(0, census_open(self));
	/* One PMD and one PTE table, and the PUD table above; the root is the image's. */
	ASSERT_EQ(0, census_at(self, self->va, self->va + 2 * PUD));
	ASSERT_EQ(3 * PAGE, census_pgtable_bytes(&self->census));
	all[0] = self->census;
	/* Within the first range, which has counted its tables. */
	ASSERT_EQ(0, census_at(self, self->va + PUD, self->va + 2 * PUD));
	ASSERT_EQ(3 * PAGE, census_pgtable_bytes(&self->census));
	all[1] = self->census;
	ASSERT_EQ(0, census_at(self, self->va + 8 * PUD, self->va + 9 * PUD));
	ASSERT_EQ(PAGE, census_pgtable_bytes(&self->census));
	all[2] = self->census;
	ASSERT_EQ(4 * PAGE, census_kernel_pgtable_bytes(all, 3));
}

TEST_F(census_kernel, comparison)
{
	struct census_change changes[CENSUS_CHANGES_MAX];
	struct census before;

	mixture_map(self);
	ASSERT_EQ(0, census_open(self));
	ASSERT_EQ(0, census_at(self, self->va, self->va + 2 * PUD));
	before = self->census;
	ASSERT_EQ(0, census_compare(&before, &self->census, changes));

	/* A writable page of the last table becomes read-only, another goes; the PUD is split. */
	map(self, self->va + PUD + 2 * PMD + 3 * PAGE, KPG_PTE, RDONLY | PXN);
	synth_map(&self->core, self->va + PUD + 2 * PMD, KPG_PTE, 0);
	synth_map(&self->core, self->va, KPG_PUD, 0);
	map(self, self->va, KPG_PMD, PXN);
	ASSERT_EQ(0, census_at(self, self->va, self->va + 2 * PUD));
	ASSERT_EQ(7, census_compare(&before, &self->census, changes));
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

	ASSERT_EQ(0, census_open(self));
	ASSERT_EQ(0, census_at(self, self->va, self->va + PUD));
	other = self->census;
	other.start += PUD;
	ASSERT_EQ(0, census_compare(&self->census, &other, changes));
	other.page_size = 16384;
	ASSERT_EQ(-EINVAL, census_compare(&self->census, &other, changes));
	other = self->census;
	other.levels = 5;
	ASSERT_EQ(-EINVAL, census_compare(&self->census, &other, changes));
	other = self->census;
	strcpy(other.name, "there");
	ASSERT_EQ(-EINVAL, census_compare(&self->census, &other, changes));
	other = self->census;
	strcpy(other.arch, "x86_64");
	ASSERT_EQ(-EINVAL, census_compare(&self->census, &other, changes));
}

TEST_HARNESS_MAIN
