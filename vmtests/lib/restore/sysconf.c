// SPDX-License-Identifier: GPL-2.0
/*
 * sysconf: settings of the machine, changed only with a way back.
 *
 * Each change is known twice: as a record of the journal on disk and as an undo in memory. The
 * journal is what restores, at exit and by the next start; memory is for the signal handler, which
 * may neither allocate nor parse. Both name the process that made the change: a child inherits the
 * memory but undoes only what is its own.
 *
 * Limits: one thread of a process at a time. A stack overflow gives the signal handler no stack to
 * run on, so the next start restores.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>
#include <vmtests/sysconf.h>

#include "journal.h"


#define STATE_DIR_DEFAULT "/var/lib/vmtests"
#define LOCK_FILE "lock"
#define JOURNAL_FILE "journal"
#define KIND_SETTING "set"
#define KINDS_MAX 16

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

/*
 * What a test of kernel memory may want to change: huge pages of every kind, how memory is
 * reclaimed, compacted, overcommitted and placed, the BPF JIT (whose memory is a lever on the
 * linear map), and what perf and address randomization do to a measurement. Left out: files that
 * start an action when written (drop_caches, compact_memory), which have no value to put back.
 */
static const char * const known_settings[] = {
	"/sys/kernel/mm/hugepages/hugepages-*/nr_hugepages",
	"/sys/kernel/mm/hugepages/hugepages-*/nr_overcommit_hugepages",
	"/sys/kernel/mm/hugepages/hugepages-*/demote_size",
	"/sys/devices/system/node/node*/hugepages/hugepages-*/nr_hugepages",
	"/proc/sys/vm/nr_hugepages",
	"/proc/sys/vm/nr_overcommit_hugepages",
	"/proc/sys/vm/hugetlb_optimize_vmemmap",
	"/sys/kernel/mm/transparent_hugepage/enabled",
	"/sys/kernel/mm/transparent_hugepage/defrag",
	"/sys/kernel/mm/transparent_hugepage/shmem_enabled",
	"/sys/kernel/mm/transparent_hugepage/use_zero_page",
	"/sys/kernel/mm/transparent_hugepage/shrink_underused",
	"/sys/kernel/mm/transparent_hugepage/hugepages-*/enabled",
	"/sys/kernel/mm/transparent_hugepage/hugepages-*/shmem_enabled",
	"/sys/kernel/mm/transparent_hugepage/khugepaged/alloc_sleep_millisecs",
	"/sys/kernel/mm/transparent_hugepage/khugepaged/defrag",
	"/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_*",
	"/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan",
	"/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs",
	"/sys/kernel/mm/ksm/run",
	"/sys/kernel/mm/lru_gen/enabled",
	"/sys/kernel/mm/lru_gen/min_ttl_ms",
	"/sys/kernel/mm/numa/demotion_enabled",
	"/proc/sys/net/core/bpf_jit_enable",
	"/proc/sys/net/core/bpf_jit_harden",
	"/proc/sys/net/core/bpf_jit_limit",
	"/proc/sys/net/core/optmem_max",
	"/proc/sys/vm/compaction_proactiveness",
	"/proc/sys/vm/compact_unevictable_allowed",
	"/proc/sys/vm/defrag_mode",
	"/proc/sys/vm/extfrag_threshold",
	"/proc/sys/vm/max_map_count",
	"/proc/sys/vm/min_free_kbytes",
	"/proc/sys/vm/overcommit_kbytes",
	"/proc/sys/vm/overcommit_memory",
	"/proc/sys/vm/overcommit_ratio",
	"/proc/sys/vm/page-cluster",
	"/proc/sys/vm/percpu_pagelist_high_fraction",
	"/proc/sys/vm/stat_interval",
	"/proc/sys/vm/swappiness",
	"/proc/sys/vm/unprivileged_userfaultfd",
	"/proc/sys/vm/vfs_cache_pressure",
	"/proc/sys/vm/watermark_boost_factor",
	"/proc/sys/vm/watermark_scale_factor",
	"/proc/sys/vm/zone_reclaim_mode",
	"/proc/sys/vm/dirty_background_bytes",
	"/proc/sys/vm/dirty_background_ratio",
	"/proc/sys/vm/dirty_bytes",
	"/proc/sys/vm/dirty_expire_centisecs",
	"/proc/sys/vm/dirty_ratio",
	"/proc/sys/vm/dirty_writeback_centisecs",
	"/proc/sys/kernel/numa_balancing",
	"/proc/sys/kernel/randomize_va_space",
	"/proc/sys/kernel/perf_event_max_sample_rate",
	"/proc/sys/kernel/perf_event_paranoid",
	"/proc/sys/kernel/perf_event_mlock_kb",
	"/proc/sys/kernel/kptr_restrict",
	"/proc/sys/kernel/nmi_watchdog",
	"/proc/sys/kernel/soft_watchdog",
	"/sys/devices/system/cpu/cpu*/online",
	"/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
};

static struct {
	bool open;
	int dir_fd;
	int lock_fd;
	bool lock_is_own;		/* taken here, not inherited */
	int journal_fd;
	pid_t journal_pid;		/* who opened journal_fd */
	struct undo *volatile undos;
	struct {
		char *kind;
		int (*undo)(const char *target, const char *value);
	} kinds[KINDS_MAX];
	size_t kinds_n;
} state = { .dir_fd = -1, .lock_fd = -1, .journal_fd = -1 };

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list args;

	fputs("sysconf: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

static const char *state_dir(void)
{
	static char of_user[PATH_MAX];
	const char *dir = getenv("VMTESTS_STATE_DIR");
	int len;

	if (dir && *dir)
		return dir;
	if (!geteuid())
		return STATE_DIR_DEFAULT;
	dir = getenv("XDG_RUNTIME_DIR");
	len = dir && *dir ? snprintf(of_user, sizeof(of_user), "%s/vmtests", dir) :
			    snprintf(of_user, sizeof(of_user), "/tmp/vmtests-%u", geteuid());
	return len < (int)sizeof(of_user) ? of_user : STATE_DIR_DEFAULT;
}

/* Whoever can write to the state directory decides what root writes to the machine's settings. */
static int owner_check(int fd, mode_t type)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if ((st.st_mode & S_IFMT) != type || st.st_uid != geteuid() ||
	    (st.st_mode & 0022))
		return -EPERM;
	return 0;
}

static int dir_open(void)
{
	int fd, ret;

	if (mkdir(state_dir(), 0700) && errno != EEXIST)
		return -errno;
	fd = open(state_dir(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = owner_check(fd, S_IFDIR);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

static int state_file_open(int dir_fd, const char *name, int flags)
{
	int fd, ret;

	fd = openat(dir_fd, name, flags | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ret = owner_check(fd, S_IFREG);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

/* The descriptor that run_vmtests.sh handed down, or -1 when it gave none or not of this lock. */
static int lock_inherited(const struct stat *lock)
{
	const char *text = getenv("VMTESTS_LOCK_FD");
	struct stat st;
	char *end;
	long fd;

	if (!text || !isdigit((unsigned char)*text))
		return -1;
	fd = strtol(text, &end, 10);
	if (*end || fd > INT_MAX || fstat(fd, &st))
		return -1;
	return st.st_dev == lock->st_dev && st.st_ino == lock->st_ino ? fd : -1;
}

static int lock_write_pid(int fd)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", getpid());
	ssize_t n;

	if (ftruncate(fd, 0))
		return -errno;
	n = pwrite(fd, text, len, 0);
	return n == len ? 0 : n < 0 ? -errno : -EIO;
}

/*
 * A lock of our own, or proof that we inherited one. That a fresh open cannot be locked shows that
 * the lock is held; that the inherited descriptor can, that it is held through that one.
 */
static int lock_take(int dir_fd)
{
	int fd, inherited, ret;
	struct stat st;

	fd = state_file_open(dir_fd, LOCK_FILE, O_RDWR);
	if (fd < 0)
		return fd;
	if (!flock(fd, LOCK_EX | LOCK_NB)) {
		state.lock_is_own = true;
		ret = lock_write_pid(fd);
		goto out;
	}
	state.lock_is_own = false;
	ret = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (ret == -EBUSY && !fstat(fd, &st)) {
		inherited = lock_inherited(&st);
		if (inherited >= 0 && !flock(inherited, LOCK_EX | LOCK_NB)) {
			close(fd);
			return inherited;
		}
	}
out:
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

int sysconf_lock_fd(void)
{
	return state.lock_fd;
}

pid_t sysconf_owner(void)
{
	char text[32] = "";
	int dir_fd, fd, pid = 0;

	dir_fd = open(state_dir(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd < 0)
		return 0;
	fd = openat(dir_fd, LOCK_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	close(dir_fd);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) <= 0 || sscanf(text, "%d", &pid) != 1 || pid < 0)
		pid = 0;
	close(fd);
	return pid;
}

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

static struct undo *undo_find(const char *target)
{
	struct undo *undo;

	for (undo = state.undos; undo; undo = undo->next) {
		if (undo->active && undo->owner == getpid() && !strcmp(undo->target, target))
			return undo;
	}
	return NULL;
}

static void undo_free(struct undo *undo)
{
	free(undo->target);
	free(undo->value);
	free(undo->done_line);
	free(undo);
}

static int undo_new(const char *path, const char *value, const struct journal_owner *owner,
		    struct undo **made)
{
	struct undo *undo = calloc(1, sizeof(*undo));
	int ret = -ENOMEM;

	if (!undo)
		return ret;
	undo->target = strdup(path);
	undo->value = strdup(value);
	undo->done_line = journal_line(KIND_SETTING, path, value, owner, true);
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
static void undo_publish(struct undo *undo)
{
	undo->next = state.undos;
	__atomic_signal_fence(__ATOMIC_RELEASE);
	state.undos = undo;
}

/* Forget what is undone; the handler must not run meanwhile. */
static void undos_collect(void)
{
	struct undo *undo, *next, *kept = NULL, **tail = &kept;
	sigset_t all, old;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	for (undo = state.undos; undo; undo = next) {
		next = undo->next;
		if (!undo->active) {
			undo_free(undo);
			continue;
		}
		undo->next = NULL;
		*tail = undo;
		tail = &undo->next;
	}
	state.undos = kept;
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void undo_done(const char *target, const char *value)
{
	struct undo *undo;

	for (undo = state.undos; undo; undo = undo->next) {
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
	if (n < 0 || (size_t)n != len || state.journal_pid != getpid())
		return;
	/* When this fails the next start undoes it again, which changes nothing. */
	n = write(state.journal_fd, undo->done_line, strlen(undo->done_line));
	(void)n;
}

static void undo_own_now(void)
{
	struct undo *undo;

	for (undo = state.undos; undo; undo = undo->next) {
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
	undo_own_now();
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
static int signals_arm(void)
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

	if (!strcmp(record->kind, KIND_SETTING))
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
	bool setting = !strcmp(record->kind, KIND_SETTING);

	fprintf(stderr, "sysconf: cannot put back %s%s%s to '%s': %s; set it by hand or reboot\n",
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

static int journal_empty_if_done(int fd, const struct journal *journal)
{
	size_t i;

	for (i = 0; i < journal->n; i++) {
		if (!journal->records[i].undone)
			return 0;
	}
	return journal->n && ftruncate(fd, 0) ? -errno : 0;
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
	fprintf(stderr, "sysconf: put back %s to '%s', left changed by a run that was killed\n",
		path, value);
}

static void state_close(void)
{
	if (state.lock_fd >= 0 && state.lock_is_own)
		close(state.lock_fd);
	if (state.journal_fd >= 0)
		close(state.journal_fd);
	if (state.dir_fd >= 0)
		close(state.dir_fd);
	state.lock_fd = -1;
	state.journal_fd = -1;
	state.dir_fd = -1;
	state.journal_pid = 0;
}

int __sysconf_open(void (*recovered)(const char *path, const char *value))
{
	static bool armed;
	int ret, failed;

	if (state.open)
		return 0;

	state.dir_fd = dir_open();
	if (state.dir_fd < 0)
		return state.dir_fd;
	state.lock_fd = lock_take(state.dir_fd);
	if (state.lock_fd < 0) {
		ret = state.lock_fd;
		goto err;
	}
	/* What cannot be put back was reported, stays in the journal, and stops no run. */
	ret = journal_undo(recovered ? recovered : recovered_report, &failed);
	if (ret)
		goto err;

	ret = signals_arm();
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

int __restore_begin(char *reason, size_t len)
{
	int ret = __sysconf_open(NULL);

	if (ret == -EBUSY)
		return libmm_refuse(ret, reason, len,
				    "process %d changes settings of this machine: wait for its end",
				    sysconf_owner());
	if (ret)
		return libmm_refuse(ret, reason, len, "no journal of changed settings in %s: %s",
				    state_dir(), strerror(-ret));
	return 0;
}

void sysconf_open(void)
{
	int ret = __sysconf_open(NULL);

	if (ret == -EBUSY)
		die("another run (pid %d) holds %s/" LOCK_FILE ": wait for it, or end it",
		    sysconf_owner(), state_dir());
	if (ret == -EBADMSG)
		die("%s/" JOURNAL_FILE " is no journal: check what it names, then remove it",
		    state_dir());
	if (ret == -EPERM || ret == -ELOOP || ret == -ENOTDIR)
		die("%s must be user %u's and writable by nobody else: see VMTESTS_STATE_DIR",
		    state_dir(), geteuid());
	if (ret)
		die("cannot use %s (%s): run as root, or set VMTESTS_STATE_DIR to your own",
		    state_dir(), strerror(-ret));
}

static void alarm_ignore(int sig)
{
	(void)sig;
}

/* flock(2) until the alarm interrupts it. */
static int lock_wait(int fd, unsigned int seconds)
{
	struct sigaction action = { .sa_handler = alarm_ignore }, old;
	int ret;

	if (sigaction(SIGALRM, &action, &old))
		return -errno;
	alarm(seconds);
	ret = flock(fd, LOCK_EX) ? -errno : 0;
	alarm(0);
	sigaction(SIGALRM, &old, NULL);
	return ret == -EINTR ? -ETIMEDOUT : ret;
}

int __sysconf_lock_path(char *path, size_t size)
{
	int len = snprintf(path, size, "%s/" LOCK_FILE, state_dir());

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

int __sysconf_wait(unsigned int seconds)
{
	int dir_fd, fd, ret;

	dir_fd = dir_open();
	if (dir_fd < 0)
		return dir_fd;
	fd = state_file_open(dir_fd, LOCK_FILE, O_RDWR);
	close(dir_fd);
	if (fd < 0)
		return fd;
	ret = lock_wait(fd, seconds);
	close(fd);
	return ret;
}

int __restore_save(const char *path)
{
	char value[SETTING_VALUE_MAX], *line = NULL;
	struct journal_owner owner;
	struct undo *undo;
	ssize_t len;
	int ret;

	ret = __sysconf_open(NULL);
	if (ret)
		return ret;
	if (undo_find(path))
		return 0;

	len = __setting_get(path, value, sizeof(value));
	if (len <= 0)
		return len ? len : -EINVAL;
	ret = journal_owner_self(&owner);
	if (!ret)
		ret = undo_new(path, value, &owner, &undo);
	if (ret)
		return ret;

	line = journal_line(KIND_SETTING, path, value, &owner, false);
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
	ret = __sysconf_open(NULL);
	if (ret)
		return ret;
	if (setting_is(path, value))
		return 0;
	ret = __restore_save(path);
	return ret ? ret : __setting_write(path, value, got ? got : now);
}

void restore_set(const char *path, const char *value)
{
	char got[SETTING_VALUE_MAX];
	int ret;

	sysconf_open();
	ret = __restore_set(path, value, got);
	if (ret == -EBADE)
		die("wrote '%s' to %s and the kernel kept '%s'", value, path, got);
	if (ret)
		die("cannot set %s to '%s': %s", path, value, strerror(-ret));
}

/* Without the journal, memory still knows what this process itself changed. */
int __restore_all(void)
{
	int ret, failed;

	if (!state.open)
		return 0;
	ret = journal_undo(NULL, &failed);
	if (ret)
		undo_own_now();
	undos_collect();
	return failed ? failed : ret;
}

void restore_all(void)
{
	int ret = __restore_all();

	if (ret)
		die("not every setting was put back (%s): see above", strerror(-ret));
}

int restore_register(const char *kind, int (*undo)(const char *target, const char *value))
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

int __restore_note(const char *kind, const char *target, const char *value)
{
	struct journal_owner owner;
	char *line;
	int ret;

	if (!*kind || !*target || !*value || !strcmp(kind, KIND_SETTING))
		return -EINVAL;
	ret = __sysconf_open(NULL);
	if (!ret)
		ret = journal_owner_self(&owner);
	if (ret)
		return ret;
	line = journal_line(kind, target, value, &owner, false);
	ret = line ? journal_append_locked(line) : -ENOMEM;
	free(line);
	return ret;
}

/* Settings that cannot be read here, as an ordinary user's, are none that this run can leak. */
static int known_visit(const char *path,
		       int (*visit)(const char *path, const char *value, void *arg), void *arg)
{
	char value[SETTING_VALUE_MAX];

	return __setting_get(path, value, sizeof(value)) < 0 ? 0 : visit(path, value, arg);
}

int sysconf_known_each(int (*visit)(const char *path, const char *value, void *arg), void *arg)
{
	char pattern[SYSFILE_PATH_MAX];
	size_t root_len, i, k;
	glob_t found;
	int ret;

	ret = __sysfile_path(pattern, sizeof(pattern), "");
	if (ret)
		return ret;
	root_len = strlen(pattern);

	for (i = 0; !ret && i < ARRAY_SIZE(known_settings); i++) {
		ret = __sysfile_path(pattern, sizeof(pattern), known_settings[i]);
		if (ret)
			return ret;
		ret = glob(pattern, 0, NULL, &found);
		if (ret == GLOB_NOMATCH) {
			ret = 0;
			continue;
		}
		if (ret)
			return ret == GLOB_NOSPACE ? -ENOMEM : -EIO;
		for (k = 0; !ret && k < found.gl_pathc; k++)
			ret = known_visit(found.gl_pathv[k] + root_len, visit, arg);
		globfree(&found);
	}
	return ret;
}
