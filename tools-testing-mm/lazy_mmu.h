/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What lazy_mmu_test works with: areas of memory with a pattern in them, what is seen of them
 * (contents, accesses, faults, frames), and what disturbs the process meanwhile.
 */
#ifndef LAZY_MMU_H
#define LAZY_MMU_H

#include <errno.h>
#include <limits.h>
#include <numaif.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/faultlog.h>
#include <libmm/pagemap.h>
#include <libmm/probe.h>
#include <libmm/sysfile.h>

/* More than a page table's worth with 4K pages, not too much with 64K; whole runs. */
#define NR_PAGES 1535
/* Of every so many pages one is never touched. */
#define HOLE_EVERY 7
#define HOLE_AT 3
/* Pages treated alike: short, and no divisor of a page table's entries. Runs take turns. */
#define RUN 5
/* Words of a page that have a pattern, one in each such part of it. */
#define NR_WORDS 64
/* The second is made with pages and page tables that the first has freed. */
#define ROUNDS_MIN 2
/* The "round" of pages that hold zeros, and what is added for pages written twice in one. */
#define ZEROS UINT_MAX
#define REWRITTEN 0x8000
#define SIGNAL_USEC 100
#define NR_DISTURBING 64

/* Kinds of pages, of which there are four, and sets of them. */
enum {
	KEPT = 1,
	TREATED = 2,
	KEPT_HOLES = 4,
	TREATED_HOLES = 8,
	TOUCHED = KEPT | TREATED,
	HOLES = KEPT_HOLES | TREATED_HOLES,
	UNTREATED = KEPT | KEPT_HOLES,
	ALL = TOUCHED | HOLES,
	NONE = 0,
};

static inline bool is_in(unsigned int set, size_t i)
{
	bool hole = i % HOLE_EVERY == HOLE_AT, treated = i / RUN % 2;

	return set & 1 << (2 * hole + treated);
}

static inline size_t nr_in(unsigned int set)
{
	size_t i, nr = 0;

	for (i = 0; i < NR_PAGES; i++)
		nr += is_in(set, i);
	return nr;
}

static inline size_t area_size(void)
{
	return NR_PAGES * page_size();
}

static inline uint64_t *page_at(char *area, size_t i)
{
	return (uint64_t *)(area + i * page_size());
}

/* Word @j of the pattern of page @i. */
static inline uint64_t value(size_t i, size_t j, unsigned int round)
{
	return round == ZEROS ? 0 : ((uint64_t)(i + 1) << 32) + (j << 16) + round + 1;
}

/* The first @nr words of the pattern. */
static inline void page_write(char *area, size_t i, size_t nr, unsigned int round)
{
	const size_t step = page_size() / sizeof(uint64_t) / NR_WORDS;
	uint64_t *page = page_at(area, i);
	size_t j;

	for (j = 0; j < nr; j++)
		page[j * step] = value(i, j, round);
}

/* Whether the page has the pattern of @round, but in its first word that of @first. */
static inline bool page_has(char *area, size_t i, unsigned int first, unsigned int round)
{
	const size_t step = page_size() / sizeof(uint64_t) / NR_WORDS;
	const uint64_t *page = page_at(area, i);
	size_t j;

	for (j = 0; j < NR_WORDS; j++) {
		if (page[j * step] != value(i, j, j ? round : first))
			return false;
	}
	return true;
}

/* With @nr of 1 the rest of each page is what the kernel has copied, or left alone. */
static inline void area_write_words(char *area, size_t nr, unsigned int round)
{
	size_t i;

	for (i = 0; i < NR_PAGES; i++) {
		if (is_in(TOUCHED, i))
			page_write(area, i, nr, round);
	}
}

static inline void area_write(char *area, unsigned int round)
{
	area_write_words(area, NR_WORDS, round);
}

/* Returns the first page of @set that does not have the contents of page_has(), or NR_PAGES. */
static inline size_t set_wrong_at(char *area, unsigned int set, unsigned int first,
				  unsigned int round)
{
	size_t i;

	for (i = 0; i < NR_PAGES; i++) {
		if (is_in(set, i) && !page_has(area, i, first, round))
			break;
	}
	return i;
}

/* Returns the first page that does not have what area_write() left, or NR_PAGES. */
static inline size_t area_wrong_at(char *area, unsigned int round)
{
	return set_wrong_at(area, TOUCHED, round, round);
}

/*
 * Fresh memory at @area, in pages of the base size. @type: MAP_PRIVATE or MAP_SHARED. Kernels
 * without huge pages, as those of PREEMPT_RT, refuse to keep them away.
 */
static inline void area_map(char *area, int type)
{
	if (mmap(area, area_size(), PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_FIXED | type, -1,
		 0) == MAP_FAILED)
		libmm_fail("lazy_mmu: mapping an area: %s", strerror(errno));
	if (madvise(area, area_size(), MADV_NOHUGEPAGE) && errno != EINVAL && errno != ENOSYS)
		libmm_fail("lazy_mmu: keeping huge pages away: %s", strerror(errno));
}

/* Whether @advice is one that the kernel was built with, and that no container forbids. */
static inline struct probe advice_probe(char *page, int advice)
{
	if (!madvise(page, page_size(), advice))
		return probe_yes();
	return probe_no("madvise(2) does not take advice %d: %s", advice, strerror(errno));
}

static sigjmp_buf fault_return;
static __thread volatile sig_atomic_t fault_expected;

/* A fault that nobody expects ends the test, as it would without a handler. */
static inline void on_fault(int sig)
{
	if (fault_expected)
		siglongjmp(fault_return, 1);
	signal(sig, SIG_DFL);
}

static inline void signal_catch(int sig, void (*handler)(int sig), int flags)
{
	const struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	if (sigaction(sig, &action, NULL))
		libmm_fail("lazy_mmu: catching signal %d: %s", sig, strerror(errno));
}

/* @prot: PROT_READ, or PROT_WRITE, which writes back what is there. */
static inline bool can_access(uint64_t *addr, int prot)
{
	bool faulted = sigsetjmp(fault_return, 1);

	fault_expected = !faulted;
	if (!faulted && prot == PROT_READ)
		__atomic_load_n(addr, __ATOMIC_RELAXED);
	else if (!faulted)
		__atomic_fetch_add(addr, 0, __ATOMIC_RELAXED);
	fault_expected = false;
	return !faulted;
}

/*
 * Returns the first page that can be accessed although it is not of the set @may, or the other way
 * round; or NR_PAGES. Holes stay holes: they are only accessed where that must fail.
 */
static inline size_t access_wrong_at(char *area, int prot, unsigned int may)
{
	size_t i;

	for (i = 0; i < NR_PAGES; i++) {
		if (!is_in(may & HOLES, i) && can_access(page_at(area, i), prot) != is_in(may, i))
			break;
	}
	return i;
}

struct watch {
	struct faultlog log;
	char *area;
	uint64_t before[NR_PAGES];	/* pagemap, when it started */
};

/* The kernel shows frame numbers. */
static inline struct probe frames_probe(void)
{
	uint64_t entry = 0;

	pagemap_entries(&entry, 1, &entry);
	return entry & PAGEMAP_PFN ? probe_yes() :
	       probe_no("the kernel hides frame numbers in pagemap: run as root, with CAP_SYS_ADMIN");
}

/* By two pagemap entries: a page is where it was, or still is not there. */
static inline bool is_same_place(uint64_t before, uint64_t after)
{
	return !((before ^ after) & (PAGEMAP_PRESENT | PAGEMAP_PFN));
}

/*
 * Of the pages of an area that had the pagemap entries @before, how many are there still. Not each:
 * others move pages at any time. None: what should have moved entries has copied pages.
 */
static inline size_t nr_same_frame(char *area, const uint64_t *before)
{
	uint64_t after[NR_PAGES];
	size_t i, nr = 0;

	pagemap_entries(area, NR_PAGES, after);
	for (i = 0; i < NR_PAGES; i++)
		nr += after[i] & PAGEMAP_PRESENT && is_same_place(before[i], after[i]);
	return nr;
}

/* A policy without MPOL_F_MOF: NUMA balancing makes no page fault to see who uses a page. */
static inline struct probe watch_open(struct watch *watch)
{
	struct probe frames = frames_probe();
	uint64_t balancing;

	if (frames.answer != PROBE_YES)
		return frames;
	if (set_mempolicy(MPOL_LOCAL, NULL, 0) &&
	    !__sysfile_read_u64("/proc/sys/kernel/numa_balancing", &balancing) && balancing)
		return probe_no("kernel.numa_balancing makes page faults, and set_mempolicy(2) is refused");
	return faultlog_open(&watch->log);
}

static inline void watch_start(struct watch *watch, char *area)
{
	watch->area = area;
	pagemap_entries(area, NR_PAGES, watch->before);
	faultlog_start(&watch->log);
}

/*
 * Stop, and return the first page that did not fault although it is of the set @must, or did
 * although it is not; or NR_PAGES.
 *
 * A page that the kernel moves to another frame meanwhile (compaction; room for somebody's huge
 * page) makes a thread that touches it wait, by a fault (migration_entry_wait()). So a page that
 * must fault may do so twice, and a fault on one that must not is explained when its frame is
 * another one afterwards.
 */
static inline size_t watch_wrong_at(struct watch *watch, unsigned int must)
{
	unsigned int faults[NR_PAGES] = { 0 };
	uint64_t after[NR_PAGES];
	size_t i;

	faultlog_stop(&watch->log, watch->area, NR_PAGES, faults);
	pagemap_entries(watch->area, NR_PAGES, after);
	for (i = 0; i < NR_PAGES; i++) {
		if (is_in(must, i) ? !faults[i] :
		    faults[i] && is_same_place(watch->before[i], after[i]))
			break;
	}
	return i;
}

enum disturbance { UNDISTURBED, SIGNALS, PREEMPTED };

static uint64_t nr_disturbed;	/* signals taken, or turns that the other thread had */
static uint64_t nr_disturbed_before;	/* at the start of the test; never that when undisturbed */

static inline void on_timer(int sig)
{
	(void)sig;
	__atomic_add_fetch(&nr_disturbed, 1, __ATOMIC_RELAXED);
}

static inline void signals_begin(void)
{
	const struct timeval period = { .tv_usec = SIGNAL_USEC };
	const struct itimerval timer = { .it_interval = period, .it_value = period };

	signal_catch(SIGALRM, on_timer, SA_RESTART);
	if (setitimer(ITIMER_REAL, &timer, NULL))
		libmm_fail("lazy_mmu: starting a timer: %s", strerror(errno));
	/* Once is enough for the handler's own faults to be over. */
	while (!__atomic_load_n(&nr_disturbed, __ATOMIC_RELAXED))
		pause();
}

static inline char *disturbing_map(char *at, int prot, int flags)
{
	flags |= MAP_PRIVATE | MAP_ANONYMOUS;
	at = mmap(at, NR_DISTURBING * page_size(), prot, flags, -1, 0);
	if (at == MAP_FAILED)
		libmm_fail("lazy_mmu: mapping memory to disturb with: %s", strerror(errno));
	return at;
}

/*
 * Page tables made, changed and dropped, over and over; always at one place, and never leaving it
 * empty: the tests make holes in their areas, and rely on nobody being in them. Most of it is
 * faults: a thread preempted in one does not hold the lock that the tests' system calls wait for.
 */
static inline void *disturb(void *arg)
{
	const size_t page = page_size(), size = NR_DISTURBING * page;
	char *map = arg;
	size_t i;

	for (;;) {
		disturbing_map(map, PROT_READ | PROT_WRITE, MAP_FIXED);
		for (i = 0; i < size; i += page)
			__atomic_store_n(map + i, 1, __ATOMIC_RELAXED);
		if (mprotect(map + size / 4, size / 2, PROT_READ))
			libmm_fail("lazy_mmu: protecting memory: %s", strerror(errno));
		disturbing_map(map, PROT_NONE, MAP_FIXED);
		__atomic_add_fetch(&nr_disturbed, 1, __ATOMIC_RELAXED);
		sched_yield();
	}
	return NULL;
}

/* On this CPU, so that it runs when it preempts. */
static inline void thread_begin(void)
{
	/* Here and not by the thread, which may come to run when there are holes. */
	char *map = disturbing_map(NULL, PROT_NONE, 0);
	pthread_t thread;
	cpu_set_t one;
	int err;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		libmm_fail("lazy_mmu: staying on one CPU: %s", strerror(errno));
	err = pthread_create(&thread, NULL, disturb, map);
	if (err)
		libmm_fail("lazy_mmu: starting a thread: %s", strerror(err));
}

/* Until the process ends, which each test is for itself. */
static inline void disturbance_begin(enum disturbance disturbance)
{
	if (disturbance == SIGNALS)
		signals_begin();
	if (disturbance == PREEMPTED)
		thread_begin();
	nr_disturbed_before = disturbance == UNDISTURBED ? UINT64_MAX :
			      __atomic_load_n(&nr_disturbed, __ATOMIC_RELAXED);
}

/* Some rounds at least, and so many that the disturbance has come among them. */
static inline bool goes_on(unsigned int round)
{
	return round < ROUNDS_MIN ||
	       __atomic_load_n(&nr_disturbed, __ATOMIC_RELAXED) == nr_disturbed_before;
}

#endif
