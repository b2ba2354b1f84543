// SPDX-License-Identifier: GPL-2.0
/*
 * What libmm/restore.h promises, asked of whatever back end this is linked with.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include <libmm/restore.h>
#include <libmm/sysfile.h>

#include "kselftest_harness.h"
#include "fakeroot.h"

#define ONE "/proc/sys/vm/one"
#define TWO "/sys/kernel/mm/two"

static struct fakeroot root;

FIXTURE(restore) {
	char unused;
};

FIXTURE_SETUP(restore)
{
	fakeroot_create(&root);
	fakeroot_write(&root, "/proc/sys/kernel/random/boot_id", "a-boot\n");
	fakeroot_write(&root, ONE, "1\n");
	fakeroot_write(&root, TWO, "always [madvise] never\n");
}

FIXTURE_TEARDOWN(restore)
{
	fakeroot_remove(&root);
}

TEST_F(restore, settings_come_back)
{
	EXPECT_EQ(0, __restore_set(ONE, "5", NULL));
	EXPECT_STREQ("5", fakeroot_read(&root, ONE));
	EXPECT_EQ(0, __restore_set(ONE, "6", NULL));
	EXPECT_EQ(0, __restore_set(TWO, "never", NULL));
	EXPECT_EQ(0, __restore_all());
	EXPECT_STREQ("1", fakeroot_read(&root, ONE));
	EXPECT_STREQ("madvise", fakeroot_read(&root, TWO));
}

/* Nothing is left to put back. */
TEST_F(restore, only_once)
{
	EXPECT_EQ(0, __restore_set(ONE, "5", NULL));
	EXPECT_EQ(0, __restore_all());
	fakeroot_write(&root, ONE, "7\n");
	EXPECT_EQ(0, __restore_all());
	EXPECT_STREQ("7\n", fakeroot_read(&root, ONE));
}

/* A setting that has the value already is not written, so its file keeps its newline. */
TEST_F(restore, what_is_there_is_not_written)
{
	EXPECT_EQ(0, __restore_set(ONE, "1", NULL));
	EXPECT_STREQ("1\n", fakeroot_read(&root, ONE));
	EXPECT_EQ(0, __restore_set(TWO, "madvise", NULL));
	EXPECT_STREQ("always [madvise] never\n", fakeroot_read(&root, TWO));
}

TEST_F(restore, saved_and_written_by_the_caller)
{
	EXPECT_EQ(0, __restore_save(ONE));
	fakeroot_write(&root, ONE, "9");
	EXPECT_EQ(0, __restore_save(ONE));
	EXPECT_EQ(0, __restore_all());
	EXPECT_STREQ("1", fakeroot_read(&root, ONE));
}

/* A setting that has gone does not keep the rest from coming back. */
TEST_F(restore, the_rest_in_spite_of_a_failure)
{
	EXPECT_EQ(0, __restore_set(ONE, "5", NULL));
	EXPECT_EQ(0, __restore_set(TWO, "never", NULL));
	fakeroot_must(!unlink(fakeroot_path(&root, TWO)), "unlink");
	EXPECT_EQ(-ENOENT, __restore_all());
	EXPECT_STREQ("1", fakeroot_read(&root, ONE));
}

TEST_F(restore, wrong_use)
{
	char long_value[SETTING_VALUE_MAX + 1];

	memset(long_value, 'x', SETTING_VALUE_MAX);
	long_value[SETTING_VALUE_MAX] = '\0';
	fakeroot_write(&root, "/empty", "\n");
	EXPECT_EQ(-ENOENT, __restore_set("/none", "1", NULL));
	EXPECT_EQ(-ENOENT, __restore_save("/none"));
	EXPECT_EQ(-EINVAL, __restore_save("/empty"));
	EXPECT_EQ(-EOVERFLOW, __restore_set(ONE, long_value, NULL));
	EXPECT_EQ(0, __restore_all());
}

/* Fork a child that changes ONE, or changes nothing, and ends by @sig or, when 0, by exit(3). */
static int child_end(bool changes, int sig)
{
	pid_t pid = fork();
	int status;

	fakeroot_must(pid >= 0, "fork");
	if (!pid) {
		/* Whoever runs this may ignore it, as nohup(1) does. */
		if (sig)
			signal(sig, SIG_DFL);
		if (changes && __restore_set(ONE, "5", NULL))
			_exit(1);
		if (sig)
			raise(sig);
		exit(0);
	}
	fakeroot_must(waitpid(pid, &status, 0) == pid, "waitpid");
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

TEST_F(restore, at_exit)
{
	EXPECT_EQ(0, child_end(true, 0));
	EXPECT_STREQ("1", fakeroot_read(&root, ONE));
}

TEST_F(restore, on_signals)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGABRT, SIGSEGV, SIGALRM };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		EXPECT_EQ(signals[i], child_end(true, signals[i]));
		EXPECT_STREQ("1", fakeroot_read(&root, ONE));
	}
}

TEST_F(restore, a_child_leaves_its_parents_alone)
{
	EXPECT_EQ(0, __restore_set(ONE, "5", NULL));
	EXPECT_EQ(0, child_end(false, 0));
	EXPECT_EQ(SIGTERM, child_end(false, SIGTERM));
	EXPECT_STREQ("5", fakeroot_read(&root, ONE));
	EXPECT_EQ(0, __restore_all());
	EXPECT_STREQ("1", fakeroot_read(&root, ONE));
}

TEST_HARNESS_MAIN
