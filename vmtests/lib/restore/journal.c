// SPDX-License-Identifier: GPL-2.0
/*
 * journal: the back end of libmm/restore.h that survives SIGKILL.
 *
 * Each change is known twice: as a record of the journal on disk and as an undo in memory. The
 * journal is what restores, at exit and by the next start; memory is for the signal handler, which
 * may neither allocate nor parse. Both name the process that made the change: a child inherits the
 * memory but undoes only what is its own.
 *
 * Limits: one thread of a process at a time. A stack overflow gives the signal handler no stack to
 * run on, so the next start restores.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/restore.h>
#include <vmtests/journal.h>
#include <vmtests/run_lock.h>
#include <vmtests/setting.h>

#include "journal_file.h"
#include "state_dir.h"
#include "undos.h"

#define JOURNAL_FILE "journal"
#define KINDS_MAX 16

static struct {
	bool open;
	int dir_fd;
	int journal_fd;
	pid_t journal_pid;		/* who opened journal_fd */
	struct {
		char *kind;
		int (*undo)(const char *target, const char *value);
	} kinds[KINDS_MAX];
	size_t kinds_n;
} state = { .dir_fd = -1, .journal_fd = -1 };

/* Lock the journal against the other processes of this run. Returns its descriptor or -errno. */
static int journal_lock(void)
{
	int fd;

	if (state.journal_pid != getpid()) {
		fd = state_file_open(state.dir_fd, JOURNAL_FILE, O_RDWR | O_APPEND);
		if (fd < 0)
			return fd;
		if (state.journal_fd >= 0)
			close(state.journal_fd);
		state.journal_fd = fd;
		state.journal_pid = getpid();
		undos_journal(fd);
	}
	while (flock(state.journal_fd, LOCK_EX)) {
		if (errno != EINTR)
			return -errno;
	}
	return state.journal_fd;
}

static void journal_unlock(void)
{
	flock(state.journal_fd, LOCK_UN);
}

static int journal_append_locked(const char *line)
{
	int fd, ret;

	fd = journal_lock();
	if (fd < 0)
		return fd;
	ret = journal_append(fd, line);
	journal_unlock();
	return ret;
}

static void exit_restore(void)
{
	__restore_all();
}

static int record_undo_setting(const struct journal_record *record, bool *changed)
{
	char now[SETTING_VALUE_MAX];
	ssize_t len;

	len = __setting_get(record->target, now, sizeof(now));
	if (len < 0)
		return len;
	*changed = !setting_equal(now, record->value);
	return *changed ? __setting_write(record->target, record->value, now) : 0;
}

static int record_undo(const struct journal_record *record, bool *changed)
{
	size_t i;

	if (!strcmp(record->kind, UNDO_SETTING))
		return record_undo_setting(record, changed);

	*changed = true;
	for (i = 0; i < state.kinds_n; i++) {
		if (!strcmp(state.kinds[i].kind, record->kind))
			return state.kinds[i].undo(record->target, record->value);
	}
	return -EOPNOTSUPP;
}

static void record_complain(const struct journal_record *record, int error)
{
	bool setting = !strcmp(record->kind, UNDO_SETTING);

	fprintf(stderr, "restore: cannot put back %s%s%s to '%s': %s; set it by hand or reboot\n",
		setting ? "" : record->kind, setting ? "" : " ", record->target, record->value,
		error == -EOPNOTSUPP ? "this program does not know how" :
		error == -EBADE ? "the kernel kept another value" : strerror(-error));
}

static int record_mark_undone(int fd, struct journal_record *record)
{
	char *line;
	int ret;

	line = journal_line(record->kind, record->target, record->value, &record->owner, true);
	ret = line ? journal_append(fd, line) : -ENOMEM;
	free(line);
	record->undone = !ret;
	return ret;
}

static bool record_is_ours(const struct journal_record *record)
{
	return record->owner.pid == getpid() || !journal_owner_alive(&record->owner);
}

/* Once a process: what cannot be read cannot be undone, and nothing else says so. */
static void damage_complain(const struct journal *journal)
{
	static bool said;

	if (!journal->damaged || said)
		return;
	said = true;
	fprintf(stderr,
		"restore: %s/" JOURNAL_FILE ": damaged, so this is not put back: '%s' and %zu lines more; see what it names, or reboot\n",
		state_dir(), journal->damage, journal->damaged - 1);
}

static int journal_empty_if_done(int fd, const struct journal *journal)
{
	size_t i;

	for (i = 0; i < journal->n; i++) {
		if (!journal->records[i].undone)
			return 0;
	}
	return ftruncate(fd, 0) ? -errno : 0;
}

/*
 * Undo, newest first, what this process or a dead one changed. Returns 0 or the -errno of the
 * journal; the first -errno of a setting, or 0, is in @failed.
 */
static int journal_undo(void (*recovered)(const char *path, const char *value), int *failed)
{
	struct journal_record *record;
	struct journal journal;
	int fd, ret, error;
	bool changed;
	size_t i;

	*failed = 0;
	fd = journal_lock();
	if (fd < 0)
		return fd;
	ret = journal_read(fd, &journal);
	if (!ret)
		damage_complain(&journal);
	for (i = journal.n; !ret && i; i--) {
		record = &journal.records[i - 1];
		if (record->undone || !record_is_ours(record))
			continue;
		changed = false;
		error = record_undo(record, &changed);
		if (error) {
			record_complain(record, error);
			*failed = *failed ? *failed : error;
			continue;
		}
		ret = record_mark_undone(fd, record);
		undo_done(record->target, record->value);
		if (changed && recovered)
			recovered(record->target, record->value);
	}
	if (!ret)
		ret = journal_empty_if_done(fd, &journal);
	journal_free(&journal);
	journal_unlock();
	return ret;
}

static void recovered_report(const char *path, const char *value)
{
	fprintf(stderr, "restore: put back %s to '%s', left changed by a run that was killed\n",
		path, value);
}

static void state_close(void)
{
	run_lock_release();
	if (state.journal_fd >= 0)
		close(state.journal_fd);
	if (state.dir_fd >= 0)
		close(state.dir_fd);
	undos_journal(-1);
	state.journal_fd = -1;
	state.dir_fd = -1;
	state.journal_pid = 0;
}

int __journal_open(void (*recovered)(const char *path, const char *value))
{
	static bool armed;
	int ret, failed;

	if (state.open)
		return 0;

	ret = __run_lock_take();
	if (ret)
		return ret;
	state.dir_fd = state_dir_open();
	if (state.dir_fd < 0) {
		ret = state.dir_fd;
		goto err;
	}
	/* What cannot be put back was reported, stays in the journal, and stops no run. */
	ret = journal_undo(recovered ? recovered : recovered_report, &failed);
	if (ret)
		goto err;

	ret = undos_arm();
	if (!ret && !armed)
		ret = atexit(exit_restore) ? -ENOMEM : 0;
	if (ret)
		goto err;
	armed = true;
	state.open = true;
	return 0;

err:
	state_close();
	return ret;
}

int journal_refuse(int err, char *reason, size_t len)
{
	switch (err) {
	case -EBUSY:
		return libmm_refuse(err, reason, len,
				    "another run (pid %d) holds this machine: wait for it, or end it",
				    run_lock_owner());
	case -EBADMSG:
		return libmm_refuse(err, reason, len,
				    "%s/" JOURNAL_FILE " is of another version: see what it names, then remove it",
				    state_dir());
	case -EPERM:
	case -ELOOP:
	case -ENOTDIR:
		return libmm_refuse(err, reason, len,
				    "%s must be user %u's and writable by nobody else: see VMTESTS_STATE_DIR",
				    state_dir(), geteuid());
	}
	return libmm_refuse(err, reason, len,
			    "cannot keep a journal of changed settings in %s: %s: set VMTESTS_STATE_DIR to a directory of your own",
			    state_dir(), strerror(-err));
}

int __restore_begin(char *reason, size_t len)
{
	int ret = __journal_open(NULL);

	return ret ? journal_refuse(ret, reason, len) : 0;
}

void journal_open(void)
{
	char reason[RESTORE_REASON_MAX];

	if (__restore_begin(reason, sizeof(reason)))
		libmm_fail("restore: %s", reason);
}

int __restore_save(const char *path)
{
	char value[SETTING_VALUE_MAX], *line = NULL;
	struct journal_owner owner;
	struct undo *undo;
	ssize_t len;
	int ret;

	ret = __journal_open(NULL);
	if (ret)
		return ret;
	if (undos_have(path))
		return 0;

	len = __setting_get(path, value, sizeof(value));
	if (len <= 0)
		return len ? len : -EINVAL;
	ret = journal_owner_self(&owner);
	if (!ret)
		ret = undo_new(path, value, &owner, &undo);
	if (ret)
		return ret;

	line = journal_line(UNDO_SETTING, path, value, &owner, false);
	ret = line ? journal_append_locked(line) : -ENOMEM;
	free(line);
	if (ret)
		undo_free(undo);
	else
		undo_publish(undo);
	return ret;
}

int __restore_set(const char *path, const char *value, char *got)
{
	char now[SETTING_VALUE_MAX];
	int ret;

	if (strlen(value) >= sizeof(now))
		return -EOVERFLOW;
	/* The lock first: what another run has set is not what the setting is. */
	ret = __journal_open(NULL);
	if (ret)
		return ret;
	if (setting_is(path, value))
		return 0;
	ret = __restore_save(path);
	return ret ? ret : __setting_write(path, value, got ? got : now);
}

/* Without the journal, memory still knows what this process itself changed. */
int __restore_all(void)
{
	int ret, failed;

	if (!state.open)
		return 0;
	ret = journal_undo(NULL, &failed);
	if (ret)
		undos_now();
	undos_collect();
	return failed ? failed : ret;
}

int journal_register(const char *kind, int (*undo)(const char *target, const char *value))
{
	char *name;
	size_t i;

	for (i = 0; i < state.kinds_n; i++) {
		if (!strcmp(state.kinds[i].kind, kind))
			return 0;
	}
	if (state.kinds_n == KINDS_MAX)
		return -ENOSPC;
	name = strdup(kind);
	if (!name)
		return -ENOSPC;
	state.kinds[state.kinds_n].kind = name;
	state.kinds[state.kinds_n].undo = undo;
	state.kinds_n++;
	return 0;
}

int __journal_note(const char *kind, const char *target, const char *value)
{
	struct journal_owner owner;
	char *line;
	int ret;

	if (!*kind || !*target || !*value || !strcmp(kind, UNDO_SETTING))
		return -EINVAL;
	ret = __journal_open(NULL);
	if (!ret)
		ret = journal_owner_self(&owner);
	if (ret)
		return ret;
	line = journal_line(kind, target, value, &owner, false);
	ret = line ? journal_append_locked(line) : -ENOMEM;
	free(line);
	return ret;
}
