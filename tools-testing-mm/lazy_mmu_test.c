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
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <linux/userfaultfd.h>
#include <numaif.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/faultlog.h>
#include <libmm/harness.h>
#include <libmm/kpage.h>
#include <libmm/probe.h>
#include <libmm/sysfile.h>

#ifndef UFFD_FEATURE_MOVE
#define UFFD_FEATURE_MOVE (1 << 16)
#define UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES ((__u64)1 << 1)
struct uffdio_move {
	__u64 dst;
	__u64 src;
	__u64 len;
	__u64 mode;
	__s64 move;
};

#define UFFDIO_MOVE _IOWR(UFFDIO, 0x05, struct uffdio_move)
#endif

/* include/uapi/linux/fs.h, which older C libraries' kernel headers lack this part of. */
#define SCAN_PRESENT ((uint64_t)1 << 3)
#define SCAN_SWAPPED ((uint64_t)1 << 4)
/* A page that is being moved is "swapped" meanwhile (pagemap_page_category()). */
#define SCAN_THERE (SCAN_PRESENT | SCAN_SWAPPED)
struct scan_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

struct scan_arg {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

#define SCAN _IOWR('f', 16, struct scan_arg)

/* More than a page table's worth with 4K pages, not too much with 64K. */
#define NR_PAGES 1536
/* Of every so many pages one is never touched. */
#define HOLE_EVERY 7
#define HOLE_AT 3
/* Pages treated alike: short, and no divisor of anything above. */
#define RUN 5
/* The second is made with pages and page tables that the first has freed. */
#define ROUNDS_MIN 2
#define NR_DISTURBING 64
/* Added to the round of a page that is written a second time in it. */
#define REWRITTEN 0x8000
#define SIGNAL_USEC 100
#define LRU_GEN "/sys/kernel/debug/lru_gen"
/* Documentation/admin-guide/mm/multigen_lru.rst: of the bits of "enabled". */
#define LRU_GEN_MM_WALK 0x2
/* Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
/* Present, or swapped out, or being moved. */
#define PAGEMAP_THERE (UINT64_C(3) << 62)
#define PAGEMAP_EXCLUSIVE (UINT64_C(1) << 56)
#define PAGEMAP_FRAME ((UINT64_C(1) << 55) - 1)

enum disturbance { UNDISTURBED, SIGNALS, PREEMPTED };

/* Which pages of an area fault from a moment on, and where they were then. */
struct watch {
	struct faultlog log;
	uint64_t frames[NR_PAGES];
};

/* What the other thread changes page tables of. */
struct disturber {
	char *map;
	size_t size;
	size_t page;
};

FIXTURE(lazy_mmu)
{
	char *reserve;		/* room for two areas at any offset, not accessible */
	size_t reserve_size;
	char *area;
	size_t page;
	struct disturber disturber;
	pthread_t thread;
	bool thread_runs;
	bool disturbed;		/* by what the variant says */
	uint64_t disturbed_before;
	cpu_set_t cpus;
	struct watch watch;
};

FIXTURE_VARIANT(lazy_mmu)
{
	enum disturbance disturbance;
};

FIXTURE_VARIANT_ADD(lazy_mmu, undisturbed) { .disturbance = UNDISTURBED };
FIXTURE_VARIANT_ADD(lazy_mmu, signals) { .disturbance = SIGNALS };
FIXTURE_VARIANT_ADD(lazy_mmu, preempted) { .disturbance = PREEMPTED };

static sigjmp_buf fault_return;
static __thread volatile sig_atomic_t fault_expected;
static bool disturber_stop;
static uint64_t nr_disturbed;	/* signals taken, or turns that the other thread had */

/* A fault that nobody expects ends the test, as it would without a handler. */
static void on_fault(int sig)
{
	if (fault_expected)
		siglongjmp(fault_return, 1);
	signal(sig, SIG_DFL);
}

static void on_timer(int sig)
{
	(void)sig;
	__atomic_add_fetch(&nr_disturbed, 1, __ATOMIC_RELAXED);
}

static void disturber_map(struct disturber *d, int prot, int flags)
{
	d->map = mmap(d->map, d->size, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	if (d->map == MAP_FAILED)
		libmm_fail("lazy_mmu: mapping memory to disturb with: %s", strerror(errno));
}

/*
 * Page tables made, changed and dropped, over and over; always at one place, and never leaving it
 * empty: the tests make holes in their areas, and rely on nobody being in them. Most of it is
 * faults: who is preempted in one does not hold the lock that the tests' system calls wait for.
 */
static void *disturber_run(void *arg)
{
	struct disturber *d = arg;
	size_t i;

	while (!__atomic_load_n(&disturber_stop, __ATOMIC_ACQUIRE)) {
		disturber_map(d, PROT_READ | PROT_WRITE, MAP_FIXED);
		for (i = 0; i < d->size; i += d->page)
			__atomic_store_n(d->map + i, 1, __ATOMIC_RELAXED);
		if (mprotect(d->map + d->size / 4, d->size / 2, PROT_READ))
			libmm_fail("lazy_mmu: protecting memory: %s", strerror(errno));
		disturber_map(d, PROT_NONE, MAP_FIXED);
		__atomic_add_fetch(&nr_disturbed, 1, __ATOMIC_RELAXED);
		sched_yield();
	}
	return NULL;
}

static void signals_begin(void)
{
	const struct itimerval timer = {
		.it_interval = { .tv_usec = SIGNAL_USEC }, .it_value = { .tv_usec = SIGNAL_USEC },
	};
	const struct sigaction action = { .sa_handler = on_timer, .sa_flags = SA_RESTART };

	if (sigaction(SIGALRM, &action, NULL) || setitimer(ITIMER_REAL, &timer, NULL))
		libmm_fail("lazy_mmu: starting a timer: %s", strerror(errno));
	/* Once is enough for the handler's own faults to be over. */
	while (!__atomic_load_n(&nr_disturbed, __ATOMIC_RELAXED))
		pause();
}

static void signals_end(void)
{
	const struct itimerval timer = { .it_value = { 0 } };

	if (setitimer(ITIMER_REAL, &timer, NULL))
		libmm_fail("lazy_mmu: stopping the timer: %s", strerror(errno));
}

/* A mapping below which a page table's boundary lies in the middle of the first area. */
static void reserve_make(FIXTURE_DATA(lazy_mmu) * self)
{
	size_t table = self->page / sizeof(uint64_t) * self->page, area = NR_PAGES * self->page;
	uintptr_t boundary;

	self->reserve_size = 3 * area + 2 * table;
	self->reserve = mmap(NULL, self->reserve_size, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (self->reserve == MAP_FAILED)
		libmm_fail("lazy_mmu: reserving %zu bytes of addresses: %s", self->reserve_size,
			   strerror(errno));
	boundary = ((uintptr_t)self->reserve + area + table - 1) / table * table;
	self->area = (char *)boundary - area / 2;
}

/* Some rounds at least, and so many that the disturbance has come among them. */
static bool goes_on(FIXTURE_DATA(lazy_mmu) * self, unsigned int round)
{
	return round < ROUNDS_MIN ||
	       (self->disturbed &&
		__atomic_load_n(&nr_disturbed, __ATOMIC_RELAXED) == self->disturbed_before);
}

static bool is_hole(size_t i)
{
	return i % HOLE_EVERY == HOLE_AT;
}

/* Runs of pages take turns in being treated. */
static bool is_treated(size_t i)
{
	return i / RUN % 2;
}

static size_t nr_touched(void)
{
	size_t i, nr = 0;

	for (i = 0; i < NR_PAGES; i++)
		nr += !is_hole(i);
	return nr;
}

static uint64_t *word(char *area, size_t page, size_t i)
{
	return (uint64_t *)(area + i * page);
}

static uint64_t value(size_t i, unsigned int round)
{
	return (uint64_t)(i + 1) << 32 | (round + 1);
}

static void page_write(FIXTURE_DATA(lazy_mmu) * self, char *area, size_t i, uint64_t v)
{
	*word(area, self->page, i) = v;
	*(word(area, self->page, i + 1) - 1) = ~v;
}

static bool page_is(FIXTURE_DATA(lazy_mmu) * self, char *area, size_t i, uint64_t v)
{
	uint64_t last = *(word(area, self->page, i + 1) - 1);

	return *word(area, self->page, i) == v && last == (v ? ~v : 0);
}

static void area_write(FIXTURE_DATA(lazy_mmu) * self, unsigned int round)
{
	size_t i;

	for (i = 0; i < NR_PAGES; i++) {
		if (!is_hole(i))
			page_write(self, self->area, i, value(i, round));
	}
}

/* Returns the first page that does not have what area_write() left, or NR_PAGES. */
static size_t area_wrong_at(FIXTURE_DATA(lazy_mmu) * self, char *area, unsigned int round)
{
	size_t i;

	for (i = 0; i < NR_PAGES; i++) {
		if (!is_hole(i) && !page_is(self, area, i, value(i, round)))
			break;
	}
	return i;
}

static void huge_pages_forbid(void *map, size_t size)
{
	/* Kernels without transparent huge pages, as those of PREEMPT_RT, do not know it. */
	if (madvise(map, size, MADV_NOHUGEPAGE) && errno != EINVAL)
		libmm_fail("lazy_mmu: keeping huge pages away: %s", strerror(errno));
}

/* Fresh memory in the area, in pages of the base size. @fd: -1 for private memory. */
static void area_map(FIXTURE_DATA(lazy_mmu) * self, int fd)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	char *map = mmap(self->area, NR_PAGES * self->page, PROT_READ | PROT_WRITE,
			 flags | MAP_FIXED, fd, 0);

	if (map == MAP_FAILED)
		libmm_fail("lazy_mmu: mapping the area: %s", strerror(errno));
	huge_pages_forbid(map, NR_PAGES * self->page);
}

static int shmem_make(FIXTURE_DATA(lazy_mmu) * self)
{
	int fd = memfd_create("lazy_mmu_test", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, NR_PAGES * self->page))
		libmm_fail("lazy_mmu: making shared memory: %s", strerror(errno));
	return fd;
}

static bool is_nothing(size_t i)
{
	(void)i;
	return false;
}

static bool is_touched(size_t i)
{
	return !is_hole(i);
}

/* What runs_advise() has taken away. */
static bool is_dropped(size_t i)
{
	return i < NR_PAGES / RUN * RUN && is_treated(i) && !is_hole(i);
}

static void pagemap_read(FIXTURE_DATA(lazy_mmu) * self, const char *area, uint64_t *entries,
			 size_t nr)
{
	off_t offset = (uintptr_t)area / self->page * sizeof(*entries);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t done = 0, size = nr * sizeof(*entries);
	ssize_t n = fd;

	while (n >= 0 && done < size) {
		n = pread(fd, (char *)entries + done, size - done, offset + done);
		if (!n)
			libmm_fail("lazy_mmu: pagemap ends after %zu of %zu bytes", done, size);
		done += n > 0 ? n : 0;
	}
	if (n < 0)
		libmm_fail("lazy_mmu: reading pagemap: %s", strerror(errno));
	close(fd);
}

/* Where the pages of an area are: 0 for one that is not there or is being moved. */
static void frames_read(FIXTURE_DATA(lazy_mmu) * self, const char *area, uint64_t *frames)
{
	size_t i;

	pagemap_read(self, area, frames, NR_PAGES);
	for (i = 0; i < NR_PAGES; i++)
		frames[i] = frames[i] & PAGEMAP_PRESENT ? frames[i] & PAGEMAP_FRAME : 0;
}

/* Frames are shown to root only. */
static struct probe watch_open(struct watch *watch)
{
	struct probe root = probe_root();

	return root.answer == PROBE_YES ? faultlog_open(&watch->log) : root;
}

static void watch_start(FIXTURE_DATA(lazy_mmu) * self, struct watch *watch, const char *area)
{
	frames_read(self, area, watch->frames);
	faultlog_start(&watch->log);
}

/*
 * Stop, and return the first page of @area that did not fault although it must, or did although it
 * must not; or NR_PAGES. *@nr, when not NULL, is how often it did.
 *
 * A page that the kernel moves to another frame meanwhile (compaction; room for somebody's huge
 * page) makes whoever touches it wait, by a fault (migration_entry_wait()). So a page that must
 * fault may do so twice, and a fault on one that must not is explained when its frame is another
 * one afterwards.
 */
static size_t watch_wrong_at(FIXTURE_DATA(lazy_mmu) * self, struct watch *watch, const char *area,
			     bool (*must)(size_t i), unsigned int *nr)
{
	unsigned int faults[NR_PAGES] = { 0 };
	uint64_t frames[NR_PAGES];
	size_t i;

	faultlog_stop(&watch->log, area, NR_PAGES, faults);
	frames_read(self, area, frames);
	for (i = 0; i < NR_PAGES; i++) {
		if (must(i) ? !faults[i] : faults[i] && frames[i] == watch->frames[i])
			break;
	}
	if (nr && i < NR_PAGES)
		*nr = faults[i];
	return i;
}

static void expect_faults(struct __test_metadata *_metadata, FIXTURE_DATA(lazy_mmu) * self,
			  const char *area, bool (*must)(size_t i))
{
	unsigned int nr = 0;
	size_t wrong = watch_wrong_at(self, &self->watch, area, must, &nr);

	EXPECT_EQ(NR_PAGES, wrong) {
		TH_LOG("page %zu: %u faults", wrong, nr);
	}
}

static bool can_read(const uint64_t *addr)
{
	bool faulted = sigsetjmp(fault_return, 1);

	fault_expected = !faulted;
	if (!faulted)
		__atomic_load_n(addr, __ATOMIC_RELAXED);
	fault_expected = false;
	return !faulted;
}

/* Writes back what is there. */
static bool can_write(uint64_t *addr)
{
	bool faulted = sigsetjmp(fault_return, 1);

	fault_expected = !faulted;
	if (!faulted)
		__atomic_fetch_add(addr, 0, __ATOMIC_RELAXED);
	fault_expected = false;
	return !faulted;
}

/* Nothing below is worth doing where plain memory does not work. */
static void area_try(FIXTURE_DATA(lazy_mmu) * self)
{
	size_t i;

	area_map(self, -1);
	area_write(self, 0);
	if (area_wrong_at(self, self->area, 0) < NR_PAGES)
		libmm_fail("lazy_mmu: memory that was just written has other contents");
	for (i = 0; i < NR_PAGES; i++) {
		if (!can_read(word(self->area, self->page, i)) ||
		    !can_write(word(self->area, self->page, i)))
			libmm_fail("lazy_mmu: memory that was just mapped cannot be used");
	}
}

FIXTURE_SETUP(lazy_mmu)
{
	const struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	cpu_set_t one;

	self->page = sysconf(_SC_PAGESIZE);
	reserve_make(self);
	ASSERT_EQ(0, sigaction(SIGSEGV, &action, NULL));
	ASSERT_EQ(0, sigaction(SIGBUS, &action, NULL));

	area_try(self);
	/* A policy without MPOL_F_MOF: NUMA balancing makes no page fault to see who uses it. */
	if (set_mempolicy(MPOL_LOCAL, NULL, 0))
		ASSERT_EQ(ENOSYS, errno);
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(self->cpus), &self->cpus));
	if (variant->disturbance == SIGNALS)
		signals_begin();
	if (variant->disturbance == PREEMPTED) {
		CPU_ZERO(&one);
		CPU_SET(sched_getcpu(), &one);
		ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
		self->disturber.page = self->page;
		self->disturber.size = NR_DISTURBING * self->page;
		/* Here and not by the thread, which may come to run when there are holes. */
		disturber_map(&self->disturber, PROT_NONE, 0);
		ASSERT_EQ(0, pthread_create(&self->thread, NULL, disturber_run, &self->disturber));
		self->thread_runs = true;
	}
	self->disturbed = variant->disturbance != UNDISTURBED;
	self->disturbed_before = __atomic_load_n(&nr_disturbed, __ATOMIC_RELAXED);
}

FIXTURE_TEARDOWN(lazy_mmu)
{
	if (variant->disturbance == SIGNALS)
		signals_end();
	if (self->thread_runs) {
		__atomic_store_n(&disturber_stop, true, __ATOMIC_RELEASE);
		EXPECT_EQ(0, pthread_join(self->thread, NULL));
		munmap(self->disturber.map, self->disturber.size);
		EXPECT_EQ(0, sched_setaffinity(0, sizeof(self->cpus), &self->cpus));
	}
	faultlog_close(&self->watch.log);
	munmap(self->reserve, self->reserve_size);
}

/*
 * The pagemap entry of a page that is not being moved, which is for a moment mapped by some of
 * its processes and not by others. From before the first until after the last its frame is locked.
 */
static uint64_t settled_entry(FIXTURE_DATA(lazy_mmu) * self, int kpageflags, char *addr)
{
	uint64_t before, after, flags;

	for (;;) {
		pagemap_read(self, addr, &before, 1);
		if (!(before & PAGEMAP_PRESENT)) {
			__atomic_load_n(addr, __ATOMIC_RELAXED);	/* waits for it */
			continue;
		}
		kpage_read(kpageflags, before & PAGEMAP_FRAME, &flags, 1);
		pagemap_read(self, addr, &after, 1);
		if (before == after && !(flags >> KPF_LOCKED & 1))
			return after;
	}
}

/* How many of the touched pages pagemap calls mapped by this process alone. */
static size_t nr_exclusive(FIXTURE_DATA(lazy_mmu) * self)
{
	int fd = kpage_open(KPAGE_FLAGS);
	size_t i, nr = 0;

	for (i = 0; i < NR_PAGES; i++) {
		if (!is_hole(i) &&
		    settled_entry(self, fd, self->area + i * self->page) & PAGEMAP_EXCLUSIVE)
			nr++;
	}
	close(fd);
	return nr;
}

/*
 * The child's part of fork: 0, or which check failed. Private memory must be copied, page by page.
 */
static int child_check(FIXTURE_DATA(lazy_mmu) * self, unsigned int round, bool copies)
{
	struct watch watch;
	struct probe probe;

	if (area_wrong_at(self, self->area, round) < NR_PAGES)
		return 1;
	if (copies) {
		probe = watch_open(&watch);
		if (probe.answer != PROBE_YES)
			libmm_fail("lazy_mmu: in a child: %s", probe.why);
		watch_start(self, &watch, self->area);
	}
	area_write(self, round + 1);
	if (copies && watch_wrong_at(self, &watch, self->area, is_touched, NULL) < NR_PAGES)
		return 2;
	return area_wrong_at(self, self->area, round + 1) < NR_PAGES ? 3 : 0;
}

static void fork_round(struct __test_metadata *_metadata, FIXTURE_DATA(lazy_mmu) * self,
		       unsigned int round, bool copies)
{
	int status;
	pid_t pid;

	area_write(self, round);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(child_check(self, round, copies));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* fork() write-protects both sides' pages in batches, exit unmaps the child's. */
TEST_F(lazy_mmu, fork_private)
{
	unsigned int round;

	REQUIRE(watch_open(&self->watch));
	area_map(self, -1);
	for (round = 0; goes_on(self, round); round++) {
		fork_round(_metadata, self, round, true);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, self->area, round));

		/* Each page is write-protected still, and its owner's alone. */
		watch_start(self, &self->watch, self->area);
		area_write(self, round);
		expect_faults(_metadata, self, self->area, is_touched);
	}
}

TEST_F(lazy_mmu, fork_shared)
{
	int fd = shmem_make(self);
	unsigned int round;

	area_map(self, fd);
	for (round = 0; goes_on(self, round); round++) {
		fork_round(_metadata, self, round, false);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, self->area, round + 1));
	}
	close(fd);
}

/* While a child lives every page is shared with it; when it has ended none is. */
TEST_F(lazy_mmu, exit_unmaps)
{
	unsigned int round;
	int wait[2];
	pid_t pid;
	char byte;

	REQUIRE(probe_root());
	REQUIRE(probe_readable("/proc/kpageflags"));
	area_map(self, -1);
	for (round = 0; goes_on(self, round); round++) {
		area_write(self, round);
		EXPECT_EQ(nr_touched(), nr_exclusive(self));
		ASSERT_EQ(0, pipe(wait));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			close(wait[1]);
			_exit(read(wait[0], &byte, 1) ? 1 : 0);
		}
		EXPECT_EQ(0UL, nr_exclusive(self));
		close(wait[0]);
		close(wait[1]);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		EXPECT_EQ(nr_touched(), nr_exclusive(self));
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, self->area, round));
	}
}

static void runs_protect(struct __test_metadata *_metadata, FIXTURE_DATA(lazy_mmu) * self, int prot)
{
	size_t i;

	for (i = 0; i < NR_PAGES; i += RUN) {
		size_t nr = NR_PAGES - i < RUN ? NR_PAGES - i : RUN;

		if (!is_treated(i))
			continue;
		ASSERT_EQ(0, mprotect(self->area + i * self->page, nr * self->page, prot));
	}
}

TEST_F(lazy_mmu, mprotect_runs)
{
	unsigned int round;
	size_t i;

	REQUIRE(watch_open(&self->watch));
	area_map(self, -1);
	for (round = 0; goes_on(self, round); round++) {
		area_write(self, round);
		runs_protect(_metadata, self, PROT_READ);
		watch_start(self, &self->watch, self->area);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, self->area, round));
		expect_faults(_metadata, self, self->area, is_nothing);
		for (i = 0; i < NR_PAGES; i++) {
			if (is_hole(i))
				continue;
			ASSERT_EQ(!is_treated(i), can_write(word(self->area, self->page, i)));
		}

		runs_protect(_metadata, self, PROT_NONE);
		for (i = 0; i < NR_PAGES; i++) {
			if (is_hole(i))
				continue;
			ASSERT_EQ(!is_treated(i), can_read(word(self->area, self->page, i)));
		}
		runs_protect(_metadata, self, PROT_READ | PROT_WRITE);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, self->area, round));
	}
}

/* One call over everything, so that a batch is as long as a page table. */
TEST_F(lazy_mmu, mprotect_whole)
{
	size_t i, size = NR_PAGES * self->page;
	unsigned int round;

	area_map(self, -1);
	for (round = 0; goes_on(self, round); round++) {
		area_write(self, round);
		ASSERT_EQ(0, mprotect(self->area, size, PROT_READ));
		for (i = 0; i < NR_PAGES; i++)
			ASSERT_FALSE(can_write(word(self->area, self->page, i)));
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, self->area, round));
		ASSERT_EQ(0, mprotect(self->area, size, PROT_NONE));
		for (i = 0; i < NR_PAGES; i++)
			ASSERT_FALSE(can_read(word(self->area, self->page, i)));
		ASSERT_EQ(0, mprotect(self->area, size, PROT_READ | PROT_WRITE));
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, self->area, round));
	}
}

/*
 * Of the pages of an area that were at @before, how many are there still. Not each: others move
 * pages at any time. None: what should have moved entries has copied pages.
 */
static size_t nr_same_frame(FIXTURE_DATA(lazy_mmu) * self, const char *area, const uint64_t *before)
{
	uint64_t after[NR_PAGES];
	size_t i, nr = 0;

	frames_read(self, area, after);
	for (i = 0; i < NR_PAGES; i++)
		nr += after[i] && after[i] == before[i];
	return nr;
}

/*
 * Moved by an odd number of pages, so that entries are moved and not whole tables. The pages
 * themselves move: same frames, no fault.
 */
TEST_F(lazy_mmu, mremap_moves)
{
	size_t i, size = NR_PAGES * self->page;
	char *old = self->area, *to = self->area + size + self->page;
	unsigned int round;
	uint64_t before[NR_PAGES];

	REQUIRE(watch_open(&self->watch));
	for (round = 0; goes_on(self, round); round++) {
		area_map(self, -1);
		area_write(self, round);
		frames_read(self, old, before);
		ASSERT_EQ(to, mremap(old, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to));
		watch_start(self, &self->watch, to);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, to, round));
		expect_faults(_metadata, self, to, is_nothing);
		EXPECT_LT(0UL, nr_same_frame(self, to, before));
		for (i = 0; i < NR_PAGES; i++)
			ASSERT_FALSE(can_read(word(old, self->page, i)));
	}
}

/* Pages of one mapping move one run at a time, protected ones too. */
TEST_F(lazy_mmu, mremap_runs)
{
	size_t i, size = RUN * self->page;
	char *to = self->area + (NR_PAGES + 1) * self->page;
	unsigned int round;

	for (round = 0; goes_on(self, round); round++) {
		area_map(self, -1);
		area_write(self, round);
		runs_protect(_metadata, self, PROT_READ);
		for (i = 0; i + RUN <= NR_PAGES; i += RUN)
			ASSERT_EQ(to + i * self->page,
				  mremap(self->area + i * self->page, size, size,
					 MREMAP_MAYMOVE | MREMAP_FIXED, to + i * self->page));
		for (i = 0; i < NR_PAGES / RUN * RUN; i++) {
			if (is_hole(i))
				continue;
			ASSERT_TRUE(page_is(self, to, i, value(i, round)));
			ASSERT_EQ(!is_treated(i), can_write(word(to, self->page, i)));
		}
	}
}

TEST_F(lazy_mmu, munmap_runs)
{
	unsigned int round;
	size_t i;

	REQUIRE(watch_open(&self->watch));
	for (round = 0; goes_on(self, round); round++) {
		area_map(self, -1);
		area_write(self, round);
		for (i = 0; i + RUN <= NR_PAGES; i += RUN) {
			if (!is_treated(i))
				continue;
			ASSERT_EQ(0, munmap(self->area + i * self->page, RUN * self->page));
		}
		watch_start(self, &self->watch, self->area);
		for (i = 0; i < NR_PAGES / RUN * RUN; i++) {
			if (!is_treated(i) && !is_hole(i))
				ASSERT_TRUE(page_is(self, self->area, i, value(i, round)));
		}
		expect_faults(_metadata, self, self->area, is_nothing);
		for (i = 0; i < NR_PAGES / RUN * RUN; i++) {
			if (is_treated(i))
				ASSERT_FALSE(can_read(word(self->area, self->page, i)));
		}
	}
}

static void runs_advise(struct __test_metadata *_metadata, FIXTURE_DATA(lazy_mmu) * self,
			int advice)
{
	size_t i;

	for (i = 0; i + RUN <= NR_PAGES; i += RUN) {
		if (!is_treated(i))
			continue;
		ASSERT_EQ(0, madvise(self->area + i * self->page, RUN * self->page, advice)) {
			TH_LOG("madvise(%d): %s", advice, strerror(errno));
		}
	}
}

/* Private pages are gone: the next write of each finds zeros, at the price of one fault. */
TEST_F(lazy_mmu, dontneed_private)
{
	unsigned int round;
	size_t i;

	REQUIRE(watch_open(&self->watch));
	area_map(self, -1);
	for (round = 0; goes_on(self, round); round++) {
		area_write(self, round);
		runs_advise(_metadata, self, MADV_DONTNEED);
		watch_start(self, &self->watch, self->area);
		for (i = 0; i < NR_PAGES / RUN * RUN; i++) {
			if (is_hole(i))
				continue;
			ASSERT_TRUE(can_write(word(self->area, self->page, i)));
			ASSERT_TRUE(page_is(self, self->area, i,
					    is_treated(i) ? 0 : value(i, round)));
		}
		expect_faults(_metadata, self, self->area, is_dropped);
	}
}

/* Shared pages stay in the file. */
TEST_F(lazy_mmu, dontneed_shared)
{
	int fd = shmem_make(self);
	unsigned int round;

	area_map(self, fd);
	for (round = 0; goes_on(self, round); round++) {
		area_write(self, round);
		runs_advise(_metadata, self, MADV_DONTNEED);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, self->area, round));
	}
	close(fd);
}

/* Aged and, where there is swap, swapped out: nothing of it may change what is there. */
TEST_F(lazy_mmu, cold_and_pageout)
{
	unsigned int round;

	area_map(self, -1);
	for (round = 0; goes_on(self, round); round++) {
		area_write(self, round);
		runs_advise(_metadata, self, MADV_COLD);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, self->area, round));
		runs_advise(_metadata, self, MADV_PAGEOUT);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, self->area, round));
	}
}

/*
 * How many base pages of the area have @field of smaps, such as "Referenced:". What lies beside it
 * is not accessible, so the area is mappings of its own.
 */
static size_t area_pages_of(FIXTURE_DATA(lazy_mmu) * self, const char *field)
{
	uintptr_t start, end, first = (uintptr_t)self->area, last = first + NR_PAGES * self->page;
	FILE *smaps = fopen("/proc/self/smaps", "re");
	bool inside = false;
	char line[512], name[64];
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
	if (ferror(smaps))
		libmm_fail("lazy_mmu: reading /proc/self/smaps: %s", strerror(errno));
	fclose(smaps);
	return sum * 1024 / self->page;
}

static size_t nr_dropped(void)
{
	size_t i, nr = 0;

	for (i = 0; i < NR_PAGES; i++)
		nr += is_dropped(i);
	return nr;
}

/*
 * Of the pages that @advice was given about, most have lost @field. Not all must: the kernel leaves
 * pages out that are not on its lists yet, some tens on each CPU, or that are being moved. A round
 * in which it has aged pages by itself before says nothing.
 */
static void expect_advised(struct __test_metadata *_metadata, FIXTURE_DATA(lazy_mmu) * self,
			   int advice, const char *field)
{
	size_t has, nr = nr_dropped();
	unsigned int round, judged = 0;

	area_map(self, -1);
	for (round = 0; goes_on(self, round); round++) {
		area_write(self, round);
		if (area_pages_of(self, field) != nr_touched())
			continue;
		judged++;
		runs_advise(_metadata, self, advice);
		has = area_pages_of(self, field);
		EXPECT_GE(nr_touched() - nr / 2, has)
			TH_LOG("%s still %zu of %zu pages, after advice about %zu", field, has,
			       nr_touched(), nr);
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
	unsigned int round;
	bool rewritten;
	size_t i;

	area_map(self, -1);
	for (round = 0; goes_on(self, round); round++) {
		area_write(self, round);
		runs_advise(_metadata, self, MADV_FREE);
		for (i = 0; i < NR_PAGES; i++) {
			if (is_treated(i) && !is_hole(i) && i & 1)
				page_write(self, self->area, i, value(i, round + REWRITTEN));
		}
		for (i = 0; i < NR_PAGES / RUN * RUN; i++) {
			if (is_hole(i))
				continue;
			if (is_treated(i) && !(i & 1) && page_is(self, self->area, i, 0))
				continue;
			rewritten = is_treated(i) && i & 1;
			ASSERT_TRUE(page_is(self, self->area, i,
					    value(i, rewritten ? round + REWRITTEN : round)));
		}
	}
}

/* Returns a userfaultfd with @features, or -errno. */
static int uffd_open(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		return -EOPNOTSUPP;
	}
	return fd;
}

/*
 * How many pages from those of @move on are not where it says any more, but where they should go.
 * Kernels that keep in move_pages() the -EAGAIN of a page they had to wait for (6.18, since they
 * move many pages at once; 7.2 drops it) do not count what they move next, and then find it in
 * their way. That is no matter of lazy MMU mode, and only happens to who has pages moved by others.
 */
static size_t nr_uncounted(FIXTURE_DATA(lazy_mmu) * self, const struct uffdio_move *move)
{
	size_t i, nr = move->len / self->page;
	uint64_t src[NR_PAGES], dst[NR_PAGES];

	pagemap_read(self, (char *)(uintptr_t)move->src, src, nr);
	pagemap_read(self, (char *)(uintptr_t)move->dst, dst, nr);
	for (i = 0; i < nr && !(src[i] & PAGEMAP_THERE) && dst[i] & PAGEMAP_THERE; i++)
		;
	return i;
}

/* Returns 0 or -errno. */
static int uffd_move(FIXTURE_DATA(lazy_mmu) * self, int fd, struct uffdio_move *move)
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
		uncounted = nr_uncounted(self, move);
		if (!uncounted)
			return -EEXIST;
		ksft_print_msg("UFFDIO_MOVE has moved %zu pages and not said so\n", uncounted);
		done = uncounted * self->page;
	}
	return 0;
}

/*
 * The pages themselves go from one place of the process to another: same frames, nothing left
 * behind.
 */
TEST_F(lazy_mmu, uffdio_move)
{
	size_t i, size = NR_PAGES * self->page;
	struct uffdio_register reg = { 0 };
	struct uffdio_move move;
	uint64_t before[NR_PAGES];
	unsigned int round;
	char *to;
	int fd;

	REQUIRE(probe_root());
	fd = uffd_open(UFFD_FEATURE_MOVE);
	if (fd < 0)
		SKIP(return, "this kernel's userfaultfd has no UFFDIO_MOVE (%s)", strerror(-fd));

	for (round = 0; goes_on(self, round); round++) {
		area_map(self, -1);
		area_write(self, round);
		frames_read(self, self->area, before);
		to = mmap(self->area + size + self->page, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		ASSERT_NE(MAP_FAILED, (void *)to);
		huge_pages_forbid(to, size);
		reg.range.start = (uintptr_t)to;
		reg.range.len = size;
		reg.mode = UFFDIO_REGISTER_MODE_MISSING;
		ASSERT_EQ(0, ioctl(fd, UFFDIO_REGISTER, &reg));

		move = (struct uffdio_move){
			.dst = (uintptr_t)to, .src = (uintptr_t)self->area, .len = size,
			.mode = UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES,
		};
		ASSERT_EQ(0, uffd_move(self, fd, &move));
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, to, round));
		EXPECT_LT(0UL, nr_same_frame(self, to, before));
		for (i = 0; i < NR_PAGES; i++)
			ASSERT_TRUE(page_is(self, self->area, i, 0));
		ASSERT_EQ(0, ioctl(fd, UFFDIO_UNREGISTER, &reg.range));
	}
	close(fd);
}

/*
 * PAGEMAP_SCAN walks the tables and tells runs of pages that are there: exactly those that were
 * touched and not dropped.
 */
TEST_F(lazy_mmu, pagemap_scan)
{
	struct scan_region regions[NR_PAGES] = {};
	struct scan_arg arg = {
		.size = sizeof(arg), .vec = (uintptr_t)regions, .vec_len = NR_PAGES,
		.category_anyof_mask = SCAN_THERE, .return_mask = SCAN_THERE,
	};
	size_t i, at, size = NR_PAGES * self->page;
	bool present[NR_PAGES];
	unsigned int round;
	int fd, nr, j;

	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	area_map(self, -1);
	for (round = 0; goes_on(self, round); round++) {
		area_write(self, round);
		runs_advise(_metadata, self, MADV_DONTNEED);
		arg.start = (uintptr_t)self->area;
		arg.end = arg.start + size;
		nr = ioctl(fd, SCAN, &arg);
		if (nr < 0 && errno == ENOTTY)
			SKIP(return, "this kernel has no PAGEMAP_SCAN");
		ASSERT_LT(0, nr);
		EXPECT_EQ(arg.end, arg.walk_end);

		memset(present, 0, sizeof(present));
		for (j = 0; j < nr; j++) {
			for (at = regions[j].start; at < regions[j].end; at += self->page)
				present[(at - arg.start) / self->page] = true;
		}
		for (i = 0; i < NR_PAGES / RUN * RUN; i++)
			ASSERT_EQ(!is_hole(i) && !is_treated(i), present[i]);
	}
	close(fd);
}

/* Ask for one aging of each memory cgroup on each node. Returns how many, or -errno. */
static int lru_gen_age(void)
{
	unsigned long memcg = 0, node = 0, gen, newest = 0;
	char *line = NULL, command[96];
	FILE *file = fopen(LRU_GEN, "r");
	bool pending = false;
	size_t size = 0;
	int aged = 0;

	if (!file)
		return -errno;
	for (;;) {
		bool more = getline(&line, &size, file) >= 0;
		bool header = more && (!strncmp(line, "memcg", 5) || strstr(line, " node "));

		if (pending && (!more || header)) {
			snprintf(command, sizeof(command), "+ %lu %lu %lu 1 1", memcg, node,
				 newest);
			if (!__sysfile_write(LRU_GEN, command))
				aged++;
			pending = false;
		}
		if (!more)
			break;
		if (sscanf(line, "memcg %lu", &memcg) == 1 || sscanf(line, " node %lu", &node) == 1)
			continue;
		if (sscanf(line, " %lu", &gen) == 1) {
			newest = gen;
			pending = true;
		}
	}
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
	unsigned int round;

	REQUIRE(lru_gen_probe());

	area_map(self, -1);
	for (round = 0; goes_on(self, round); round++) {
		area_write(self, round);
		ASSERT_LT(0, lru_gen_age());
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, self->area, round));
		area_write(self, round + 1);
		EXPECT_EQ(NR_PAGES, area_wrong_at(self, self->area, round + 1));
	}
}

/*
 * A CPU that still knows an entry does not set its accessed bit again: protect the area and release
 * it, which empties the TLBs of it.
 */
static void area_forget(struct __test_metadata *_metadata, FIXTURE_DATA(lazy_mmu) * self)
{
	size_t size = NR_PAGES * self->page;

	ASSERT_EQ(0, mprotect(self->area, size, PROT_READ));
	ASSERT_EQ(0, mprotect(self->area, size, PROT_READ | PROT_WRITE));
}

/*
 * What aging finds in use is not until it is used again: its accessed bit is cleared. The first
 * time the page itself may be marked instead, the second time that is taken, too
 * (folio_update_gen()). Most pages, as in expect_advised().
 */
TEST_F(lazy_mmu, lru_gen_aging_visits)
{
	unsigned int round, judged = 0;
	size_t has;

	REQUIRE(lru_gen_probe());
	if (variant->disturbance == PREEMPTED)
		SKIP(return, "aging passes by a process that changes its mappings at that moment");

	area_map(self, -1);
	for (round = 0; goes_on(self, round); round++) {
		area_write(self, round);
		ASSERT_LT(0, lru_gen_age());
		area_forget(_metadata, self);
		area_write(self, round);
		if (area_pages_of(self, "Referenced:") != nr_touched())
			continue;
		judged++;
		ASSERT_LT(0, lru_gen_age());
		has = area_pages_of(self, "Referenced:");
		EXPECT_GE(nr_touched() / 2, has)
			TH_LOG("after aging %zu of %zu pages are still referenced", has,
			       nr_touched());
	}
	if (!judged)
		SKIP(return, "the kernel is short of memory and ages all pages by itself");
}

TEST_HARNESS_MAIN
