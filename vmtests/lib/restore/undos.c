// SPDX-License-Identifier: GPL-2.0
/*
 * undos: in memory, what a signal handler puts back.
 *
 * The handler may neither allocate nor parse: all that it needs is made before the change.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/sysfile.h>

#include "undos.h"

/* One change, for the signal handler; newest first. */
struct undo {
	struct undo *next;
	char file[SYSFILE_PATH_MAX];	/* below $LIBMM_ROOT already */
	char *target;
	char *value;
	char *done_line;
	pid_t owner;
	volatile sig_atomic_t active;
};

/* Signals that do not end a process unless it asks for that, and those that nothing can catch. */
static const int signals_harmless[] = {
	SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGTSTP, SIGTTIN, SIGTTOU, SIGSTOP, SIGKILL,
};

static struct undo *volatile undos;
static int journal_fd = -1;
static pid_t journal_pid;	/* who opened it */

void undos_journal(int fd)
{
	journal_fd = fd;
	journal_pid = fd < 0 ? 0 : getpid();
}

bool undos_have(const char *path)
{
	struct undo *undo;

	for (undo = undos; undo; undo = undo->next) {
		if (undo->active && undo->owner == getpid() && !strcmp(undo->target, path))
			return true;
	}
	return false;
}

void undo_free(struct undo *undo)
{
	free(undo->target);
	free(undo->value);
	free(undo->done_line);
	free(undo);
}

int undo_new(const char *path, const char *value, const struct journal_owner *owner,
	     struct undo **made)
{
	struct undo *undo = calloc(1, sizeof(*undo));
	int ret = -ENOMEM;

	if (!undo)
		return ret;
	undo->target = strdup(path);
	undo->value = strdup(value);
	undo->done_line = journal_line(UNDO_SETTING, path, value, owner, true);
	undo->owner = owner->pid;
	undo->active = 1;
	if (undo->target && undo->value && undo->done_line)
		ret = __sysfile_path(undo->file, sizeof(undo->file), path);
	if (ret) {
		undo_free(undo);
		return ret;
	}
	*made = undo;
	return 0;
}

/* The handler sees an undo only when it is whole. */
void undo_publish(struct undo *undo)
{
	undo->next = undos;
	__atomic_signal_fence(__ATOMIC_RELEASE);
	undos = undo;
}

/* Forget what is undone; the handler must not run meanwhile. */
void undos_collect(void)
{
	struct undo *undo, *next, *kept = NULL, **tail = &kept;
	sigset_t all, old;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	for (undo = undos; undo; undo = next) {
		next = undo->next;
		if (!undo->active) {
			undo_free(undo);
			continue;
		}
		undo->next = NULL;
		*tail = undo;
		tail = &undo->next;
	}
	undos = kept;
	sigprocmask(SIG_SETMASK, &old, NULL);
}

void undo_done(const char *target, const char *value)
{
	struct undo *undo;

	for (undo = undos; undo; undo = undo->next) {
		if (undo->active && undo->owner == getpid() && !strcmp(undo->target, target) &&
		    !strcmp(undo->value, value)) {
			undo->active = 0;
			return;
		}
	}
}

/* Async-signal-safe: open(2), write(2), close(2) and memory that is set up before. */
static void undo_now(const struct undo *undo)
{
	int fd = open(undo->file, O_WRONLY | O_TRUNC | O_CLOEXEC);
	size_t len = strlen(undo->value);
	ssize_t n;

	if (fd < 0)
		return;
	n = write(fd, undo->value, len);
	close(fd);
	if (n < 0 || (size_t)n != len || journal_pid != getpid())
		return;
	/* When this fails the next start undoes it again, which changes nothing. */
	n = write(journal_fd, undo->done_line, strlen(undo->done_line));
	(void)n;
}

void undos_now(void)
{
	struct undo *undo;

	for (undo = undos; undo; undo = undo->next) {
		if (undo->active && undo->owner == getpid()) {
			undo_now(undo);
			undo->active = 0;
		}
	}
}

/*
 * Every signal is blocked here and SA_RESETHAND has put the default action back, so the signal
 * raised again ends the process as it would have without a handler once this returns.
 */
static void signal_restore(int sig)
{
	undos_now();
	raise(sig);
}

static bool signal_is_harmless(int sig)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals_harmless); i++) {
		if (signals_harmless[i] == sig)
			return true;
	}
	return false;
}

/* What the program ignores or handles itself is left to it. */
int undos_arm(void)
{
	struct sigaction old, action = {
		.sa_handler = signal_restore,
		.sa_flags = SA_RESETHAND | SA_ONSTACK,
	};
	int sig;

	sigfillset(&action.sa_mask);
	for (sig = 1; sig <= SIGRTMAX; sig++) {
		/* Those between belong to the C library. */
		if (signal_is_harmless(sig) || (sig >= __SIGRTMIN && sig < SIGRTMIN))
			continue;
		if (sigaction(sig, NULL, &old))
			return -errno;
		if (old.sa_handler != SIG_DFL || old.sa_flags & SA_SIGINFO)
			continue;
		if (sigaction(sig, &action, NULL))
			return -errno;
	}
	return 0;
}
