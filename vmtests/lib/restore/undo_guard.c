// SPDX-License-Identifier: GPL-2.0
/*
 * undo_guard: a parent that undoes what its child built, however the child ends.
 *
 * The child has a process group of its own, so that a terminal's SIGINT reaches the guard alone and
 * the guard can kill the child with everything that it started. The guard is their subreaper and
 * waits for every one of them: only then is nothing in use any more.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmtests/journal.h>
#include <vmtests/undo.h>

static const int ending_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

/* SIGCHLD, and of those above what the caller does not ignore, as nohup(1) does SIGHUP. */
static int watched_signals(sigset_t *set)
{
	struct sigaction action;

	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(*ending_signals); i++) {
		if (sigaction(ending_signals[i], NULL, &action))
			return -errno;
		if (action.sa_handler != SIG_IGN)
			sigaddset(set, ending_signals[i]);
	}
	return 0;
}

/* Reap what has ended. Whether @child has, with @status. */
static bool children_reap(pid_t child, int *status)
{
	bool ended = false;
	int any;
	pid_t pid;

	while ((pid = waitpid(-1, &any, WNOHANG)) > 0) {
		if (pid != child)
			continue;
		*status = any;
		ended = true;
	}
	return ended;
}

/* Until the child has ended. Returns the signal that made the guard end it, or 0. */
static int child_watch(pid_t child, const sigset_t *watched, int *status)
{
	int ending = 0;

	while (!children_reap(child, status)) {
		int sig = sigwaitinfo(watched, NULL);

		if (sig <= 0 || sig == SIGCHLD)
			continue;
		ending = sig;
		kill(-child, SIGKILL);
	}
	return ending;
}

static void group_end(pid_t group)
{
	kill(-group, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

/* End by @sig, with its default action, whatever handler there is. */
static void __attribute__((noreturn)) end_by(int sig)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t set;

	/* The core that tells something is the child's. */
	setrlimit(RLIMIT_CORE, &no_core);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(128 + sig);
}

static void __attribute__((noreturn)) guard(pid_t child, const sigset_t *watched)
{
	int status = 0, ending;

	ending = child_watch(child, watched, &status);
	/* A child that ended by itself answers for what it left running: its parent's to find. */
	if (ending || !WIFEXITED(status))
		group_end(child);
	__restore_all();
	if (ending)
		end_by(ending);
	if (WIFSIGNALED(status))
		end_by(WTERMSIG(status));
	_exit(WEXITSTATUS(status));
}

static void child_begin(pid_t parent, const sigset_t *mask)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || setpgid(0, 0) || getppid() != parent)
		_exit(EXIT_FAILURE);
	sigprocmask(SIG_SETMASK, mask, NULL);
}

int __journal_guard(void)
{
	static bool guarded;
	pid_t parent = getpid(), child;
	sigset_t watched, mask;
	int ret;

	if (guarded)
		return 0;
	ret = __journal_open(NULL);
	if (!ret)
		ret = watched_signals(&watched);
	if (ret)
		return ret;
	/* Whoever ignores SIGCHLD has nothing to wait for. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || signal(SIGCHLD, SIG_DFL) == SIG_ERR ||
	    sigprocmask(SIG_BLOCK, &watched, &mask))
		return -errno;
	fflush(NULL);
	child = fork();
	if (child > 0) {
		setpgid(child, child);
		guard(child, &watched);
	}
	ret = child < 0 ? -errno : 0;
	if (!child)
		child_begin(parent, &mask);
	else
		sigprocmask(SIG_SETMASK, &mask, NULL);
	guarded = !ret;
	return ret;
}
