// SPDX-License-Identifier: GPL-2.0
/*
 * restore: the back end that needs nothing but the test's own process.
 *
 * Limits: SIGKILL leaves the machine changed, as it does with any test that changes settings.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/restore.h>

#define KINDS_MAX 8

typedef int (*undo_fn)(const char *target, const char *value);

struct change {
	struct change *next;	/* the one before it */
	undo_fn undo;
	char *target;
	char *value;
	pid_t owner;
};

static const int ending_signals[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGALRM, SIGTERM,
};

static struct {
	const char *name;
	undo_fn undo;
} kinds[KINDS_MAX];

static struct change *changes;

static int setting_undo(const char *path, const char *value)
{
	char got[SETTING_VALUE_MAX];

	return setting_is(path, value) ? 0 : __setting_write(path, value, got);
}

int __restore_all(void)
{
	struct change *change, **link = &changes;
	int err, ret = 0;

	while ((change = *link)) {
		if (change->owner != getpid()) {
			link = &change->next;
			continue;
		}
		err = change->undo(change->target, change->value);
		if (err)
			fprintf(stderr, "# cannot put back %s to '%s': %s\n", change->target,
				change->value, strerror(-err));
		ret = ret ? ret : err;
		*link = change->next;
		free(change->target);
		free(change->value);
		free(change);
	}
	return ret;
}

void restore_all(void)
{
	int err = __restore_all();

	if (err)
		libmm_fail("restore: not every change was put back (%s): see above",
			   strerror(-err));
}

static void at_exit(void)
{
	__restore_all();
}

/*
 * The list is whole at any moment, but free(3) in a handler may deadlock where the signal
 * interrupted malloc(3). So nothing is freed here: SA_RESETHAND makes this the last thing to run.
 */
static void on_signal(int sig)
{
	const struct change *change;

	for (change = changes; change; change = change->next) {
		if (change->owner == getpid())
			change->undo(change->target, change->value);
	}
	changes = NULL;
	raise(sig);
}

/* What the test ignores or handles itself is left to it. */
static int signals_arm(void)
{
	struct sigaction old, action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	size_t i;

	sigfillset(&action.sa_mask);
	for (i = 0; i < ARRAY_SIZE(ending_signals); i++) {
		if (sigaction(ending_signals[i], NULL, &old))
			return -errno;
		if (old.sa_handler != SIG_DFL || old.sa_flags & SA_SIGINFO)
			continue;
		if (sigaction(ending_signals[i], &action, NULL))
			return -errno;
	}
	return 0;
}

int __restore_begin(char *reason, size_t len)
{
	static bool armed;
	int err;

	if (armed)
		return 0;
	err = atexit(at_exit) ? -ENOMEM : signals_arm();
	if (err)
		return libmm_refuse(err, reason, len, "no handler to restore settings: %s",
				    strerror(-err));
	armed = true;
	return 0;
}

static int change_add(undo_fn undo, const char *target, const char *value)
{
	char reason[RESTORE_REASON_MAX];
	struct change *change;
	int err;

	err = __restore_begin(reason, sizeof(reason));
	if (err)
		return err;
	change = calloc(1, sizeof(*change));
	if (!change)
		return -ENOMEM;
	change->undo = undo;
	change->target = strdup(target);
	change->value = strdup(value);
	change->owner = getpid();
	if (!change->target || !change->value) {
		free(change->target);
		free(change->value);
		free(change);
		return -ENOMEM;
	}
	change->next = changes;
	__atomic_signal_fence(__ATOMIC_RELEASE);
	changes = change;
	return 0;
}

static bool is_saved(const char *path)
{
	const struct change *change;

	for (change = changes; change; change = change->next) {
		if (change->owner == getpid() && change->undo == setting_undo &&
		    !strcmp(change->target, path))
			return true;
	}
	return false;
}

int __restore_save(const char *path)
{
	char value[SETTING_VALUE_MAX];
	ssize_t len;

	if (is_saved(path))
		return 0;
	len = __setting_get(path, value, sizeof(value));
	if (len <= 0)
		return len ? len : -EINVAL;
	return change_add(setting_undo, path, value);
}

int __restore_set(const char *path, const char *value, char *got)
{
	char kept[SETTING_VALUE_MAX];
	int err;

	if (setting_is(path, value))
		return 0;
	err = __restore_save(path);
	return err ? err : __setting_write(path, value, got ? got : kept);
}

void restore_set(const char *path, const char *value)
{
	char got[SETTING_VALUE_MAX];
	int err = __restore_set(path, value, got);

	if (err == -EBADE)
		libmm_fail("restore: wrote '%s' to %s and the kernel kept '%s'", value, path, got);
	if (err)
		libmm_fail("restore: cannot set %s to '%s': %s", path, value, strerror(-err));
}

int restore_register(const char *kind, undo_fn undo)
{
	size_t i;

	for (i = 0; i < KINDS_MAX; i++) {
		if (kinds[i].name && strcmp(kinds[i].name, kind))
			continue;
		kinds[i].name = kind;
		kinds[i].undo = undo;
		return 0;
	}
	return -ENOSPC;
}

int __restore_note(const char *kind, const char *target, const char *value)
{
	size_t i;

	if (!*target || !*value)
		return -EINVAL;
	for (i = 0; i < KINDS_MAX && kinds[i].name; i++) {
		if (!strcmp(kinds[i].name, kind))
			return change_add(kinds[i].undo, target, value);
	}
	return -EINVAL;
}

/* The handler above undoes all kinds. */
int __restore_guard(void)
{
	char reason[RESTORE_REASON_MAX];

	return __restore_begin(reason, sizeof(reason));
}
