// SPDX-License-Identifier: GPL-2.0
/*
 * HVO (hugetlb vmemmap optimization) frees what it claims, for as long as it claims, and nothing
 * that lies in huge pages or beside them changes by it.
 *
 * Each test runs per page-table level that the kernel has huge pages at, with HVO on and off.
 * Struct page memory is counted by the kernel itself (nr_memmap_pages and nr_memmap_boot_pages of
 * /proc/vmstat) and compared with the formula: with on, a huge page keeps one page of its vmemmap.
 * What the page tables look like is hvo_remap_test's part, concurrent readers hvo_race_test's,
 * memory that runs out and pages that break hvo_fault_test's.
 *
 * Limits: the kernel must count struct pages (6.11 and newer) for most of it. The pool of the size
 * under test must be empty. Pages reserved on the kernel's command line are optimized by other
 * code and not tested here.
 *
 * To see it fail: let the switch of HVO lead nowhere, or freeze the counters, as
 * the library in mutants/ does.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <numaif.h>
#include <numa.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libmm/harness.h>
#include <libmm/hugemap.h>
#include <libmm/hvo.h>
#include <libmm/kpage.h>
#include <libmm/require.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

/* Bytes of ordinary memory that must survive what happens to the struct pages around it. */
#define CANARY_BYTES (8 << 20)
/* The second begins with what the first has left behind, as any later one does. */
#define CYCLES 2
/* Of the pages that a demotion makes, how many are written to. */
#define NR_DEMOTED_WRITTEN 4
#define SEED UINT64_C(0x68766f5f74657374)

FIXTURE(hvo)
{
	struct hvo hvo;
	struct hugemap map[2];
	struct hugemap canary;
	int pins[2];
	int fd;
};

FIXTURE_VARIANT(hvo)
{
	const char *level;
	bool on;
};

FIXTURE_VARIANT_ADD(hvo, contpte_on) { .level = "contpte", .on = true };
FIXTURE_VARIANT_ADD(hvo, contpte_off) { .level = "contpte", .on = false };
FIXTURE_VARIANT_ADD(hvo, pmd_on) { .level = "pmd", .on = true };
FIXTURE_VARIANT_ADD(hvo, pmd_off) { .level = "pmd", .on = false };
FIXTURE_VARIANT_ADD(hvo, contpmd_on) { .level = "contpmd", .on = true };
FIXTURE_VARIANT_ADD(hvo, contpmd_off) { .level = "contpmd", .on = false };
FIXTURE_VARIANT_ADD(hvo, pud_on) { .level = "pud", .on = true };
FIXTURE_VARIANT_ADD(hvo, pud_off) { .level = "pud", .on = false };

FIXTURE_SETUP(hvo)
{
	self->fd = -1;
	self->pins[0] = -1;
	self->pins[1] = -1;
	hvo_begin(&self->hvo, variant->level, variant->on);
}

FIXTURE_TEARDOWN(hvo)
{
	hugemap_close(&self->map[0]);
	hugemap_close(&self->map[1]);
	hugemap_close(&self->canary);
	hugemap_unpin(self->pins);
	if (self->fd >= 0)
		close(self->fd);
	hvo_end(&self->hvo);
}

/* Older frameworks run a test whose setup skipped, so the tests themselves ask. */
static const char *missing(const struct hvo *h)
{
	return h->missing[0] ? h->missing : NULL;
}

static const char *missing_count(const struct hvo *h)
{
	if (!h->missing[0] && !h->counted)
		return "this kernel does not count struct pages (nr_memmap_pages in /proc/vmstat)";
	return missing(h);
}

/*
 * Fill the pool with as many pages as the test may have. Gigantic ones may not be there: then
 * false, and the test is to skip.
 */
static bool pool_fill(struct __test_metadata *_metadata, struct hvo *h)
{
	long got = __hugetlb_pool_resize(&h->pool, h->nr);

	ASSERT_LE(0, got) {
		TH_LOG("filling %s: %s", h->pool.path, strerror(-got));
	}
	h->nr = got;
	if (h->nr_map > h->nr)
		h->nr_map = h->nr;
	return got;
}

#define NO_PAGES "memory is too fragmented for huge pages of this size"
#define ONE_PAGE "memory for two huge pages of this size is missing"

#define POOL_EMPTY() ASSERT_EQ(0, __hugetlb_pool_resize(&self->hvo.pool, 0))

/* @optimized huge pages exist now, and whatever others were freed have all their vmemmap back. */
#define EXPECT_OPTIMIZED(optimized) \
	EXPECT_EQ(hvo_memmap_expected(&self->hvo, optimized), hvo_memmap_delta(&self->hvo))

static size_t optimized_of(const struct hvo *h, size_t nr)
{
	return h->on ? nr : 0;
}

static int pages_map(FIXTURE_DATA(hvo) * self, size_t nr)
{
	return __hugemap_open(&self->map[0], self->hvo.pool.size, nr, MAP_PRIVATE, -1);
}

static void pool_file(const struct hvo *h, const char *name, char *path, size_t size)
{
	snprintf(path, size, "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/%s",
		 h->pool.size >> 10, name);
}

/*
 * Pool of n pages: the struct page memory falls by exactly n times the formula, and after every
 * full cycle it is what it was.
 */
TEST_F(hvo, accounting)
{
	int i;

	if (missing_count(&self->hvo))
		SKIP(return, "%s", missing_count(&self->hvo));
	for (i = 0; i < CYCLES; i++) {
		if (!pool_fill(_metadata, &self->hvo))
			SKIP(return, NO_PAGES);
		EXPECT_EQ((long)self->hvo.nr, __hugetlb_pool_count(&self->hvo.pool, "free"));
		EXPECT_OPTIMIZED(optimized_of(&self->hvo, self->hvo.nr));
		POOL_EMPTY();
		EXPECT_OPTIMIZED(0);
	}
}

/* One page at a time takes another path through the kernel than many, and costs the same. */
TEST_F(hvo, accounting_stepwise)
{
	size_t i;
	long got;

	if (missing_count(&self->hvo))
		SKIP(return, "%s", missing_count(&self->hvo));
	for (i = 1; i <= self->hvo.nr; i++) {
		got = __hugetlb_pool_resize(&self->hvo.pool, i);
		ASSERT_LE(0, got);
		if ((size_t)got < i)
			break;
		EXPECT_OPTIMIZED(optimized_of(&self->hvo, i));
	}
	if (i == 1)
		SKIP(return, NO_PAGES);
	while (i-- > 1) {
		ASSERT_EQ((long)i - 1, __hugetlb_pool_resize(&self->hvo.pool, i - 1));
		EXPECT_OPTIMIZED(optimized_of(&self->hvo, i - 1));
	}
}

/*
 * The switch affects pages allocated from then on. A pool made half with it on and half with it off
 * saves for the one half, and frees to nothing in whatever order the kernel picks.
 */
TEST_F(hvo, mixed_pool)
{
	size_t half;
	int ret;

	if (missing_count(&self->hvo))
		SKIP(return, "%s", missing_count(&self->hvo));
	ret = hugetlb_hvo_set(!variant->on);
	if (ret == -ENOENT)
		SKIP(return, "this kernel has no vm.hugetlb_optimize_vmemmap to switch");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, hugetlb_hvo_set(variant->on));
	if (!pool_fill(_metadata, &self->hvo))
		SKIP(return, NO_PAGES);
	if (self->hvo.nr < 2)
		SKIP(return, ONE_PAGE);
	half = self->hvo.nr / 2;
	ASSERT_EQ((long)half, __hugetlb_pool_resize(&self->hvo.pool, half));

	/* What exists stays as it is when the switch moves. */
	ASSERT_EQ(0, hugetlb_hvo_set(!variant->on));
	EXPECT_OPTIMIZED(variant->on ? half : 0);
	ASSERT_EQ((long)self->hvo.nr, __hugetlb_pool_resize(&self->hvo.pool, self->hvo.nr));
	EXPECT_OPTIMIZED(variant->on ? half : self->hvo.nr - half);

	ASSERT_EQ(0, __hugetlb_pool_resize(&self->hvo.pool, 0));
	EXPECT_OPTIMIZED(0);
}

#define COUNT_LOOKS 100

/*
 * How many of a pinned huge page's base pages, from the first on, are mapped once. A page that the
 * kernel tries to migrate, in vain, is not mapped while it tries, so one look may be unlucky.
 */
static size_t nr_mapped_once(int fd, uint64_t pfn, uint64_t *counts, size_t nr)
{
	size_t i, look;

	for (look = 0, i = 0; i < nr && look < COUNT_LOOKS; look++) {
		kpage_read(fd, pfn, counts, nr);
		for (i = 0; i < nr && counts[i] == 1; i++)
			;
	}
	return i;
}

/* Head, tails and nothing else, on each base page, though most of them share one struct page. */
TEST_F(hvo, compound_flags)
{
	uint64_t pfn, *flags, *counts;
	size_t i, once, nr_told = 0, wrong = 0;
	int fd, fd_count;

	if (missing(&self->hvo))
		SKIP(return, "%s", missing(&self->hvo));
	REQUIRE(probe_readable(KPAGE_FLAGS));
	REQUIRE(probe_readable(KPAGE_COUNT));
	fd = kpage_open(KPAGE_FLAGS);
	fd_count = kpage_open(KPAGE_COUNT);
	if (!pool_fill(_metadata, &self->hvo))
		SKIP(return, NO_PAGES);
	flags = calloc(self->hvo.pages, sizeof(*flags));
	counts = calloc(self->hvo.pages, sizeof(*counts));
	ASSERT_TRUE(flags && counts);

	ASSERT_EQ(0, pages_map(self, self->hvo.nr_map));
	hugemap_touch(&self->map[0]);
	ASSERT_EQ(0, __hugemap_pin(&self->map[0], self->hvo.nr_map, self->pins));
	for (i = 0; i < self->hvo.nr_map; i++) {
		pfn = hugemap_pfn(&self->map[0], i);
		ASSERT_EQ(0UL, pfn % self->hvo.pages);
		kpage_read(fd, pfn, flags, self->hvo.pages);
		if (!kpage_flags_are_told(flags, self->hvo.pages))
			continue;
		nr_told++;
		EXPECT_TRUE(kpage_flags_are_huge(flags, self->hvo.pages, self->hvo.fake, &wrong)) {
			TH_LOG("huge page %zu at %#" PRIx64 ", base page %zu: flags %#" PRIx64, i,
			       pfn, wrong, flags[wrong]);
		}
		once = nr_mapped_once(fd_count, pfn, counts, self->hvo.pages);
		ASSERT_EQ(self->hvo.pages, once) {
			TH_LOG("huge page %zu at %#" PRIx64 ", base page %zu: count %" PRIu64, i,
			       pfn, once, counts[once]);
		}
	}
	free(flags);
	free(counts);
	close(fd);
	close(fd_count);
	if (!nr_told)
		SKIP(return, KPAGE_NOT_TOLD);
}

/* Base pages of what was a huge page are not one any more, each of them. */
TEST_F(hvo, compound_flags_after_free)
{
	uint64_t *pfns, *flags;
	size_t i, wrong = 0;
	int fd;

	if (missing(&self->hvo))
		SKIP(return, "%s", missing(&self->hvo));
	REQUIRE(probe_readable(KPAGE_FLAGS));
	fd = kpage_open(KPAGE_FLAGS);
	if (!pool_fill(_metadata, &self->hvo))
		SKIP(return, NO_PAGES);
	flags = calloc(self->hvo.pages, sizeof(*flags));
	pfns = calloc(self->hvo.nr_map, sizeof(*pfns));
	ASSERT_TRUE(flags && pfns);

	ASSERT_EQ(0, pages_map(self, self->hvo.nr_map));
	hugemap_touch(&self->map[0]);
	for (i = 0; i < self->hvo.nr_map; i++)
		pfns[i] = hugemap_pfn(&self->map[0], i);
	hugemap_close(&self->map[0]);
	POOL_EMPTY();

	for (i = 0; i < self->hvo.nr_map; i++) {
		kpage_read(fd, pfns[i], flags, self->hvo.pages);
		EXPECT_TRUE(kpage_flags_are_not_huge(flags, self->hvo.pages, &wrong)) {
			TH_LOG("former huge page %zu, base page %zu: flags %#" PRIx64, i, wrong,
			       flags[wrong]);
		}
	}
	free(flags);
	free(pfns);
	close(fd);
}

/*
 * Contents of huge pages while others come and go, and contents of ordinary memory that was
 * allocated after the optimization (so it may lie in what was vmemmap) while it is undone.
 */
TEST_F(hvo, data_integrity)
{
	size_t held;
	int i;

	if (missing(&self->hvo))
		SKIP(return, "%s", missing(&self->hvo));
	if (!pool_fill(_metadata, &self->hvo))
		SKIP(return, NO_PAGES);
	held = (self->hvo.nr_map + 1) / 2;
	ASSERT_EQ(0, pages_map(self, held));
	hugemap_fill(&self->map[0], 0, held, SEED);

	self->canary = (struct hugemap){ .page = CANARY_BYTES, .nr = 1 };
	self->canary.addr = mmap(NULL, CANARY_BYTES, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->canary.addr);
	/* Kernels without transparent huge pages, as those of PREEMPT_RT, do not know it. */
	if (madvise(self->canary.addr, CANARY_BYTES, MADV_NOHUGEPAGE))
		ASSERT_EQ(EINVAL, errno);
	hugemap_fill(&self->canary, 0, 1, ~SEED);

	for (i = 0; i < CYCLES; i++) {
		ASSERT_EQ((long)held, __hugetlb_pool_resize(&self->hvo.pool, held));
		EXPECT_EQ(NULL, hugemap_check(&self->map[0], 0, held, SEED));
		EXPECT_EQ(NULL, hugemap_check(&self->canary, 0, 1, ~SEED));
		ASSERT_LE((long)held, __hugetlb_pool_resize(&self->hvo.pool, self->hvo.nr));
		EXPECT_EQ(NULL, hugemap_check(&self->map[0], 0, held, SEED));
		EXPECT_EQ(NULL, hugemap_check(&self->canary, 0, 1, ~SEED));
	}

	hugemap_close(&self->map[0]);
	POOL_EMPTY();
	EXPECT_EQ(NULL, hugemap_check(&self->canary, 0, 1, ~SEED));
}

/* In the child: exits 0 when it has its parent's contents, and then writes its own. */
static void child_check(struct hugemap *map)
{
	if (hugemap_check(map, 0, 1, SEED))
		_exit(1);
	hugemap_fill(map, 0, 1, ~SEED);
	_exit(hugemap_check(map, 0, 1, ~SEED) ? 2 : 0);
}

/*
 * fork() shares a private page until it is written to, and then copies it: from one optimized page
 * to another. Pages whose table is no PMD table are left to hugetlb_regress_test: kernels are known
 * that lose them.
 */
TEST_F(hvo, fork_copies_on_write)
{
	int status;
	pid_t pid;

	if (missing(&self->hvo))
		SKIP(return, "%s", missing(&self->hvo));
	if (!strcmp(variant->level, "pud") || !strcmp(variant->level, "contpte"))
		SKIP(return, "no PMD maps it: hugetlb_regress_test tests that");
	if (!pool_fill(_metadata, &self->hvo))
		SKIP(return, NO_PAGES);
	if (self->hvo.nr < 2)
		SKIP(return, ONE_PAGE);
	ASSERT_EQ(0, pages_map(self, 1));
	hugemap_fill(&self->map[0], 0, 1, SEED);

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		child_check(&self->map[0]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status) {
		TH_LOG("the child ended with status %#x: 0x100 is that it lost the contents",
		       status);
	}
	EXPECT_EQ(NULL, hugemap_check(&self->map[0], 0, 1, SEED));
	hugemap_close(&self->map[0]);
	POOL_EMPTY();
}

/*
 * Surplus pages are optimized one by one and freed from a work item; a write to nr_hugepages waits
 * for that item (set_max_huge_pages()).
 */
TEST_F(hvo, surplus)
{
	char path[SYSFILE_PATH_MAX], value[24];
	int ret;

	if (missing_count(&self->hvo))
		SKIP(return, "%s", missing_count(&self->hvo));
	if (!pool_fill(_metadata, &self->hvo))
		SKIP(return, NO_PAGES);
	POOL_EMPTY();
	pool_file(&self->hvo, "nr_overcommit_hugepages", path, sizeof(path));
	snprintf(value, sizeof(value), "%zu", self->hvo.nr_map);
	ret = __restore_set(path, value, NULL);
	if (ret == -EINVAL)
		SKIP(return, "this kernel has no surplus pages at the level %s", variant->level);
	ASSERT_EQ(0, ret);

	ASSERT_EQ(0, pages_map(self, self->hvo.nr_map));
	EXPECT_EQ((long)self->hvo.nr_map, __hugetlb_pool_count(&self->hvo.pool, "surplus"));
	EXPECT_OPTIMIZED(optimized_of(&self->hvo, self->hvo.nr_map));
	hugemap_fill(&self->map[0], 0, self->hvo.nr_map, SEED);
	EXPECT_EQ(NULL, hugemap_check(&self->map[0], 0, self->hvo.nr_map, SEED));

	hugemap_close(&self->map[0]);
	POOL_EMPTY();
	EXPECT_EQ(0, __hugetlb_pool_count(&self->hvo.pool, "surplus"));
	EXPECT_OPTIMIZED(0);
}

/* Surplus pages become the pool's own by a write to nr_hugepages; their vmemmap stays as it is. */
TEST_F(hvo, surplus_adopted)
{
	char path[SYSFILE_PATH_MAX], value[24];
	int ret;

	if (missing_count(&self->hvo))
		SKIP(return, "%s", missing_count(&self->hvo));
	if (!pool_fill(_metadata, &self->hvo))
		SKIP(return, NO_PAGES);
	POOL_EMPTY();
	pool_file(&self->hvo, "nr_overcommit_hugepages", path, sizeof(path));
	snprintf(value, sizeof(value), "%zu", self->hvo.nr_map);
	ret = __restore_set(path, value, NULL);
	if (ret == -EINVAL)
		SKIP(return, "this kernel has no surplus pages at the level %s", variant->level);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, pages_map(self, self->hvo.nr_map));
	hugemap_touch(&self->map[0]);

	ASSERT_EQ((long)self->hvo.nr_map, __hugetlb_pool_resize(&self->hvo.pool, self->hvo.nr_map));
	EXPECT_EQ(0, __hugetlb_pool_count(&self->hvo.pool, "surplus"));
	EXPECT_OPTIMIZED(optimized_of(&self->hvo, self->hvo.nr_map));
	hugemap_close(&self->map[0]);
	EXPECT_EQ((long)self->hvo.nr_map, __hugetlb_pool_count(&self->hvo.pool, "free"));
	EXPECT_OPTIMIZED(optimized_of(&self->hvo, self->hvo.nr_map));
	POOL_EMPTY();
	EXPECT_OPTIMIZED(0);
}

/* Pages that are in use when the pool is emptied give their vmemmap back when they are unmapped. */
TEST_F(hvo, freed_by_unmap)
{
	if (missing_count(&self->hvo))
		SKIP(return, "%s", missing_count(&self->hvo));
	if (!pool_fill(_metadata, &self->hvo))
		SKIP(return, NO_PAGES);
	ASSERT_EQ(0, pages_map(self, self->hvo.nr_map));
	hugemap_touch(&self->map[0]);

	/* They cannot go: nr counts them, as surplus. */
	ASSERT_EQ((long)self->hvo.nr_map, __hugetlb_pool_resize(&self->hvo.pool, 0));
	EXPECT_EQ((long)self->hvo.nr_map, __hugetlb_pool_count(&self->hvo.pool, "surplus"));
	EXPECT_OPTIMIZED(optimized_of(&self->hvo, self->hvo.nr_map));

	hugemap_close(&self->map[0]);
	POOL_EMPTY();
	EXPECT_OPTIMIZED(0);
}

/* A reservation, its use, a hole punched, and the end of the file: only the pool's size counts. */
TEST_F(hvo, reserve_and_punch)
{
	size_t nr, page;

	if (missing_count(&self->hvo))
		SKIP(return, "%s", missing_count(&self->hvo));
	if (!pool_fill(_metadata, &self->hvo))
		SKIP(return, NO_PAGES);
	nr = self->hvo.nr_map;
	ASSERT_EQ((long)nr, __hugetlb_pool_resize(&self->hvo.pool, nr));
	page = self->hvo.pool.size;
	self->fd = memfd_create("hvo_test", MFD_CLOEXEC | MFD_HUGETLB | hugemap_size_flags(page));
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ftruncate(self->fd, nr * page));

	ASSERT_EQ(0, __hugemap_open(&self->map[0], page, nr, MAP_SHARED, self->fd));
	EXPECT_EQ((long)nr, __hugetlb_pool_count(&self->hvo.pool, "resv"));
	EXPECT_EQ((long)nr, __hugetlb_pool_count(&self->hvo.pool, "free"));
	ASSERT_EQ(0, fallocate(self->fd, 0, 0, nr * page));
	EXPECT_EQ(0, __hugetlb_pool_count(&self->hvo.pool, "resv"));
	EXPECT_EQ(0, __hugetlb_pool_count(&self->hvo.pool, "free"));
	hugemap_fill(&self->map[0], 0, nr, SEED);
	EXPECT_OPTIMIZED(optimized_of(&self->hvo, nr));

	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, page));
	EXPECT_EQ(1, __hugetlb_pool_count(&self->hvo.pool, "free"));
	EXPECT_OPTIMIZED(optimized_of(&self->hvo, nr));
	EXPECT_EQ(NULL, hugemap_check(&self->map[0], 1, nr - 1, SEED));
	EXPECT_EQ(NULL, hugemap_nonzero(&self->map[0], 0));

	hugemap_close(&self->map[0]);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ((long)nr, __hugetlb_pool_count(&self->hvo.pool, "free"));
	EXPECT_EQ(0, __hugetlb_pool_count(&self->hvo.pool, "resv"));
	POOL_EMPTY();
	EXPECT_OPTIMIZED(0);
}

/*
 * Demotion splits a free huge page into smaller ones: the large page's saving ends, and each of the
 * small pages saves for itself when HVO is on.
 */
TEST_F(hvo, demote)
{
	uint64_t small_size, small_saving;
	char path[SYSFILE_PATH_MAX], text[32];
	struct hugetlb_pool small;
	int64_t expected;
	size_t nr_small;

	if (missing_count(&self->hvo))
		SKIP(return, "%s", missing_count(&self->hvo));
	pool_file(&self->hvo, "demote_size", path, sizeof(path));
	if (__sysfile_read(path, text, sizeof(text)) < 0)
		SKIP(return, "pages at the level %s cannot be demoted: no %s", variant->level,
		     path);
	small_size = strtoull(text, NULL, 10) << 10;	/* "2048kB" */
	ASSERT_LT(0UL, small_size);
	ASSERT_EQ(0, hugetlb_pool_open(&small, small_size, HUGETLB_ALL_NODES));
	if (__hugetlb_pool_count(&small, "nr"))
		SKIP(return, "%s is not 0: the smaller pool must be empty", small.path);

	self->hvo.nr = 1;
	if (!pool_fill(_metadata, &self->hvo))
		SKIP(return, NO_PAGES);
	EXPECT_OPTIMIZED(optimized_of(&self->hvo, 1));

	pool_file(&self->hvo, "demote", path, sizeof(path));
	ASSERT_EQ(0, __sysfile_write(path, "1"));
	nr_small = self->hvo.pool.size / small_size;
	EXPECT_EQ(0, __hugetlb_pool_count(&self->hvo.pool, "nr"));
	EXPECT_EQ((long)nr_small, __hugetlb_pool_count(&small, "nr"));
	EXPECT_EQ((long)nr_small, __hugetlb_pool_count(&small, "free"));
	small_saving = hugetlb_hvo_saving(small_size, HVO_STRUCT_PAGE_SIZE, self->hvo.page_size);
	expected = variant->on ? -(int64_t)(nr_small * small_saving * self->hvo.page_size) : 0;
	EXPECT_EQ(expected, hvo_memmap_delta(&self->hvo));

	ASSERT_EQ(0, __hugemap_open(&self->map[0], small_size, NR_DEMOTED_WRITTEN, MAP_PRIVATE,
				    -1));
	hugemap_fill(&self->map[0], 0, NR_DEMOTED_WRITTEN, SEED);
	EXPECT_EQ(NULL, hugemap_check(&self->map[0], 0, NR_DEMOTED_WRITTEN, SEED));
	hugemap_close(&self->map[0]);

	ASSERT_EQ(0, __hugetlb_pool_resize(&small, 0));
	EXPECT_OPTIMIZED(0);
	hugetlb_pool_close(&small);
}

/* A node's own pool: pages come from that node, save as elsewhere, and go back to it. */
TEST_F(hvo, node_pools)
{
	struct hugetlb_pool pool;
	int node, where;
	long got;

	if (missing_count(&self->hvo))
		SKIP(return, "%s", missing_count(&self->hvo));
	if (numa_available() < 0)
		SKIP(return, "this kernel has no NUMA memory policies");

	for (node = 0; node <= numa_max_node(); node++) {
		if (numa_node_size64(node, NULL) <= 0)
			continue;
		ASSERT_EQ(0, hugetlb_pool_open(&pool, self->hvo.pool.size, node));
		got = __hugetlb_pool_resize(&pool, 1);
		ASSERT_LE(0, got);
		if (!got)
			SKIP(return, "no contiguous memory on node %d at the level %s", node,
			     variant->level);
		EXPECT_EQ(1, __hugetlb_pool_count(&pool, "free"));
		EXPECT_EQ(1, __hugetlb_pool_count(&self->hvo.pool, "nr"));
		EXPECT_OPTIMIZED(optimized_of(&self->hvo, 1));

		/* Where there is one node it is nowhere else. */
		if (numa_num_configured_nodes() > 1) {
			ASSERT_EQ(0, __hugemap_open(&self->map[0], pool.size, 1, MAP_PRIVATE, -1));
			hugemap_touch(&self->map[0]);
			ASSERT_EQ(0, get_mempolicy(&where, NULL, 0, self->map[0].addr,
						   MPOL_F_NODE | MPOL_F_ADDR));
			EXPECT_EQ(node, where);
			hugemap_close(&self->map[0]);
		}

		EXPECT_EQ(0, __hugetlb_pool_resize(&pool, 0));
		EXPECT_OPTIMIZED(0);
		hugetlb_pool_close(&pool);
	}
}

TEST_HARNESS_MAIN
