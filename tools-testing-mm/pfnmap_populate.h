/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cases of pfnmap_test: which entries faults make, what the memory then holds, and what the kernel
 * counts for it.
 */
#ifndef PFNMAP_POPULATE_H
#define PFNMAP_POPULATE_H

#include <sys/prctl.h>

#include <libmm/restore.h>
#include <libmm/sysfile.h>

#include "pfnmap_setup.h"

/* One fault an entry, and one entry of the largest size that fits. */
TEST_F(pfnmap, populate)
{
	EXPECT_EQ(populate_faults(self), faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area));
}

/*
 * Writing makes the same entries. One of vgem's may want a fault more: they are read-only until the
 * file behind it has been told.
 */
TEST_F(pfnmap, populate_write)
{
	const struct area *area = &self->area;
	uint64_t faults;

	faults = faults_touching(&self->levels, area, true);
	EXPECT_LE(populate_faults(self), faults);
	EXPECT_GE(populate_faults(self) * (self->source == VGEM ? 2 : 1), faults);
	EXPECT_EQ(0, faults_touching(&self->levels, area, true));
	area_again(self);
	EXPECT_EQ(populate_faults(self), faults_reading(&self->levels, area));
	EXPECT_GE(populate_faults(self), faults_touching(&self->levels, area, true));
	EXPECT_EQ(0, faults_touching(&self->levels, area, true));
	marks_put(self, 1);
	EXPECT_EQ(0, marks_wrong(self, area, 1));
}

/* Where the first faults make pages, in spite of what would fit. */
static void by_pages_check(struct __test_metadata *_metadata, FIXTURE_DATA(pfnmap) * self)
{
	const struct devmem_levels *levels = &self->levels;
	const struct area *area = &self->area;
	size_t size = area->size < 4 * levels->pmd ? area->size : 4 * levels->pmd;
	struct area first = area_part(area, area->map, area->map + size);

	EXPECT_EQ(self->premapped ? 0 : size / levels->page, faults_reading(levels, &first));
	EXPECT_EQ(0, marks_wrong(self, &first, 0));
}

/* madvise(2) and prctl(2) switch huge entries off, and on again. */
TEST_F(pfnmap, thp_advice)
{
	const struct area *area = &self->area;

	marks_put(self, 0);
	if (madvise(area->map, area->size, MADV_NOHUGEPAGE))
		SKIP(return, "the kernel has no transparent huge pages: %s", strerror(errno));
	by_pages_check(_metadata, self);
	area_again(self);
	ASSERT_EQ(0, prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	by_pages_check(_metadata, self);
	ASSERT_EQ(0, prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
	area_again(self);
	ASSERT_EQ(0, madvise(area->map, area->size, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, madvise(area->map, area->size, MADV_HUGEPAGE));
	EXPECT_EQ(populate_faults(self), faults_reading(&self->levels, area));
	EXPECT_EQ(0, marks_wrong(self, area, 0));
}

/*
 * The policy for transparent huge pages is about memory that the kernel may allocate in small
 * pieces or large. Device memory is not allocated. Fixed in vma_file_bypass_thp_tuneables() after
 * 6.12.
 */
TEST_F(pfnmap, thp_policy)
{
	static const char * const policies[] = { "madvise", "never" };
	const struct area *area = &self->area;
	size_t i;

	if (!sysfile_readable(DEVMEM_THP_ENABLED))
		SKIP(return, "the kernel has no transparent huge pages");
	marks_put(self, 0);
	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		restore_set(DEVMEM_THP_ENABLED, policies[i]);
		area_again(self);
		EXPECT_EQ(populate_faults(self), faults_reading(&self->levels, area)) {
			TH_LOG("with transparent huge pages at \"%s\"", policies[i]);
		}
		EXPECT_EQ(0, marks_wrong(self, area, 0));
	}
}

static uint64_t locked_kb(void)
{
	uint64_t kb;

	if (__sysfile_read_key("/proc/self/status", "VmLck", &kb))
		libmm_fail("pfnmap: no VmLck in /proc/self/status");
	return kb;
}

/*
 * Device memory is always there: mlock(2) succeeds and has nothing to do, nor to count. Source:
 * mlock_fixup() leaves VM_SPECIAL out.
 */
TEST_F(pfnmap, mlock)
{
	const struct area *area = &self->area;
	uint64_t locked;

	marks_put(self, 0);
	locked = locked_kb();
	EXPECT_EQ(0, mlock(area->map, area->size));
	EXPECT_EQ(locked, locked_kb());
	EXPECT_EQ(populate_faults(self), faults_reading(&self->levels, area));
	EXPECT_EQ(0, mlock(piece_pmd(self), self->levels.pmd));
	EXPECT_EQ(0, munlock(area->map, area->size));
	EXPECT_EQ(0, faults_reading(&self->levels, area));
	EXPECT_EQ(0, marks_wrong(self, area, 0));
}

static uint64_t tables_bytes(void)
{
	uint64_t kb;

	if (__sysfile_read_key("/proc/self/status", "VmPTE", &kb))
		libmm_fail("pfnmap: no VmPTE in /proc/self/status");
	return kb * 1024;
}

/* Slots of @span bytes, each a table's worth, in which the area has entries below @below bytes. */
static size_t slots_with(FIXTURE_DATA(pfnmap) * self, size_t span, size_t below)
{
	char *p, *end = area_end(&self->area);
	uintptr_t last = 0;
	size_t nr = 0, entry;

	for (p = self->area.map; p < end; p += entry) {
		entry = area_entry_size(&self->levels, &self->area, p);
		if (entry >= below || (uintptr_t)p / span + 1 == last)
			continue;
		last = (uintptr_t)p / span + 1;
		nr++;
	}
	return nr;
}

/*
 * Large entries need no tables below them. The tables of pages are the area's own; those above may
 * be there already, for its neighbours.
 */
TEST_F(pfnmap, page_tables)
{
	const struct devmem_levels *levels = &self->levels;
	size_t lowest, above;
	uint64_t before;

	if (self->premapped)
		SKIP(return, "mmap(2) has made its tables already");
	lowest = slots_with(self, levels->pmd, levels->pmd);
	above = slots_with(self, levels->pud, levels->pud);
	before = tables_bytes();
	populate(self);
	EXPECT_LE(lowest * levels->page, tables_bytes() - before);
	/* And one each of the two levels over those. */
	EXPECT_GE((lowest + above + 2) * levels->page, tables_bytes() - before);
}

/* Wherever the kernel puts it, it is mapped by the entries that fit there. */
TEST_F(pfnmap, placement)
{
	struct area placed;

	/* Entries that are larger than the variant's may fit there. */
	if (variant->aligned < variant->entry)
		SKIP(return, "the variants that are aligned place the same");
	marks_put(self, 0);
	placed = self->area;
	placed.map = mmap(NULL, placed.size, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd,
			  self->fd_offset + self->bar_offset);
	ASSERT_NE(MAP_FAILED, (void *)placed.map);
	EXPECT_EQ(self->premapped ? 0 : area_entries(&self->levels, &placed),
		  faults_reading(&self->levels, &placed));
	EXPECT_EQ(0, marks_wrong(self, &placed, 0));
	EXPECT_EQ(0, munmap(placed.map, placed.size));
}

TEST_F(pfnmap, contents)
{
	marks_put(self, 1);
	EXPECT_EQ(0, marks_wrong(self, &self->area, 1));
	marks_write(self, &self->area, 2);
	EXPECT_EQ(0, control_wrong(self, 2));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 2));
}

#endif
