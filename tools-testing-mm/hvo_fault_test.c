// SPDX-License-Identifier: GPL-2.0
/*
 * Undoing HVO when that is hard: without memory for the vmemmap, and for pages that are taken out
 * of service. No huge page, no contents and no page but the one that was asked for may be lost.
 *
 * Without memory the kernel keeps an optimized page as surplus when it cannot free it. To take the
 * memory away, vm.min_free_kbytes reserves all of it; the vmemmap is allocated without the OOM
 * killer. Everyone runs short then: the first who needs a page, even the kernel's own code, has the
 * OOM killer end one of a few processes made for that, whose death ends the shortage. Soft offline
 * takes pages out of service: it migrates a huge page, restores its vmemmap and dissolves it.
 *
 * Limits: only with LIBMM_DESTRUCTIVE=1: a page that was taken out of service stays out until the
 * next boot. Where somebody needs memory before the kernel has given up on the vmemmap, nothing was
 * tested, which is a skip. 6.12 tries long.
 *
 * To see it fail: ignore vm.hugetlb_optimize_vmemmap.
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
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/harness.h>
#include <libmm/hugemap.h>
#include <libmm/hvo.h>
#include <libmm/kpage.h>
#include <libmm/pagemap.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

#define SOFT_OFFLINE_PAGE "/sys/devices/system/memory/soft_offline_page"
#define SEED UINT64_C(0x6661756c74)
#define PANIC_ON_OOM "/proc/sys/vm/panic_on_oom"
#define MIN_FREE "/proc/sys/vm/min_free_kbytes"
#define OOM_SCORE "/proc/self/oom_score_adj"
#define NR_OFFLINED 4
#define NR_VICTIMS 4

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
	REQUIRE(probe_root());
	REQUIRE(probe_destructive());
	REQUIRE(hvo_begin(&self->hvo, "pmd", variant->on));
}

FIXTURE_TEARDOWN(hvo_fault)
{
	hugemap_close(&self->map);
	hvo_end(&self->hvo);
}

/* The reserve, and the processes that the OOM killer finds first, one at a time. */
struct shortage {
	char reserve[24];	/* what vm.min_free_kbytes was */
	int reserve_fd;
	pid_t victims[NR_VICTIMS];
	pthread_t guard;
	bool relieved;		/* by the guard */
};

/* Tells @ready_fd when it needs no more memory. */
static void victim_run(int ready_fd)
{
	if (__sysfile_write(OOM_SCORE, "1000") || prctl(PR_SET_PDEATHSIG, SIGKILL) ||
	    write(ready_fd, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void victims_start(struct __test_metadata *_metadata, struct shortage *s)
{
	char ready;
	int fds[2];
	size_t i;

	ASSERT_EQ(0, pipe(fds));
	for (i = 0; i < NR_VICTIMS; i++) {
		s->victims[i] = fork();
		ASSERT_LE(0, s->victims[i]);
		if (!s->victims[i])
			victim_run(fds[1]);
	}
	close(fds[1]);
	for (i = 0; i < NR_VICTIMS; i++)
		ASSERT_EQ(1, read(fds[0], &ready, 1));
	close(fds[0]);
}

static int reserve_write(const struct shortage *s, const char *kbytes)
{
	return pwrite(s->reserve_fd, kbytes, strlen(kbytes), 0) < 0 ? -errno : 0;
}

/* Wait for the first victim's end, and restore the reserve before the OOM killer looks again. */
static void *guard_run(void *arg)
{
	const struct sched_param first = { .sched_priority = 1 };
	struct shortage *s = arg;
	siginfo_t info;

	/* Without that privilege it waits its turn. */
	pthread_setschedparam(pthread_self(), SCHED_FIFO, &first);
	if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) || reserve_write(s, s->reserve))
		libmm_fail("hvo_fault: ending the shortage: %s", strerror(errno));
	__atomic_store_n(&s->relieved, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Allocate and lock now what is needed while memory is short. */
static void shortage_prepare(struct __test_metadata *_metadata, struct shortage *s)
{
	memset(s, 0, sizeof(*s));
	ASSERT_LT(0, __sysfile_read(MIN_FREE, s->reserve, sizeof(s->reserve)));
	ASSERT_EQ(0, __restore_save(MIN_FREE));
	s->reserve_fd = open(MIN_FREE, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, s->reserve_fd);
	victims_start(_metadata, s);
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
	ASSERT_EQ(0, pthread_create(&s->guard, NULL, guard_run, s));
}

/* Returns whether somebody's need had already ended it. */
static bool shortage_end(struct __test_metadata *_metadata, struct shortage *s)
{
	bool relieved;
	size_t i;

	ASSERT_EQ(0, reserve_write(s, s->reserve));
	relieved = __atomic_load_n(&s->relieved, __ATOMIC_ACQUIRE);
	for (i = 0; i < NR_VICTIMS; i++)
		EXPECT_EQ(0, kill(s->victims[i], SIGKILL));
	EXPECT_EQ(0, pthread_join(s->guard, NULL));
	for (i = 0; i < NR_VICTIMS; i++)
		EXPECT_EQ(s->victims[i], waitpid(s->victims[i], NULL, 0));
	EXPECT_EQ(0, munlockall());
	close(s->reserve_fd);
	return relieved;
}

static struct probe pool_fill(struct hvo *h)
{
	return hvo_fill(h, h->nr, NR_OFFLINED + 1);
}

/*
 * The pool shrinks while there is no memory for the vmemmap: pages that cannot be freed stay as
 * surplus, and go when there is memory again. Without HVO all go at once.
 */
TEST_F(hvo_fault, restore_without_memory)
{
	struct shortage shortage;
	uint64_t panic, total;
	char all[24];
	bool relieved;
	long left;
	int ret;

	if (!__sysfile_read_u64(PANIC_ON_OOM, &panic) && panic)
		SKIP(return, "vm.panic_on_oom is set: running out of memory ends this kernel");
	if (self->hvo.pool.held)
		SKIP(return, "%s has idle pages, which a shortage of memory reaches too: empty the pool",
		     self->hvo.pool.path);
	ret = __sysfile_write(OOM_SCORE, "-1000");
	if (ret == -EACCES)
		SKIP(return, "no CAP_SYS_RESOURCE to be spared by the OOM killer");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, __sysfile_read_key("/proc/meminfo", "MemTotal", &total));
	snprintf(all, sizeof(all), "%" PRIu64, total);
	REQUIRE(pool_fill(&self->hvo));

	shortage_prepare(_metadata, &shortage);
	ASSERT_EQ(0, reserve_write(&shortage, all));
	/* Whatever it returns, the shortage ends before it is judged. */
	left = __hugetlb_pool_resize(&self->hvo.pool, 0);
	relieved = shortage_end(_metadata, &shortage);
	ASSERT_LE(0, left);
	if (relieved && !left)
		SKIP(return, "somebody needed memory before the kernel gave up on the vmemmap");
	EXPECT_EQ(variant->on, left > 0);
	EXPECT_EQ(left, __hugetlb_pool_count(&self->hvo.pool, "nr"));
	EXPECT_EQ(left, __hugetlb_pool_count(&self->hvo.pool, "surplus"));
	EXPECT_EQ(0, hvo_memmap_excess(&self->hvo, left));

	/* They become the pool's own again, and then can go. */
	ASSERT_EQ(left, __hugetlb_pool_resize(&self->hvo.pool, left));
	EXPECT_EQ(0, hugetlb_pool_count(&self->hvo.pool, "surplus"));
	EXPECT_EQ(0, hugetlb_pool_resize(&self->hvo.pool, 0));
	EXPECT_EQ(0, hvo_memmap_excess(&self->hvo, 0));
}

/* No base page of the former huge page at @pfn is huge, and only page @at is poisoned. */
static void expect_dissolved(struct __test_metadata *_metadata, const struct hvo *h, uint64_t pfn,
			     size_t at)
{
	uint64_t *flags = calloc(h->pages, sizeof(*flags));
	int fd = kpage_open(KPAGE_FLAGS);
	size_t i, wrong = 0;

	ASSERT_NE(NULL, flags);
	kpage_read(fd, pfn, flags, h->pages);
	EXPECT_TRUE(kpage_flags_are_not_huge(flags, h->pages, &wrong)) {
		TH_LOG("base page %zu: flags %#" PRIx64, wrong, flags[wrong]);
	}
	for (i = 0; i < h->pages; i++)
		EXPECT_EQ(i == at, flags[i] >> KPF_HWPOISON & 1);
	close(fd);
	free(flags);
}

/* A huge page in use: its contents move to another, and one base page goes out of service. */
TEST_F(hvo_fault, soft_offline_in_use)
{
	const size_t at = 5;
	uint64_t old, new;
	size_t left;

	REQUIRE(pagemap_pfns_probe());
	REQUIRE(probe_writable(SOFT_OFFLINE_PAGE));
	REQUIRE(pool_fill(&self->hvo));
	hugemap_open(&self->map, self->hvo.pool.size, 1);
	hugemap_fill(&self->map, SEED);
	old = hugemap_pfn(&self->map, 0);

	ASSERT_EQ(0, madvise(self->map.addr + at * self->hvo.page_size, self->hvo.page_size,
			     MADV_SOFT_OFFLINE)) {
		TH_LOG("soft offline: %s", strerror(errno));
	}
	EXPECT_EQ(NULL, hugemap_check(&self->map, 0, 1, SEED));
	new = hugemap_pfn(&self->map, 0);
	EXPECT_NE(old, new);
	expect_dissolved(_metadata, &self->hvo, old, at);
	left = hugetlb_pool_count(&self->hvo.pool, "nr");
	EXPECT_EQ(self->hvo.nr - 1, left);
	EXPECT_EQ(0, hvo_memmap_excess(&self->hvo, variant->on ? left : 0));

	hugemap_close(&self->map);
	EXPECT_EQ(0, hugetlb_pool_resize(&self->hvo.pool, 0));
	EXPECT_EQ(0, hvo_memmap_excess(&self->hvo, 0));
}

/* A huge page that is free in its pool is dissolved where it lies. */
TEST_F(hvo_fault, soft_offline_free)
{
	const size_t at = 3;
	char address[24];
	uint64_t pfn;

	REQUIRE(pagemap_pfns_probe());
	REQUIRE(probe_writable(SOFT_OFFLINE_PAGE));
	REQUIRE(pool_fill(&self->hvo));
	hugemap_open(&self->map, self->hvo.pool.size, 1);
	hugemap_touch(&self->map);
	pfn = hugemap_pfn(&self->map, 0);
	hugemap_close(&self->map);

	snprintf(address, sizeof(address), "%#" PRIx64, (pfn + at) * self->hvo.page_size);
	ASSERT_EQ(0, __sysfile_write(SOFT_OFFLINE_PAGE, address));
	expect_dissolved(_metadata, &self->hvo, pfn, at);
	EXPECT_EQ(self->hvo.nr - 1, hugetlb_pool_count(&self->hvo.pool, "nr"));
	EXPECT_EQ(0, hugetlb_pool_resize(&self->hvo.pool, 0));
	EXPECT_EQ(0, hvo_memmap_excess(&self->hvo, 0));
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
		hugetlb_pool_resize(churn->pool, churn->high);
		hugetlb_pool_resize(churn->pool, churn->low);
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
	struct churn churn = { .pool = &self->hvo.pool };
	pthread_t thread;
	unsigned int seen;
	size_t i;

	REQUIRE(pagemap_pfns_probe());
	REQUIRE(probe_writable(SOFT_OFFLINE_PAGE));
	REQUIRE(pool_fill(&self->hvo));
	hugemap_open(&self->map, self->hvo.pool.size, NR_OFFLINED);
	hugemap_fill(&self->map, SEED);

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
	ASSERT_EQ(0, pthread_join(thread, NULL));

	hugemap_close(&self->map);
	EXPECT_EQ(0, hugetlb_pool_resize(&self->hvo.pool, 0));
	EXPECT_EQ(0, hvo_memmap_excess(&self->hvo, 0));
}

TEST_HARNESS_MAIN
