// SPDX-License-Identifier: GPL-2.0
/*
 * Settings come back: by every way in which a process can end, whoever made the change, and
 * whatever happened to the journal.
 *
 * Each case plays in children, because what is tested is what a process leaves behind. Settings are
 * regular files below a temporary root.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <vmtests/journal.h>
#include <vmtests/known_settings.h>
#include <vmtests/run_lock.h>
#include <vmtests/setting.h>

#include "kselftest_harness.h"
#include "fakeroot.h"

#define A "/proc/sys/vm/a"
#define B "/proc/sys/vm/b"
#define THP "/sys/kernel/mm/transparent_hugepage/enabled"
#define NODE_POOL "/sys/devices/system/node/node1/hugepages/hugepages-64kB/nr_hugepages"
#define JOURNAL "/state/journal"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define NOBODY 65534

static struct fakeroot root;
static int n_recovered;

/* AddressSanitizer asks this. Its handlers leave by _exit(2); the journal's must run here. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0";
}

static void recovered_count(const char *path, const char *value)
{
	(void)path;
	(void)value;
	n_recovered++;
}

static void core_forbid(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
}

/* Run @play in a child; it leaves by _exit(0) unless it ends otherwise. Returns the wait status. */
static int child_run(void (*play)(int arg), int arg)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	fakeroot_must(pid >= 0, "fork");
	if (!pid) {
		core_forbid();
		play(arg);
		_exit(0);
	}
	fakeroot_must(waitpid(pid, &status, 0) == pid, "waitpid");
	return status;
}

/* Returns what @ask returned in a child, which must be a small number or -errno. */
static int child_ask(int (*ask)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	fakeroot_must(pid >= 0, "fork");
	if (!pid)
		_exit(-ask());
	fakeroot_must(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "waitpid");
	return -WEXITSTATUS(status);
}

static int file_is(const char *path, const char *text)
{
	const char *now = fakeroot_read(&root, path);

	if (now && !strcmp(now, text))
		return 1;
	fprintf(stderr, "# %s holds '%s', expected '%s'\n", path, now ? now : "(none)", text);
	return 0;
}

static int journal_is_empty(void)
{
	return file_is(JOURNAL, "");
}

static void change_and_exit(int code)
{
	restore_set(A, "2");
	exit(code);
}

static void change_and_leave(int arg)
{
	(void)arg;
	restore_set(A, "2");
}

static void change_and_raise(int sig)
{
	/* Whoever started this may ignore it, as nohup(1) does. */
	signal(sig, SIG_DFL);
	restore_set(A, "2");
	restore_set(B, "20");
	if (sig == SIGABRT)
		abort();
	raise(sig);
}

/* Open as a next start would; how many settings it put back, or -errno. */
static int open_recover(void)
{
	int ret;

	n_recovered = 0;
	ret = __journal_open(recovered_count);
	return ret ? ret : -n_recovered;
}

static int set_a(void)
{
	return __restore_set(A, "2", NULL);
}

FIXTURE(journal) {
	int unused;
};

FIXTURE_SETUP(journal)
{
	self->unused = 0;
	fakeroot_create(&root);
	fakeroot_write(&root, BOOT_ID, "11111111-2222-3333-4444-555555555555\n");
	fakeroot_write(&root, A, "1\n");
	fakeroot_write(&root, B, "10\n");
	setenv("VMTESTS_STATE_DIR", fakeroot_path(&root, "/state"), 1);
	unsetenv("VMTESTS_LOCK_FD");
}

FIXTURE_TEARDOWN(journal)
{
	fakeroot_remove(&root);
}

TEST_F(journal, exit_restores)
{
	int status = child_run(change_and_exit, 3);

	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(3, WEXITSTATUS(status));
	EXPECT_TRUE(file_is(A, "1"));
	EXPECT_TRUE(journal_is_empty());
}

TEST_F(journal, signals_restore_and_tell_the_truth)
{
	const int signals[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGUSR1,
		SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGXCPU, SIGXFSZ, SIGVTALRM,
		SIGPROF, SIGPOLL, SIGPWR, SIGSYS, SIGRTMIN, SIGRTMAX,
	};
	size_t i;
	int status;

	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		status = child_run(change_and_raise, signals[i]);
		EXPECT_TRUE(WIFSIGNALED(status)) {
			TH_LOG("signal %d", signals[i]);
		}
		EXPECT_EQ(signals[i], WTERMSIG(status));
		EXPECT_TRUE(file_is(A, "1"));
		EXPECT_TRUE(file_is(B, "10"));
		/* The handler noted what it undid, so nothing is left for the next start. */
		EXPECT_EQ(0, child_ask(open_recover));
		EXPECT_TRUE(journal_is_empty());
	}
}

static void fault(int arg)
{
	volatile int *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	restore_set(A, "2");
	*nowhere = 1;
}

TEST_F(journal, fault_restores)
{
	int status = child_run(fault, 0);

	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	EXPECT_TRUE(file_is(A, "1"));
	EXPECT_EQ(0, child_ask(open_recover));
}

TEST_F(journal, kill_is_undone_by_next_start)
{
	int status = child_run(change_and_raise, SIGKILL);

	ASSERT_TRUE(WIFSIGNALED(status));
	EXPECT_TRUE(file_is(A, "2"));
	EXPECT_EQ(-2, child_ask(open_recover));
	EXPECT_TRUE(file_is(A, "1"));
	EXPECT_TRUE(file_is(B, "10"));
	EXPECT_TRUE(journal_is_empty());
}

TEST_F(journal, _exit_is_undone_by_next_start)
{
	child_run(change_and_leave, 0);
	EXPECT_TRUE(file_is(A, "2"));
	EXPECT_EQ(-1, child_ask(open_recover));
	EXPECT_TRUE(file_is(A, "1"));
	EXPECT_TRUE(journal_is_empty());
}

TEST_F(journal, zombie_is_dead)
{
	siginfo_t info;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		change_and_raise(SIGKILL);
	ASSERT_EQ(0, waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(-2, child_ask(open_recover));
	EXPECT_TRUE(file_is(A, "1"));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

TEST_F(journal, another_process_with_the_same_pid_is_not_the_owner)
{
	char text[256];

	/* This process lives, but did not start with the machine. */
	snprintf(text, sizeof(text), "vmtests-journal 1 11111111-2222-3333-4444-555555555555\n"
		 "set " A " 9 %d.0\n", getpid());
	ASSERT_EQ(0, mkdir(fakeroot_path(&root, "/state"), 0700));
	fakeroot_write(&root, JOURNAL, text);
	EXPECT_EQ(-1, child_ask(open_recover));
	EXPECT_TRUE(file_is(A, "9"));
}

static void ignore_hangup(int arg)
{
	signal(SIGHUP, SIG_IGN);
	restore_set(A, "2");
	raise(SIGHUP);
	exit(arg);
}

TEST_F(journal, ignored_signal_stays_ignored)
{
	int status = child_run(ignore_hangup, 5);

	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(5, WEXITSTATUS(status));
	EXPECT_TRUE(file_is(A, "1"));
}

static void child_change_b(int sig)
{
	restore_set(B, "20");
	if (sig)
		raise(sig);
	exit(0);
}

static void child_change_a_and_leave(int arg)
{
	(void)arg;
	restore_set(A, "3");
}

static void nothing(int sig)
{
	if (sig)
		raise(sig);
	exit(0);
}

/* Exit codes say which check failed. */
static void parent_of_children(int sig)
{
	restore_set(A, "2");
	child_run(nothing, sig);
	if (!file_is(A, "2"))
		exit(1);
	child_run(child_change_b, sig);
	if (!file_is(A, "2"))
		exit(2);
	if (sig != SIGKILL && !file_is(B, "10"))
		exit(3);
	exit(0);
}

TEST_F(journal, child_does_not_undo_its_parents_change)
{
	const int ends[] = { 0, SIGTERM, SIGABRT, SIGKILL };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		EXPECT_EQ(0, child_run(parent_of_children, ends[i])) {
			TH_LOG("children end by signal %d", ends[i]);
		}
		EXPECT_TRUE(file_is(A, "1"));
		EXPECT_TRUE(file_is(B, "10"));
		EXPECT_TRUE(journal_is_empty());
	}
}

static void parent_restores_child(int arg)
{
	(void)arg;
	restore_set(A, "2");
	child_run(child_change_a_and_leave, 0);
	if (!file_is(A, "3"))
		_exit(1);
	restore_all();
	_exit(file_is(A, "1") && journal_is_empty() ? 0 : 2);
}

TEST_F(journal, parent_undoes_what_a_child_left)
{
	EXPECT_EQ(0, child_run(parent_restores_child, 0));
}

static void harness_like_teardown(int arg)
{
	(void)arg;
	restore_set(A, "2");
	restore_all();
	if (!file_is(A, "1"))
		_exit(1);
	/* Again, so that a restored setting is saved anew. */
	fakeroot_write(&root, A, "4");
	restore_set(A, "5");
	restore_all();
	_exit(file_is(A, "4") && journal_is_empty() ? 0 : 2);
}

TEST_F(journal, restore_can_be_repeated)
{
	EXPECT_EQ(0, child_run(harness_like_teardown, 0));
}

/* A child that holds the lock and a change until told to end. */
static pid_t holder_start(int *release)
{
	int ready[2], end[2];
	pid_t pid;
	char c;

	fakeroot_must(!pipe(ready) && !pipe(end), "pipe");
	fflush(NULL);
	pid = fork();
	fakeroot_must(pid >= 0, "fork");
	if (!pid) {
		close(end[1]);
		restore_set(A, "2");
		fakeroot_must(write(ready[1], "x", 1) == 1, "write");
		(void)!read(end[0], &c, 1);
		_exit(0);
	}
	close(end[0]);
	close(ready[1]);
	fakeroot_must(read(ready[0], &c, 1) == 1, "read");
	close(ready[0]);
	*release = end[1];
	return pid;
}

TEST_F(journal, second_run_is_refused)
{
	int release;
	pid_t holder = holder_start(&release);

	EXPECT_EQ(-EBUSY, child_ask(set_a));
	EXPECT_EQ(holder, run_lock_owner());
	EXPECT_TRUE(file_is(A, "2"));

	close(release);
	ASSERT_EQ(holder, waitpid(holder, NULL, 0));
	EXPECT_EQ(-1, child_ask(open_recover));
	EXPECT_TRUE(file_is(A, "1"));
}

/* Where the journal lies does not matter: the settings are the same. */
TEST_F(journal, second_run_is_refused_with_another_state_directory)
{
	int release;
	pid_t holder = holder_start(&release);

	setenv("VMTESTS_STATE_DIR", fakeroot_path(&root, "/other"), 1);
	EXPECT_EQ(-EBUSY, child_ask(set_a));
	EXPECT_EQ(holder, run_lock_owner());
	close(release);
	ASSERT_EQ(holder, waitpid(holder, NULL, 0));
}

static void lock_fd_export(int fd)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", fd);
	setenv("VMTESTS_LOCK_FD", text, 1);
}

TEST_F(journal, lock_is_inherited_only_with_proof)
{
	int held, other, unheld;

	held = __run_lock_open();
	ASSERT_LE(0, held);
	ASSERT_EQ(0, flock(held, LOCK_EX | LOCK_NB));

	EXPECT_EQ(-EBUSY, child_ask(set_a));

	other = open(fakeroot_path(&root, A), O_RDWR);
	ASSERT_LE(0, other);
	lock_fd_export(other);
	EXPECT_EQ(-EBUSY, child_ask(set_a));

	unheld = __run_lock_open();
	ASSERT_LE(0, unheld);
	lock_fd_export(unheld);
	EXPECT_EQ(-EBUSY, child_ask(set_a));

	setenv("VMTESTS_LOCK_FD", "3x", 1);
	EXPECT_EQ(-EBUSY, child_ask(set_a));
	EXPECT_TRUE(file_is(A, "1\n"));

	lock_fd_export(held);
	EXPECT_EQ(0, child_ask(set_a));
	EXPECT_TRUE(file_is(A, "2"));

	/* The child's end did not release what it inherited. */
	EXPECT_NE(0, flock(unheld, LOCK_EX | LOCK_NB));
	close(held);
	close(unheld);
	close(other);
}

TEST_F(journal, journal_of_another_boot_is_dropped)
{
	child_run(change_and_raise, SIGKILL);
	fakeroot_write(&root, BOOT_ID, "99999999-2222-3333-4444-555555555555\n");
	EXPECT_EQ(0, child_ask(open_recover));
	EXPECT_TRUE(file_is(A, "2"));
	EXPECT_TRUE(journal_is_empty());
}

static void journal_add(const char *text)
{
	FILE *file = fopen(fakeroot_path(&root, JOURNAL), "a");

	fakeroot_must(file && fputs(text, file) >= 0 && !fclose(file), "journal");
}

TEST_F(journal, crash_during_append_announces_no_change)
{
	child_run(change_and_leave, 0);
	journal_add("set " B " 99 1.");
	EXPECT_EQ(-1, child_ask(open_recover));
	EXPECT_TRUE(file_is(A, "1"));
	EXPECT_TRUE(file_is(B, "10\n"));
	EXPECT_TRUE(journal_is_empty());
}

TEST_F(journal, crash_during_first_append)
{
	ASSERT_EQ(0, mkdir(fakeroot_path(&root, "/state"), 0700));
	fakeroot_write(&root, JOURNAL, "vmtests-jou");
	EXPECT_EQ(0, child_ask(set_a));
	EXPECT_EQ(-1, child_ask(open_recover));
	EXPECT_TRUE(file_is(A, "1"));
}

TEST_F(journal, journal_of_another_version_is_refused_and_kept)
{
	static const char other[] = "vmtests-journal 2 11111111-2222-3333-4444-555555555555\n";

	ASSERT_EQ(0, mkdir(fakeroot_path(&root, "/state"), 0700));
	fakeroot_write(&root, JOURNAL, other);
	EXPECT_EQ(-EBADMSG, child_ask(set_a));
	EXPECT_TRUE(file_is(JOURNAL, other));
	EXPECT_TRUE(file_is(A, "1\n"));
}

/* What they say of A and B is undone, whatever else is there. */
TEST_F(journal, damaged_lines_do_not_hide_the_others)
{
	static const char * const damaged[] = {
		"something else\n", "set /a 1\n", "set /a%0 1 1.1\n", "set /a%00 1 1.1\n",
		"set  1 1.1\n", "set /a 1 1.1x\n", "\n", "set /a 1 2 3 1.1\n", "\377\376\n",
	};
	char text[512];
	size_t i;

	ASSERT_EQ(0, mkdir(fakeroot_path(&root, "/state"), 0700));
	for (i = 0; i < ARRAY_SIZE(damaged); i++) {
		snprintf(text, sizeof(text), "vmtests-journal 1 11111111-2222-3333-4444-555555555555\n"
			 "set " A " 8 1.1\n%sset " B " 9 1.1\n", damaged[i]);
		fakeroot_write(&root, JOURNAL, text);
		EXPECT_EQ(-2, child_ask(open_recover)) {
			TH_LOG("%s", damaged[i]);
		}
		EXPECT_TRUE(file_is(A, "8"));
		EXPECT_TRUE(file_is(B, "9"));
		EXPECT_TRUE(journal_is_empty());
		fakeroot_write(&root, A, "1");
		fakeroot_write(&root, B, "1");
	}
}

static void zeros_write(const char *behind, size_t len)
{
	static const char zeros[4096];
	FILE *file = fopen(fakeroot_path(&root, JOURNAL), "w");

	fakeroot_must(file && fwrite(zeros, sizeof(zeros), 1, file) == 1 &&
		      fwrite(behind, 1, len, file) == len && !fclose(file), "journal");
}

/* A power cut leaves zeros. They neither hide what follows nor what a later run is to put back. */
TEST_F(journal, zeros_are_not_the_end)
{
	static const char lost[] = "set " A " 8 1.1\n";

	ASSERT_EQ(0, mkdir(fakeroot_path(&root, "/state"), 0700));
	zeros_write(lost, strlen(lost));
	EXPECT_EQ(-1, child_ask(open_recover));
	EXPECT_TRUE(file_is(A, "8"));
	EXPECT_TRUE(journal_is_empty());

	zeros_write("", 0);
	child_run(change_and_leave, 0);
	EXPECT_TRUE(file_is(A, "2"));
	EXPECT_EQ(-1, child_ask(open_recover));
	EXPECT_TRUE(file_is(A, "8"));

	zeros_write("\n", 1);
	child_run(change_and_leave, 0);
	EXPECT_EQ(-1, child_ask(open_recover));
	EXPECT_TRUE(file_is(A, "8"));
	EXPECT_TRUE(journal_is_empty());
}

/* Without a header only the time says that it is of another boot. */
TEST_F(journal, damaged_journal_of_another_boot_is_dropped)
{
	static const char lost[] = "set " A " 8 1.1\n";
	const struct timespec long_ago[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	ASSERT_EQ(0, mkdir(fakeroot_path(&root, "/state"), 0700));
	zeros_write(lost, strlen(lost));
	ASSERT_EQ(0, utimensat(AT_FDCWD, fakeroot_path(&root, JOURNAL), long_ago, 0));
	EXPECT_EQ(0, child_ask(open_recover));
	EXPECT_TRUE(file_is(A, "1\n"));
	EXPECT_TRUE(journal_is_empty());
}

/* What is damaged is named. */
TEST_F(journal, damage_is_named)
{
	int err = dup(STDERR_FILENO), file;
	const char *said;

	ASSERT_EQ(0, mkdir(fakeroot_path(&root, "/state"), 0700));
	fakeroot_write(&root, JOURNAL, "vmtests-journal 1 11111111-2222-3333-4444-555555555555\n"
		       "set /lost\033 7\n\n");
	file = open(fakeroot_path(&root, "/said"), O_WRONLY | O_CREAT, 0600);
	ASSERT_LE(0, file);
	ASSERT_EQ(STDERR_FILENO, dup2(file, STDERR_FILENO));
	EXPECT_EQ(0, child_ask(open_recover));
	ASSERT_EQ(STDERR_FILENO, dup2(err, STDERR_FILENO));
	said = fakeroot_read(&root, "/said");
	EXPECT_NE(NULL, strstr(said, "/state/journal: damaged"));
	EXPECT_NE(NULL, strstr(said, "'set /lost? 7' and 1 lines more"));
	close(file);
	close(err);
}

static int set_a_as_nobody(void)
{
	if (!geteuid() && (setegid(NOBODY) || seteuid(NOBODY)))
		return -ENOTRECOVERABLE;
	return set_a();
}

TEST_F(journal, no_change_without_a_journal)
{
	ASSERT_EQ(0, chmod(root.dir, 0755));
	ASSERT_EQ(0, chmod(fakeroot_path(&root, A), 0666));
	ASSERT_EQ(0, mkdir(fakeroot_path(&root, "/state"), 0500));
	if (!geteuid()) {
		ASSERT_EQ(0, chown(fakeroot_path(&root, "/state"), NOBODY, NOBODY));
	}
	EXPECT_EQ(-EACCES, child_ask(set_a_as_nobody));
	EXPECT_TRUE(file_is(A, "1\n"));
}

static int set_a_as_it_is(void)
{
	int ret = __restore_set(A, "1", NULL);

	return ret ? ret : -!journal_is_empty();
}

/* A read-only /proc/sys, as in a container, is no obstacle to a value that is there already. */
TEST_F(journal, setting_what_is_set_changes_nothing)
{
	EXPECT_EQ(0, child_ask(set_a_as_it_is));
	EXPECT_TRUE(file_is(A, "1\n"));
}

TEST_F(journal, state_directory_must_be_safe)
{
	struct stat st;

	ASSERT_EQ(0, mkdir(fakeroot_path(&root, "/real"), 0700));
	ASSERT_EQ(0, symlink("real", fakeroot_path(&root, "/state")));
	EXPECT_EQ(-ENOTDIR, child_ask(set_a));
	ASSERT_EQ(0, unlink(fakeroot_path(&root, "/state")));

	ASSERT_EQ(0, mkdir(fakeroot_path(&root, "/state"), 0700));
	ASSERT_EQ(0, chmod(fakeroot_path(&root, "/state"), 0770));
	EXPECT_EQ(-EPERM, child_ask(set_a));

	ASSERT_EQ(0, chmod(fakeroot_path(&root, "/state"), 0700));
	if (!geteuid()) {
		ASSERT_EQ(0, chown(fakeroot_path(&root, "/state"), NOBODY, -1));
		EXPECT_EQ(-EPERM, child_ask(set_a));
		ASSERT_EQ(0, chown(fakeroot_path(&root, "/state"), 0, -1));
	}
	ASSERT_EQ(0, symlink("../a", fakeroot_path(&root, JOURNAL)));
	EXPECT_EQ(-ELOOP, child_ask(set_a));
	EXPECT_TRUE(file_is(A, "1\n"));

	fakeroot_must(!unlink(fakeroot_path(&root, JOURNAL)), "unlink");
	fakeroot_must(!rmdir(fakeroot_path(&root, "/state")), "rmdir");
	umask(0);
	EXPECT_EQ(0, child_ask(set_a));
	ASSERT_EQ(0, stat(fakeroot_path(&root, "/state"), &st));
	EXPECT_EQ(0700, (int)(st.st_mode & 07777));
}

static void change_between(int arg)
{
	(void)arg;
	restore_set(A, "2");
	fakeroot_write(&root, A, "7");
	exit(0);
}

TEST_F(journal, value_before_the_first_change_wins)
{
	EXPECT_EQ(0, child_run(change_between, 0));
	EXPECT_TRUE(file_is(A, "1"));
}

static int vanish(void)
{
	char *path;
	int ret;

	restore_set(A, "2");
	restore_set(B, "20");
	path = fakeroot_path(&root, B);
	fakeroot_must(!unlink(path), path);
	ret = __restore_all();
	return ret;
}

TEST_F(journal, vanished_setting_does_not_stop_the_rest)
{
	const char *journal;

	EXPECT_EQ(-ENOENT, child_ask(vanish));
	EXPECT_TRUE(file_is(A, "1"));
	journal = fakeroot_read(&root, JOURNAL);
	ASSERT_NE(NULL, journal);
	EXPECT_NE(NULL, strstr(journal, "\nset " B " 10 "));
	EXPECT_EQ(NULL, strstr(journal, "done set " B));

	/* It does not stop the next start, and comes back when the file does. */
	EXPECT_EQ(0, child_ask(open_recover));
	fakeroot_write(&root, B, "20");
	EXPECT_EQ(-1, child_ask(open_recover));
	EXPECT_TRUE(file_is(B, "10"));
	EXPECT_TRUE(journal_is_empty());
}

static int note_undo(const char *target, const char *value)
{
	FILE *file = fopen(fakeroot_path(&root, "/notes"), "a");

	fakeroot_must(file && fprintf(file, "%s=%s;", target, value) > 0 && !fclose(file), "notes");
	return 0;
}

static int note_unknown(void)
{
	if (__journal_note("note", "one", "1 %\n"))
		return -ENOTRECOVERABLE;
	return __restore_all();
}

static int note_all(void)
{
	if (journal_register("note", note_undo) || __journal_note("note", "two", "2") ||
	    __journal_note("note", "three", "3"))
		return -ENOTRECOVERABLE;
	return __restore_all();
}

TEST_F(journal, other_kinds_are_undone_newest_first_by_who_knows_them)
{
	EXPECT_EQ(-EOPNOTSUPP, child_ask(note_unknown));
	EXPECT_EQ(NULL, fakeroot_read(&root, "/notes"));
	EXPECT_EQ(0, child_ask(note_all));
	/* The first came from recovery, at open. */
	EXPECT_TRUE(file_is("/notes", "one=1 %\n;three=3;two=2;"));
	EXPECT_TRUE(journal_is_empty());
}

/* The kernel cuts a thread's name to 15 bytes. */
static int kernel_keeps_another_value(void)
{
	char got[SETTING_VALUE_MAX];
	int ret;

	prctl(PR_SET_NAME, "before");
	fakeroot_must(!symlink("/proc/self/comm", fakeroot_path(&root, "/comm")), "symlink");
	ret = __restore_set("/comm", "0123456789abcdefgh", got);
	if (ret == -EBADE && strcmp(got, "0123456789abcde"))
		return -ENOTRECOVERABLE;
	if (__restore_all() || __setting_get("/comm", got, sizeof(got)) != 6 ||
	    strcmp(got, "before"))
		return -ENOTRECOVERABLE;
	return ret;
}

TEST_F(journal, read_back_shows_what_the_kernel_kept)
{
	EXPECT_EQ(-EBADE, child_ask(kernel_keeps_another_value));
}

TEST_F(journal, value_of_a_choice_is_the_bracketed_word)
{
	static const struct {
		const char *text;
		const char *value;
	} files[] = {
		{ "always [madvise] never\n", "madvise" },
		{ "[always] madvise never\n", "always" },
		{ "always madvise [never]\n", "never" },
		{ "256\t256\t32\t0\n", "256 256 32 0" },
		{ "a[b]c\n", "a[b]c" },
		{ "60\n", "60" },
	};
	char got[SETTING_VALUE_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		fakeroot_write(&root, THP, files[i].text);
		EXPECT_EQ((ssize_t)strlen(files[i].value), __setting_get(THP, got, sizeof(got)));
		EXPECT_STREQ(files[i].value, got);
	}
	fakeroot_write(&root, THP, "always [madvise] never\n");
	EXPECT_EQ(-EOVERFLOW, __setting_get(THP, got, strlen("madvise")));
}

static void choice(int arg)
{
	(void)arg;
	restore_set(THP, "always");
	exit(0);
}

TEST_F(journal, choice_comes_back_as_its_word)
{
	fakeroot_write(&root, THP, "always [madvise] never\n");
	EXPECT_EQ(0, child_run(choice, 0));
	EXPECT_TRUE(file_is(THP, "madvise"));
}

static int save_empty(void)
{
	return __restore_save(THP);
}

TEST_F(journal, empty_value_cannot_be_saved)
{
	fakeroot_write(&root, THP, "\n");
	EXPECT_EQ(-EINVAL, child_ask(save_empty));
	fakeroot_must(!unlink(fakeroot_path(&root, THP)), "unlink");
	EXPECT_EQ(-ENOENT, child_ask(save_empty));
}

static int known_collect(const char *path, const char *value, void *arg)
{
	strcat(strcat(strcat(strcat(arg, path), "="), value), ";");
	return 0;
}

static int known_stop(const char *path, const char *value, void *arg)
{
	(void)path;
	(void)value;
	(void)arg;
	return 7;
}

TEST_F(journal, known_settings_are_those_of_the_machine)
{
	char all[1024] = "";

	fakeroot_write(&root, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "4\n");
	fakeroot_write(&root, NODE_POOL, "3\n");
	fakeroot_write(&root, THP, "always [madvise] never\n");
	EXPECT_EQ(0, known_settings_each(known_collect, all));
	EXPECT_STREQ("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages=4;"
		     NODE_POOL "=3;"
		     THP "=madvise;", all);
	EXPECT_EQ(7, known_settings_each(known_stop, NULL));
}

TEST_HARNESS_MAIN
