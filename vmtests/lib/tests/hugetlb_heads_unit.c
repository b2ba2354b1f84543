// SPDX-License-Identifier: GPL-2.0
/* Unit tests of hugetlb_heads: an ordinary file stands for /proc/kpageflags. */
#include <errno.h>

#include <linux/kernel-page-flags.h>

#include <libmm/base.h>
#include <vmtests/hugetlb_heads.h>

#include "kselftest_harness.h"
#include "fakeroot.h"

#define HEAD (1ull << KPF_HUGE | 1ull << KPF_COMPOUND_HEAD)
#define TAIL (1ull << KPF_HUGE | 1ull << KPF_COMPOUND_TAIL)
#define NR_FRAMES 32

FIXTURE(heads)
{
	struct fakeroot root;
};

FIXTURE_SETUP(heads)
{
	fakeroot_create(&self->root);
}

FIXTURE_TEARDOWN(heads)
{
	fakeroot_remove(&self->root);
}

static void flags_write(struct fakeroot *root, const uint64_t *flags, size_t nr)
{
	FILE *file;

	fakeroot_write(root, "/proc/kpageflags", "");
	file = fopen(fakeroot_path(root, "/proc/kpageflags"), "w");
	fakeroot_must(file && fwrite(flags, sizeof(*flags), nr, file) == nr && !fclose(file),
		      "kpageflags");
}

/* Eight page frames to a huge page: a free frame, a huge page, a foreign tail, a huge page. */
TEST_F(heads, are_found_and_counted)
{
	uint64_t size = 8 * page_size(), flags[NR_FRAMES], pfns[2];
	size_t i;

	for (i = 0; i < NR_FRAMES; i++)
		flags[i] = i < 8 ? 0 : TAIL;
	flags[8] = HEAD;
	flags[12] = HEAD;	/* not aligned to the size */
	flags[24] = HEAD;
	flags_write(&self->root, flags, NR_FRAMES);
	EXPECT_EQ(2, hugetlb_heads(size, pfns, 2));
	EXPECT_EQ(8, pfns[0]);
	EXPECT_EQ(24, pfns[1]);
	pfns[1] = 0;
	EXPECT_EQ(2, hugetlb_heads(size, pfns, 1));
	EXPECT_EQ(0, pfns[1]);
}

TEST_F(heads, without_kpageflags)
{
	EXPECT_EQ(-ENOENT, hugetlb_heads(page_size(), NULL, 0));
}

TEST_HARNESS_MAIN
