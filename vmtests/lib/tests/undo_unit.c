// SPDX-License-Identifier: GPL-2.0
/*
 * What was built comes down: by every way in which a process can end, in reverse order, and nothing
 * else with it.
 *
 * Each case plays in children, because what is tested is what a process leaves behind. Mounts are
 * made in a mount namespace of the test's own. What needs a device mapper or modules is tested in a
 * guest (lab/tests/crypt_test.sh).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <vmtests/journal.h>
#include <vmtests/undo.h>

#include "kselftest_harness.h"
#include "fakeroot.h"

#define WAIT_MS (60 * 1000)

/* What a child says of what it built. */
struct built {
	pid_t worker;
	pid_t sleeper;
	char tree[PATH_MAX];
};

static struct fakeroot root;

static int gone(const char *path)
{
	struct stat st;

	return lstat(path, &st) && errno == ENOENT;
}

static int journal_is_empty(void)
{
	struct stat st;

	return !stat(fakeroot_path(&root, "/state/journal"), &st) && !st.st_size;
}

/* A descriptor of a process that must end within WAIT_MS, taken while it is there. */
static int pidfd_of(pid_t pid)
{
	return syscall(__NR_pidfd_open, pid, 0);
}

static int ends(int pidfd)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int n = poll(&poll_fd, 1, WAIT_MS);

	close(pidfd);
	return n == 1;
}

static pid_t play_start(void (*play)(int channel), int *channel)
{
	const struct rlimit no_core = { 0, 0 };
	int pipes[2];
	pid_t pid;

	fakeroot_must(!pipe2(pipes, O_CLOEXEC), "pipe2");
	fflush(NULL);
	pid = fork();
	fakeroot_must(pid >= 0, "fork");
	if (!pid) {
		close(pipes[0]);
		setrlimit(RLIMIT_CORE, &no_core);
		play(pipes[1]);
		exit(0);
	}
	close(pipes[1]);
	*channel = pipes[0];
	return pid;
}

static int play_wait(pid_t pid)
{
	int status;

	fakeroot_must(waitpid(pid, &status, 0) == pid, "waitpid");
	return status;
}

static void built_say(int channel, const struct built *built)
{
	fakeroot_must(write(channel, built, sizeof(*built)) == (ssize_t)sizeof(*built), "pipe");
}

static int built_hear(int channel, struct built *built)
{
	ssize_t n = read(channel, built, sizeof(*built));

	close(channel);
	return n == (ssize_t)sizeof(*built);
}

/* Open as a next start would. Returns 0 or -errno. */
static int next_start(void)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	fakeroot_must(pid >= 0, "fork");
	if (!pid)
		_exit(-__journal_open(NULL));
	status = play_wait(pid);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static void tree_fill(const char *tree)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/sub", tree);
	fakeroot_must(!mkdir(path, 0700), path);
	snprintf(path, sizeof(path), "%s/sub/a", tree);
	fakeroot_must(!symlink("../../kept", path), path);
	snprintf(path, sizeof(path), "%s/b", tree);
	fakeroot_must(!symlink(root.dir, path), path);
}

FIXTURE(undo) {
	int unused;
};

FIXTURE_SETUP(undo)
{
	self->unused = 0;
	fakeroot_create(&root);
	/* What is built is built for real; the journal and the lock are of this root. */
	fakeroot_write(&root, "/proc/sys/kernel/random/boot_id",
		       "11111111-2222-3333-4444-555555555555\n");
	fakeroot_must(!setenv("VMTESTS_STATE_DIR", fakeroot_path(&root, "/state"), 1), "setenv");
	unsetenv("VMTESTS_LOCK_FD");
	fakeroot_write(&root, "/kept", "kept");
	ASSERT_EQ(0, undo_register());
}

FIXTURE_TEARDOWN(undo)
{
	fakeroot_remove(&root);
}

static void tree_build(int channel)
{
	struct built built = { 0 };

	fakeroot_must(!__undo_directory(root.dir, built.tree, sizeof(built.tree)), "directory");
	tree_fill(built.tree);
	built_say(channel, &built);
}

static void tree_build_and_die(int channel)
{
	tree_build(channel);
	raise(SIGKILL);
}

TEST_F(undo, folder_goes_with_what_is_in_it_and_no_further)
{
	void (*const plays[])(int channel) = { tree_build, tree_build_and_die };
	struct built built;
	int channel;
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(plays); i++) {
		pid = play_start(plays[i], &channel);
		ASSERT_TRUE(built_hear(channel, &built));
		play_wait(pid);
		EXPECT_EQ(i == 0, gone(built.tree));
		EXPECT_EQ(0, next_start());
		EXPECT_TRUE(gone(built.tree));
		EXPECT_TRUE(journal_is_empty());
		EXPECT_STREQ("kept", fakeroot_read(&root, "/kept"));
	}
}

static void file_build_and_die(int channel)
{
	char path[PATH_MAX];

	(void)channel;
	strcpy(path, fakeroot_path(&root, "/file"));
	fakeroot_must(!__undo_file(path), path);
	fakeroot_write(&root, "/file", "");
	raise(SIGKILL);
}

TEST_F(undo, file_goes)
{
	int channel;
	pid_t pid = play_start(file_build_and_die, &channel);

	play_wait(pid);
	close(channel);
	EXPECT_FALSE(gone(fakeroot_path(&root, "/file")));
	EXPECT_EQ(0, next_start());
	EXPECT_TRUE(gone(fakeroot_path(&root, "/file")));
	/* A file of someone else's is none that this could undo. */
	EXPECT_EQ(-EEXIST, __undo_file(fakeroot_path(&root, "/kept")));
}

/* Died between the record and the deed: there is nothing to undo, and that is no failure. */
static void announce_and_die(int channel)
{
	(void)channel;
	fakeroot_must(!__undo_file(fakeroot_path(&root, "/file")), "file");
	raise(SIGKILL);
}

TEST_F(undo, what_was_never_made_is_no_failure)
{
	int channel;
	pid_t pid = play_start(announce_and_die, &channel);

	play_wait(pid);
	close(channel);
	EXPECT_EQ(0, next_start());
	EXPECT_TRUE(journal_is_empty());
}

static void mount_build_and_die(int channel)
{
	struct built built = { 0 };
	char inside[PATH_MAX];

	fakeroot_must(!__undo_directory(root.dir, built.tree, sizeof(built.tree)), "directory");
	fakeroot_must(!__undo_mount("vmtests-unit", built.tree, "tmpfs", 0, NULL), "mount");
	fakeroot_must(!__undo_directory(built.tree, inside, sizeof(inside)), "inside");
	tree_fill(inside);
	built_say(channel, &built);
	raise(SIGKILL);
}

TEST_F(undo, layers_come_down_newest_first)
{
	struct built built;
	int channel;
	pid_t pid;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP(return, "no mount namespace of one's own: run as root");
	pid = play_start(mount_build_and_die, &channel);
	ASSERT_TRUE(built_hear(channel, &built));
	play_wait(pid);
	EXPECT_EQ(0, next_start());
	EXPECT_TRUE(gone(built.tree));
	EXPECT_TRUE(journal_is_empty());
	EXPECT_STREQ("kept", fakeroot_read(&root, "/kept"));
}

static int sh(const char *script)
{
	char *const argv[] = { "sh", "-c", (char *)script, NULL };

	return __undo_process_run(argv, NULL, -1, -1, false);
}

TEST_F(undo, process_says_how_it_ended)
{
	char *const nonesuch[] = { "vmtests-nonesuch", NULL };

	EXPECT_EQ(0, sh("true"));
	EXPECT_EQ(3, sh("exit 3"));
	EXPECT_EQ(-EINTR, sh("kill -9 $$"));
	EXPECT_EQ(-ENOENT, __undo_process_run(nonesuch, NULL, -1, -1, false));
	restore_all();
	EXPECT_TRUE(journal_is_empty());
}

static char *const sleeper[] = { "sleep", "1000", NULL };
/* A program that does not die with its parent, and says so. */
static char *const survivor[] = {
	"setpriv", "--pdeathsig", "clear", "sh", "-c", "echo; exec sleep 1000", NULL,
};

static void sleeper_start(struct built *built, char *const argv[], int out)
{
	built->worker = getpid();
	fakeroot_must(!__undo_directory(root.dir, built->tree, sizeof(built->tree)), "directory");
	fakeroot_must(!__undo_process_start(argv, NULL, -1, out, false, &built->sleeper), argv[0]);
}

static void wait_for_signal(int channel)
{
	struct built built = { 0 };

	sleeper_start(&built, sleeper, -1);
	built_say(channel, &built);
	for (;;)
		pause();
}

TEST_F(undo, process_dies_with_who_started_it)
{
	struct built built;
	int channel, pidfd;
	pid_t pid = play_start(wait_for_signal, &channel);

	ASSERT_TRUE(built_hear(channel, &built));
	pidfd = pidfd_of(built.sleeper);
	ASSERT_LE(0, pidfd);
	kill(pid, SIGKILL);
	play_wait(pid);
	EXPECT_TRUE(ends(pidfd));
	EXPECT_EQ(0, next_start());
	EXPECT_TRUE(gone(built.tree));
}

static void leave_survivor(int channel)
{
	struct built built = { 0 };
	int pipes[2];
	char line;

	fakeroot_must(!pipe2(pipes, O_CLOEXEC), "pipe2");
	sleeper_start(&built, survivor, pipes[1]);
	fakeroot_must(read(pipes[0], &line, 1) == 1, "survivor");
	built_say(channel, &built);
	raise(SIGKILL);
}

TEST_F(undo, process_that_survived_is_ended_by_the_next_start)
{
	struct built built;
	int channel, pidfd;
	pid_t pid;

	if (system("setpriv --pdeathsig clear true 2>/dev/null"))
		SKIP(return, "no setpriv: install util-linux");
	pid = play_start(leave_survivor, &channel);
	ASSERT_TRUE(built_hear(channel, &built));
	play_wait(pid);
	pidfd = pidfd_of(built.sleeper);
	ASSERT_LE(0, pidfd);
	EXPECT_EQ(0, kill(built.sleeper, 0));
	EXPECT_EQ(0, next_start());
	EXPECT_TRUE(ends(pidfd));
	EXPECT_TRUE(journal_is_empty());
}

static void *thread_wait(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

/* The first thread has ended, another has not: as a program that is killed during a long write. */
static void leader_end(int channel)
{
	struct built built = { .sleeper = getpid() };
	pthread_t thread;

	fakeroot_must(!pthread_create(&thread, NULL, thread_wait, NULL), "pthread_create");
	built_say(channel, &built);
	pthread_exit(NULL);
}

/* Fields 3 and 22, as proc(5) counts. */
static void process_stat(pid_t pid, char *state, unsigned long long *start)
{
	char path[64];
	FILE *file;
	int n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	fakeroot_must(file, path);
	n = fscanf(file, "%*d (%*[^)]) %c", state);
	for (int field = 4; field < 22; field++)
		n += fscanf(file, "%*s");
	n += fscanf(file, "%llu", start);
	fakeroot_must(n == 2, path);
	fclose(file);
}

static void zombie_journal(int channel)
{
	struct built built = { .worker = getpid() };
	unsigned long long start;
	char target[64], state = 0;
	int inner, pidfd;
	pid_t pid;

	pid = play_start(leader_end, &inner);
	fakeroot_must(built_hear(inner, &built), "inner");
	/* The end of the thread that the pid names is nothing that could be waited for. */
	while (state != 'Z') {
		process_stat(pid, &state, &start);
		sched_yield();
	}
	snprintf(target, sizeof(target), "%d.%llu (threads)", pid, start);
	pidfd = pidfd_of(pid);
	fakeroot_must(!__journal_note("process", target, "ended"), "journal");
	restore_all();
	/* At once: undoing is what has waited. */
	built.sleeper = poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, 0);
	waitpid(pid, NULL, 0);
	built_say(channel, &built);
}

TEST_F(undo, process_has_ended_when_its_last_thread_has)
{
	struct built built;
	int channel;
	pid_t pid = play_start(zombie_journal, &channel);

	ASSERT_TRUE(built_hear(channel, &built));
	play_wait(pid);
	EXPECT_EQ(1, built.sleeper);
}

static void guarded(int channel)
{
	fakeroot_must(!__journal_guard(), "guard");
	fakeroot_must(!__journal_guard(), "guard, asked again");
	wait_for_signal(channel);
}

TEST_F(undo, guard_undoes_on_signals)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	struct built built;
	int channel, pidfd, status;
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		/* Whoever started this may ignore it, as nohup(1) does. */
		signal(signals[i], SIG_DFL);
		pid = play_start(guarded, &channel);
		ASSERT_TRUE(built_hear(channel, &built));
		EXPECT_NE(pid, built.worker);
		pidfd = pidfd_of(built.sleeper);
		kill(pid, signals[i]);
		status = play_wait(pid);
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
		EXPECT_TRUE(gone(built.tree));
		EXPECT_TRUE(pidfd < 0 || ends(pidfd));
		EXPECT_TRUE(journal_is_empty());
	}
}

TEST_F(undo, guard_undoes_when_the_child_is_killed)
{
	struct built built;
	int channel, status;
	pid_t pid = play_start(guarded, &channel);

	ASSERT_TRUE(built_hear(channel, &built));
	kill(built.worker, SIGKILL);
	status = play_wait(pid);
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_TRUE(gone(built.tree));
	EXPECT_TRUE(journal_is_empty());
}

TEST_F(undo, nothing_outlives_a_killed_guard)
{
	int channel, worker, program;
	struct built built;
	pid_t pid = play_start(guarded, &channel);

	ASSERT_TRUE(built_hear(channel, &built));
	worker = pidfd_of(built.worker);
	program = pidfd_of(built.sleeper);
	kill(pid, SIGKILL);
	play_wait(pid);
	EXPECT_TRUE(ends(worker));
	EXPECT_TRUE(ends(program));
	EXPECT_FALSE(gone(built.tree));
	EXPECT_EQ(0, next_start());
	EXPECT_TRUE(gone(built.tree));
	EXPECT_TRUE(journal_is_empty());
}

static void guarded_exit(int channel)
{
	fakeroot_must(!__journal_guard(), "guard");
	tree_build(channel);
	exit(3);
}

TEST_F(undo, guard_ends_as_the_child_did)
{
	struct built built;
	int channel, status;
	pid_t pid = play_start(guarded_exit, &channel);

	ASSERT_TRUE(built_hear(channel, &built));
	status = play_wait(pid);
	EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	EXPECT_TRUE(gone(built.tree));
}

static void guarded_without_hup(int channel)
{
	signal(SIGHUP, SIG_IGN);
	guarded(channel);
}

TEST_F(undo, guard_leaves_ignored_signals_ignored)
{
	struct built built;
	int channel, status;
	pid_t pid = play_start(guarded_without_hup, &channel);

	ASSERT_TRUE(built_hear(channel, &built));
	kill(pid, SIGHUP);
	kill(pid, SIGTERM);
	status = play_wait(pid);
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

TEST_F(undo, module_that_there_is_none_of)
{
	EXPECT_EQ(-ENOENT, __undo_module_load("vmtests_nonesuch", NULL));
	EXPECT_EQ(0, undo_module_present("vmtests_nonesuch"));
}

TEST_HARNESS_MAIN
