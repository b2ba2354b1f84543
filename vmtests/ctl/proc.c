// SPDX-License-Identifier: GPL-2.0
/*
 * proc: one child and all that comes of it.
 *
 * A process group is not enough to end a test: the kselftest harness puts every case into a group
 * of its own, and a daemon leaves its session. So this process becomes a subreaper: whatever the
 * test starts stays its descendant, is found through /proc, and is dead before proc_run() returns.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vmtests/procstat.h>

#include "ctl.h"

#define TICK_MS 500
/*
 * More than this between two ticks, and not this process but the machine stood still: a guest that
 * its host paused, a laptop with its lid closed. The clock went on, the test did not.
 */
#define STANDSTILL_MS 10000
/* However busy the machine is: a test that has had its limit this often hangs. */
#define LIMITS_MAX 10
/* A helper that was told to stop may still be on its way out when its parent ends. */
#define STRAY_PATIENCE_MS 1000
#define LINE_BYTES 4096
#define MAX_PROCESSES 65536

struct process {
	pid_t pid, parent;
	uint64_t ticks;		/* of processors, its own and its dead children's */
	char name[32];
};

struct run {
	const struct proc_watch *watch;
	struct proc_end *end;
	pid_t child;
	int output;		/* read end of the child's stdout and stderr, -1 past its end */
	int signals;		/* signalfd */
	sigset_t old_mask;
	bool reaped;
	int64_t start_ms, term_ms;	/* term_ms: when SIGTERM was sent, 0 before */
	int64_t still_ms;		/* of standstills */
	int64_t busy_start_ms;		/* of all processors, since boot */
	int64_t others_ms;		/* that others kept the processors from the test */
	char line[LINE_BYTES];
	size_t line_length;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool process_read(pid_t pid, struct process *p)
{
	struct procstat stat;

	if (__procstat_of(pid, &stat))
		return false;
	p->pid = pid;
	p->parent = stat.parent;
	p->ticks = stat.user_ticks + stat.kernel_ticks + stat.children_ticks;
	snprintf(p->name, sizeof(p->name), "%.31s", stat.name);
	return true;
}

static size_t processes_list(struct process *list, size_t max)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	size_t n = 0;

	if (!proc)
		return 0;
	while (n < max && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && process_read(pid, &list[n]))
			n++;
	}
	closedir(proc);
	return n;
}

/* Move the descendants of @root to the front of @list; returns how many there are. */
static size_t processes_descendants(struct process *list, size_t n, pid_t root)
{
	size_t found = 0;
	bool grew = true;

	while (grew) {
		grew = false;
		for (size_t i = found; i < n; i++) {
			bool ours = list[i].parent == root;

			for (size_t j = 0; !ours && j < found; j++)
				ours = list[i].parent == list[j].pid;
			if (!ours)
				continue;

			struct process swap = list[found];

			list[found++] = list[i];
			list[i] = swap;
			grew = true;
		}
	}
	return found;
}

static void reap_all(struct run *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != r->child)
			continue;
		r->reaped = true;
		r->end->wait_status = status;
	}
}

static bool has_children(void)
{
	siginfo_t info;

	return !waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
}

static void strays_note(struct proc_end *end, const struct process *list, size_t n)
{
	size_t used = 0;

	end->strays += n;
	for (size_t i = 0; i < n && used < sizeof(end->stray_names) - 48; i++)
		used += (size_t)snprintf(end->stray_names + used, sizeof(end->stray_names) - used,
					 "%s%s(%d)", i ? " " : "", list[i].name, (int)list[i].pid);
}

static bool wait_readable(int fd, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, timeout_ms) > 0;
}

static void signals_drain(struct run *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			r->end->interrupted = (int)info.ssi_signo;
}

/* All that this process started, for free(3) by the caller; NULL without memory. */
static struct process *tree_list(size_t *n)
{
	struct process *list = calloc(MAX_PROCESSES, sizeof(*list));

	if (list)
		*n = processes_descendants(list, processes_list(list, MAX_PROCESSES), getpid());
	return list;
}

static void tree_signal(struct proc_end *note, int sig)
{
	size_t n;
	struct process *list = tree_list(&n);

	if (!list)
		return;
	if (note)
		strays_note(note, list, n);
	for (size_t i = 0; i < n; i++)
		kill(list[i].pid, sig);
	free(list);
}

/* SIGKILL every descendant until none is left; forks in between are found by the next round. */
static void tree_kill(struct run *r, struct proc_end *note)
{
	while (has_children()) {
		tree_signal(note, SIGKILL);
		note = NULL;
		wait_readable(r->signals, 100);
		signals_drain(r);
		reap_all(r);
	}
}

static int line_flush(struct run *r)
{
	r->line[r->line_length] = '\0';
	r->line_length = 0;
	return r->watch->line(r->line, r->watch->arg);
}

static int output_take(struct run *r, const char *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (data[i] != '\n')
			r->line[r->line_length++] = data[i] ? data[i] : '?';
		if (data[i] == '\n' || r->line_length == LINE_BYTES - 1) {
			int err = line_flush(r);

			if (err < 0)
				return err;
		}
	}
	return 0;
}

/* Read what is there. At the end of the output the descriptor becomes -1. */
static void output_read(struct run *r)
{
	char data[16384];
	ssize_t got = read(r->output, data, sizeof(data));

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0 && !r->end->line_error)
		r->end->line_error = output_take(r, data, got);
	if (got > 0)
		return;
	if (r->line_length && !r->end->line_error)
		r->end->line_error = line_flush(r);
	close(r->output);
	r->output = -1;
}

/* Before anything is done to them: a signal moves what it meets. */
static void report_stuck(struct run *r)
{
	size_t n;
	struct process *list = tree_list(&n);

	if (!list)
		return;
	for (size_t i = 0; i < n && !r->end->line_error; i++)
		r->end->line_error = stuck_report(list[i].pid, r->watch->line, r->watch->arg);
	free(list);
}

/* Time that the processors did not idle, all together; a host that takes them has them too. */
static int64_t busy_ms(void)
{
	unsigned long long t[8] = { 0 };
	FILE *stat = fopen("/proc/stat", "re");
	int n = 0;

	/* user nice system idle iowait irq softirq steal */
	if (stat) {
		n = fscanf(stat, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2],
			   &t[3], &t[4], &t[5], &t[6], &t[7]);
		fclose(stat);
	}
	if (n != 8)
		return 0;
	return (int64_t)(t[0] + t[1] + t[2] + t[5] + t[6] + t[7]) * 1000 / sysconf(_SC_CLK_TCK);
}

static int64_t timeval_ms(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000 + t.tv_usec / 1000;
}

/* Processor time of all that the test started: of those that are there, and of those waited for. */
static int64_t own_ms(void)
{
	struct rusage ended;
	uint64_t ticks = 0;
	size_t n;
	struct process *list = tree_list(&n);

	for (size_t i = 0; list && i < n; i++)
		ticks += list[i].ticks;
	free(list);
	getrusage(RUSAGE_CHILDREN, &ended);
	return timeval_ms(ended.ru_utime) + timeval_ms(ended.ru_stime) +
	       (int64_t)ticks * 1000 / sysconf(_SC_CLK_TCK);
}

/*
 * Is the limit reached? Only then is it asked how much of the time the processors were others': a
 * look at every process is nothing to do beside a measurement.
 */
static bool limit_reached(struct run *r, int64_t now)
{
	int64_t limit_ms = (int64_t)r->watch->timeout_s * 1000;
	int64_t passed_ms = now - r->start_ms - r->still_ms;

	if (passed_ms < limit_ms)
		return false;
	r->others_ms = (busy_ms() - r->busy_start_ms - own_ms()) / sysconf(_SC_NPROCESSORS_ONLN);
	return passed_ms - r->others_ms >= limit_ms || passed_ms >= LIMITS_MAX * limit_ms;
}

static void others_note(struct run *r)
{
	char line[128];

	if (r->others_ms < 1000)
		return;
	snprintf(line, sizeof(line), "# others had the processors for %.0f s: not counted as time of the test",
		 (double)r->others_ms / 1000);
	if (!r->end->line_error)
		r->end->line_error = r->watch->line(line, r->watch->arg);
}

static void ask_to_stop(struct run *r)
{
	if (r->term_ms)
		return;
	r->term_ms = now_ms();
	tree_signal(NULL, SIGTERM);
}

static void deadlines_check(struct run *r, int64_t now)
{
	if (!r->term_ms && limit_reached(r, now)) {
		r->end->timed_out = true;
		report_stuck(r);
		ask_to_stop(r);
	}
	if (r->term_ms && now - r->term_ms >= (int64_t)r->watch->grace_s * 1000)
		tree_kill(r, NULL);
}

/* @ms went by between two looks at the test. */
static void standstill_note(struct run *r, int64_t ms)
{
	char line[128];

	if (ms < STANDSTILL_MS)
		return;
	r->still_ms += ms;
	snprintf(line, sizeof(line), "# the machine stood still for %.0f s: not counted as time of the test",
		 (double)ms / 1000);
	if (!r->end->line_error)
		r->end->line_error = r->watch->line(line, r->watch->arg);
}

static void watch_child(struct run *r)
{
	int64_t next_tick = r->start_ms + TICK_MS, last = r->start_ms;

	while (!r->reaped) {
		struct pollfd fds[2] = {
			{ .fd = r->signals, .events = POLLIN },
			{ .fd = r->output, .events = POLLIN },
		};
		int64_t now;

		poll(fds, 2, TICK_MS);
		now = now_ms();
		standstill_note(r, now - last);
		if (r->output >= 0 && fds[1].revents)
			output_read(r);
		if (fds[0].revents)
			signals_drain(r);
		if (r->end->interrupted || r->end->line_error)
			ask_to_stop(r);
		deadlines_check(r, now);
		reap_all(r);
		if (now >= next_tick && r->watch->tick) {
			r->watch->tick((double)(now - r->start_ms) / 1000, r->watch->arg);
			next_tick = now + TICK_MS;
		}
		last = now;
	}
}

/* What the child left behind gets a moment to end by itself, then is killed and counted. */
static void watch_strays(struct run *r)
{
	int64_t until = now_ms() + STRAY_PATIENCE_MS;

	while (has_children() && now_ms() < until) {
		if (r->output >= 0 && wait_readable(r->output, 10))
			output_read(r);
		signals_drain(r);
		reap_all(r);
	}
	tree_kill(r, r->term_ms ? NULL : r->end);
	while (r->output >= 0)
		output_read(r);
}

static void watched_signals(sigset_t *mask)
{
	sigemptyset(mask);
	sigaddset(mask, SIGCHLD);
	sigaddset(mask, SIGINT);
	sigaddset(mask, SIGTERM);
	sigaddset(mask, SIGHUP);
}

/* The runner protects itself from the OOM killer; what it starts must stay a candidate. */
static void oom_score_reset(void)
{
	const char *score = getenv("VMTESTS_OOM_SCORE_ADJ");
	int fd = score ? open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	if (write(fd, score, strlen(score)) < 0)
		fprintf(stderr, "# oom_score_adj stays as it is: %s\n", strerror(errno));
	close(fd);
}

static void child_exec(char *const argv[], const struct run *r, int output, pid_t parent)
{
	/* If the runner dies, the test must still put its settings back: TERM, not KILL. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != parent)
		_exit(127);
	setsid();
	sigprocmask(SIG_SETMASK, &r->old_mask, NULL);
	if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(127);
	oom_score_reset();
	execvp(argv[0], argv);
	fprintf(stderr, "# cannot start %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int child_start(struct run *r, char *const argv[])
{
	pid_t parent = getpid();
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	r->start_ms = now_ms();
	r->busy_start_ms = busy_ms();
	r->child = fork();
	if (r->child == 0)
		child_exec(argv, r, pipe_fds[1], parent);
	close(pipe_fds[1]);
	if (r->child < 0 || fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK)) {
		int err = -errno;

		close(pipe_fds[0]);
		return err;
	}
	r->output = pipe_fds[0];
	return 0;
}

bool process_dead(pid_t pid)
{
	char path[64], exe[8];

	/* A zombie that nobody has waited for yet has no program any more. */
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return pid > 0 && readlink(path, exe, sizeof(exe)) < 0 && errno == ENOENT;
}

int proc_run(char *const argv[], const struct proc_watch *watch, struct proc_end *end)
{
	struct run r = { .watch = watch, .end = end, .output = -1 };
	sigset_t mask;
	int err;

	memset(end, 0, sizeof(*end));
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		return -errno;
	watched_signals(&mask);
	if (sigprocmask(SIG_BLOCK, &mask, &r.old_mask))
		return -errno;
	r.signals = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	if (r.signals < 0)
		return -errno;

	err = child_start(&r, argv);
	if (!err) {
		watch_child(&r);
		others_note(&r);
		end->seconds = (double)(now_ms() - r.start_ms) / 1000;
		watch_strays(&r);
	}
	close(r.signals);
	/* SIGINT and its kin stay blocked: the caller ends by itself, with a verdict written. */
	return err;
}
