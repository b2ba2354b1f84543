// SPDX-License-Identifier: GPL-2.0
/*
 * linmap_model on maps of no kernel: what splitting costs and leaves on arm64 4K and 16K and on
 * x86, and that a map which is wrong in any one way is told from a right one.
 *
 * The expected numbers are counted by hand from the rule in linmap_model.h, not taken from output.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/linmap_model.h>

#include "kselftest_harness.h"

#define K		(UINT64_C(1) << 10)
#define M		(UINT64_C(1) << 20)
#define G		(UINT64_C(1) << 30)
#define BASE		UINT64_C(0xffff888000000000)
#define RW_NX		(KPG_PRESENT | KPG_NOEXEC)

static struct linmap_pages pages_at(size_t nr, const uint64_t *offsets)
{
	static struct phys room[64];
	struct linmap_pages pages = { .pa = room, .room = ARRAY_SIZE(room) };
	size_t i;

	for (i = 0; i < nr; i++)
		linmap_pages_add(&pages, (struct phys) { offsets[i] });
	linmap_pages_sort(&pages);
	return pages;
}

#define PAGES(...) pages_at(ARRAY_SIZE(((uint64_t[]) { __VA_ARGS__ })), \
			    (uint64_t[]) { __VA_ARGS__ })

static struct kpg_leaf run(uint64_t offset, uint64_t size, enum kpg_level level, unsigned int nr,
			   unsigned int flags)
{
	return (struct kpg_leaf) {
		.va = BASE + offset, .pa = offset, .size = size, .level = level, .nr = nr,
		.flags = flags,
	};
}

static void arm64_4k(struct kpg_geometry *geo)
{
	if (kpg_geometry_arm64(geo, 12, 48, 16))
		abort();
}

static void arm64_16k(struct kpg_geometry *geo)
{
	if (kpg_geometry_arm64(geo, 14, 47, 17))
		abort();
}

static void x86_4(struct kpg_geometry *geo)
{
	if (kpg_geometry_x86(geo, 4, 0))
		abort();
}

TEST(pages_are_sorted_and_distinct)
{
	struct linmap_pages pages = PAGES(8 * K, 0, 8 * K, 4 * K);

	ASSERT_EQ(3, pages.nr);
	EXPECT_EQ(0, pages.pa[0].addr);
	EXPECT_EQ(8 * K, pages.pa[2].addr);
	EXPECT_TRUE(linmap_pages_any(&pages, (struct phys) { 4 * K }, 4 * K));
	EXPECT_FALSE(linmap_pages_any(&pages, (struct phys) { 12 * K }, 4 * K));
	EXPECT_FALSE(linmap_pages_any(&pages, (struct phys) { 1 }, 4 * K - 1));
	EXPECT_EQ(1, linmap_pages_units(&pages, 2 * M));
	EXPECT_EQ(3, linmap_pages_units(&pages, 4 * K));
}

TEST(snap_find_takes_one_entry_of_a_run)
{
	struct kpg_leaf leaves[] = { run(0, 2 * M, KPG_PMD, 4, RW_NX),
				     run(10 * M, 4 * K, KPG_PTE, 2, RW_NX) };
	struct linmap_snap snap = { .leaf = leaves, .nr = 2 };
	struct kpg_leaf leaf;

	ASSERT_TRUE(linmap_snap_find(&snap, BASE + 7 * M, &leaf));
	EXPECT_EQ(BASE + 6 * M, leaf.va);
	EXPECT_EQ(6 * M, leaf.pa);
	EXPECT_FALSE(linmap_snap_find(&snap, BASE + 8 * M, &leaf));
	EXPECT_FALSE(linmap_snap_find(&snap, BASE - 1, &leaf));
	EXPECT_TRUE(linmap_snap_find(&snap, BASE + 10 * M + 8 * K - 1, &leaf));
	EXPECT_FALSE(linmap_snap_find(&snap, BASE + 10 * M + 8 * K, &leaf));
}

/* Two pages of one 64K group, one of another, one in another 2M unit: all of one 1G block. */
TEST(arm64_block_of_1g_costs)
{
	struct kpg_leaf leaf = run(0, G, KPG_PUD, 1, RW_NX);
	struct linmap_snap before = { .leaf = &leaf, .nr = 1 };
	struct linmap_pages pages = PAGES(0, 4 * K, 64 * K, 40 * M);
	struct kpg_geometry geo;
	struct linmap_cost cost;

	arm64_4k(&geo);
	cost = linmap_model_cost(&geo, &before, &pages);
	EXPECT_EQ(1, cost.tables[KPG_PMD]);
	EXPECT_EQ(2, cost.tables[KPG_PTE]);
	EXPECT_EQ(2, cost.broken[KPG_PMD]) TH_LOG("0..32M and 32M..64M");
	EXPECT_EQ(3, cost.broken[KPG_PTE]) TH_LOG("two in the first 2M, one at 40M");
}

TEST(arm64_contiguous_2m_costs)
{
	struct kpg_leaf leaf = run(0, 2 * M, KPG_PMD, 32, RW_NX | KPG_CONTIGUOUS);
	struct linmap_snap before = { .leaf = &leaf, .nr = 1 };
	struct linmap_pages pages = PAGES(2 * M, 34 * M);
	struct kpg_geometry geo;
	struct linmap_cost cost;

	arm64_4k(&geo);
	cost = linmap_model_cost(&geo, &before, &pages);
	EXPECT_EQ(0, cost.tables[KPG_PMD]);
	EXPECT_EQ(2, cost.tables[KPG_PTE]);
	EXPECT_EQ(2, cost.broken[KPG_PMD]);
	EXPECT_EQ(2, cost.broken[KPG_PTE]);
}

TEST(pages_cost_nothing)
{
	struct kpg_leaf leaf = run(0, 4 * K, KPG_PTE, 512, RW_NX);
	struct linmap_snap before = { .leaf = &leaf, .nr = 1 };
	struct linmap_pages pages = PAGES(0, 4 * K);
	const struct linmap_cost none = {};
	struct kpg_geometry geo;
	struct linmap_cost cost;

	arm64_4k(&geo);
	cost = linmap_model_cost(&geo, &before, &pages);
	EXPECT_EQ(0, memcmp(&none, &cost, sizeof(cost)));
}

/* 16K pages: 32M blocks; 128 pages of 16K, 32 blocks of 32M in a group. */
TEST(arm64_16k_costs)
{
	struct kpg_leaf leaf = run(0, 32 * M, KPG_PMD, 32, RW_NX | KPG_CONTIGUOUS);
	struct linmap_snap before = { .leaf = &leaf, .nr = 1 };
	struct linmap_pages pages = PAGES(0, 2 * M, 64 * M);
	struct kpg_geometry geo;
	struct linmap_cost cost;

	arm64_16k(&geo);
	cost = linmap_model_cost(&geo, &before, &pages);
	EXPECT_EQ(2, cost.tables[KPG_PTE]);
	EXPECT_EQ(1, cost.broken[KPG_PMD]);
	EXPECT_EQ(3, cost.broken[KPG_PTE]) TH_LOG("groups of 2M: at 0, 2M and 64M");
}

TEST(x86_has_no_groups)
{
	struct kpg_leaf leaf = run(0, G, KPG_PUD, 2, RW_NX);
	struct linmap_snap before = { .leaf = &leaf, .nr = 1 };
	struct linmap_pages pages = PAGES(0, 2 * M, G);
	struct kpg_geometry geo;
	struct linmap_cost cost;

	x86_4(&geo);
	cost = linmap_model_cost(&geo, &before, &pages);
	EXPECT_EQ(2, cost.tables[KPG_PMD]);
	EXPECT_EQ(3, cost.tables[KPG_PTE]);
	EXPECT_EQ(0, cost.broken[KPG_PMD]);
	EXPECT_EQ(0, cost.broken[KPG_PTE]);
}

/*
 * A 1G block of arm64 after its page at 64K was taken: the page, the rest of its 64K group, the
 * other groups of its 2M, the other 2M of its 32M group, and whole groups up to 1G.
 */
static struct kpg_leaf split_block[] = {
	{ .va = BASE, .pa = 0, .size = 4 * K, .level = KPG_PTE, .nr = 16,
	  .flags = RW_NX | KPG_CONTIGUOUS },
	{ .va = BASE + 64 * K, .pa = 64 * K, .size = 4 * K, .level = KPG_PTE, .nr = 1,
	  .flags = KPG_INVALID | KPG_NOEXEC },
	{ .va = BASE + 68 * K, .pa = 68 * K, .size = 4 * K, .level = KPG_PTE, .nr = 15,
	  .flags = RW_NX },
	{ .va = BASE + 128 * K, .pa = 128 * K, .size = 4 * K, .level = KPG_PTE, .nr = 480,
	  .flags = RW_NX | KPG_CONTIGUOUS },
	{ .va = BASE + 2 * M, .pa = 2 * M, .size = 2 * M, .level = KPG_PMD, .nr = 15,
	  .flags = RW_NX },
	{ .va = BASE + 32 * M, .pa = 32 * M, .size = 2 * M, .level = KPG_PMD, .nr = 496,
	  .flags = RW_NX | KPG_CONTIGUOUS },
};

#define NR_SPLIT	ARRAY_SIZE(split_block)

FIXTURE(check)
{
	struct kpg_geometry geo;
	struct kpg_leaf block;
	struct linmap_snap before;
	struct linmap_snap after;
	struct kpg_leaf leaves[NR_SPLIT];
	struct linmap_pages pages;
	char why[256];
};

FIXTURE_SETUP(check)
{
	arm64_4k(&self->geo);
	self->block = run(0, G, KPG_PUD, 1, RW_NX);
	self->before = (struct linmap_snap) { .leaf = &self->block, .nr = 1 };
	memcpy(self->leaves, split_block, sizeof(split_block));
	self->after = (struct linmap_snap) { .leaf = self->leaves, .nr = NR_SPLIT };
	self->pages = PAGES(64 * K);
	self->why[0] = '\0';
}

FIXTURE_TEARDOWN(check)
{
}

static size_t check(struct _test_data_check *self, bool held)
{
	return linmap_model_check(&self->geo, &self->before, &self->after, &self->pages, held,
				  self->why, sizeof(self->why));
}

TEST_F(check, right_map_passes)
{
	EXPECT_EQ(0, check(self, true)) TH_LOG("%s", self->why);
	self->leaves[1].flags = RW_NX;
	EXPECT_EQ(0, check(self, false)) TH_LOG("%s", self->why);
}

TEST_F(check, page_not_taken)
{
	self->leaves[1].flags = RW_NX;
	EXPECT_EQ(1, check(self, true));
	EXPECT_NE(NULL, strstr(self->why, "invalid"));
}

TEST_F(check, page_not_given_back)
{
	EXPECT_EQ(1, check(self, false));
}

TEST_F(check, neighbour_taken_too)
{
	self->leaves[2].flags = KPG_INVALID | KPG_NOEXEC;
	EXPECT_EQ(15, check(self, true));
}

TEST_F(check, neighbour_read_only)
{
	self->leaves[3].flags |= KPG_READONLY;
	EXPECT_EQ(480, check(self, true));
	EXPECT_NE(NULL, strstr(self->why, "read-only"));
}

TEST_F(check, neighbour_executable)
{
	self->leaves[4].flags &= ~(unsigned int)KPG_NOEXEC;
	EXPECT_EQ(15, check(self, true));
}

TEST_F(check, group_left_whole)
{
	self->leaves[2].flags |= KPG_CONTIGUOUS;
	EXPECT_EQ(15, check(self, true));
}

TEST_F(check, group_broken_without_need)
{
	self->leaves[5].flags &= ~(unsigned int)KPG_CONTIGUOUS;
	EXPECT_EQ(496, check(self, true));
}

TEST_F(check, block_split_without_need)
{
	self->leaves[4] = run(2 * M, 4 * K, KPG_PTE, 15 * 512, RW_NX);
	EXPECT_EQ(15, check(self, true));
}

TEST_F(check, wrong_memory)
{
	self->leaves[4].pa += 2 * M;
	EXPECT_EQ(15, check(self, true));
}

TEST_F(check, hole)
{
	self->after.nr = NR_SPLIT - 1;
	EXPECT_EQ(496, check(self, true));
	EXPECT_NE(NULL, strstr(self->why, "by nothing"));
}

TEST_F(check, nothing_was_there)
{
	self->before.nr = 0;
	EXPECT_LT(0, check(self, true));
}

TEST_F(check, not_split_at_all)
{
	self->after = self->before;
	/* Each entry that should be there: 512 pages and 511 blocks. */
	EXPECT_EQ(1023, check(self, true));
}

/* Another's change in another last-level table is not this change's fault. */
TEST_F(check, other_tables_are_not_looked_at)
{
	struct kpg_leaf old[] = { run(0, 4 * K, KPG_PTE, 1024, RW_NX) };
	struct kpg_leaf new[] = { run(0, 4 * K, KPG_PTE, 16, RW_NX),
				  run(64 * K, 4 * K, KPG_PTE, 1, KPG_INVALID | KPG_NOEXEC),
				  run(68 * K, 4 * K, KPG_PTE, 1024 - 17, RW_NX) };

	self->before = (struct linmap_snap) { .leaf = old, .nr = 1 };
	self->after = (struct linmap_snap) { .leaf = new, .nr = 3 };
	EXPECT_EQ(0, check(self, true)) TH_LOG("%s", self->why);
	new[2].nr -= 512;
	EXPECT_EQ(0, check(self, true)) TH_LOG("%s", self->why);
	new[2].nr -= 1;
	EXPECT_EQ(1, check(self, true));
}

TEST_HARNESS_MAIN
