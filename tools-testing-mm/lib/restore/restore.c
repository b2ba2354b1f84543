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
#include <libmm/sysfile.h>

struct change {
	struct change *next;	/* the one before it */
	pid_t owner;
	char path[SYSFILE_PATH_MAX];
	char value[SETTING_VALUE_MAX];
};

static const int ending_signals[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGALRM, SIGTERM,
};

static struct change *changes;

/* The value, or the word of "a [b] c" that is in brackets. Returns its length or -errno. */
static ssize_t value_read(const char *path, char *value)
{
	ssize_t len = __sysfile_read(path, value, SETTING_VALUE_MAX);
	char *open = len < 0 ? NULL : strchr(value, '[');
	char *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return len;
	*close = '\0';
	memmove(value, open + 1, close - open);
	return close - open - 1;
}

static bool value_is(const char *path, const char *value)
{
	char now[SETTING_VALUE_MAX];

	return value_read(path, now) >= 0 && !strcmp(now, value);
}

static int undo(const struct change *change)
{
	return value_is(change->path, change->value) ? 0 :
	       __sysfile_write(change->path, change->value);
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
		err = undo(change);
		if (err)
			fprintf(stderr, "# cannot put back %s to '%s': %s\n", change->path,
				change->value, strerror(-err));
		ret = ret ? ret : err;
		*link = change->next;
		free(change);
	}
	return ret;
}

static void at_exit(void)
{
	__restore_all();
}

/* Nothing is freed: the signal may have interrupted malloc(3). */
static void on_signal(int sig)
{
	const struct change *change;

	for (change = changes; change; change = change->next) {
		if (change->owner == getpid())
			undo(change);
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
		if (old.sa_handler == SIG_DFL && sigaction(ending_signals[i], &action, NULL))
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

static bool is_saved(const char *path)
{
	const struct change *change;

	for (change = changes; change; change = change->next) {
		if (change->owner == getpid() && !strcmp(change->path, path))
			return true;
	}
	return false;
}

int __restore_save(const char *path)
{
	char reason[RESTORE_REASON_MAX];
	struct change *change;
	ssize_t len;
	int err;

	if (is_saved(path))
		return 0;
	err = __restore_begin(reason, sizeof(reason));
	if (err)
		return err;
	change = malloc(sizeof(*change));
	if (!change)
		return -ENOMEM;
	len = value_read(path, change->value);
	if (len <= 0) {
		free(change);
		return len ? len : -EINVAL;
	}
	snprintf(change->path, sizeof(change->path), "%s", path);
	change->owner = getpid();
	/* The handler sees a change only when it is whole. */
	change->next = changes;
	__atomic_signal_fence(__ATOMIC_RELEASE);
	changes = change;
	return 0;
}

int __restore_set(const char *path, const char *value, char *got)
{
	char kept[SETTING_VALUE_MAX];
	int err;

	if (strlen(value) >= sizeof(kept))
		return -EOVERFLOW;
	if (value_is(path, value))
		return 0;
	err = __restore_save(path);
	if (!err)
		err = __sysfile_write(path, value);
	if (err)
		return err;
	err = value_read(path, got ? got : kept);
	if (err < 0)
		return err;
	return strcmp(got ? got : kept, value) ? -EBADE : 0;
}
