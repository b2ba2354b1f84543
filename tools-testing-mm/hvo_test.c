// SPDX-License-Identifier: GPL-2.0
/*
 * HVO (hugetlb vmemmap optimization) frees exactly the struct pages that it promises to free, gives
 * them back, and changes no contents of huge pages or of memory beside them.
 *
 * Each test runs for every page-table level that the kernel maps huge pages at, with HVO on and
 * off. The kernel itself counts the memory of struct pages (nr_memmap_pages and
 * nr_memmap_boot_pages of /proc/vmstat); with HVO on, a huge page keeps one page of its vmemmap.
 * hvo_remap_test looks at the page tables, hvo_race_test at concurrent readers, hvo_fault_test at
 * missing memory and broken pages.
 *
 * Limits: most tests need a kernel that counts struct pages (6.11 and newer) and all an empty pool.
 * Pages reserved on the kernel's command line are optimized by other code and not tested here.
 *
 * To see it fail: ignore vm.hugetlb_optimize_vmemmap, or leave nr_memmap_pages alone when vmemmap
 * is freed.
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

#include <libmm/fail.h>
#include <libmm/harness.h>
#include <libmm/hugemap.h>
#include <libmm/hvo.h>
#include <libmm/kpage.h>
#include <libmm/pagemap.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

/* Bytes of ordinary memory that must survive what happens to the struct pages around it. */
#define CANARY_BYTES (8 << 20)
/* The second begins with what the first has left behind, as any later one does. */
#define CYCLES 2
/* How many of the pages that a demotion makes are written to. */
#define NR_DEMOTED_WRITTEN 4
#define SEED UINT64_C(0x68766f5f74657374)

FIXTURE(hvo)
{
	struct hvo hvo;
	struct hugemap map;
	struct hugemap canary;
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
	REQUIRE(hvo_begin(&self->hvo, variant->level, variant->on));
}

FIXTURE_TEARDOWN(hvo)
{
	hugemap_close(&self->map);
	hugemap_close(&self->canary);
	if (self->fd >= 0)
		close(self->fd);
	hvo_end(&self->hvo);
}

static struct probe counted(const struct hvo *h)
{
	return h->counted ? probe_yes() :
	       probe_no("this kernel does not count struct pages (nr_memmap_pages in /proc/vmstat)");
}

#define POOL_EMPTY() ASSERT_EQ(0, hugetlb_pool_resize(&self->hvo.pool, 0))

/* @optimized huge pages exist now, and any others that were freed have all their vmemmap back. */
#define EXPECT_OPTIMIZED(optimized) EXPECT_EQ(0, hvo_memmap_excess(&self->hvo, optimized))

/* @nr huge pages exist now, all made with HVO as this variant has it. */
#define EXPECT_HUGE(nr) EXPECT_OPTIMIZED(variant->on ? (nr) : 0)

/* A pool of n pages saves exactly n times what one saves, and an empty one nothing. */
TEST_F(hvo, accounting)
{
	int i;

	REQUIRE(counted(&self->hvo));
	for (i = 0; i < CYCLES; i++) {
		REQUIRE(hvo_fill(&self->hvo, self->hvo.nr, 1));
		EXPECT_EQ(self->hvo.nr, hugetlb_pool_count(&self->hvo.pool, "free"));
		EXPECT_HUGE(self->hvo.nr);
		POOL_EMPTY();
		EXPECT_HUGE(0);
	}
}

/* One page at a time takes another path through the kernel than many, and saves the same. */
TEST_F(hvo, accounting_stepwise)
{
	size_t i;

	REQUIRE(counted(&self->hvo));
	for (i = 1; i <= self->hvo.nr; i++) {
		if (hugetlb_pool_resize(&self->hvo.pool, i) < i)
			break;
		EXPECT_HUGE(i);
	}
	if (i == 1)
		SKIP(return, "memory is too fragmented for huge pages of this size");
	while (i-- > 1) {
		ASSERT_EQ(i - 1, hugetlb_pool_resize(&self->hvo.pool, i - 1));
		EXPECT_HUGE(i - 1);
	}
}

/*
 * The switch affects pages allocated from then on. A pool made half with it on and half with it off
 * saves for one half, and nothing when it is empty, in whatever order the kernel frees.
 */
TEST_F(hvo, mixed_pool)
{
	size_t half;
	int ret;

	REQUIRE(counted(&self->hvo));
	ret = hugetlb_hvo_set(!variant->on);
	if (ret == -ENOENT)
		SKIP(return, "this kernel has no vm.hugetlb_optimize_vmemmap to switch");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, hugetlb_hvo_set(variant->on));
	REQUIRE(hvo_fill(&self->hvo, self->hvo.nr, 2));
	half = self->hvo.nr / 2;
	ASSERT_EQ(half, hugetlb_pool_resize(&self->hvo.pool, half));

	/* Pages that exist do not change with the switch. */
	ASSERT_EQ(0, hugetlb_hvo_set(!variant->on));
	EXPECT_OPTIMIZED(variant->on ? half : 0);
	ASSERT_EQ(self->hvo.nr, hugetlb_pool_resize(&self->hvo.pool, self->hvo.nr));
	EXPECT_OPTIMIZED(variant->on ? half : self->hvo.nr - half);

	POOL_EMPTY();
	EXPECT_HUGE(0);
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

/* Each base page is a head or a tail as it should be, though most share one page of vmemmap. */
TEST_F(hvo, compound_flags)
{
	uint64_t pfn, *flags, *counts;
	size_t i, once, nr_told = 0, wrong = 0;
	int fd, fd_count;

	REQUIRE(pagemap_pfns_probe());
	REQUIRE(probe_readable(KPAGE_FLAGS));
	REQUIRE(probe_readable(KPAGE_COUNT));
	fd = kpage_open(KPAGE_FLAGS);
	fd_count = kpage_open(KPAGE_COUNT);
	REQUIRE(hvo_fill(&self->hvo, self->hvo.nr, 1));
	flags = calloc(self->hvo.pages, sizeof(*flags));
	counts = calloc(self->hvo.pages, sizeof(*counts));
	ASSERT_TRUE(flags && counts);

	hugemap_open(&self->map, self->hvo.pool.size, self->hvo.nr_map);
	hugemap_touch(&self->map);
	hugemap_pin(&self->map);
	for (i = 0; i < self->hvo.nr_map; i++) {
		pfn = hugemap_pfn(&self->map, i);
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

/* No base page of a former huge page belongs to one. */
TEST_F(hvo, compound_flags_after_free)
{
	uint64_t *pfns, *flags;
	size_t i, wrong = 0;
	int fd;

	REQUIRE(pagemap_pfns_probe());
	REQUIRE(probe_readable(KPAGE_FLAGS));
	fd = kpage_open(KPAGE_FLAGS);
	REQUIRE(hvo_fill(&self->hvo, self->hvo.nr, 1));
	flags = calloc(self->hvo.pages, sizeof(*flags));
	pfns = calloc(self->hvo.nr_map, sizeof(*pfns));
	ASSERT_TRUE(flags && pfns);

	hugemap_open(&self->map, self->hvo.pool.size, self->hvo.nr_map);
	hugemap_touch(&self->map);
	for (i = 0; i < self->hvo.nr_map; i++)
		pfns[i] = hugemap_pfn(&self->map, i);
	hugemap_close(&self->map);
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
 * Huge pages keep their contents while others come and go. So does ordinary memory that was
 * allocated after the optimization, and may lie in former vmemmap, while that is undone.
 */
TEST_F(hvo, data_integrity)
{
	size_t held;
	int i;

	REQUIRE(hvo_fill(&self->hvo, self->hvo.nr, 1));
	held = (self->hvo.nr_map + 1) / 2;
	hugemap_open(&self->map, self->hvo.pool.size, held);
	hugemap_fill(&self->map, SEED);

	self->canary = (struct hugemap){ .page = CANARY_BYTES, .nr = 1 };
	self->canary.addr = mmap(NULL, CANARY_BYTES, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->canary.addr);
	/* EINVAL without CONFIG_TRANSPARENT_HUGEPAGE, as under PREEMPT_RT. */
	if (madvise(self->canary.addr, CANARY_BYTES, MADV_NOHUGEPAGE))
		ASSERT_EQ(EINVAL, errno);
	hugemap_fill(&self->canary, ~SEED);

	for (i = 0; i < CYCLES; i++) {
		ASSERT_EQ(held, hugetlb_pool_resize(&self->hvo.pool, held));
		EXPECT_EQ(NULL, hugemap_check(&self->map, 0, held, SEED));
		EXPECT_EQ(NULL, hugemap_check(&self->canary, 0, 1, ~SEED));
		ASSERT_LE(held, hugetlb_pool_resize(&self->hvo.pool, self->hvo.nr));
		EXPECT_EQ(NULL, hugemap_check(&self->map, 0, held, SEED));
		EXPECT_EQ(NULL, hugemap_check(&self->canary, 0, 1, ~SEED));
	}

	hugemap_close(&self->map);
	POOL_EMPTY();
	EXPECT_EQ(NULL, hugemap_check(&self->canary, 0, 1, ~SEED));
}

/* In the child: exit with 0 if it has its parent's contents and can write its own. */
static void child_check(struct hugemap *map)
{
	if (hugemap_check(map, 0, 1, SEED))
		_exit(1);
	hugemap_fill(map, ~SEED);
	_exit(hugemap_check(map, 0, 1, ~SEED) ? 2 : 0);
}

/*
 * fork() shares or copies a private page: each process has its own contents. hugetlb_regress_test
 * has the pages that no PMD maps: some kernels lose them.
 */
TEST_F(hvo, fork_copies_on_write)
{
	int status;
	pid_t pid;

	if (!strcmp(variant->level, "pud") || !strcmp(variant->level, "contpte"))
		SKIP(return, "no PMD maps it: hugetlb_regress_test tests that");
	REQUIRE(hvo_fill(&self->hvo, self->hvo.nr, 2));
	hugemap_open(&self->map, self->hvo.pool.size, 1);
	hugemap_fill(&self->map, SEED);

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		child_check(&self->map);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status) {
		TH_LOG("the child ended with status %#x: 0x100 is that it lost the contents",
		       status);
	}
	EXPECT_EQ(NULL, hugemap_check(&self->map, 0, 1, SEED));
	hugemap_close(&self->map);
	POOL_EMPTY();
}

/* Empty the pool, and allow as many surplus pages as the test maps. */
static struct probe surplus_allow(struct hvo *h)
{
	struct probe probe = hvo_fill(h, h->nr, 1);
	char path[HUGETLB_PATH_MAX], value[24];
	int ret;

	if (probe.answer != PROBE_YES)
		return probe;
	if (hugetlb_pool_resize(&h->pool, 0))
		libmm_fail("hvo_test: %s cannot be emptied", h->pool.path);
	hugetlb_pool_file(&h->pool, "nr_overcommit_hugepages", path);
	snprintf(value, sizeof(value), "%zu", h->nr_map);
	ret = __restore_set(path, value, NULL);
	if (ret == -EINVAL)
		return probe_no("this kernel has no surplus pages of this size");
	if (ret)
		libmm_fail("hvo_test: setting %s: %s", path, strerror(-ret));
	return probe;
}

/*
 * Surplus pages are optimized one by one and freed from a work item; a write to nr_hugepages waits
 * for that item (set_max_huge_pages()).
 */
TEST_F(hvo, surplus)
{
	REQUIRE(counted(&self->hvo));
	REQUIRE(surplus_allow(&self->hvo));
	hugemap_open(&self->map, self->hvo.pool.size, self->hvo.nr_map);
	EXPECT_EQ(self->hvo.nr_map, hugetlb_pool_count(&self->hvo.pool, "surplus"));
	EXPECT_HUGE(self->hvo.nr_map);
	hugemap_fill(&self->map, SEED);
	EXPECT_EQ(NULL, hugemap_check(&self->map, 0, self->hvo.nr_map, SEED));

	hugemap_close(&self->map);
	POOL_EMPTY();
	EXPECT_EQ(0, hugetlb_pool_count(&self->hvo.pool, "surplus"));
	EXPECT_HUGE(0);
}

/* A write to nr_hugepages makes surplus pages the pool's own; their vmemmap does not change. */
TEST_F(hvo, surplus_adopted)
{
	REQUIRE(counted(&self->hvo));
	REQUIRE(surplus_allow(&self->hvo));
	hugemap_open(&self->map, self->hvo.pool.size, self->hvo.nr_map);
	hugemap_touch(&self->map);

	ASSERT_EQ(self->hvo.nr_map, hugetlb_pool_resize(&self->hvo.pool, self->hvo.nr_map));
	EXPECT_EQ(0, hugetlb_pool_count(&self->hvo.pool, "surplus"));
	EXPECT_HUGE(self->hvo.nr_map);
	hugemap_close(&self->map);
	EXPECT_EQ(self->hvo.nr_map, hugetlb_pool_count(&self->hvo.pool, "free"));
	EXPECT_HUGE(self->hvo.nr_map);
	POOL_EMPTY();
	EXPECT_HUGE(0);
}

/* Pages in use when the pool is emptied get their vmemmap back when they are unmapped. */
TEST_F(hvo, freed_by_unmap)
{
	REQUIRE(counted(&self->hvo));
	REQUIRE(hvo_fill(&self->hvo, self->hvo.nr, 1));
	hugemap_open(&self->map, self->hvo.pool.size, self->hvo.nr_map);
	hugemap_touch(&self->map);

	/* They stay, as surplus. */
	ASSERT_EQ(self->hvo.nr_map, hugetlb_pool_resize(&self->hvo.pool, 0));
	EXPECT_EQ(self->hvo.nr_map, hugetlb_pool_count(&self->hvo.pool, "surplus"));
	EXPECT_HUGE(self->hvo.nr_map);

	hugemap_close(&self->map);
	POOL_EMPTY();
	EXPECT_HUGE(0);
}

/* Reserve, allocate, punch a hole, close the file: only the pool's size decides what is saved. */
TEST_F(hvo, reserve_and_punch)
{
	size_t nr, page;

	REQUIRE(counted(&self->hvo));
	REQUIRE(hvo_fill(&self->hvo, self->hvo.nr, 1));
	nr = self->hvo.nr_map;
	ASSERT_EQ(nr, hugetlb_pool_resize(&self->hvo.pool, nr));
	page = self->hvo.pool.size;
	self->fd = memfd_create("hvo_test", MFD_CLOEXEC | MFD_HUGETLB | hugetlb_size_flags(page));
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ftruncate(self->fd, nr * page));

	self->map = (struct hugemap){ .page = page, .nr = nr };
	self->map.addr = mmap(NULL, nr * page, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->map.addr);
	EXPECT_EQ(nr, hugetlb_pool_count(&self->hvo.pool, "resv"));
	EXPECT_EQ(nr, hugetlb_pool_count(&self->hvo.pool, "free"));
	ASSERT_EQ(0, fallocate(self->fd, 0, 0, nr * page));
	EXPECT_EQ(0, hugetlb_pool_count(&self->hvo.pool, "resv"));
	EXPECT_EQ(0, hugetlb_pool_count(&self->hvo.pool, "free"));
	hugemap_fill(&self->map, SEED);
	EXPECT_HUGE(nr);

	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, page));
	EXPECT_EQ(1, hugetlb_pool_count(&self->hvo.pool, "free"));
	EXPECT_HUGE(nr);
	EXPECT_EQ(NULL, hugemap_check(&self->map, 1, nr - 1, SEED));
	EXPECT_EQ(NULL, hugemap_check(&self->map, 0, 1, 0));

	hugemap_close(&self->map);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(nr, hugetlb_pool_count(&self->hvo.pool, "free"));
	EXPECT_EQ(0, hugetlb_pool_count(&self->hvo.pool, "resv"));
	POOL_EMPTY();
	EXPECT_HUGE(0);
}

/*
 * Demotion splits a free huge page into smaller ones: the large page's saving ends, and each of the
 * small pages saves for itself when HVO is on.
 */
TEST_F(hvo, demote)
{
	uint64_t small_size, small_saving;
	char path[HUGETLB_PATH_MAX], text[32];
	struct hugetlb_pool small;
	size_t nr_small;

	REQUIRE(counted(&self->hvo));
	hugetlb_pool_file(&self->hvo.pool, "demote_size", path);
	if (__sysfile_read(path, text, sizeof(text)) < 0)
		SKIP(return, "pages at the level %s cannot be demoted: no %s", variant->level,
		     path);
	small_size = strtoull(text, NULL, 10) << 10;	/* "2048kB" */
	ASSERT_LT(0UL, small_size);
	if (hugetlb_cgroup_room(small_size) < NR_DEMOTED_WRITTEN * small_size)
		SKIP(return, "a hugetlb cgroup leaves too few pages of the smaller size: raise hugetlb.*.max");
	ASSERT_EQ(0, hugetlb_pool_open(&small, small_size, HUGETLB_ALL_NODES));
	hugetlb_pool_beside(&small);

	REQUIRE(hvo_fill(&self->hvo, 1, 1));
	EXPECT_HUGE(1);

	hugetlb_pool_file(&self->hvo.pool, "demote", path);
	ASSERT_EQ(0, __sysfile_write(path, "1"));
	nr_small = self->hvo.pool.size / small_size;
	EXPECT_EQ(0, hugetlb_pool_count(&self->hvo.pool, "nr"));
	EXPECT_EQ(nr_small, hugetlb_pool_count(&small, "nr"));
	EXPECT_EQ(nr_small, hugetlb_pool_count(&small, "free"));
	small_saving = hugetlb_hvo_saving(small_size, self->hvo.page_size);
	if (!variant->on)
		small_saving = 0;
	EXPECT_EQ(-(int64_t)(nr_small * small_saving * self->hvo.page_size),
		  hvo_memmap_excess(&self->hvo, 0));

	hugemap_open(&self->map, small_size, NR_DEMOTED_WRITTEN);
	hugemap_fill(&self->map, SEED);
	EXPECT_EQ(NULL, hugemap_check(&self->map, 0, NR_DEMOTED_WRITTEN, SEED));
	hugemap_close(&self->map);

	ASSERT_EQ(0, hugetlb_pool_resize(&small, 0));
	EXPECT_HUGE(0);
	hugetlb_pool_close(&small);
}

/* Pages of a node's own pool come from that node, save as others do, and go back to it. */
TEST_F(hvo, node_pools)
{
	struct hugetlb_pool pool;
	int node, where;

	REQUIRE(counted(&self->hvo));
	if (numa_available() < 0)
		SKIP(return, "this kernel has no NUMA memory policies");

	for (node = 0; node <= numa_max_node(); node++) {
		if (numa_node_size64(node, NULL) <= 0)
			continue;
		ASSERT_EQ(0, hugetlb_pool_open(&pool, self->hvo.pool.size, node));
		hugetlb_pool_beside(&pool);
		if (!hugetlb_pool_resize(&pool, 1))
			SKIP(return, "no contiguous memory on node %d at the level %s", node,
			     variant->level);
		EXPECT_EQ(1, hugetlb_pool_count(&pool, "free"));
		EXPECT_EQ(1, hugetlb_pool_count(&self->hvo.pool, "nr"));
		EXPECT_HUGE(1);

		/* On one node there is nothing to ask. */
		if (numa_num_configured_nodes() > 1) {
			hugemap_open(&self->map, pool.size, 1);
			hugemap_touch(&self->map);
			ASSERT_EQ(0, get_mempolicy(&where, NULL, 0, self->map.addr,
						   MPOL_F_NODE | MPOL_F_ADDR));
			EXPECT_EQ(node, where);
			hugemap_close(&self->map);
		}

		EXPECT_EQ(0, hugetlb_pool_resize(&pool, 0));
		EXPECT_HUGE(0);
		hugetlb_pool_close(&pool);
	}
}

TEST_HARNESS_MAIN
