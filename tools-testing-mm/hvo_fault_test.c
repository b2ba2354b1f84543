// SPDX-License-Identifier: GPL-2.0
/*
 * Undoing HVO when that is hard: without memory for the vmemmap, and for pages that are taken out
 * of service. No huge page may be lost, no contents, and nothing but the page that was asked for.
 *
 * Without memory the kernel keeps an optimized page as surplus when it cannot free it. Memory is
 * made to be missing by vm.min_free_kbytes: a reserve as large as all memory leaves none for
 * others, and the vmemmap is asked for without the OOM killer. For some milliseconds that is so
 * for everyone. Pages are taken out of service by soft offline, which migrates a huge page,
 * restores its vmemmap and dissolves it.
 *
 * Limits: only where lasting changes are allowed (run_vmtests.sh -d): a page that was taken out of
 * service stays out until the next boot, and a process that needs memory at the wrong moment may
 * be killed.
 *
 * To see it fail: let the switch of HVO lead nowhere, as the library in mutants/ does.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libmm/harness.h>
#include <libmm/hugemap.h>
#include <libmm/hvo.h>
#include <libmm/kpage.h>
#include <libmm/require.h>
#include <libmm/sysconf.h>
#include <libmm/sysfile.h>

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

#define SOFT_OFFLINE_PAGE "/sys/devices/system/memory/soft_offline_page"
#define SEED UINT64_C(0x6661756c74)
#define MIN_FREE "/proc/sys/vm/min_free_kbytes"
#define NR_OFFLINED 4

FIXTURE(hvo_fault)
{
	struct hvo hvo;
	struct hugemap map;
};

FIXTURE_VARIANT(hvo_fault)
{
	bool on;
};

FIXTURE_VARIANT_ADD(hvo_fault, pmd_on) { .on = true };
FIXTURE_VARIANT_ADD(hvo_fault, pmd_off) { .on = false };

FIXTURE_SETUP(hvo_fault)
{
	const char *why = require_needs("root,destructive");

	if (why)
		snprintf(self->hvo.missing, sizeof(self->hvo.missing), "%s", why);
	else
		hvo_begin(&self->hvo, "pmd", variant->on);
}

FIXTURE_TEARDOWN(hvo_fault)
{
	hugemap_close(&self->map);
	hvo_end(&self->hvo);
}

/*
 * A process that the OOM killer prefers to all others, should it run in spite of everything.
 * Returns its pid or -errno.
 */
static pid_t victim_start(void)
{
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	if (__sysfile_write("/proc/self/oom_score_adj", "1000"))
		_exit(1);
	for (;;)
		pause();
}

/*
 * Empty the pool while the kernel believes that no memory is free but its reserve. Nothing here
 * allocates: the files are open, their buffers were used before, the process is locked into memory.
 * Returns the pages that are left or -errno.
 */
static long pool_empty_without_memory(struct hvo *h, int reserve_fd, const char *all,
				      const char *before)
{
	long left;

	if (pwrite(reserve_fd, all, strlen(all), 0) < 0)
		return -errno;
	left = __hugetlb_pool_resize(&h->pool, 0);
	if (pwrite(reserve_fd, before, strlen(before), 0) < 0)
		return -errno;
	return left;
}

static bool pool_fill(struct __test_metadata *_metadata, FIXTURE_DATA(hvo_fault) * self)
{
	long got = __hugetlb_pool_resize(&self->hvo.pool, self->hvo.nr);

	ASSERT_LE(0, got);
	self->hvo.nr = got;
	return got > NR_OFFLINED;
}

/*
 * The pool is told to shrink while there is no memory for the vmemmap: what cannot be freed stays,
 * as surplus, and goes when there is memory again. Without HVO nothing is needed and all go at
 * once.
 */
TEST_F(hvo_fault, restore_without_memory)
{
	char all[24], before[24];
	uint64_t total;
	long left;
	pid_t pid;
	int fd;

	if (self->hvo.missing[0])
		SKIP(return, "%s", self->hvo.missing);
	ASSERT_EQ(0, __sysfile_read_key("/proc/meminfo", "MemTotal", &total));
	snprintf(all, sizeof(all), "%" PRIu64, total);
	ASSERT_LT(0, __sysfile_read(MIN_FREE, before, sizeof(before)));
	ASSERT_EQ(0, __sysconf_save(MIN_FREE));
	fd = open(MIN_FREE, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	if (!pool_fill(_metadata, self))
		SKIP(return, "memory is too fragmented for huge pages");

	pid = victim_start();
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, __sysfile_write("/proc/self/oom_score_adj", "-1000"));
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
	left = pool_empty_without_memory(&self->hvo, fd, all, before);
	ASSERT_EQ(0, munlockall());
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	close(fd);

	ASSERT_LE(0, left);
	EXPECT_EQ(variant->on, left > 0);
	EXPECT_EQ(left, __hugetlb_pool_count(&self->hvo.pool, "nr"));
	EXPECT_EQ(left, __hugetlb_pool_count(&self->hvo.pool, "surplus"));
	if (self->hvo.counted)
		EXPECT_EQ(hvo_memmap_expected(&self->hvo, left), hvo_memmap_delta(&self->hvo));

	/* They become the pool's own again, and then can go. */
	ASSERT_EQ(left, __hugetlb_pool_resize(&self->hvo.pool, left));
	EXPECT_EQ(0, __hugetlb_pool_count(&self->hvo.pool, "surplus"));
	EXPECT_EQ(0, __hugetlb_pool_resize(&self->hvo.pool, 0));
	if (self->hvo.counted)
		EXPECT_EQ(0, hvo_memmap_delta(&self->hvo));
}

/* Of what was the huge page at @pfn exactly base page @at is poisoned, and no page is huge. */
static void expect_dissolved(struct __test_metadata *_metadata, const struct hvo *h, uint64_t pfn,
			     size_t at)
{
	uint64_t *flags = calloc(h->pages, sizeof(*flags));
	int fd = __kpage_open(KPAGE_FLAGS);
	size_t i, wrong = 0;

	ASSERT_NE(NULL, flags);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, __kpage_read(fd, pfn, flags, h->pages));
	EXPECT_TRUE(kpage_flags_are_not_huge(flags, h->pages, &wrong)) {
		TH_LOG("base page %zu: flags %#" PRIx64, wrong, flags[wrong]);
	}
	for (i = 0; i < h->pages; i++)
		EXPECT_EQ(i == at, flags[i] >> KPF_HWPOISON & 1);
	close(fd);
	free(flags);
}

static const char *missing_offline(const struct hvo *h)
{
	if (h->missing[0])
		return h->missing;
	return require_need("writable:" SOFT_OFFLINE_PAGE);
}

/* A huge page in use: its contents move to another, the bad base page goes, the rest is free. */
TEST_F(hvo_fault, soft_offline_in_use)
{
	const char *why = missing_offline(&self->hvo);
	const size_t at = 5;
	uint64_t old, new;
	long left;

	if (why)
		SKIP(return, "%s", why);
	if (!pool_fill(_metadata, self))
		SKIP(return, "memory is too fragmented for huge pages");
	ASSERT_EQ(0, __hugemap_open(&self->map, self->hvo.pool.size, 1, MAP_PRIVATE, -1));
	hugemap_fill(&self->map, 0, 1, SEED);
	ASSERT_EQ(0, __hugemap_pfn(&self->map, 0, &old));

	ASSERT_EQ(0, madvise(self->map.addr + at * self->hvo.page_size, self->hvo.page_size,
			     MADV_SOFT_OFFLINE)) {
		TH_LOG("soft offline: %s", strerror(errno));
	}
	EXPECT_EQ(NULL, hugemap_check(&self->map, 0, 1, SEED));
	ASSERT_EQ(0, __hugemap_pfn(&self->map, 0, &new));
	EXPECT_NE(old, new);
	expect_dissolved(_metadata, &self->hvo, old, at);
	left = __hugetlb_pool_count(&self->hvo.pool, "nr");
	EXPECT_EQ((long)self->hvo.nr - 1, left);
	if (self->hvo.counted)
		EXPECT_EQ(hvo_memmap_expected(&self->hvo, variant->on ? left : 0),
			  hvo_memmap_delta(&self->hvo));

	hugemap_close(&self->map);
	EXPECT_EQ(0, __hugetlb_pool_resize(&self->hvo.pool, 0));
	if (self->hvo.counted)
		EXPECT_EQ(0, hvo_memmap_delta(&self->hvo));
}

/* A huge page that is free in its pool is dissolved where it lies. */
TEST_F(hvo_fault, soft_offline_free)
{
	const char *why = missing_offline(&self->hvo);
	const size_t at = 3;
	char address[24];
	uint64_t pfn;

	if (why)
		SKIP(return, "%s", why);
	if (!pool_fill(_metadata, self))
		SKIP(return, "memory is too fragmented for huge pages");
	ASSERT_EQ(0, __hugemap_open(&self->map, self->hvo.pool.size, 1, MAP_PRIVATE, -1));
	hugemap_touch(&self->map);
	ASSERT_EQ(0, __hugemap_pfn(&self->map, 0, &pfn));
	hugemap_close(&self->map);

	snprintf(address, sizeof(address), "%#" PRIx64, (pfn + at) * self->hvo.page_size);
	ASSERT_EQ(0, __sysfile_write(SOFT_OFFLINE_PAGE, address));
	expect_dissolved(_metadata, &self->hvo, pfn, at);
	EXPECT_EQ((long)self->hvo.nr - 1, __hugetlb_pool_count(&self->hvo.pool, "nr"));
	EXPECT_EQ(0, __hugetlb_pool_resize(&self->hvo.pool, 0));
	if (self->hvo.counted)
		EXPECT_EQ(0, hvo_memmap_delta(&self->hvo));
}

struct churn {
	struct hugetlb_pool *pool;
	size_t low;
	size_t high;
	bool stop;
	unsigned int cycles;
};

static void *churn_run(void *arg)
{
	struct churn *churn = arg;

	while (!__atomic_load_n(&churn->stop, __ATOMIC_ACQUIRE)) {
		if (__hugetlb_pool_resize(churn->pool, churn->high) < 0 ||
		    __hugetlb_pool_resize(churn->pool, churn->low) < 0)
			return (void *)1;
		__atomic_add_fetch(&churn->cycles, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/*
 * Pages are taken out of service while the pool around them grows and shrinks. The old page is free
 * for a moment, between migrate_pages() and page_handle_poison() in mm/memory-failure.c, and goes
 * on serving if the pool's change takes it then: that is EBUSY, which loses nothing. That pages do
 * go out of service is what soft_offline_in_use and soft_offline_free show.
 */
TEST_F(hvo_fault, soft_offline_race)
{
	const char *why = missing_offline(&self->hvo);
	struct churn churn = { .pool = &self->hvo.pool };
	pthread_t thread;
	unsigned int seen;
	void *failed;
	size_t i;

	if (why)
		SKIP(return, "%s", why);
	if (!pool_fill(_metadata, self))
		SKIP(return, "memory is too fragmented for huge pages");
	ASSERT_EQ(0, __hugemap_open(&self->map, self->hvo.pool.size, NR_OFFLINED, MAP_PRIVATE, -1));
	hugemap_fill(&self->map, 0, NR_OFFLINED, SEED);

	/* Never fewer than are in use and one to migrate to. */
	churn.low = NR_OFFLINED + 1;
	churn.high = self->hvo.nr;
	ASSERT_EQ(0, pthread_create(&thread, NULL, churn_run, &churn));
	for (i = 0; i < NR_OFFLINED; i++) {
		seen = __atomic_load_n(&churn.cycles, __ATOMIC_ACQUIRE);
		EXPECT_TRUE(!madvise(self->map.addr + i * self->hvo.pool.size,
				     self->hvo.page_size, MADV_SOFT_OFFLINE) ||
			    errno == EBUSY) {
			TH_LOG("soft offline of page %zu: %s", i, strerror(errno));
		}
		EXPECT_EQ(NULL, hugemap_check(&self->map, 0, NR_OFFLINED, SEED));
		while (__atomic_load_n(&churn.cycles, __ATOMIC_ACQUIRE) == seen)
			sched_yield();
	}
	__atomic_store_n(&churn.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, &failed));
	EXPECT_EQ(NULL, failed);

	hugemap_close(&self->map);
	EXPECT_EQ(0, __hugetlb_pool_resize(&self->hvo.pool, 0));
	if (self->hvo.counted)
		EXPECT_EQ(0, hvo_memmap_delta(&self->hvo));
}

TEST_HARNESS_MAIN
