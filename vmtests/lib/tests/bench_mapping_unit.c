// SPDX-License-Identifier: GPL-2.0
/* Each operation does what its name says to the whole mapping, and nothing beyond it. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vmtests/bench_mapping.h>

#include "kselftest_harness.h"

FIXTURE(mapping)
{
	struct bench_mapping m;
	struct bench_case c;
	size_t page;
};

/* The page behind it is no part of it. */
FIXTURE_SETUP(mapping)
{
	self->page = (size_t)sysconf(_SC_PAGESIZE);
	self->m = (struct bench_mapping) { .bytes = 3 * self->page };
	self->m.map = mmap(NULL, self->m.bytes + self->page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->m.map);
	self->c = (struct bench_case) { .ctx = &self->m };
}

FIXTURE_TEARDOWN(mapping)
{
	bench_child_kill(&self->m.child);
	munmap(self->m.map, self->m.bytes + self->page);
}

TEST_F_SIGNAL(mapping, protect_refuses_writes, SIGSEGV)
{
	ASSERT_EQ(0, bench_mapping_protect(&self->c, 0));
	self->m.map[self->m.bytes] = 1;
	ASSERT_EQ(0, self->m.map[self->m.bytes - 1]);
	/* AddressSanitizer has a handler, which exits. */
	signal(SIGSEGV, SIG_DFL);
	self->m.map[self->m.bytes - 1] = 1;
	raise(SIGKILL);
}

TEST_F(mapping, unprotect_allows_them_again)
{
	ASSERT_EQ(0, bench_mapping_protect(&self->c, 0));
	ASSERT_EQ(0, bench_mapping_unprotect(&self->c, 0));
	memset(self->m.map, 1, self->m.bytes);
}

TEST_F(mapping, unmap_leaves_the_neighbour)
{
	ASSERT_EQ(0, bench_mapping_unmap(&self->c, 0));
	for (size_t i = 0; i < self->m.bytes; i += self->page) {
		EXPECT_EQ(-1, msync(self->m.map + i, self->page, MS_ASYNC));
		EXPECT_EQ(ENOMEM, errno);
	}
	EXPECT_EQ(0, msync(self->m.map + self->m.bytes, self->page, MS_ASYNC));
}

TEST_F(mapping, fork_and_exit)
{
	pid_t pid;

	ASSERT_EQ(0, bench_mapping_fork(&self->c, 0));
	pid = self->m.child.pid;
	EXPECT_EQ(0, kill(pid, 0));
	EXPECT_EQ(0, bench_mapping_exit(&self->c, 0));
	EXPECT_EQ(-1, kill(pid, 0));
}

/* What the kernel refuses is told: a mapping that begins within a page. */
TEST_F(mapping, refusal_is_an_error)
{
	self->m.map++;
	EXPECT_EQ(-EINVAL, bench_mapping_protect(&self->c, 0));
	EXPECT_EQ(-EINVAL, bench_mapping_unprotect(&self->c, 0));
	EXPECT_EQ(-EINVAL, bench_mapping_unmap(&self->c, 0));
	self->m.map--;
}

TEST_HARNESS_MAIN
