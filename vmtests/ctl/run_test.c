// SPDX-License-Identifier: GPL-2.0
/*
 * run-test: run one program, watch it and the kernel, and say pass, fail, skip or timeout.
 *
 * A test passes only if it says so, the kernel kept quiet, every setting that it changed is as it
 * was, and no process is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vmtests/jsonl.h>
#include <vmtests/klog.h>
#include <vmtests/needs.h>
#include <vmtests/journal.h>

#include "ctl.h"

#define GRACE_SECONDS 5
#define QUOTED_KERNEL_LINES 20
#define PROGRESS_AFTER_SECONDS 2

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_SKIP, VERDICT_TIMEOUT };

static const char *const verdict_names[] = { "pass", "fail", "skip", "timeout" };

struct test {
	/* given */
	const char *boot_dir, *name, *suffix, *needs, *position, *cases;
	unsigned long run, number, timeout_s, left_s;
	pid_t runner;			/* 0: nobody to die with */
	bool tap, perf;
	char **argv;

	/* found */
	FILE *log;			/* the test's own output, as it came */
	FILE *dmesg;
	struct ktap_count ktap;
	struct proc_end end;
	enum verdict verdict;
	char reason[512];
	unsigned int kernel_lines_to_quote;
	unsigned int complaints;
};

static void reason_add(struct test *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void reason_add(struct test *t, const char *fmt, ...)
{
	size_t used = strlen(t->reason);
	va_list args;

	if (used && used < sizeof(t->reason) - 3)
		used += (size_t)snprintf(t->reason + used, sizeof(t->reason) - used, "; ");
	va_start(args, fmt);
	vsnprintf(t->reason + used, sizeof(t->reason) - used, fmt, args);
	va_end(args);
	/* A test may have printed anything; JSON holds UTF-8 alone, and terminals obey escapes. */
	for (char *c = t->reason + used; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* Something other than the test itself found fault: a pass or skip does not stand. */
static void fault_add(struct test *t)
{
	if (t->verdict == VERDICT_PASS || t->verdict == VERDICT_SKIP) {
		t->verdict = VERDICT_FAIL;
		t->reason[0] = '\0';
	}
}

static int take_line(const char *text, void *arg)
{
	struct test *t = arg;

	ktap_line(&t->ktap, text);
	if (t->tap)
		printf("# %s\n", text);
	if (fprintf(t->log, "%s\n", text) < 0 || fflush(t->log))
		return -errno;
	return 0;
}

static bool progress_wanted(void)
{
	return isatty(STDERR_FILENO);
}

static void show_progress(double seconds, void *arg)
{
	const struct test *t = arg;
	unsigned long left = t->left_s > seconds ? t->left_s - (unsigned long)seconds : 0;

	if (seconds < PROGRESS_AFTER_SECONDS || !progress_wanted())
		return;
	fprintf(stderr, "\r\033[K%s %s %.0f s, about %lu:%02lu left", t->position, t->name, seconds,
		left / 60, left % 60);
}

static void clear_progress(const struct test *t)
{
	if (t->end.seconds >= PROGRESS_AFTER_SECONDS && progress_wanted())
		fputs("\r\033[K", stderr);
}

static void verdict_of_exit(struct test *t, int status)
{
	const struct ktap_count *k = &t->ktap;
	unsigned int reported = k->pass + k->fail + k->skip;
	const char *left = k->cases_left + strspn(k->cases_left, " ");

	if (*left && !k->fail && !(status == CTL_SKIP && !k->planned)) {
		t->verdict = VERDICT_FAIL;
		reason_add(t, "it has no case %.*s", (int)strcspn(left, " "), left);
	} else if (k->fail || (status != CTL_PASS && status != CTL_SKIP)) {
		t->verdict = VERDICT_FAIL;
		if (k->fail)
			reason_add(t, "%u of %u subtests failed, first: %s", k->fail, reported,
				   k->first_fail);
		else
			reason_add(t, "exit status %d without a failed subtest", status);
	} else if (status == CTL_PASS && k->planned >= 0 && reported < (unsigned long)k->planned) {
		t->verdict = VERDICT_FAIL;
		reason_add(t, "planned %ld subtests, reported %u", k->planned, reported);
	} else if (!k->pass && (status == CTL_SKIP || k->skip)) {
		t->verdict = VERDICT_SKIP;
		reason_add(t, "%s", k->skip_reason[0] ? k->skip_reason : "the test gave no reason");
	} else {
		t->verdict = VERDICT_PASS;
	}
}

static void verdict_of_end(struct test *t)
{
	const struct proc_end *end = &t->end;

	if (end->interrupted && process_dead(t->runner)) {
		t->verdict = VERDICT_FAIL;
		reason_add(t, "the run was killed during %s", t->name);
	} else if (end->interrupted) {
		t->verdict = VERDICT_FAIL;
		reason_add(t, "interrupted by signal %d (%s)", end->interrupted,
			   strsignal(end->interrupted));
	} else if (end->timed_out) {
		t->verdict = VERDICT_TIMEOUT;
		reason_add(t, "did not end within %lu s", t->timeout_s);
	} else if (WIFSIGNALED(end->wait_status)) {
		t->verdict = VERDICT_FAIL;
		reason_add(t, "killed by signal %d (%s)", WTERMSIG(end->wait_status),
			   strsignal(WTERMSIG(end->wait_status)));
	} else {
		verdict_of_exit(t, WEXITSTATUS(end->wait_status));
	}
	if (end->strays) {
		fault_add(t);
		reason_add(t, "left %u processes behind: %s", end->strays, end->stray_names);
	}
}

static void take_kernel_line(const char *text, bool bad, void *arg)
{
	struct test *t = arg;

	if (t->dmesg)
		fprintf(t->dmesg, "%s\n", text);
	if (bad && !t->complaints++) {
		fault_add(t);
		reason_add(t, "kernel: %.200s", text);
		t->kernel_lines_to_quote = QUOTED_KERNEL_LINES;
	}
	if (t->kernel_lines_to_quote && t->tap)
		printf("# kernel: %s\n", text);
	if (t->kernel_lines_to_quote)
		t->kernel_lines_to_quote--;
}

/*
 * Say in the kernel log where a test begins and ends: a console log then names the test that took
 * the kernel down. It also completes a record that was printed without a newline: no reader sees
 * such a record until the next one begins (kernel/printk: prb_commit() against prb_final_commit()).
 * Without the right to write there is no such note, and nothing else changes.
 */
static void kmsg_note(const struct test *t, const char *what)
{
	char text[256];
	int length = snprintf(text, sizeof(text), "vmtests: %s %s\n", t->name, what);
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (length < (int)sizeof(text) && write(fd, text, length) != length)
		printf("# %s: no note in the kernel log: %s\n", t->name, strerror(errno));
	close(fd);
}

static void check_kernel(struct test *t, const struct klog_mark *mark, int mark_err)
{
	uint64_t taint;
	int err = mark_err;

	kmsg_note(t, "ended");
	if (!err) {
		err = __klog_since(mark, take_kernel_line, t);
		taint = klog_taint_since(mark);
		if (taint && !t->complaints) {
			fault_add(t);
			reason_add(t, "kernel taint flags 0x%llx set", (unsigned long long)taint);
		}
	}
	if (err < 0)
		printf("# %s: kernel log not read (%s): complaints would not be seen\n", t->name,
		       strerror(-err));
}

static void note_recovered(const char *path, const char *value, void *arg)
{
	struct test *t = arg;
	bool killed = t->end.timed_out || t->end.interrupted || WIFSIGNALED(t->end.wait_status);

	printf("# %s: put %s back to %s\n", t->name, path, value);
	/* A test that was killed had no chance to clean up. One that ended by itself had. */
	if (killed)
		return;
	fault_add(t);
	reason_add(t, "did not restore %s", path);
}

static struct test *recovering;

static void note_recovered_now(const char *path, const char *value)
{
	note_recovered(path, value, recovering);
}

/* No fault of the test, but a failure beside it may come of it. */
static void note_changed(const char *path, const char *was, const char *is, void *arg)
{
	struct test *t = arg;

	printf("# %s: %s was %s, is %s: changed by somebody else, and left\n", t->name, path, was,
	       is);
	if (t->verdict == VERDICT_FAIL || t->verdict == VERDICT_TIMEOUT)
		reason_add(t, "somebody else changed %s from %s to %s", path, was, is);
}

static void check_settings(struct test *t, const json_t *before)
{
	int err;

	recovering = t;
	err = __journal_open(note_recovered_now);
	if (err) {
		fault_add(t);
		reason_add(t, "settings could not be put back: %s", strerror(-err));
	}
	err = settings_compare(before, note_changed, t);
	if (err)
		printf("# %s: settings not compared: %s\n", t->name, strerror(-err));
}

static FILE *log_open(const char *path, int flags, const char *mode)
{
	int fd = regular_open(path, O_WRONLY | O_CREAT | flags, 0644);
	FILE *file = fd < 0 ? NULL : fdopen(fd, mode);

	if (file)
		return file;
	ctl_error("cannot write %s: %s", path, file_strerror(fd < 0 ? fd : -errno));
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int logs_open(struct test *t)
{
	char name[NAME_MAX], path[PATH_MAX];

	snprintf(name, sizeof(name), "ktap/%lu.%s.ktap", t->run, t->name);
	if (ctl_path(path, t->boot_dir, name))
		return -ENAMETOOLONG;
	t->log = log_open(path, O_TRUNC, "w");
	if (ctl_path(path, t->boot_dir, "dmesg.txt"))
		return -ENAMETOOLONG;
	t->dmesg = log_open(path, O_APPEND, "a");
	if (!t->log || !t->dmesg)
		return -EIO;
	fprintf(t->dmesg, "== run %lu %s\n", t->run, t->name);
	return 0;
}

static int logs_close(struct test *t)
{
	int err = fclose(t->log) ? -errno : 0;

	if (fclose(t->dmesg) && !err)
		err = -errno;
	return err;
}

/* Who goes on after a death finds here which test was running. */
static int start_write(const struct test *t)
{
	struct timespec now;
	json_t *line;
	int err;

	clock_gettime(CLOCK_BOOTTIME, &now);
	line = json_pack("{s:s, s:I, s:f}", "test", t->name, "run", (json_int_t)t->run, "t",
			 now.tv_sec + now.tv_nsec / 1e9);
	err = line ? __jsonl_add(t->boot_dir, STARTED_NAME, line) : -ENOMEM;
	json_decref(line);
	if (err)
		return ctl_error("cannot write %s/" STARTED_NAME ": %s", t->boot_dir,
				 file_strerror(err));
	return 0;
}

static int verdict_write(const struct test *t)
{
	json_t *line;
	int err;

	line = json_pack("{s:s, s:I, s:s, s:s+, s:f, s:i, s:i, s:i}", "test", t->name, "run",
			 (json_int_t)t->run, "result", verdict_names[t->verdict], "reason",
			 t->reason, "", "seconds", t->end.seconds, "pass", t->ktap.pass, "fail",
			 t->ktap.fail, "skip", t->ktap.skip);
	err = line ? __jsonl_add(t->boot_dir, VERDICTS_NAME, line) : -ENOMEM;
	json_decref(line);
	if (err)
		return ctl_error("cannot write %s/" VERDICTS_NAME ": %s", t->boot_dir,
				 file_strerror(err));
	return 0;
}

/* The reason stands on a line before: behind "# SKIP" it would become part of the name in labs. */
static void verdict_print(const struct test *t)
{
	static const char *const ktap_result[] = { "ok", "not ok", "ok", "not ok" };
	static const char *const directive[] = { "", "", " # SKIP", " # TIMEOUT" };
	static const char *const plain[] = { "PASS", "FAIL", "SKIP", "TIMEOUT" };

	if (!t->tap) {
		printf("%-7s %s%s (%.1f s)%s%s\n", plain[t->verdict], t->name, t->suffix,
		       t->end.seconds, t->reason[0] ? ": " : "", t->reason);
		return;
	}
	if (t->reason[0])
		printf("# %s: %s\n", t->name, t->reason);
	printf("%s %lu %s%s%s\n", ktap_result[t->verdict], t->number, t->name, t->suffix,
	       directive[t->verdict]);
}

static int verdict_exit(const struct test *t)
{
	if (t->end.interrupted)
		return 128 + t->end.interrupted;
	if (t->verdict == VERDICT_SKIP)
		return CTL_SKIP;
	return t->verdict == VERDICT_PASS ? CTL_PASS : CTL_FAIL;
}

static int test_watch(struct test *t)
{
	const struct proc_watch watch = {
		.timeout_s = t->timeout_s, .grace_s = GRACE_SECONDS,
		.line = take_line, .tick = show_progress, .arg = t,
	};
	struct klog_mark mark;
	json_t *before;
	int mark_err, err;

	before = settings_snapshot();
	if (!before)
		return ctl_error("out of memory");
	kmsg_note(t, "starts");
	mark_err = __klog_mark(&mark);
	err = proc_run(t->argv, &watch, &t->end);
	clear_progress(t);
	if (err) {
		json_decref(before);
		return ctl_error("cannot start %s: %s", t->argv[0], strerror(-err));
	}
	verdict_of_end(t);
	check_settings(t, before);
	check_kernel(t, &mark, mark_err);
	json_decref(before);
	return 0;
}

static struct probe test_probe(const struct test *t)
{
	return needs_probe(t->needs ? t->needs : "");
}

static int test_run(void *arg)
{
	struct test *t = arg;
	const struct probe probe = test_probe(t);
	int err;

	if (ktap_begin(&t->ktap, t->cases))
		return ctl_error("run-test: %s: too many cases", t->name);
	if (probe.answer != PROBE_YES) {
		t->verdict = VERDICT_SKIP;
		reason_add(t, "%s", probe.why);
	} else {
		if (logs_open(t) || start_write(t))
			return CTL_USAGE;
		err = test_watch(t);
		if (logs_close(t) || t->end.line_error)
			return ctl_error("cannot write below %s: %s", t->boot_dir,
					 strerror(t->end.line_error ? -t->end.line_error : errno));
		if (err)
			return err;
	}
	if (verdict_write(t))
		return CTL_USAGE;
	verdict_print(t);
	if (fflush(stdout) || ferror(stdout))
		return ctl_error("the output of %s could not be written", t->name);
	return verdict_exit(t);
}

/* A runner that is killed takes its test along, which then puts back what it changed. */
static int runner_follow(pid_t runner)
{
	if (!runner)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGTERM))
		return ctl_error("run-test: cannot follow the runner: %s", strerror(errno));
	return getppid() == runner ? 0 : ctl_error("run-test: the runner is gone");
}

int ctl_run_test(int argc, char **argv)
{
	struct test t = { .tap = true, .position = "", .suffix = "", .cases = "" };
	int opt;

	while ((opt = getopt(argc, argv, "+b:i:k:m:s:c:t:q:p:l:w:NP")) != -1) {
		if (opt == 'b')
			t.boot_dir = optarg;
		else if (opt == 'i')
			t.run = strtoul(optarg, NULL, 10);
		else if (opt == 'k')
			t.number = strtoul(optarg, NULL, 10);
		else if (opt == 'm')
			t.name = optarg;
		else if (opt == 's')
			t.suffix = optarg;
		else if (opt == 'c')
			t.cases = optarg;
		else if (opt == 't')
			t.timeout_s = strtoul(optarg, NULL, 10);
		else if (opt == 'q')
			t.needs = *optarg ? optarg : NULL;
		else if (opt == 'p')
			t.position = optarg;
		else if (opt == 'l')
			t.left_s = strtoul(optarg, NULL, 10);
		else if (opt == 'w')
			t.runner = (pid_t)strtol(optarg, NULL, 10);
		else if (opt == 'N')
			t.tap = false;
		else if (opt == 'P')
			t.perf = true;
	}
	t.argv = argv + optind;
	if (!t.boot_dir || !t.name || !t.timeout_s || !t.argv[0])
		return ctl_error("run-test: -b BOOT-DIR -i RUN -k NUMBER -m NAME [-s SUFFIX] [-c CASES] -t SECONDS [-q NEEDS] [-p POSITION] [-l SECONDS-LEFT] [-w RUNNER-PID] [-N] [-P] PROGRAM [ARGUMENTS]");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (runner_follow(t.runner))
		return CTL_USAGE;
	if (t.perf && test_probe(&t).answer == PROBE_YES)
		return perf_around(t.boot_dir, t.run, t.name, test_run, &t);
	return test_run(&t);
}
