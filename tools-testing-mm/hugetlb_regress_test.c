// SPDX-License-Identifier: GPL-2.0
/*
 * Two bugs of huge pages that tests of HVO have found.
 *
 * fork_copies: fork() of a private huge page loses it: the child reads zeros.
 * copy_hugetlb_page_range() asks ptdesc_pmd_is_shared() about the table that maps the page, also
 * when that is a PUD table, or a PTE table (of contiguous PTEs), whose pt_share_count nobody has
 * set: it holds the page's former index, and any value but 0 makes fork() skip the copy. Seen
 * on 6.12, 6.18 and 7.2 with PUD-mapped pages, on 6.12 and 7.2 with contiguous PTEs. The test frees
 * pages of a file with large indexes before each fork(), for the table to be made of one.
 *
 * fake_heads: /proc/kpageflags calls tail pages heads. Kernels that share the first page of a huge
 * page's vmemmap with its tails have copies of the head there, which snapshot_page() takes for
 * heads: seen on 6.18, at each 64th base page.
 *
 * Limits: a kernel with the first bug fails as often as the table is one of the freed pages.
 *
 * To see it fail: let fork() skip the copy, and clear KPF_HUGE in /proc/kpageflags.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/harness.h>
#include <libmm/hugetlb.h>
#include <libmm/kpage.h>
#include <libmm/pagemap.h>
#include <libmm/restore.h>

#define NR_FORKS 32
#define NR_INDEXED 512
#define FIRST_INDEX 4096
#define MARK 0x5a

FIXTURE(hugetlb_regress)
{
	struct hugetlb_pool pool;
	size_t nr;		/* huge pages that the test may have */
	char *map;		/* one of them */
};

FIXTURE_VARIANT(hugetlb_regress)
{
	const char *level;
};

FIXTURE_VARIANT_ADD(hugetlb_regress, contpte) { .level = "contpte" };
FIXTURE_VARIANT_ADD(hugetlb_regress, pmd) { .level = "pmd" };
FIXTURE_VARIANT_ADD(hugetlb_regress, contpmd) { .level = "contpmd" };
FIXTURE_VARIANT_ADD(hugetlb_regress, pud) { .level = "pud" };

FIXTURE_SETUP(hugetlb_regress)
{
	int err;

	self->map = MAP_FAILED;
	REQUIRE(hugetlb_pool_take(&self->pool, variant->level, &self->nr));
	/* Fake heads come with HVO, where the kernel has it. */
	err = __restore_set("/proc/sys/vm/hugetlb_optimize_vmemmap", "1", NULL);
	ASSERT_TRUE(!err || err == -ENOENT);
}

FIXTURE_TEARDOWN(hugetlb_regress)
{
	if (self->map != MAP_FAILED)
		munmap(self->map, self->pool.size);
	hugetlb_pool_release(&self->pool);
}

/* Map and touch one huge page. */
static char *page_map(const struct hugetlb_pool *pool)
{
	char *map = mmap(NULL, pool->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
			 MAP_HUGETLB | hugetlb_size_flags(pool->size), -1, 0);

	if (map != MAP_FAILED)
		*map = MARK;
	return map;
}

/* Leave free pages behind that were at high indexes of a file. Returns 0 or -errno. */
static int indexed_pages_free(void)
{
	off_t first = FIRST_INDEX * page_size();
	size_t size = NR_INDEXED * page_size();
	int ret = 0, fd = memfd_create("hugetlb_regress", MFD_CLOEXEC);
	char *map;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, first + size))
		ret = -errno;
	map = ret ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
				      fd, first);
	if (!ret && map == MAP_FAILED)
		ret = -errno;
	if (!ret && munmap(map, size))
		ret = -errno;
	close(fd);
	return ret;
}

TEST_F(hugetlb_regress, fork_copies)
{
	int status, i, lost = 0;
	pid_t pid;

	REQUIRE(hugetlb_pool_fill(&self->pool, &self->nr, 2, 2));
	self->map = page_map(&self->pool);
	ASSERT_NE(MAP_FAILED, (void *)self->map);

	for (i = 0; i < NR_FORKS; i++) {
		ASSERT_EQ(0, indexed_pages_free());
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(*self->map == MARK ? 0 : 1);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFEXITED(status));
		lost += WEXITSTATUS(status);
	}
	EXPECT_EQ(0, lost) {
		TH_LOG("%d of %d children lost what their parent had written", lost, NR_FORKS);
	}
}

TEST_F(hugetlb_regress, fake_heads)
{
	size_t wrong = 0, pages = self->pool.size / page_size();
	uint64_t pfn, *flags;
	int fd;

	REQUIRE(hugetlb_pool_fill(&self->pool, &self->nr, 1, 1));
	REQUIRE(pagemap_pfns_probe());
	REQUIRE(probe_readable(KPAGE_FLAGS));
	fd = kpage_open(KPAGE_FLAGS);
	flags = calloc(pages, sizeof(*flags));
	ASSERT_NE(NULL, flags);
	self->map = page_map(&self->pool);
	ASSERT_NE(MAP_FAILED, (void *)self->map);
	pagemap_pfns(self->map, 1, &pfn);
	kpage_read(fd, pfn, flags, pages);
	if (!kpage_flags_are_told(flags, pages))
		SKIP(return, KPAGE_NOT_TOLD);
	EXPECT_TRUE(kpage_flags_are_huge(flags, pages, 0, &wrong)) {
		TH_LOG("base page %zu: flags %#" PRIx64, wrong, flags[wrong]);
	}
	free(flags);
	close(fd);
}

TEST_HARNESS_MAIN
