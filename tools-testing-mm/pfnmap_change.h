/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cases of pfnmap_test: a mapping, or a piece of it, is protected, unmapped, replaced, inherited
 * and moved.
 */
#ifndef PFNMAP_CHANGE_H
#define PFNMAP_CHANGE_H

#include <sys/wait.h>

#include <libmm/sysfile.h>

#include "pfnmap_setup.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/* What a kernel counts in /proc/vmstat when it splits an entry; 0 where it counts none. */
static uint64_t splits_read(const struct devmem_levels *levels, size_t entry)
{
	uint64_t splits = 0;

	if (entry > levels->page)
		__sysfile_read_key("/proc/vmstat", entry == levels->pud ? "thp_split_pud" :
				   "thp_split_pmd", &splits);
	return splits;
}

/* Whether an end of the piece lies within a huge entry of the area, and that entry's size if so. */
static size_t entry_cut(FIXTURE_DATA(pfnmap) * self, char *from, size_t size)
{
	size_t entry = area_entry_size(&self->levels, &self->area, from);

	if ((uintptr_t)from % entry || size < entry)
		return entry;
	return 0;
}

/* Faults of the area after the part at @from was made a VMA of its own, or a hole. */
static size_t entries_remade(FIXTURE_DATA(pfnmap) * self, char *from, size_t size, bool inside)
{
	return self->premapped ? 0 : area_entries_remade(&self->levels, &self->area, from, size,
							 inside);
}

/* Make @from read-only: all its neighbours stay writable, and everything keeps its contents. */
static void mprotect_check(struct __test_metadata *_metadata, FIXTURE_DATA(pfnmap) * self,
			   char *from, size_t size)
{
	const struct devmem_levels *levels = &self->levels;
	size_t entry = entry_cut(self, from, size);
	size_t remade = entries_remade(self, from, size, true);
	uint64_t splits = splits_read(levels, entry);
	size_t page = levels->page;

	populate(self);
	ASSERT_EQ(0, mprotect(from, size, PROT_READ));
	if (entry > page) {
		EXPECT_LT(splits, splits_read(levels, entry));
	}
	EXPECT_EQ(remade, faults_reading(levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
	EXPECT_TRUE(traps(from, true, SIGSEGV, SEGV_ACCERR));
	EXPECT_TRUE(traps(from + size - page, true, SIGSEGV, SEGV_ACCERR));
	ASSERT_EQ(0, access_try(from - page, &(uint64_t) { 0 }).sig);
	ASSERT_EQ(0, access_try(from + size, &(uint64_t) { 0 }).sig);

	ASSERT_EQ(0, mprotect(from, size, PROT_READ | PROT_WRITE));
	marks_write(self, &self->area, 1);
	EXPECT_EQ(0, control_wrong(self, 1));
}

TEST_F(pfnmap, mprotect_page)
{
	REQUIRE(cut_allowed(self, piece_page(self), self->levels.page));
	mprotect_check(_metadata, self, piece_page(self), self->levels.page);
}

TEST_F(pfnmap, mprotect_pmd)
{
	mprotect_check(_metadata, self, piece_pmd(self), self->levels.pmd);
}

/* All of it: no entry is split or taken away, so reading takes no fault. */
TEST_F(pfnmap, mprotect_whole)
{
	struct area *area = &self->area;
	char *last;

	last = area_end(area) - self->levels.page;
	populate(self);
	ASSERT_EQ(0, mprotect(area->map, area->size, PROT_READ));
	EXPECT_EQ(0, faults_reading(&self->levels, area));
	EXPECT_TRUE(traps(area->map, true, SIGSEGV, SEGV_ACCERR));
	EXPECT_TRUE(traps(last, true, SIGSEGV, SEGV_ACCERR));
	EXPECT_EQ(0, marks_wrong(self, area, 0));

	ASSERT_EQ(0, mprotect(area->map, area->size, PROT_NONE));
	EXPECT_TRUE(traps(area->map, false, SIGSEGV, SEGV_ACCERR));
	EXPECT_TRUE(traps(last, false, SIGSEGV, SEGV_ACCERR));

	ASSERT_EQ(0, mprotect(area->map, area->size, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, faults_reading(&self->levels, area));
	EXPECT_EQ(0, marks_wrong(self, area, 0));
	marks_write(self, area, 1);
	EXPECT_EQ(0, control_wrong(self, 1));
}

/* Nothing is there any more; or a page of zeros, which can be written. */
static void expect_gone(struct __test_metadata *_metadata, char *page, bool replaced)
{
	if (!replaced) {
		EXPECT_TRUE(traps(page, false, SIGSEGV, SEGV_MAPERR));
		EXPECT_TRUE(traps(page, true, SIGSEGV, SEGV_MAPERR));
		return;
	}
	EXPECT_EQ(0, *(volatile uint64_t *)page);
	EXPECT_EQ(0, access_try(page, &(uint64_t) { 1 }).sig);
	EXPECT_EQ(1, *(volatile uint64_t *)page);
	*(volatile uint64_t *)page = 0;
}

/*
 * Take @from away, or put memory of the process' own in its place: what is before and behind keeps
 * its contents and can be written.
 */
static void cut_check(struct __test_metadata *_metadata, FIXTURE_DATA(pfnmap) * self, char *from,
		      size_t size, bool replace)
{
	const struct devmem_levels *levels = &self->levels;
	struct area_parts parts = area_cut(&self->area, from, size);
	size_t entry = entry_cut(self, from, size), remade;
	uint64_t splits = splits_read(levels, entry);

	remade = entries_remade(self, from, size, false);
	populate(self);
	if (replace) {
		ASSERT_EQ(from, mmap(from, size, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	} else {
		ASSERT_EQ(0, munmap(from, size));
	}
	if (entry > levels->page) {
		EXPECT_LT(splits, splits_read(levels, entry));
	}
	expect_gone(_metadata, from, replace);
	expect_gone(_metadata, from + size - levels->page, replace);
	EXPECT_EQ(remade, faults_reading(levels, &parts.before) +
			  faults_reading(levels, &parts.behind));
	EXPECT_EQ(0, marks_wrong(self, &parts.before, 0));
	EXPECT_EQ(0, marks_wrong(self, &parts.behind, 0));
	EXPECT_EQ(0, control_wrong(self, 0));
	EXPECT_EQ(0, access_try(from - levels->page, &(uint64_t) { 0 }).sig);
	EXPECT_EQ(0, access_try(from + size, &(uint64_t) { 0 }).sig);
}

TEST_F(pfnmap, munmap_page)
{
	REQUIRE(cut_allowed(self, piece_page(self), self->levels.page));
	cut_check(_metadata, self, piece_page(self), self->levels.page, false);
}

TEST_F(pfnmap, munmap_pmd)
{
	cut_check(_metadata, self, piece_pmd(self), self->levels.pmd, false);
}

/* The faults that come after a part was cut off make the entries that belong there. */
TEST_F(pfnmap, munmap_before_faults)
{
	const struct devmem_levels *levels = &self->levels;
	struct area_parts parts;

	parts = area_cut(&self->area, piece_pmd(self), levels->pmd);
	marks_put(self, 0);
	ASSERT_EQ(0, munmap(parts.part.map, parts.part.size));
	EXPECT_EQ(self->premapped ? 0 : area_entries(levels, &parts.before) +
		  area_entries(levels, &parts.behind), faults_reading(levels, &parts.before) +
		  faults_reading(levels, &parts.behind));
	EXPECT_EQ(0, marks_wrong(self, &parts.before, 0));
	EXPECT_EQ(0, marks_wrong(self, &parts.behind, 0));
}

/* mmap(2) with MAP_FIXED over a part. */
TEST_F(pfnmap, replace_page)
{
	REQUIRE(cut_allowed(self, piece_page(self), self->levels.page));
	cut_check(_metadata, self, piece_page(self), self->levels.page, true);
}

TEST_F(pfnmap, replace_pmd)
{
	cut_check(_metadata, self, piece_pmd(self), self->levels.pmd, true);
}

/* Memory of the BAR for which x86 has a memory type reserved; -1 where there is no list of it. */
static long memtypes_count(FIXTURE_DATA(pfnmap) * self)
{
	const struct pci_bar *bar = &self->mem.bar;
	FILE *file = fopen("/sys/kernel/debug/x86/pat_memtype_list", "re");
	char *line = NULL;
	size_t size = 0;
	uint64_t start;
	long nr = 0;

	if (!file)
		return -1;
	while (getline(&line, &size, file) >= 0) {
		if (sscanf(line, "PAT: [mem %" SCNx64, &start) == 1)
			nr += start >= bar->start && start - bar->start < bar->size;
	}
	free(line);
	fclose(file);
	return nr;
}

/*
 * x86 reserves the memory's type for as long as it is mapped, in pieces or not. No other case cuts
 * this piece out: a kernel that keeps what it should free would find it reserved the next time.
 */
TEST_F(pfnmap, memtypes)
{
	const struct area *area = &self->area;
	size_t page = self->levels.page;
	long before;

	if (!self->premapped)
		SKIP(return, "VFIO reserves the type of the whole BAR, vgem none");
	before = memtypes_count(self);
	if (before < 0)
		SKIP(return, "no list of memory types: mount debugfs; x86 alone has it");
	EXPECT_LE(2, before);
	area_again(self);
	ASSERT_EQ(0, munmap(piece_page(self) - 16 * page, page));
	ASSERT_EQ(0, munmap(area->map, area->size));
	EXPECT_EQ(before - 1, memtypes_count(self));
}

/* Run @child in a child. Whether it exited with 0. */
static bool child_run(FIXTURE_DATA(pfnmap) * self, int (*child)(FIXTURE_DATA(pfnmap) * self))
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		libmm_fail("pfnmap: fork: %s", strerror(errno));
	if (!pid)
		_exit(child(self));
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			libmm_fail("pfnmap: waitpid: %s", strerror(errno));
	}
	if (!status)
		return true;
	fprintf(stderr, "# the child ended with status %#x\n", status);
	return false;
}

/*
 * The child has got the entries: none faults, or each once to be marked as accessed where the CPU
 * does not do so by itself (fork makes them old).
 */
static int child_uses(FIXTURE_DATA(pfnmap) * self)
{
	size_t entries = area_entries(&self->levels, &self->area);

	if (faults_reading(&self->levels, &self->area) > entries)
		return 2;
	if (marks_wrong(self, &self->area, 0))
		return 3;
	marks_write(self, &self->area, 1);
	return 0;
}

static int child_has_none(FIXTURE_DATA(pfnmap) * self)
{
	return !traps(self->area.map, false, SIGSEGV, SEGV_MAPERR);
}

static int child_unmaps(FIXTURE_DATA(pfnmap) * self)
{
	return munmap(piece_pmd(self), self->levels.pmd);
}

TEST_F(pfnmap, fork)
{
	populate(self);
	EXPECT_TRUE(child_run(self, child_uses));
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 1));
	EXPECT_TRUE(child_run(self, child_unmaps));
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 1));
}

TEST_F(pfnmap, dontfork)
{
	populate(self);
	ASSERT_EQ(0, madvise(self->area.map, self->area.size, MADV_DONTFORK));
	EXPECT_TRUE(child_run(self, child_has_none));
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
}

/* Where the whole area can be moved to: @off bytes off from what keeps its alignment. */
static char *move_target(FIXTURE_DATA(pfnmap) * self, size_t off)
{
	size_t from = area_end(&self->area) - self->reserve + self->levels.pmd;

	return address_choose(self, from, (uintptr_t)self->area.map, self->area.size >
			      self->levels.pud ? self->levels.pud : self->levels.pmd, off);
}

/* Entries move as they are where the new address allows it: reading takes no fault. */
TEST_F(pfnmap, mremap_aligned)
{
	struct area moved;

	moved = self->area;
	moved.map = move_target(self, 0);
	populate(self);
	ASSERT_EQ(moved.map, mremap(self->area.map, self->area.size, self->area.size,
				    MREMAP_MAYMOVE | MREMAP_FIXED, moved.map));
	EXPECT_TRUE(traps(self->area.map, false, SIGSEGV, SEGV_MAPERR));
	EXPECT_EQ(0, faults_reading(&self->levels, &moved));
	EXPECT_EQ(0, marks_wrong(self, &moved, 0));
	marks_write(self, &moved, 1);
	EXPECT_EQ(0, control_wrong(self, 1));
}

/* Faults after a move: the entries that do not fit the new address are gone. */
static size_t move_faults(const struct devmem_levels *levels, const struct area *area,
			  const struct area *moved)
{
	size_t entry, nr = 0;
	char *p, *to;

	for (p = area->map; p < area_end(area); p += entry) {
		entry = area_entry_size(levels, area, p);
		to = moved->map + (p - area->map);
		if ((uintptr_t)to % entry)
			nr += area_entries_within(levels, moved, to, to + entry);
	}
	return nr;
}

/* To an address that an entry of the area's size does not fit: a page off, or a PMD for PUDs. */
TEST_F(pfnmap, mremap_misaligned)
{
	struct area moved;
	size_t off, faults;

	off = self->area.size > self->levels.pud ? self->levels.pmd : self->levels.page;
	moved = self->area;
	moved.map = move_target(self, off);
	faults = self->premapped ? 0 : move_faults(&self->levels, &self->area, &moved);
	populate(self);
	ASSERT_EQ(moved.map, mremap(self->area.map, self->area.size, self->area.size,
				    MREMAP_MAYMOVE | MREMAP_FIXED, moved.map));
	EXPECT_TRUE(traps(self->area.map, false, SIGSEGV, SEGV_MAPERR));
	EXPECT_EQ(faults, faults_reading(&self->levels, &moved));
	EXPECT_EQ(0, marks_wrong(self, &moved, 0));
	marks_write(self, &moved, 1);
	EXPECT_EQ(0, control_wrong(self, 1));
}

/* mremap(2): EFAULT for what cannot be resized; VM_DONTEXPAND in check_prep_vma(). */
TEST_F(pfnmap, mremap_grow)
{
	const struct area *area = &self->area;

	populate(self);
	ASSERT_EQ(0, munmap(area_end(area), self->levels.page));
	EXPECT_EQ(MAP_FAILED, mremap(area->map, area->size, area->size + self->levels.page, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(MAP_FAILED, mremap(area->map, area->size, area->size + self->levels.page,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, faults_reading(&self->levels, area));
	EXPECT_EQ(0, marks_wrong(self, area, 0));
}

/*
 * mremap(2): MREMAP_DONTUNMAP is not for special mappings (EINVAL), nor is a second mapping, which
 * is a way to grow (EFAULT). Source: check_prep_vma().
 */
TEST_F(pfnmap, mremap_refused)
{
	const struct area *area = &self->area;

	populate(self);
	EXPECT_EQ(MAP_FAILED, mremap(area->map, area->size, area->size,
				     MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mremap(area->map, 0, area->size, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, faults_reading(&self->levels, area));
	EXPECT_EQ(0, marks_wrong(self, area, 0));
}

TEST_F(pfnmap, mremap_shrink)
{
	struct area_parts parts;
	size_t remade, page;
	char *last;

	page = self->levels.page;
	last = area_end(&self->area) - page;
	REQUIRE(cut_allowed(self, last, page));
	parts = area_cut(&self->area, last, page);
	remade = entries_remade(self, last, page, false);
	populate(self);
	ASSERT_EQ(self->area.map, mremap(self->area.map, self->area.size, self->area.size - page,
					 0));
	EXPECT_TRUE(traps(last, false, SIGSEGV, SEGV_MAPERR));
	EXPECT_EQ(remade, faults_reading(&self->levels, &parts.before));
	EXPECT_EQ(0, marks_wrong(self, &parts.before, 0));
}

#endif
