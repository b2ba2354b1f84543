// SPDX-License-Identifier: GPL-2.0
/* A child waits until it is let go, leaves no descriptor behind, and is missed when it is lost. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>

#include <vmtests/bench_child.h>
#include <vmtests/procstat.h>

#include "kselftest_harness.h"

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int nr = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

TEST(waits_until_it_is_let_go)
{
	struct bench_child child = {};
	struct procstat stat;
	int before = descriptors();
	pid_t pid;

	ASSERT_EQ(0, __bench_child_fork(&child));
	pid = child.pid;
	ASSERT_EQ(0, __procstat_of(pid, &stat));
	EXPECT_EQ(getpid(), stat.parent);
	EXPECT_NE('Z', stat.state);
	EXPECT_EQ(0, __bench_child_exit(&child));
	EXPECT_EQ(0, child.pid);
	EXPECT_EQ(-1, kill(pid, 0));
	EXPECT_EQ(before, descriptors());
}

TEST(lost_child_is_an_error)
{
	struct bench_child child = {};
	int before = descriptors();

	ASSERT_EQ(0, __bench_child_fork(&child));
	ASSERT_EQ(0, kill(child.pid, SIGKILL));
	EXPECT_EQ(-ECHILD, __bench_child_exit(&child));
	EXPECT_EQ(before, descriptors());
}

TEST(killed_only_if_there)
{
	struct bench_child child = {};
	int before = descriptors();
	pid_t pid;

	bench_child_kill(&child);
	ASSERT_EQ(0, __bench_child_fork(&child));
	pid = child.pid;
	bench_child_kill(&child);
	EXPECT_EQ(0, child.pid);
	EXPECT_EQ(-1, kill(pid, 0));
	EXPECT_EQ(before, descriptors());
}

TEST_HARNESS_MAIN
