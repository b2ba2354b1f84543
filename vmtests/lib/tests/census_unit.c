// SPDX-License-Identifier: GPL-2.0
/*
 * A census counts what is mapped, and says when the tables never held still.
 *
 * Method: synthetic core files. Tables that change under the reader are had by standing in for
 * pread().
 */
#include "census_core.h"
#include "kselftest_harness.h"
#include "pread_hook.h"

FIXTURE(census)
{
	struct census_core cc;
};

FIXTURE_SETUP(census)
{
	census_core_init(&self->cc);
}

FIXTURE_TEARDOWN(census)
{
	read_hook = NULL;
	census_core_destroy(&self->cc);
}

TEST_F(census, counts)
{
	struct census *census = &self->cc.census;

	census_core_mix(&self->cc);
	ASSERT_EQ(0, census_core_open(&self->cc));
	ASSERT_EQ(0, census_core_count(&self->cc, self->cc.va, self->cc.va + 2 * PUD));
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
	ASSERT_EQ(0, census_core_open(&self->cc));
	ASSERT_EQ(0, census_core_count(&self->cc, self->cc.va, self->cc.va + PUD));
	ASSERT_EQ(0, census_leaves(&self->cc.census, CENSUS_MAPPED));
	ASSERT_EQ(0, self->cc.census.tables[KPG_PUD]);
	ASSERT_TRUE(self->cc.census.stable);
}

TEST_F(census, error_is_told)
{
	synth_map(&self->cc.synth, self->cc.va, KPG_PMD, synth_table(self->cc.synth.layout, 0));
	ASSERT_EQ(0, census_core_open(&self->cc));
	ASSERT_EQ(-EFAULT, census_core_count(&self->cc, self->cc.va, self->cc.va + PUD));
	ASSERT_NE(NULL, strstr(self->cc.why, "outside RAM"));
	ASSERT_EQ(-EINVAL, census_core_count(&self->cc, 0, self->cc.va));
}

static void flip(FIXTURE_DATA(census) * self, bool readonly)
{
	census_core_map(&self->cc, self->cc.va, KPG_PTE, readonly ? RDONLY : 0);
}

static void flip_always(unsigned int nr, void *arg)
{
	/* Four tables are read in a pass: the leaf is another in each. */
	flip(arg, nr / 4 % 2);
}

TEST_F(census, never_still)
{
	flip(self, false);
	ASSERT_EQ(0, census_core_open(&self->cc));
	read_hook = flip_always;
	read_hook_arg = self;
	ASSERT_EQ(0, census_core_count(&self->cc, self->cc.va, self->cc.va + PUD));
	ASSERT_FALSE(self->cc.census.stable);
	ASSERT_EQ(1, census_leaves(&self->cc.census, CENSUS_MAPPED));
}

static void flip_in_the_second_pass(unsigned int nr, void *arg)
{
	flip(arg, nr >= 4);
}

/* The count is of what was seen twice, not of the first pass. */
TEST_F(census, settles)
{
	flip(self, false);
	ASSERT_EQ(0, census_core_open(&self->cc));
	read_hook = flip_in_the_second_pass;
	read_hook_arg = self;
	ASSERT_EQ(0, census_core_count(&self->cc, self->cc.va, self->cc.va + PUD));
	ASSERT_TRUE(self->cc.census.stable);
	ASSERT_EQ(3, self->cc.census.passes);
	ASSERT_EQ(1, census_leaves(&self->cc.census, CENSUS_READONLY));
}

static void break_in_the_first_pass(unsigned int nr, void *arg)
{
	FIXTURE_DATA(census) * self = arg;
	uint64_t table = synth_table_of(&self->cc.synth, self->cc.va, KPG_PUD);

	/*
	 * Outside RAM, as a table freed and used anew may look; whole again for the next pass. The
	 * first ends after two reads, for what lies outside RAM is not read.
	 */
	synth_desc_set(&self->cc.synth, table,
		       synth_index(self->cc.synth.layout, KPG_PUD, self->cc.va),
		       nr < 2 ? synth_table(self->cc.synth.layout, 0) :
				synth_leaf(self->cc.synth.layout, KPG_PUD, PUD));
}

TEST_F(census, passing_error)
{
	census_core_map(&self->cc, self->cc.va, KPG_PUD, 0);
	ASSERT_EQ(0, census_core_open(&self->cc));
	read_hook = break_in_the_first_pass;
	read_hook_arg = self;
	ASSERT_EQ(0, census_core_count(&self->cc, self->cc.va, self->cc.va + PUD))
		TH_LOG("%s", self->cc.why);
	ASSERT_TRUE(self->cc.census.stable);
	ASSERT_EQ(1, census_leaves(&self->cc.census, CENSUS_MAPPED));
}

TEST_HARNESS_MAIN
