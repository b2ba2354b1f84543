/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sysconf: settings of the machine, changed only with a way back.
 *
 * The old value of a setting is written to a journal and synced before the first change; every
 * write is read back; the old values are written back in reverse order by sysconf_restore(), at
 * exit, on every signal that ends the process, and, when the process had no chance (SIGKILL), by
 * whoever opens the journal next in the same boot. A journal of another boot is dropped: none of
 * these settings outlives a boot.
 *
 * The journal and the lock live in $VMTESTS_STATE_DIR, by default /var/lib/vmtests. One run at a
 * time: the lock is an flock(2) on STATE/lock, which holds the owner's pid in decimal. A test that
 * run_vmtests.sh started inherits the lock as the open file descriptor $VMTESTS_LOCK_FD.
 *
 * Journal, one record a line, fields separated by one space, bytes outside [!-~] and '%' as %XX:
 *   vmtests-journal 1 BOOT_ID
 *   set PATH OLD_VALUE
 * Further record kinds (mounts, mappings) are added with sysconf_undo_register().
 */
#ifndef LIBMM_SYSCONF_H
#define LIBMM_SYSCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SYSCONF_VALUE_MAX 256

/*
 * Take the lock (or prove that it was inherited), restore what a dead predecessor left, and arm the
 * exit and signal handlers. @recovered, if not NULL, is called once for every setting put back.
 * Called implicitly by the first sysconf_set(). Returns 0, -EBUSY when another run holds the lock
 * (sysconf_owner() has its pid), or -errno.
 */
int __sysconf_open(void (*recovered)(const char *path, const char *value));
void sysconf_open(void);

/* Pid in the lock file, 0 when unknown. */
pid_t sysconf_owner(void);

/*
 * Note the present value of @path in the journal unless it is there already. For callers that
 * then write through a file descriptor of their own (hot paths). Returns 0 or -errno.
 */
int __sysconf_save(const char *path);

/*
 * Save, write @value, read back. A file of the "a [b] c" kind reads back as the bracketed word.
 * Returns 0; -EBADE when the kernel kept another value, which is then in @got if that is not NULL
 * (SYSCONF_VALUE_MAX bytes); or -errno.
 */
int __sysconf_set(const char *path, const char *value, char *got);
void sysconf_set(const char *path, const char *value);

/* Present value, as read back above. Returns its length or -errno. */
ssize_t __sysconf_get(const char *path, char *buf, size_t size);

/*
 * Write every saved value back, newest first, check each, and empty the journal. Returns 0, or the
 * -errno of the first that could not be restored; the rest are restored all the same and the
 * failing ones stay in the journal.
 */
int __sysconf_restore(void);
void sysconf_restore(void);

/*
 * Another kind of thing to undo: @undo gets the target of a "KIND TARGET VALUE" record. It runs
 * from sysconf_restore() and from recovery, not from a signal handler. Returns 0 or -ENOSPC.
 */
int sysconf_undo_register(const char *kind, int (*undo)(const char *target, const char *value));
int __sysconf_journal(const char *kind, const char *target, const char *value);

/* Every setting that the suite may change and this machine has; for leak checks and run.json. */
int sysconf_known_each(int (*visit)(const char *path, const char *value, void *arg), void *arg);

#endif
