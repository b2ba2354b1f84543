// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges that have names are found.
 *
 * Method: synthetic core files, one for each architecture's way of naming ranges.
 */
#include <libmm/krange.h>

#include "synthetic_core.h"
#include "kselftest_harness.h"

FIXTURE(krange)
{
	struct synth core;
	struct kcore *kc;
	char why[KCORE_REASON_MAX];
};

FIXTURE_SETUP(krange)
{
	synth_init(&self->core, &synth_arm64_4k_48);
}

FIXTURE_TEARDOWN(krange)
{
	kcore_close(self->kc);
	synth_destroy(&self->core);
}

static int core_open(FIXTURE_DATA(krange) * self)
{
	int ret;

	synth_finish(&self->core);
	ret = kcore_open(&self->kc, self->why, sizeof(self->why));
	if (ret)
		fprintf(stderr, "# %s\n", self->why);
	return ret;
}

static int range_of(FIXTURE_DATA(krange) * self, const char *name, uint64_t *start, uint64_t *end)
{
	return krange_find(self->kc, name, start, end, self->why, sizeof(self->why));
}

/* What kcore and VMCOREINFO of an arm64 kernel say, with two pieces of RAM and a hole between. */
TEST_F(krange, ranges_of_arm64)
{
	uint64_t vmalloc = 0xffff800080000000, hole = SYNTH_RAM_SIZE, start, end;

	synth_segment(&self->core, vmalloc, UINT64_MAX, 0x10000000, SYNTH_RAM_OFFSET);
	synth_segment(&self->core, self->core.linear_va + SYNTH_RAM_SIZE + hole,
		      SYNTH_RAM_PA + SYNTH_RAM_SIZE + hole, 0x1000, SYNTH_RAM_OFFSET);
	synth_info(&self->core, "NUMBER(VMALLOC_START)=0x%" PRIx64 "\n", vmalloc);
	synth_info(&self->core, "NUMBER(MODULES_VADDR)=0xffff800000000000\n");
	synth_info(&self->core, "NUMBER(MODULES_END)=0xffff800080000000\nKERNELOFFSET=10000\n");
	ASSERT_EQ(0, core_open(self));

	ASSERT_EQ(0, range_of(self, "linear", &start, &end));
	ASSERT_EQ(self->core.linear_va, start);
	ASSERT_EQ(self->core.linear_va + SYNTH_RAM_SIZE + hole + 0x1000, end);
	ASSERT_EQ(0, range_of(self, "vmalloc", &start, &end));
	ASSERT_EQ(vmalloc, start);
	ASSERT_EQ(vmalloc + 0x10000000, end);
	ASSERT_EQ(0, range_of(self, "modules", &start, &end));
	ASSERT_EQ(0xffff800000000000, start);
	ASSERT_EQ(0xffff800080000000, end);
	ASSERT_EQ(0, range_of(self, "image", &start, &end));
	ASSERT_EQ(SYNTH_IMAGE_VA, start);
	ASSERT_EQ(SYNTH_IMAGE_VA + SYNTH_IMAGE_SIZE, end);
}

/* Then the range that VMCOREINFO names holds nothing. */
TEST_F(krange, modules_of_arm64_with_kaslr)
{
	uint64_t start, end;

	synth_info(&self->core, "NUMBER(MODULES_VADDR)=0xffff800000000000\n");
	synth_info(&self->core, "NUMBER(MODULES_END)=0xffff800080000000\n");
	synth_info(&self->core, "KERNELOFFSET=265f941000000\n");
	ASSERT_EQ(0, core_open(self));
	ASSERT_EQ(-ENOENT, range_of(self, "modules", &start, &end));
	ASSERT_NE(NULL, strstr(self->why, "KASLR"));
}

/* x86 says how large the image's part of the address space is, and has a segment after it. */
TEST_F(krange, modules_of_x86)
{
	uint64_t start, end;

	synth_segment(&self->core, 0xffffffffc0000000, UINT64_MAX, 0x3f000000, SYNTH_RAM_OFFSET);
	synth_info(&self->core, "NUMBER(KERNEL_IMAGE_SIZE)=1073741824\n");
	ASSERT_EQ(0, core_open(self));
	ASSERT_EQ(0, range_of(self, "modules", &start, &end));
	ASSERT_EQ(0xffffffffc0000000, start);
	ASSERT_EQ(0xffffffffff000000, end);
}

TEST_F(krange, ranges_that_are_not_told)
{
	uint64_t start, end;

	ASSERT_EQ(0, core_open(self));
	ASSERT_EQ(-ENOENT, range_of(self, "vmalloc", &start, &end));
	ASSERT_EQ(-ENOENT, range_of(self, "modules", &start, &end));
	ASSERT_EQ(-ENOENT, range_of(self, "nonsense", &start, &end));
	ASSERT_NE(NULL, strstr(self->why, "nonsense"));
}

TEST_HARNESS_MAIN
