// SPDX-License-Identifier: GPL-2.0
/* Unit tests of pagecache, on the running kernel, with files that have no names. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <vmtests/pagecache.h>
#include <linux/magic.h>

#include "kselftest_harness.h"

#define PAGES 16

FIXTURE(pagecache)
{
	struct pagecache held;
	uint64_t page;
	int fd;
};

FIXTURE_SETUP(pagecache)
{
	char byte = 1;

	self->page = sysconf(_SC_PAGESIZE);
	self->fd = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (self->fd < 0)
		SKIP(return, "no file without a name in /var/tmp: %s", strerror(errno));
	for (int i = 0; i < PAGES; i++)
		ASSERT_EQ(1, pwrite(self->fd, &byte, 1, i * self->page));
	/* Dirty pages cannot be dropped. */
	ASSERT_EQ(0, fsync(self->fd));
}

FIXTURE_TEARDOWN(pagecache)
{
	pagecache_release(&self->held);
	if (self->fd >= 0)
		close(self->fd);
}

static uint64_t missing_now(const struct pagecache *held)
{
	uint64_t pages;
	int err = __pagecache_missing(held, &pages);

	return err ? (uint64_t)err : pages;
}

/* A file system in memory keeps its pages whatever is asked. */
static bool file_has_a_device(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC;
}

TEST_F(pagecache, locked_pages_stay)
{
	ASSERT_EQ(0, __pagecache_hold(&self->held, self->fd, PAGES * self->page));
	ASSERT_TRUE(self->held.locked);
	EXPECT_EQ(0, missing_now(&self->held));
	/* Asking to drop them is what reclaim would do. */
	ASSERT_EQ(0, posix_fadvise(self->fd, 0, 0, POSIX_FADV_DONTNEED));
	EXPECT_EQ(0, missing_now(&self->held));
}

TEST_F(pagecache, what_was_dropped_is_read_again)
{
	ASSERT_EQ(0, posix_fadvise(self->fd, 0, 0, POSIX_FADV_DONTNEED));
	ASSERT_EQ(0, __pagecache_hold(&self->held, self->fd, PAGES * self->page));
	EXPECT_EQ(0, missing_now(&self->held));
}

TEST_F(pagecache, missing_pages_are_counted)
{
	struct pagecache look = { .bytes = PAGES * self->page };

	if (!file_has_a_device(self->fd))
		SKIP(return, "/var/tmp is in memory");
	look.map = mmap(NULL, look.bytes, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, look.map);
	EXPECT_EQ(0, missing_now(&look));
	ASSERT_EQ(0, posix_fadvise(self->fd, 0, 0, POSIX_FADV_DONTNEED));
	EXPECT_EQ(PAGES, missing_now(&look));
	pagecache_release(&look);
}

TEST_F(pagecache, a_limit_is_no_error)
{
	const struct rlimit none = {};

	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &none));
	/* Root may lock all the same. */
	if (!geteuid())
		ASSERT_EQ(0, seteuid(65534));
	ASSERT_EQ(0, __pagecache_hold(&self->held, self->fd, PAGES * self->page));
	EXPECT_FALSE(self->held.locked);
	EXPECT_NE(NULL, self->held.map);
	EXPECT_EQ(0, missing_now(&self->held));
}

TEST(no_file)
{
	struct pagecache held;

	EXPECT_EQ(-EBADF, __pagecache_hold(&held, -1, 4096));
	EXPECT_EQ(NULL, held.map);
	pagecache_release(&held);
	pagecache_release(&held);
}

TEST_HARNESS_MAIN
