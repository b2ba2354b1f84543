// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of hugetlb: a fake root of ordinary files stands for the kernel's pools, so no
 * privilege and no huge page is needed.
 */
#include <errno.h>
#include <stdlib.h>

#include <libmm/hvo.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

#include "kselftest_harness.h"
#include "fakeroot.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

#define POOLS "/sys/kernel/mm/hugepages"
#define NODE0 "/sys/devices/system/node/node0/hugepages"
#define HVO_SYSCTL "/proc/sys/vm/hugetlb_optimize_vmemmap"
#define PMD_POOL POOLS "/hugepages-2048kB/"
#define NODE_POOL NODE0 "/hugepages-2048kB/"

TEST(levels_by_base_page_size)
{
	EXPECT_STREQ("pte", hugetlb_level(4 * KIB, 4 * KIB));
	EXPECT_STREQ("contpte", hugetlb_level(64 * KIB, 4 * KIB));
	EXPECT_STREQ("pmd", hugetlb_level(2 * MIB, 4 * KIB));
	EXPECT_STREQ("contpmd", hugetlb_level(32 * MIB, 4 * KIB));
	EXPECT_STREQ("pud", hugetlb_level(GIB, 4 * KIB));
	EXPECT_STREQ("other", hugetlb_level(16 * GIB, 4 * KIB));

	EXPECT_STREQ("contpte", hugetlb_level(2 * MIB, 16 * KIB));
	EXPECT_STREQ("pmd", hugetlb_level(32 * MIB, 16 * KIB));
	EXPECT_STREQ("contpmd", hugetlb_level(GIB, 16 * KIB));
	EXPECT_STREQ("pud", hugetlb_level(64 * GIB, 16 * KIB));

	EXPECT_STREQ("contpte", hugetlb_level(2 * MIB, 64 * KIB));
	EXPECT_STREQ("pmd", hugetlb_level(512 * MIB, 64 * KIB));
	EXPECT_STREQ("contpmd", hugetlb_level(16 * GIB, 64 * KIB));
	EXPECT_STREQ("pud", hugetlb_level(4 * TIB, 64 * KIB));
}

TEST(levels_of_what_is_no_huge_page)
{
	EXPECT_STREQ("other", hugetlb_level(0, 4 * KIB));
	EXPECT_STREQ("other", hugetlb_level(3 * MIB, 4 * KIB));
	EXPECT_STREQ("other", hugetlb_level(2 * KIB, 4 * KIB));
}

/* 2 MiB are 512 struct pages of 64 bytes, 8 pages; 1 GiB 4096 of them. */
TEST(hvo_keeps_one_page)
{
	EXPECT_EQ(7, hugetlb_hvo_saving(2 * MIB, 4 * KIB));
	EXPECT_EQ(4095, hugetlb_hvo_saving(GIB, 4 * KIB));
	EXPECT_EQ(0, hugetlb_hvo_saving(64 * KIB, 4 * KIB));
	EXPECT_EQ(0, hugetlb_hvo_saving(256 * KIB, 4 * KIB));
	EXPECT_EQ(1, hugetlb_hvo_saving(512 * KIB, 4 * KIB));
	EXPECT_EQ(7, hugetlb_hvo_saving(512 * MIB, 64 * KIB));
}

static struct fakeroot root;

FIXTURE(fake) {
	char unused;
};

FIXTURE_SETUP(fake)
{
	fakeroot_create(&root);
	fakeroot_write(&root, "/proc/sys/kernel/random/boot_id", "fake-boot\n");
	fakeroot_write(&root, PMD_POOL "nr_hugepages", "3\n");
	fakeroot_write(&root, PMD_POOL "free_hugepages", "2\n");
	fakeroot_write(&root, PMD_POOL "surplus_hugepages", "1\n");
	fakeroot_write(&root, POOLS "/hugepages-1048576kB/nr_hugepages", "0\n");
	fakeroot_write(&root, POOLS "/hugepages-64kB/nr_hugepages", "0\n");
	fakeroot_write(&root, POOLS "/README/text", "no pool\n");
	fakeroot_write(&root, NODE_POOL "nr_hugepages", "3\n");
}

FIXTURE_TEARDOWN(fake)
{
	fakeroot_remove(&root);
}

TEST_F(fake, sizes_ascend)
{
	uint64_t sizes[HUGETLB_MAX_SIZES];

	ASSERT_EQ(3, hugetlb_sizes(sizes, HUGETLB_MAX_SIZES));
	EXPECT_EQ(64 * KIB, sizes[0]);
	EXPECT_EQ(2 * MIB, sizes[1]);
	EXPECT_EQ(GIB, sizes[2]);
}

TEST_F(fake, kernel_without_hugetlb_has_no_sizes)
{
	uint64_t sizes[HUGETLB_MAX_SIZES];

	ASSERT_EQ(0, setenv("LIBMM_ROOT", "/nowhere", 1));
	EXPECT_EQ(0, hugetlb_sizes(sizes, HUGETLB_MAX_SIZES));
}

TEST_F(fake, pool_is_resized_and_restored)
{
	struct hugetlb_pool pool;
	char value[32];

	ASSERT_EQ(0, hugetlb_pool_open(&pool, 2 * MIB, HUGETLB_ALL_NODES));
	EXPECT_EQ(3, __hugetlb_pool_count(&pool, "nr"));
	EXPECT_EQ(10, __hugetlb_pool_resize(&pool, 10));
	EXPECT_EQ(10, __hugetlb_pool_count(&pool, "nr"));
	hugetlb_pool_close(&pool);

	/* As the kernel would have it: the node has what all nodes have. */
	fakeroot_write(&root, NODE_POOL "nr_hugepages", "10\n");
	ASSERT_EQ(0, __restore_all());
	ASSERT_LT(0, __sysfile_read(PMD_POOL "nr_hugepages", value, sizeof(value)));
	EXPECT_EQ(3, atoi(value));
	ASSERT_LT(0, __sysfile_read(NODE_POOL "nr_hugepages", value, sizeof(value)));
	EXPECT_EQ(3, atoi(value));
}

TEST_F(fake, pages_of_others_do_not_count)
{
	struct hugetlb_pool pool;
	char value[32];

	ASSERT_EQ(0, hugetlb_pool_open(&pool, 2 * MIB, HUGETLB_ALL_NODES));
	hugetlb_pool_beside(&pool);
	EXPECT_EQ(0, hugetlb_pool_count(&pool, "nr"));
	EXPECT_EQ(0, hugetlb_pool_count(&pool, "free"));
	EXPECT_EQ(0, hugetlb_pool_count(&pool, "surplus"));
	EXPECT_EQ(2, hugetlb_pool_resize(&pool, 2));
	ASSERT_LT(0, __sysfile_read(PMD_POOL "nr_hugepages", value, sizeof(value)));
	EXPECT_EQ(5, atoi(value));
	EXPECT_EQ(2, hugetlb_pool_count(&pool, "nr"));
	hugetlb_pool_close(&pool);
}

/* The least of the group's own limits and those above it; what is used is gone. */
TEST_F(fake, cgroups_of_version_2_limit)
{
	fakeroot_write(&root, "/proc/self/cgroup", "1:name=systemd:/\n0::/a/b\n");
	EXPECT_EQ(UINT64_MAX, hugetlb_cgroup_room(2 * MIB));
	fakeroot_write(&root, "/sys/fs/cgroup/a/b/hugetlb.2MB.max", "max\n");
	EXPECT_EQ(UINT64_MAX, hugetlb_cgroup_room(2 * MIB));
	fakeroot_write(&root, "/sys/fs/cgroup/a/hugetlb.2MB.max", "8388608\n");
	fakeroot_write(&root, "/sys/fs/cgroup/a/hugetlb.2MB.current", "2097152\n");
	EXPECT_EQ(6 * MIB, hugetlb_cgroup_room(2 * MIB));
	EXPECT_EQ(UINT64_MAX, hugetlb_cgroup_room(GIB));
	fakeroot_write(&root, "/sys/fs/cgroup/a/b/hugetlb.2MB.rsvd.max", "2097152\n");
	fakeroot_write(&root, "/sys/fs/cgroup/a/b/hugetlb.2MB.rsvd.current", "4194304\n");
	EXPECT_EQ(0, hugetlb_cgroup_room(2 * MIB));
}

TEST_F(fake, cgroups_of_version_1_limit)
{
	fakeroot_write(&root, "/proc/self/cgroup", "3:hugetlb:/a\n0::/\n");
	fakeroot_write(&root, "/sys/fs/cgroup/hugetlb/a/hugetlb.64KB.limit_in_bytes", "131072\n");
	fakeroot_write(&root, "/sys/fs/cgroup/hugetlb/a/hugetlb.64KB.usage_in_bytes", "65536\n");
	EXPECT_EQ(64 * KIB, hugetlb_cgroup_room(64 * KIB));
	fakeroot_write(&root, "/sys/fs/cgroup/hugetlb/hugetlb.1GB.limit_in_bytes", "0\n");
	EXPECT_EQ(0, hugetlb_cgroup_room(GIB));
}

TEST_F(fake, counts)
{
	struct hugetlb_pool pool;

	ASSERT_EQ(0, hugetlb_pool_open(&pool, 2 * MIB, HUGETLB_ALL_NODES));
	EXPECT_EQ(2, __hugetlb_pool_count(&pool, "free"));
	EXPECT_EQ(1, __hugetlb_pool_count(&pool, "surplus"));
	EXPECT_EQ(-ENOENT, __hugetlb_pool_count(&pool, "resv"));
	hugetlb_pool_close(&pool);
}

TEST_F(fake, missing_size_or_node)
{
	struct hugetlb_pool pool;

	EXPECT_EQ(-ENOENT, hugetlb_pool_open(&pool, 4 * MIB, HUGETLB_ALL_NODES));
	EXPECT_EQ(-ENOENT, hugetlb_pool_open(&pool, 2 * MIB, 1));
	EXPECT_EQ(0, hugetlb_pool_open(&pool, 2 * MIB, 0));
	hugetlb_pool_close(&pool);
}

TEST_F(fake, hvo_absent_off_on)
{
	uint64_t on;

	EXPECT_EQ(PROBE_NO, hugetlb_hvo_probe().answer);
	EXPECT_EQ(-ENOENT, hugetlb_hvo_set(true));
	fakeroot_write(&root, HVO_SYSCTL, "0\n");
	EXPECT_EQ(PROBE_YES, hugetlb_hvo_probe().answer);
	EXPECT_EQ(0, hugetlb_hvo_set(true));
	ASSERT_EQ(0, __sysfile_read_u64(HVO_SYSCTL, &on));
	EXPECT_EQ(1, on);
	EXPECT_EQ(0, __restore_all());
	ASSERT_EQ(0, __sysfile_read_u64(HVO_SYSCTL, &on));
	EXPECT_EQ(0, on);
}

TEST_F(fake, memmap_is_both_counters)
{
	uint64_t bytes;

	fakeroot_write(&root, "/proc/vmstat", "nr_memmap_pages 5\nnr_zone_active_anon 9\n");
	EXPECT_EQ(-ENOENT, hugetlb_memmap_bytes(&bytes));
	fakeroot_write(&root, "/proc/vmstat", "nr_memmap_pages 5\nnr_memmap_boot_pages 100\n");
	ASSERT_EQ(0, hugetlb_memmap_bytes(&bytes));
	EXPECT_EQ(105ull * sysconf(_SC_PAGESIZE), bytes);
}

TEST_HARNESS_MAIN
