// SPDX-License-Identifier: GPL-2.0
/*
 * A census counts what is mapped, finds the ranges that have names, and says when the tables never
 * held still.
 *
 * Method: synthetic core files, one for each architecture's way of naming ranges. Tables that
 * change under the reader are had by standing in for pread().
 */
#include <sys/syscall.h>

#include <libmm/census.h>

#include "synthetic_core.h"
#include "kselftest_harness.h"

#define PAGE		UINT64_C(4096)
#define PMD		(512 * PAGE)
#define PUD		(512 * PMD)

/* The arm64 descriptor bits that a census tells apart. */
#define RDONLY		(UINT64_C(1) << 7)
#define CONT		(UINT64_C(1) << 52)
#define PXN		(UINT64_C(1) << 53)

/* Called before each pread() of the program, with how many there were. */
static void (*read_hook)(unsigned int nr, void *arg);
static void *read_hook_arg;
static unsigned int nr_reads;

ssize_t pread(int fd, void *buf, size_t len, off_t offset)
{
	if (read_hook)
		read_hook(nr_reads++, read_hook_arg);
	return syscall(SYS_pread64, fd, buf, len, offset);
}

FIXTURE(census)
{
	struct synth core;
	struct kcore *kc;
	struct kpgtable *pgt;
	struct census census;
	uint64_t va;
	char why[KCORE_REASON_MAX];
};

FIXTURE_SETUP(census)
{
	synth_init(&self->core, &synth_arm64_4k_48);
	self->va = self->core.layout->kernel_start + PUD;
}

FIXTURE_TEARDOWN(census)
{
	read_hook = NULL;
	kpgtable_close(self->pgt);
	kcore_close(self->kc);
	synth_destroy(&self->core);
}

static int census_open(FIXTURE_DATA(census) * self)
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

static int census_at(FIXTURE_DATA(census) * self, uint64_t start, uint64_t end)
{
	return census_count(self->pgt, "here", start, end, &self->census, self->why,
			    sizeof(self->why));
}

static void map(FIXTURE_DATA(census) * self, uint64_t va, unsigned int level, uint64_t bits)
{
	synth_map(&self->core, va, level, synth_leaf(self->core.layout, level, PUD) | bits);
}

/* One PUD, two PMDs, five PTEs, no two alike in what is counted. */
static void mixture_map(FIXTURE_DATA(census) * self)
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

TEST_F(census, counts)
{
	struct census *census = &self->census;

	mixture_map(self);
	ASSERT_EQ(0, census_open(self));
	ASSERT_EQ(0, census_at(self, self->va, self->va + 2 * PUD));
	ASSERT_EQ(1, census->leaves[CENSUS_MAPPED][KPG_PUD]);
	ASSERT_EQ(2, census->leaves[CENSUS_MAPPED][KPG_PMD]);
	ASSERT_EQ(4, census->leaves[CENSUS_MAPPED][KPG_PTE]);
	ASSERT_EQ(0, census->leaves[CENSUS_CONTIGUOUS][KPG_PUD]);
	ASSERT_EQ(1, census->leaves[CENSUS_CONTIGUOUS][KPG_PMD]);
	ASSERT_EQ(1, census->leaves[CENSUS_CONTIGUOUS][KPG_PTE]);
	ASSERT_EQ(0, census->leaves[CENSUS_READONLY][KPG_PUD]);
	ASSERT_EQ(1, census->leaves[CENSUS_READONLY][KPG_PMD]);
	ASSERT_EQ(2, census->leaves[CENSUS_READONLY][KPG_PTE]);
	ASSERT_EQ(0, census->leaves[CENSUS_EXEC][KPG_PUD]);
	ASSERT_EQ(1, census->leaves[CENSUS_EXEC][KPG_PMD]);
	ASSERT_EQ(1, census->leaves[CENSUS_EXEC][KPG_PTE]);
	ASSERT_EQ(0, census->leaves[CENSUS_WX][KPG_PMD]);
	ASSERT_EQ(1, census->leaves[CENSUS_WX][KPG_PTE]);
	ASSERT_EQ(0, census->leaves[CENSUS_INVALID][KPG_PMD]);
	ASSERT_EQ(1, census->leaves[CENSUS_INVALID][KPG_PTE]);
	/* One PMD and one PTE table, and the PUD table above; the root is the image's. */
	ASSERT_EQ(1, census->tables[KPG_PTE]);
	ASSERT_EQ(1, census->tables[KPG_PMD]);
	ASSERT_EQ(1, census->tables[KPG_PUD]);
	ASSERT_EQ(0, census->tables[KPG_P4D]);

	ASSERT_EQ(7, census_leaves(census, CENSUS_MAPPED));
	ASSERT_EQ(PUD + 2 * PMD + 4 * PAGE, census_bytes(census, CENSUS_MAPPED));
	ASSERT_EQ(PMD + PAGE, census_bytes(census, CENSUS_CONTIGUOUS));
	ASSERT_TRUE(census->stable);
	ASSERT_EQ(2, census->passes);
	ASSERT_STREQ("here", census->name);
	ASSERT_STREQ("arm64", census->arch);
	ASSERT_EQ(4, census->levels);
	ASSERT_EQ(48, census->va_bits);
}

TEST_F(census, empty)
{
	ASSERT_EQ(0, census_open(self));
	ASSERT_EQ(0, census_at(self, self->va, self->va + PUD));
	ASSERT_EQ(0, census_leaves(&self->census, CENSUS_MAPPED));
	ASSERT_EQ(0, self->census.tables[KPG_PUD]);
	ASSERT_TRUE(self->census.stable);
}

TEST_F(census, error_is_told)
{
	synth_map(&self->core, self->va, KPG_PMD, synth_table(self->core.layout, 0));
	ASSERT_EQ(0, census_open(self));
	ASSERT_EQ(-EFAULT, census_at(self, self->va, self->va + PUD));
	ASSERT_NE(NULL, strstr(self->why, "outside RAM"));
	ASSERT_EQ(-EINVAL, census_at(self, 0, self->va));
}

static void flip(FIXTURE_DATA(census) * self, bool readonly)
{
	map(self, self->va, KPG_PTE, readonly ? RDONLY : 0);
}

static void flip_always(unsigned int nr, void *arg)
{
	/* Four tables are read in a pass: the leaf is another in each. */
	flip(arg, nr / 4 % 2);
}

TEST_F(census, never_still)
{
	flip(self, false);
	ASSERT_EQ(0, census_open(self));
	read_hook = flip_always;
	read_hook_arg = self;
	ASSERT_EQ(0, census_at(self, self->va, self->va + PUD));
	ASSERT_FALSE(self->census.stable);
	ASSERT_EQ(1, census_leaves(&self->census, CENSUS_MAPPED));
}

static void flip_in_the_second_pass(unsigned int nr, void *arg)
{
	flip(arg, nr >= 4);
}

/* The count is of what was seen twice, not of the first pass. */
TEST_F(census, settles)
{
	flip(self, false);
	ASSERT_EQ(0, census_open(self));
	read_hook = flip_in_the_second_pass;
	read_hook_arg = self;
	ASSERT_EQ(0, census_at(self, self->va, self->va + PUD));
	ASSERT_TRUE(self->census.stable);
	ASSERT_EQ(3, self->census.passes);
	ASSERT_EQ(1, census_leaves(&self->census, CENSUS_READONLY));
}

static void break_in_the_first_pass(unsigned int nr, void *arg)
{
	FIXTURE_DATA(census) * self = arg;
	uint64_t table = synth_table_of(&self->core, self->va, KPG_PUD);

	/*
	 * Outside RAM, as a table freed and used anew may look; whole again for the next pass. The
	 * first ends after two reads, for what lies outside RAM is not read.
	 */
	synth_desc_set(&self->core, table, synth_index(self->core.layout, KPG_PUD, self->va),
		       nr < 2 ? synth_table(self->core.layout, 0) :
				synth_leaf(self->core.layout, KPG_PUD, PUD));
}

TEST_F(census, passing_error)
{
	map(self, self->va, KPG_PUD, 0);
	ASSERT_EQ(0, census_open(self));
	read_hook = break_in_the_first_pass;
	read_hook_arg = self;
	ASSERT_EQ(0, census_at(self, self->va, self->va + PUD)) TH_LOG("%s", self->why);
	ASSERT_TRUE(self->census.stable);
	ASSERT_EQ(1, census_leaves(&self->census, CENSUS_MAPPED));
}

static int range_of(FIXTURE_DATA(census) * self, const char *name, uint64_t *start, uint64_t *end)
{
	return census_range(self->kc, name, start, end, self->why, sizeof(self->why));
}

/* What kcore and VMCOREINFO of an arm64 kernel say, with two pieces of RAM and a hole between. */
TEST_F(census, ranges_of_arm64)
{
	uint64_t vmalloc = 0xffff800080000000, hole = SYNTH_RAM_SIZE, start, end;

	synth_segment(&self->core, vmalloc, UINT64_MAX, 0x10000000, SYNTH_RAM_OFFSET);
	synth_segment(&self->core, self->core.linear_va + SYNTH_RAM_SIZE + hole,
		      SYNTH_RAM_PA + SYNTH_RAM_SIZE + hole, 0x1000, SYNTH_RAM_OFFSET);
	synth_info(&self->core, "NUMBER(VMALLOC_START)=0x%" PRIx64 "\n", vmalloc);
	synth_info(&self->core, "NUMBER(MODULES_VADDR)=0xffff800000000000\n");
	synth_info(&self->core, "NUMBER(MODULES_END)=0xffff800080000000\nKERNELOFFSET=10000\n");
	ASSERT_EQ(0, census_open(self));

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

/* Then the range that VMCOREINFO names holds nothing: its census would prove anything. */
TEST_F(census, modules_of_arm64_with_kaslr)
{
	uint64_t start, end;

	synth_info(&self->core, "NUMBER(MODULES_VADDR)=0xffff800000000000\n");
	synth_info(&self->core, "NUMBER(MODULES_END)=0xffff800080000000\n");
	synth_info(&self->core, "KERNELOFFSET=265f941000000\n");
	ASSERT_EQ(0, census_open(self));
	ASSERT_EQ(-ENOENT, range_of(self, "modules", &start, &end));
	ASSERT_NE(NULL, strstr(self->why, "KASLR"));
}

/* x86 says how large the image's part of the address space is, and has a segment after it. */
TEST_F(census, modules_of_x86)
{
	uint64_t start, end;

	synth_segment(&self->core, 0xffffffffc0000000, UINT64_MAX, 0x3f000000, SYNTH_RAM_OFFSET);
	synth_info(&self->core, "NUMBER(KERNEL_IMAGE_SIZE)=1073741824\n");
	ASSERT_EQ(0, census_open(self));
	ASSERT_EQ(0, range_of(self, "modules", &start, &end));
	ASSERT_EQ(0xffffffffc0000000, start);
	ASSERT_EQ(0xffffffffff000000, end);
}

TEST_F(census, ranges_that_are_not_told)
{
	uint64_t start, end;

	ASSERT_EQ(0, census_open(self));
	ASSERT_EQ(-ENOENT, range_of(self, "vmalloc", &start, &end));
	ASSERT_EQ(-ENOENT, range_of(self, "modules", &start, &end));
	ASSERT_EQ(-ENOENT, range_of(self, "nonsense", &start, &end));
	ASSERT_NE(NULL, strstr(self->why, "nonsense"));
}

TEST_HARNESS_MAIN
