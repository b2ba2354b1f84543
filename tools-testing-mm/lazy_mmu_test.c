// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel does to page tables in batches (lazy MMU mode) is all done when it is over:
 * every page has the contents, the permission and the physical page that it should have, and
 * touching it costs the faults that it should, on the pages that it should.
 *
 * Each user of lazy MMU mode that a program can reach is run over an area that crosses page tables
 * and in which neighbouring pages differ, so that a batch is cut in many places. Afterwards each
 * page is looked at: by its contents, by an access that must work or must not, by its frame
 * number, and by the faults on it. Every test runs undisturbed, under a storm of timer signals,
 * and beside a thread that changes page tables of the same process on the same CPU.
 *
 * Limits: a batch that was not flushed shows only where hardware or hypervisor still knows the old
 * entry. A program cannot nest sections; a kernel booted with debug_pagealloc=on does, wherever a
 * page is freed inside one. The vmalloc tests see a wrong mapping by its contents, not by itself.
 *
 * To see it fail: mutants/ has a library that claims to have done what mprotect(), mremap(),
 * madvise() and munmap() were asked to do.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libmm/harness.h>
#include <libmm/uffd.h>

#include "lazy_mmu.h"

/* include/uapi/linux/fs.h, which older C libraries' kernel headers lack this part of. */
#define SCAN _IOWR('f', 16, struct scan_arg)
/* Present, or "swapped", as a page is while it is being moved (pagemap_page_category()). */
#define SCAN_THERE (1 << 3 | 1 << 4)
struct scan_region {
	uint64_t start, end, categories;
};

struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define PAGEMAP_THERE (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)
#define LRU_GEN "/sys/kernel/debug/lru_gen"
/* Documentation/admin-guide/mm/multigen_lru.rst: of the bits of "enabled". */
#define LRU_GEN_MM_WALK 0x2
/* How often a page is looked at again that somebody may be moving. */
#define PATIENCE 10000

FIXTURE(lazy_mmu)
{
	char *area;		/* mapped, across page tables */
	char *to;		/* room for another, at another offset in its page table */
	struct watch watch;
};

FIXTURE_VARIANT(lazy_mmu)
{
	enum disturbance disturbance;
};

FIXTURE_VARIANT_ADD(lazy_mmu, undisturbed) { .disturbance = UNDISTURBED };
FIXTURE_VARIANT_ADD(lazy_mmu, signals) { .disturbance = SIGNALS };
FIXTURE_VARIANT_ADD(lazy_mmu, preempted) { .disturbance = PREEMPTED };

/* In memory that is not accessible. The middle of the area is at a page table's boundary. */
static void areas_place(FIXTURE_DATA(lazy_mmu) * self)
{
	size_t table = page_size() / sizeof(uint64_t) * page_size();
	size_t size = 3 * area_size() + table;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	char *room = mmap(NULL, size, PROT_NONE, flags, -1, 0);

	if (room == MAP_FAILED)
		libmm_fail("lazy_mmu: reserving %zu bytes of addresses: %s", size, strerror(errno));
	self->area = room + table - ((uintptr_t)room + NR_PAGES / 2 * page_size()) % table;
	self->to = self->area + area_size() + page_size();
}

FIXTURE_SETUP(lazy_mmu)
{
	signal_catch(SIGSEGV, on_fault, SA_NODEFER);
	signal_catch(SIGBUS, on_fault, SA_NODEFER);
	/* Nothing below is worth doing where plain memory does not work. */
	areas_place(self);
	area_map(self->area, MAP_PRIVATE);
	area_write(self->area, 0);
	ASSERT_EQ(NR_PAGES, area_wrong_at(self->area, 0));
	ASSERT_EQ(NR_PAGES, access_wrong_at(self->area, PROT_READ, ALL));
	ASSERT_EQ(NR_PAGES, access_wrong_at(self->area, PROT_WRITE, ALL));
	disturbance_begin(variant->disturbance);
}

/* The process ends with the test: so do the disturbance, the log, open files and mappings. */
FIXTURE_TEARDOWN(lazy_mmu)
{
}

/* Returns what @check returns in a child: 0, or which of its checks failed. */
static int in_child(int (*check)(char *area, unsigned int round), char *area, unsigned int round)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(check(area, round));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* A page is copied when one word of it is written. */
static int child_copies(char *area, unsigned int round)
{
	struct watch watch;
	struct probe probe = watch_open(&watch);

	if (probe.answer != PROBE_YES)
		libmm_fail("lazy_mmu: in a child: %s", probe.why);
	watch_start(&watch, area);
	area_write_words(area, 1, round + 1);
	if (watch_wrong_at(&watch, TOUCHED) < NR_PAGES)
		return 1;
	return set_wrong_at(area, TOUCHED, round + 1, round) < NR_PAGES ? 2 : 0;
}

static int child_shares(char *area, unsigned int round)
{
	if (area_wrong_at(area, round) < NR_PAGES)
		return 1;
	area_write(area, round + 1);
	return area_wrong_at(area, round + 1) < NR_PAGES ? 2 : 0;
}

/* fork() write-protects both sides' pages in batches, exit unmaps the child's. */
TEST_F(lazy_mmu, fork_private)
{
	REQUIRE(watch_open(&self->watch));
	for (unsigned int round = 0; goes_on(round); round++) {
		area_write(self->area, round);
		EXPECT_EQ(0, in_child(child_copies, self->area, round));
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->area, round));

		/* Each page is write-protected still, and its owner's alone. */
		watch_start(&self->watch, self->area);
		area_write_words(self->area, 1, round + 1);
		EXPECT_EQ(NR_PAGES, watch_wrong_at(&self->watch, TOUCHED));
		EXPECT_EQ(NR_PAGES, set_wrong_at(self->area, TOUCHED, round + 1, round));
	}
}

TEST_F(lazy_mmu, fork_shared)
{
	area_map(self->area, MAP_SHARED);
	for (unsigned int round = 0; goes_on(round); round++) {
		area_write(self->area, round);
		EXPECT_EQ(0, in_child(child_shares, self->area, round));
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->area, round + 1));
	}
}

/*
 * Returns the first page of which pagemap does not say whether only this process maps it (@alone),
 * or NR_PAGES. One that is being moved is meanwhile mapped by some of its processes and not by
 * others: only a page that stays wrong is.
 */
static size_t mapped_wrong_at(char *area, bool alone)
{
	uint64_t entry, right = PAGEMAP_PRESENT | (alone ? PAGEMAP_EXCLUSIVE : 0);
	unsigned int patience = PATIENCE;
	size_t i;

	for (i = 0; i < NR_PAGES; i++) {
		while (is_in(TOUCHED, i)) {
			can_access(page_at(area, i), PROT_READ);	/* waits for it */
			pagemap_entries(page_at(area, i), 1, &entry);
			if ((entry & (PAGEMAP_PRESENT | PAGEMAP_EXCLUSIVE)) == right)
				break;
			if (!patience--)
				return i;
			usleep(1000);
		}
	}
	return i;
}

/* While a child lives every page is shared with it; when it has ended none is. */
TEST_F(lazy_mmu, exit_unmaps)
{
	int wait[2];
	pid_t pid;
	char byte;

	for (unsigned int round = 0; goes_on(round); round++) {
		area_write(self->area, round);
		EXPECT_EQ(NR_PAGES, mapped_wrong_at(self->area, true));
		ASSERT_EQ(0, pipe(wait));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			close(wait[1]);
			_exit(read(wait[0], &byte, 1) ? 1 : 0);
		}
		EXPECT_EQ(NR_PAGES, mapped_wrong_at(self->area, false));
		close(wait[0]);
		close(wait[1]);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		EXPECT_EQ(NR_PAGES, mapped_wrong_at(self->area, true));
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->area, round));
	}
}

static void runs_protect(struct __test_metadata *_metadata, char *area, int prot)
{
	size_t i;

	for (i = RUN; i < NR_PAGES; i += 2 * RUN)
		ASSERT_EQ(0, mprotect(page_at(area, i), RUN * page_size(), prot));
}

TEST_F(lazy_mmu, mprotect_runs)
{
	REQUIRE(watch_open(&self->watch));
	for (unsigned int round = 0; goes_on(round); round++) {
		area_write(self->area, round);
		runs_protect(_metadata, self->area, PROT_READ);
		watch_start(&self->watch, self->area);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->area, round));
		EXPECT_EQ(NR_PAGES, watch_wrong_at(&self->watch, NONE));
		ASSERT_EQ(NR_PAGES, access_wrong_at(self->area, PROT_WRITE, UNTREATED));

		runs_protect(_metadata, self->area, PROT_NONE);
		ASSERT_EQ(NR_PAGES, access_wrong_at(self->area, PROT_READ, UNTREATED));
		runs_protect(_metadata, self->area, PROT_READ | PROT_WRITE);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->area, round));
	}
}

/* One call over everything, so that a batch is as long as a page table. */
TEST_F(lazy_mmu, mprotect_whole)
{
	for (unsigned int round = 0; goes_on(round); round++) {
		area_write(self->area, round);
		ASSERT_EQ(0, mprotect(self->area, area_size(), PROT_READ));
		ASSERT_EQ(NR_PAGES, access_wrong_at(self->area, PROT_WRITE, NONE));
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->area, round));
		ASSERT_EQ(0, mprotect(self->area, area_size(), PROT_NONE));
		ASSERT_EQ(NR_PAGES, access_wrong_at(self->area, PROT_READ, NONE));
		ASSERT_EQ(0, mprotect(self->area, area_size(), PROT_READ | PROT_WRITE));
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->area, round));
	}
}

/*
 * Moved by an odd number of pages, so that entries are moved and not whole tables. The pages
 * themselves move: same frames, no fault.
 */
TEST_F(lazy_mmu, mremap_moves)
{
	uint64_t before[NR_PAGES];

	REQUIRE(watch_open(&self->watch));
	for (unsigned int round = 0; goes_on(round); round++) {
		area_map(self->area, MAP_PRIVATE);
		area_write(self->area, round);
		pagemap_entries(self->area, NR_PAGES, before);
		ASSERT_EQ(self->to, mremap(self->area, area_size(), area_size(),
					   MREMAP_MAYMOVE | MREMAP_FIXED, self->to));
		watch_start(&self->watch, self->to);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->to, round));
		EXPECT_EQ(NR_PAGES, watch_wrong_at(&self->watch, NONE));
		EXPECT_LT(0UL, nr_same_frame(self->to, before));
		ASSERT_EQ(NR_PAGES, access_wrong_at(self->area, PROT_READ, NONE));
	}
}

/* Pages of one mapping move one run at a time, protected ones too. */
TEST_F(lazy_mmu, mremap_runs)
{
	size_t i, size = RUN * page_size();

	for (unsigned int round = 0; goes_on(round); round++) {
		area_map(self->area, MAP_PRIVATE);
		area_write(self->area, round);
		runs_protect(_metadata, self->area, PROT_READ);
		for (i = 0; i < NR_PAGES; i += RUN)
			ASSERT_EQ(page_at(self->to, i),
				  mremap(page_at(self->area, i), size, size,
					 MREMAP_MAYMOVE | MREMAP_FIXED, page_at(self->to, i)));
		ASSERT_EQ(NR_PAGES, area_wrong_at(self->to, round));
		ASSERT_EQ(NR_PAGES, access_wrong_at(self->to, PROT_WRITE, UNTREATED));
	}
}

TEST_F(lazy_mmu, munmap_runs)
{
	size_t i;

	REQUIRE(watch_open(&self->watch));
	for (unsigned int round = 0; goes_on(round); round++) {
		area_map(self->area, MAP_PRIVATE);
		area_write(self->area, round);
		for (i = RUN; i < NR_PAGES; i += 2 * RUN)
			ASSERT_EQ(0, munmap(page_at(self->area, i), RUN * page_size()));
		watch_start(&self->watch, self->area);
		ASSERT_EQ(NR_PAGES, set_wrong_at(self->area, KEPT, round, round));
		EXPECT_EQ(NR_PAGES, watch_wrong_at(&self->watch, NONE));
		ASSERT_EQ(NR_PAGES, access_wrong_at(self->area, PROT_READ, UNTREATED));
	}
}

static void runs_advise(struct __test_metadata *_metadata, char *area, int advice)
{
	size_t i;

	for (i = RUN; i < NR_PAGES; i += 2 * RUN)
		ASSERT_EQ(0, madvise(page_at(area, i), RUN * page_size(), advice))
			TH_LOG("madvise(%d): %s", advice, strerror(errno));
}

/* Private pages are gone: the next write of each finds zeros, at the price of one fault. */
TEST_F(lazy_mmu, dontneed_private)
{
	REQUIRE(watch_open(&self->watch));
	REQUIRE(advice_probe(self->area, MADV_DONTNEED));
	for (unsigned int round = 0; goes_on(round); round++) {
		area_write(self->area, round);
		runs_advise(_metadata, self->area, MADV_DONTNEED);
		watch_start(&self->watch, self->area);
		ASSERT_EQ(NR_PAGES, access_wrong_at(self->area, PROT_WRITE, ALL));
		ASSERT_EQ(NR_PAGES, set_wrong_at(self->area, KEPT, round, round));
		ASSERT_EQ(NR_PAGES, set_wrong_at(self->area, TREATED, ZEROS, ZEROS));
		EXPECT_EQ(NR_PAGES, watch_wrong_at(&self->watch, TREATED));
	}
}

/* Shared pages stay in the file. */
TEST_F(lazy_mmu, dontneed_shared)
{
	area_map(self->area, MAP_SHARED);
	REQUIRE(advice_probe(self->area, MADV_DONTNEED));
	for (unsigned int round = 0; goes_on(round); round++) {
		area_write(self->area, round);
		runs_advise(_metadata, self->area, MADV_DONTNEED);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->area, round));
	}
}

/* Aged and, where there is swap, swapped out: nothing of it may change what is there. */
TEST_F(lazy_mmu, cold_and_pageout)
{
	REQUIRE(advice_probe(self->area, MADV_COLD));
	REQUIRE(advice_probe(self->area, MADV_PAGEOUT));
	for (unsigned int round = 0; goes_on(round); round++) {
		area_write(self->area, round);
		runs_advise(_metadata, self->area, MADV_COLD);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->area, round));
		runs_advise(_metadata, self->area, MADV_PAGEOUT);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->area, round));
	}
}

/*
 * How many base pages of the area have @field of smaps, such as "Referenced:". What lies beside it
 * is not accessible, so the area is mappings of its own.
 */
static size_t area_pages_of(char *area, const char *field)
{
	uintptr_t start, end, first = (uintptr_t)area, last = first + area_size();
	FILE *smaps = fopen("/proc/self/smaps", "re");
	char line[512], name[64];
	bool inside = false;
	size_t kb, sum = 0;

	if (!smaps)
		libmm_fail("lazy_mmu: opening /proc/self/smaps: %s", strerror(errno));
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &start, &end) == 2)
			inside = start >= first && end <= last;
		else if (inside && sscanf(line, "%63s %zu kB", name, &kb) == 2 &&
			 !strcmp(name, field))
			sum += kb;
	}
	fclose(smaps);
	return sum * 1024 / page_size();
}

/*
 * Of the pages that @advice was given about, most have lost @field. Not all must: the kernel leaves
 * pages out that are not on its lists yet, some tens on each CPU, or that are being moved. A round
 * in which it has aged pages by itself before says nothing.
 */
static void expect_advised(struct __test_metadata *_metadata, FIXTURE_DATA(lazy_mmu) * self,
			   int advice, const char *field)
{
	size_t has, all = nr_in(TOUCHED), nr = nr_in(TREATED);
	unsigned int judged = 0;

	REQUIRE(advice_probe(self->area, advice));
	for (unsigned int round = 0; goes_on(round); round++) {
		area_write(self->area, round);
		if (area_pages_of(self->area, field) != all)
			continue;
		judged++;
		runs_advise(_metadata, self->area, advice);
		has = area_pages_of(self->area, field);
		EXPECT_GE(all - nr / 2, has)
			TH_LOG("%s still %zu of %zu pages, after advice about %zu", field, has, all,
			       nr);
	}
	if (!judged)
		SKIP(return, "the kernel is short of memory and ages all pages by itself");
}

/* Cold pages are no longer counted as referenced. */
TEST_F(lazy_mmu, cold_is_unreferenced)
{
	expect_advised(_metadata, self, MADV_COLD, "Referenced:");
}

/* Pages that may be freed are no longer dirty, or they could not be. */
TEST_F(lazy_mmu, free_is_clean)
{
	expect_advised(_metadata, self, MADV_FREE, "Private_Dirty:");
}

/* What is written after MADV_FREE stays; what is not is there or zero, a whole page at a time. */
TEST_F(lazy_mmu, free_and_rewrite)
{
	size_t i;

	REQUIRE(advice_probe(self->area, MADV_FREE));
	for (unsigned int round = 0; goes_on(round); round++) {
		area_write(self->area, round);
		runs_advise(_metadata, self->area, MADV_FREE);
		for (i = 0; i < NR_PAGES; i++) {
			if (is_in(TREATED, i) && i & 1)
				page_write(self->area, i, NR_WORDS, round + REWRITTEN);
		}
		ASSERT_EQ(NR_PAGES, set_wrong_at(self->area, KEPT, round, round));
		for (i = 0; i < NR_PAGES; i++) {
			unsigned int left = i & 1 ? round + REWRITTEN : round;

			if (is_in(TREATED, i) && (i & 1 || !page_has(self->area, i, ZEROS, ZEROS)))
				ASSERT_TRUE(page_has(self->area, i, left, left));
		}
	}
}

/*
 * How many pages from those of @move on are not where it says any more, but where they should go.
 * Kernels that keep in move_pages() the -EAGAIN of a page they had to wait for (6.18, since they
 * move many pages at once; 7.2 drops it) do not count what they move next, and then find it in
 * their way. That is no matter of lazy MMU mode, and only happens to who has pages moved by others.
 */
static size_t nr_uncounted(const struct uffdio_move *move)
{
	size_t i, nr = move->len / page_size();
	uint64_t src[NR_PAGES], dst[NR_PAGES];

	pagemap_entries((void *)(uintptr_t)move->src, nr, src);
	pagemap_entries((void *)(uintptr_t)move->dst, nr, dst);
	for (i = 0; i < nr && !(src[i] & PAGEMAP_THERE) && dst[i] & PAGEMAP_THERE; i++)
		;
	return i;
}

/* Returns 0 or -errno. */
static int uffd_move(int fd, struct uffdio_move *move)
{
	size_t done, uncounted;

	for (; move->len; move->dst += done, move->src += done, move->len -= done) {
		move->move = 0;
		if (!ioctl(fd, UFFDIO_MOVE, move))
			return 0;
		/* -EAGAIN: interrupted after move->move bytes, from where the caller continues. */
		done = move->move > 0 ? move->move : 0;
		if (errno == EAGAIN)
			continue;
		if (errno != EEXIST)
			return -errno;
		uncounted = nr_uncounted(move);
		if (!uncounted)
			return -EEXIST;
		ksft_print_msg("UFFDIO_MOVE has moved %zu pages and not said so\n", uncounted);
		done = uncounted * page_size();
	}
	return 0;
}

/*
 * The pages themselves go from one place of the process to another: same frames, nothing left
 * behind.
 */
TEST_F(lazy_mmu, uffdio_move)
{
	uint64_t before[NR_PAGES];
	struct uffdio_move move;
	int fd;

	REQUIRE(frames_probe());
	REQUIRE(uffd_open(UFFD_FEATURE_MOVE, &fd));
	for (unsigned int round = 0; goes_on(round); round++) {
		area_map(self->area, MAP_PRIVATE);
		area_write(self->area, round);
		pagemap_entries(self->area, NR_PAGES, before);
		area_map(self->to, MAP_PRIVATE);
		ASSERT_EQ(0, uffd_register(fd, self->to, area_size(), true, false, false));
		move = (struct uffdio_move){
			.dst = (uintptr_t)self->to, .src = (uintptr_t)self->area,
			.len = area_size(), .mode = UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES,
		};
		ASSERT_EQ(0, uffd_move(fd, &move));
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->to, round));
		EXPECT_LT(0UL, nr_same_frame(self->to, before));
		ASSERT_EQ(NR_PAGES, set_wrong_at(self->area, ALL, ZEROS, ZEROS));
	}
}

/*
 * PAGEMAP_SCAN walks the tables and tells runs of pages that are there: exactly those that were
 * touched and not dropped.
 */
TEST_F(lazy_mmu, pagemap_scan)
{
	struct scan_region regions[NR_PAGES], *at;
	struct scan_arg arg = {
		.size = sizeof(arg), .vec = (uintptr_t)regions, .vec_len = NR_PAGES,
		.start = (uintptr_t)self->area, .end = (uintptr_t)self->area + area_size(),
		.category_anyof_mask = SCAN_THERE, .return_mask = SCAN_THERE,
	};
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), nr;
	size_t i;

	ASSERT_LE(0, fd);
	REQUIRE(advice_probe(self->area, MADV_DONTNEED));
	for (unsigned int round = 0; goes_on(round); round++) {
		area_write(self->area, round);
		runs_advise(_metadata, self->area, MADV_DONTNEED);
		nr = ioctl(fd, SCAN, &arg);
		if (nr < 0 && errno == ENOTTY)
			SKIP(return, "this kernel has no PAGEMAP_SCAN");
		ASSERT_LT(0, nr);
		EXPECT_EQ(arg.end, arg.walk_end);
		for (i = 0, at = regions; i < NR_PAGES; i++) {
			uint64_t page = (uintptr_t)page_at(self->area, i);

			at += at < regions + nr && at->end <= page;
			ASSERT_EQ(is_in(KEPT, i), at < regions + nr && at->start <= page);
		}
	}
}

/*
 * Ask for one aging of each memory cgroup on each node. Returns how many, or -errno. Generations,
 * which are never 0, are listed behind their cgroup and node, the newest last.
 */
static int lru_gen_age(void)
{
	unsigned long memcg = 0, node = 0, newest = 0;
	char *line = NULL, command[96];
	FILE *file = fopen(LRU_GEN, "re");
	size_t size = 0;
	int aged = 0;
	bool more;

	if (!file)
		return -errno;
	do {
		more = getline(&line, &size, file) >= 0;
		if (more && sscanf(line, " %lu", &newest) == 1)
			continue;
		snprintf(command, sizeof(command), "+ %lu %lu %lu 1 1", memcg, node, newest);
		if (newest && !__sysfile_write(LRU_GEN, command))
			aged++;
		newest = 0;
		if (more && sscanf(line, "memcg %lu", &memcg) != 1)
			sscanf(line, " node %lu", &node);
	} while (more);
	free(line);
	fclose(file);
	return aged;
}

/* Whether MGLRU can be asked to age by walking page tables. */
static struct probe lru_gen_probe(void)
{
	uint64_t enabled;

	if (__sysfile_read_u64("/sys/kernel/mm/lru_gen/enabled", &enabled))
		return probe_no("this kernel was built without CONFIG_LRU_GEN");
	if (!enabled)
		return probe_no("MGLRU is off: echo y > /sys/kernel/mm/lru_gen/enabled");
	if (!(enabled & LRU_GEN_MM_WALK))
		return probe_no("MGLRU does not walk page tables (bit 1 of /sys/kernel/mm/lru_gen/enabled)");
	return probe_writable(LRU_GEN);
}

/* MGLRU's aging clears the accessed bits of whole tables; no page may change by it. */
TEST_F(lazy_mmu, lru_gen_aging)
{
	REQUIRE(lru_gen_probe());
	for (unsigned int round = 0; goes_on(round); round++) {
		area_write(self->area, round);
		ASSERT_LT(0, lru_gen_age());
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->area, round));
		area_write(self->area, round + 1);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self->area, round + 1));
	}
}

/*
 * What aging finds in use is not until it is used again: its accessed bit is cleared. The first
 * time the page itself may be marked instead, the second time that is taken, too
 * (folio_update_gen()). Most pages, as in expect_advised().
 */
TEST_F(lazy_mmu, lru_gen_aging_visits)
{
	size_t has, all = nr_in(TOUCHED);
	unsigned int judged = 0;

	REQUIRE(lru_gen_probe());
	if (variant->disturbance == PREEMPTED)
		SKIP(return, "aging passes by a process that changes its mappings at that moment");

	for (unsigned int round = 0; goes_on(round); round++) {
		area_write(self->area, round);
		ASSERT_LT(0, lru_gen_age());
		/*
		 * A CPU that still knows an entry does not set its accessed bit again. Changing
		 * permissions empties the TLBs of it.
		 */
		ASSERT_EQ(0, mprotect(self->area, area_size(), PROT_READ));
		ASSERT_EQ(0, mprotect(self->area, area_size(), PROT_READ | PROT_WRITE));
		area_write(self->area, round);
		if (area_pages_of(self->area, "Referenced:") != all)
			continue;
		judged++;
		ASSERT_LT(0, lru_gen_age());
		has = area_pages_of(self->area, "Referenced:");
		EXPECT_GE(all / 2, has)
			TH_LOG("after aging %zu of %zu pages are still referenced", has, all);
	}
	if (!judged)
		SKIP(return, "the kernel is short of memory and ages all pages by itself");
}

TEST_HARNESS_MAIN
