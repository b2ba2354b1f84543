// SPDX-License-Identifier: GPL-2.0
/* A process's own stat agrees with what the C library says, also under a name made to mislead. */
#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmtests/procstat.h>

#include "kselftest_harness.h"

TEST(own)
{
	struct procstat stat;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	ASSERT_EQ(0, __procstat_of(getpid(), &stat));
	EXPECT_EQ('R', stat.state);
	EXPECT_EQ(getppid(), stat.parent);
	EXPECT_TRUE(CPU_ISSET(stat.cpu, &one));
	EXPECT_LT(0, stat.start);
}

TEST(name_that_looks_like_fields)
{
	struct procstat stat, before;

	ASSERT_EQ(0, __procstat_of(getpid(), &before));
	ASSERT_EQ(0, prctl(PR_SET_NAME, "a) Z 1 (b"));
	ASSERT_EQ(0, __procstat_read("/proc/self", &stat));
	EXPECT_STREQ("a) Z 1 (b", stat.name);
	EXPECT_EQ('R', stat.state);
	EXPECT_EQ(getppid(), stat.parent);
	EXPECT_EQ(before.start, stat.start);
}

/* A child that has ended, and that nobody has waited for; or -1. */
static pid_t zombie_make(void)
{
	pid_t pid = fork();
	siginfo_t info;

	if (!pid)
		_exit(0);
	return pid < 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) ? -1 : pid;
}

TEST(zombie_and_its_end)
{
	struct procstat stat;
	pid_t pid = zombie_make();

	ASSERT_LT(0, pid);
	EXPECT_EQ(0, __procstat_of(pid, &stat));
	EXPECT_EQ('Z', stat.state);
	EXPECT_EQ(getpid(), stat.parent);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_EQ(-ENOENT, __procstat_of(pid, &stat));
}

TEST(no_such_folder)
{
	struct procstat stat;

	EXPECT_EQ(-ENOENT, __procstat_read("/proc/none", &stat));
}

TEST_HARNESS_MAIN
