// SPDX-License-Identifier: GPL-2.0
/*
 * Which entries map an area, and which are made anew when it is cut: every number by hand, for
 * pages of 4 KiB, PMDs of 2 MiB and PUDs of 1 GiB. No address is touched.
 */
#include <libmm/area.h>

#include "kselftest_harness.h"

#define PAGE	4096ul
#define PMD	(512 * PAGE)
#define PUD	(512 * PMD)
#define BASE	(16 * PUD)

static const struct devmem_levels pages = {
	.page = PAGE, .pmd = PMD, .pud = PUD,
};

static const struct devmem_levels pmds = {
	.page = PAGE, .pmd = PMD, .pud = PUD, .pmd_maps = true,
};

static const struct devmem_levels puds = {
	.page = PAGE, .pmd = PMD, .pud = PUD, .pmd_maps = true, .pud_maps = true,
};

/* At an address and a frame that are @map and @pa off what every size fits. */
static struct area area_at(size_t map, size_t pa, size_t size)
{
	return (struct area) { .map = (char *)(BASE + map), .size = size, .pa = 4 * PUD + pa };
}

TEST(largest_entry_that_fits)
{
	struct area area = area_at(0, 0, 2 * PUD);

	EXPECT_EQ(2 * PUD / PAGE, area_entries(&pages, &area));
	EXPECT_EQ(1024ul, area_entries(&pmds, &area));
	EXPECT_EQ(2ul, area_entries(&puds, &area));
	EXPECT_EQ(PUD, area_entry_size(&puds, &area, area_end(&area) - 1));
}

TEST(address_and_frame_must_both_be_aligned)
{
	struct area off = area_at(PAGE, 0, 4 * PMD), both = area_at(PAGE, PAGE, 4 * PMD);

	EXPECT_EQ(2048ul, area_entries(&pmds, &off));
	/* 511 pages, three PMDs, and a page. */
	EXPECT_EQ(515ul, area_entries(&pmds, &both));
	EXPECT_EQ(3ul, area_entries_of(&pmds, &both, PMD));
	EXPECT_EQ(512ul, area_entries_of(&pmds, &both, PAGE));
}

TEST(edges_of_a_pud)
{
	struct area area = area_at(PUD - PMD - PAGE, PUD - PMD - PAGE, PUD + PMD + PAGE);

	EXPECT_EQ(3ul, area_entries(&puds, &area));
	EXPECT_EQ(1ul, area_entries_of(&puds, &area, PAGE));
	EXPECT_EQ(1ul, area_entries_of(&puds, &area, PMD));
	EXPECT_EQ(1ul, area_entries_of(&puds, &area, PUD));
}

/* A page in the middle of a PMD: the 511 others of it are faulted one by one. */
TEST(page_cut_from_a_pmd)
{
	struct area area = area_at(0, 0, 4 * PMD);
	char *page = area.map + PMD + 3 * PAGE;

	EXPECT_EQ(511ul, area_entries_remade(&pmds, &area, page, PAGE, false));
	EXPECT_EQ(512ul, area_entries_remade(&pmds, &area, page, PAGE, true));
	EXPECT_EQ(0ul, area_entries_remade(&pages, &area, page, PAGE, true));
}

/* A PMD from a PUD: the 511 others; where it ends the PUD no other is cut. */
TEST(pmd_cut_from_a_pud)
{
	struct area area = area_at(0, 0, 2 * PUD);

	EXPECT_EQ(511ul, area_entries_remade(&puds, &area, area.map + PMD, PMD, false));
	EXPECT_EQ(512ul, area_entries_remade(&puds, &area, area.map + PUD - PMD, PMD, true));
	EXPECT_EQ(0ul, area_entries_remade(&pmds, &area, area.map + PMD, PMD, true));
	EXPECT_EQ(0ul, area_entries_remade(&puds, &area, area.map, PUD, true));
}

/* Two pages over a boundary cut a PMD on either side. */
TEST(two_pmds_cut)
{
	struct area area = area_at(0, 0, 4 * PMD);
	char *from = area.map + PMD - PAGE;

	EXPECT_EQ(1022ul, area_entries_remade(&pmds, &area, from, 2 * PAGE, false));
	EXPECT_EQ(1024ul, area_entries_remade(&pmds, &area, from, 2 * PAGE, true));
}

TEST(parts_keep_their_frames)
{
	struct area area = area_at(0, 0, 4 * PMD);
	struct area_parts parts = area_cut(&area, area.map + PMD, PAGE);

	EXPECT_EQ(PMD, parts.before.size);
	EXPECT_EQ(area.pa + PMD, parts.part.pa);
	EXPECT_EQ(area.pa + PMD + PAGE, parts.behind.pa);
	EXPECT_EQ(area_end(&area), area_end(&parts.behind));
	EXPECT_EQ(511ul, area_entries_within(&pmds, &parts.behind, area.map, area.map + 2 * PMD));
}

TEST_HARNESS_MAIN
