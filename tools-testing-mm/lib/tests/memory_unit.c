// SPDX-License-Identifier: GPL-2.0
/*
 * What a process may take is what the machine has, or what the fullest of its memory cgroups
 * leaves.
 */
#include <errno.h>

#include <libmm/memory.h>

#include "kselftest_harness.h"
#include "fakeroot.h"

#define KIB(n)	((uint64_t)(n) << 10)
#define GIB(n)	((uint64_t)(n) << 30)

static struct fakeroot root;

FIXTURE(memory) {
	struct memory_limit limit;
	uint64_t available;
};

FIXTURE_SETUP(memory)
{
	self->available = 0;
	fakeroot_create(&root);
	fakeroot_write(&root, "/proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n");
}

FIXTURE_TEARDOWN(memory)
{
	fakeroot_remove(&root);
}

TEST_F(memory, without_groups)
{
	EXPECT_EQ(0, __memory_available(&self->available));
	EXPECT_EQ(GIB(4), self->available);
	EXPECT_EQ(-ENOENT, __memory_limit(&self->limit));
	fakeroot_write(&root, "/proc/self/cgroup", "0::/\n");
	EXPECT_EQ(-ENOENT, __memory_limit(&self->limit));
	EXPECT_EQ(0, __memory_available(&self->available));
	EXPECT_EQ(GIB(4), self->available);
}

TEST_F(memory, unlimited_groups)
{
	fakeroot_write(&root, "/proc/self/cgroup", "0::/user\n");
	fakeroot_write(&root, "/sys/fs/cgroup/user/memory.max", "max\n");
	fakeroot_write(&root, "/sys/fs/cgroup/user/memory.current", "4096\n");
	EXPECT_EQ(-ENOENT, __memory_limit(&self->limit));
}

TEST_F(memory, group_of_version_2)
{
	fakeroot_write(&root, "/proc/self/cgroup", "0::/user/job\n");
	fakeroot_write(&root, "/sys/fs/cgroup/user/job/memory.max", "1073741824\n");
	fakeroot_write(&root, "/sys/fs/cgroup/user/job/memory.current", "1048576\n");
	fakeroot_write(&root, "/sys/fs/cgroup/user/job/memory.stat", "anon 1\ninactive_file 524288\n");
	ASSERT_EQ(0, __memory_limit(&self->limit));
	EXPECT_EQ(GIB(1), self->limit.limit);
	EXPECT_EQ(GIB(1) - KIB(512), self->limit.left);
	EXPECT_STREQ("/user/job", self->limit.group);
	EXPECT_EQ(0, __memory_available(&self->available));
	EXPECT_EQ(GIB(1) - KIB(512), self->available);
}

/* The group above is shared with others, who may have taken nearly all of it. */
TEST_F(memory, fullest_group_counts)
{
	fakeroot_write(&root, "/proc/self/cgroup", "0::/user/job\n");
	fakeroot_write(&root, "/sys/fs/cgroup/user/job/memory.max", "1073741824\n");
	fakeroot_write(&root, "/sys/fs/cgroup/user/job/memory.current", "0\n");
	fakeroot_write(&root, "/sys/fs/cgroup/user/memory.max", "2147483648\n");
	fakeroot_write(&root, "/sys/fs/cgroup/user/memory.current", "2147479552\n");
	ASSERT_EQ(0, __memory_limit(&self->limit));
	EXPECT_EQ(KIB(4), self->limit.left);
	EXPECT_STREQ("/user", self->limit.group);
	/* More than the limit, while it is being lowered. */
	fakeroot_write(&root, "/sys/fs/cgroup/user/memory.current", "3147479552\n");
	ASSERT_EQ(0, __memory_limit(&self->limit));
	EXPECT_EQ(0, self->limit.left);
}

/* A container sees its own group as the root. */
TEST_F(memory, root_of_a_namespace)
{
	fakeroot_write(&root, "/proc/self/cgroup", "0::/\n");
	fakeroot_write(&root, "/sys/fs/cgroup/memory.max", "268435456\n");
	fakeroot_write(&root, "/sys/fs/cgroup/memory.current", "0\n");
	ASSERT_EQ(0, __memory_limit(&self->limit));
	EXPECT_EQ(268435456, self->limit.limit);
	EXPECT_STREQ("/", self->limit.group);
}

TEST_F(memory, group_of_version_1)
{
	fakeroot_write(&root, "/proc/self/cgroup",
		       "9:cpu,cpuacct:/a\n8:memory,misc:/b\n1:name=memory:/c\n0::/d\n");
	fakeroot_write(&root, "/sys/fs/cgroup/memory/b/memory.limit_in_bytes", "536870912\n");
	fakeroot_write(&root, "/sys/fs/cgroup/memory/b/memory.usage_in_bytes", "0\n");
	fakeroot_write(&root, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1\n");
	fakeroot_write(&root, "/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "0\n");
	ASSERT_EQ(0, __memory_limit(&self->limit));
	EXPECT_EQ(536870912, self->limit.limit);
	EXPECT_STREQ("/b", self->limit.group);
}

TEST_F(memory, machine_with_less)
{
	fakeroot_write(&root, "/proc/self/cgroup", "0::/a\n");
	fakeroot_write(&root, "/sys/fs/cgroup/a/memory.max", "8589934592\n");
	fakeroot_write(&root, "/sys/fs/cgroup/a/memory.current", "0\n");
	EXPECT_EQ(0, __memory_available(&self->available));
	EXPECT_EQ(GIB(4), self->available);
}

TEST_F(memory, no_meminfo)
{
	fakeroot_write(&root, "/proc/meminfo", "MemTotal: 1 kB\n");
	EXPECT_EQ(-ENOENT, __memory_available(&self->available));
}

TEST_F(memory, oom_that_panics)
{
	EXPECT_EQ(0, memory_panic_on_oom());
	fakeroot_write(&root, "/proc/sys/vm/panic_on_oom", "2\n");
	EXPECT_EQ(2, memory_panic_on_oom());
}

TEST_F(memory, damon)
{
	EXPECT_FALSE(memory_damon_on());
	fakeroot_write(&root, "/sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds", "2\n");
	fakeroot_write(&root, "/sys/kernel/mm/damon/admin/kdamonds/0/state", "off\n");
	EXPECT_FALSE(memory_damon_on());
	fakeroot_write(&root, "/sys/kernel/mm/damon/admin/kdamonds/1/state", "on\n");
	EXPECT_TRUE(memory_damon_on());
}

TEST_HARNESS_MAIN
