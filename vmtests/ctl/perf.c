// SPDX-License-Identifier: GPL-2.0
/*
 * perf: perf stat and perf record beside one test, on all CPUs, because much of what a benchmark
 * causes is done by softirqs and kernel threads that are not its children. docs/results.md defines
 * the files.
 *
 * Both are started disabled, and enabled and disabled through their control descriptors, each
 * command answered: what they count is the test, and nothing waits for a length of time. They are
 * not the test's parents, so its exit status stays its own (perf stat returns 0 for a program that
 * a signal killed). Whatever fails here costs these files and never the test.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmtests/command.h>
#include <vmtests/needs.h>

#include "ctl.h"

#define SYMBOLS_MAX 50
#define REPORT_BYTES (4 << 20)
/* Low enough to be lost in the noise of what it measures, and not in step with a timer tick. */
#define SAMPLES_PER_SECOND "499"

/* A perf that does not answer in this time hangs: it answers at once, or writes its data first. */
#define PATIENCE_MS 30000

#define SOFTWARE_EVENTS "task-clock,context-switches,cpu-migrations,page-faults"
#define HARDWARE_EVENTS "instructions:k,instructions:u,cycles:k,dTLB-load-misses:k,iTLB-load-misses:k"

struct sidecar {
	pid_t pid;		/* 0: not running */
	int control, answer;	/* its standard input and output */
};

struct perf {
	char stat_path[PATH_MAX], data_path[PATH_MAX], symbols_path[PATH_MAX];
	struct sidecar stat, record;
};

static pid_t test_pid;

static struct probe perf_probe(void)
{
	static char *const argv[] = { "perf", "stat", "-a", "-e", "cpu-clock", "true", NULL };
	struct probe probe = need_probe("command:perf");
	ssize_t length;
	char *said;

	if (probe.answer != PROBE_YES)
		return probe;
	length = __command_output(argv, NULL, -1, &said, REPORT_BYTES);
	if (length < 0)
		return probe_no("perf cannot count on all CPUs here: see kernel.perf_event_paranoid");
	free(said);
	return probe_yes();
}

static bool pmu_present(void)
{
	return need_probe("pmu").answer == PROBE_YES;
}

static void sidecar_exec(char *const argv[], int control, int answer, pid_t parent)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	/* A shell starts background commands with SIGINT ignored, and that would be inherited. */
	signal(SIGINT, SIG_DFL);
	if (prctl(PR_SET_PDEATHSIG, SIGINT) || getppid() != parent)
		_exit(127);
	if (null < 0 || dup2(control, STDIN_FILENO) < 0 || dup2(answer, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0)
		_exit(127);
	execvp(argv[0], argv);
	_exit(127);
}

static void sidecar_close(struct sidecar *s)
{
	close(s->control);
	close(s->answer);
	s->pid = 0;
}

static int sidecar_start(struct sidecar *s, char *const argv[])
{
	int control[2], answer[2];
	pid_t parent = getpid();

	if (pipe2(control, O_CLOEXEC))
		return -errno;
	if (pipe2(answer, O_CLOEXEC)) {
		close(control[0]);
		close(control[1]);
		return -errno;
	}
	s->control = control[1];
	s->answer = answer[0];
	s->pid = fork();
	if (!s->pid)
		sidecar_exec(argv, control[0], answer[1], parent);
	close(control[0]);
	close(answer[1]);
	if (s->pid > 0)
		return 0;
	sidecar_close(s);
	return -EAGAIN;
}

static bool readable_in_time(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	int got;

	do {
		got = poll(&ready, 1, PATIENCE_MS);
	} while (got < 0 && errno == EINTR);
	return got > 0;
}

/* Send one command and wait for "ack", or for the end of a perf that died. */
static int sidecar_tell(struct sidecar *s, const char *command)
{
	size_t length = strlen(command);
	char byte = 0;

	if (write(s->control, command, length) != (ssize_t)length)
		return -EPIPE;
	while (byte != '\n') {
		ssize_t got;

		if (!readable_in_time(s->answer))
			return -ETIMEDOUT;
		got = read(s->answer, &byte, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -EPIPE;
	}
	return 0;
}

static void sidecar_end(struct sidecar *s)
{
	int fd = syscall(SYS_pidfd_open, s->pid, 0);

	kill(s->pid, SIGINT);
	if (fd < 0 || !readable_in_time(fd))
		kill(s->pid, SIGKILL);
	if (fd >= 0)
		close(fd);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	sidecar_close(s);
}

static void sidecar_begin(struct sidecar *s, char *const argv[], const char *what)
{
	int err = sidecar_start(s, argv);

	if (!err) {
		err = sidecar_tell(s, "enable\n");
		if (err)
			sidecar_end(s);
	}
	if (err)
		printf("# perf %s did not start: the test runs without it\n", what);
}

static void perf_begin(struct perf *p, bool pmu)
{
	char *stat_argv[] = {
		"perf", "stat", "-a", "-j", "-o", p->stat_path, "-e",
		pmu ? SOFTWARE_EVENTS "," HARDWARE_EVENTS : SOFTWARE_EVENTS,
		"-D", "-1", "--control", "fd:0,1", NULL
	};
	char *record_argv[] = {
		"perf", "record", "-q", "-a", "-F", SAMPLES_PER_SECOND, "-o", p->data_path, "-e",
		pmu ? "cycles:k" : "cpu-clock:kI", "-D", "-1", "--control", "fd:0,1", NULL
	};

	sidecar_begin(&p->record, record_argv, "record");
	sidecar_begin(&p->stat, stat_argv, "stat");
}

/* "  53.85% |[k] read_zero": the separator is perf's, for a symbol may hold spaces. */
int perf_symbol_parse(const char *line, double *percent, char *symbol, size_t size)
{
	const char *bar = strchr(line, '|'), *name;
	char *end;

	*percent = strtod(line, &end);
	if (!bar || end == line || *end != '%' || *percent < 0 || *percent > 100)
		return -EINVAL;
	name = strstr(bar, "[k] ");
	if (!name)
		return -EINVAL;
	name += strlen("[k] ");
	snprintf(symbol, size, "%s", name);
	end = symbol + strlen(symbol);
	while (end > symbol && end[-1] == ' ')
		*--end = '\0';
	return *symbol ? 0 : -EINVAL;
}

static int symbol_write(FILE *file, const char *symbol, double percent)
{
	json_t *line = json_pack("{s:s, s:f}", "symbol", symbol, "percent", percent);
	int err = line ? json_dumpf(line, file, JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6)) : -1;

	json_decref(line);
	return err || fputc('\n', file) == EOF ? -EIO : 0;
}

static int symbols_write(FILE *file, char *report)
{
	char symbol[512], *rest = report, *line;
	unsigned int written = 0;
	double percent;

	while (written < SYMBOLS_MAX && (line = strsep(&rest, "\n"))) {
		if (perf_symbol_parse(line, &percent, symbol, sizeof(symbol)))
			continue;
		if (symbol_write(file, symbol, percent))
			return -EIO;
		written++;
	}
	return 0;
}

static int symbols_make(struct perf *p)
{
	char *argv[] = {
		"perf", "report", "-i", p->data_path, "--stdio", "-q", "-F", "overhead,sym",
		"-t", "|", NULL
	};
	char *report;
	ssize_t length = __command_output(argv, NULL, -1, &report, REPORT_BYTES);
	FILE *file;
	int err;

	if (length < 0)
		return length;
	file = fopen(p->symbols_path, "we");
	if (!file) {
		err = -errno;
		free(report);
		return err;
	}
	err = symbols_write(file, report);
	if (fclose(file) && !err)
		err = -errno;
	free(report);
	return err;
}

static void perf_end(struct perf *p)
{
	int err = 0;

	if (p->stat.pid) {
		sidecar_tell(&p->stat, "disable\n");
		sidecar_end(&p->stat);
	}
	if (p->record.pid) {
		sidecar_tell(&p->record, "disable\n");
		sidecar_end(&p->record);
		err = symbols_make(p);
	}
	if (err)
		printf("# perf report: %s: no kernel symbols of this test\n", strerror(-err));
	if (unlink(p->data_path) && errno != ENOENT)
		printf("# cannot remove %s: %s\n", p->data_path, strerror(errno));
}

static int perf_paths(struct perf *p, const char *boot_dir, unsigned long run, const char *test)
{
	char name[NAME_MAX], dir[PATH_MAX];
	int err = ctl_path(dir, boot_dir, "perf");

	if (!err && mkdir(dir, 0755) && errno != EEXIST)
		err = -errno;
	snprintf(name, sizeof(name), "%lu.%s.stat.json", run, test);
	if (!err)
		err = ctl_path(p->stat_path, dir, name);
	snprintf(name, sizeof(name), "%lu.%s.symbols.jsonl", run, test);
	if (!err)
		err = ctl_path(p->symbols_path, dir, name);
	snprintf(name, sizeof(name), "%lu.%s.data", run, test);
	if (!err)
		err = ctl_path(p->data_path, dir, name);
	return err;
}

static void signal_pass_on(int sig)
{
	if (test_pid > 0)
		kill(test_pid, sig);
}

static void signals_pass_on(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = signal_pass_on };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
	/* A perf that died is seen by what the write returns. */
	signal(SIGPIPE, SIG_IGN);
}

static int child_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return CTL_FAIL;
	return WIFEXITED(status) ? WEXITSTATUS(status) : CTL_FAIL;
}

int perf_around(const char *boot_dir, unsigned long run, const char *test,
		int (*run_it)(void *arg), void *arg)
{
	struct perf *p = calloc(1, sizeof(*p));
	int err = p ? perf_paths(p, boot_dir, run, test) : -ENOMEM;
	int status;

	if (err) {
		free(p);
		return ctl_error("cannot prepare %s/perf: %s", boot_dir, strerror(-err));
	}
	fflush(NULL);
	perf_begin(p, pmu_present());
	fflush(NULL);
	test_pid = fork();
	if (!test_pid) {
		status = run_it(arg);
		exit(status);
	}
	signals_pass_on();
	status = test_pid > 0 ? child_wait(test_pid) : ctl_error("cannot fork");
	test_pid = 0;
	perf_end(p);
	free(p);
	return status;
}

int ctl_perf_check(int argc, char **argv)
{
	struct probe probe = perf_probe();

	(void)argv;
	if (argc != 1)
		return ctl_error("perf-check: no arguments");
	if (probe.answer != PROBE_YES) {
		puts(probe.why);
		return CTL_SKIP;
	}
	probe = need_probe("pmu");
	if (probe.answer != PROBE_YES)
		printf("%s: software events only\n", probe.why);
	return CTL_PASS;
}
