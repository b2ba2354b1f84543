/* SPDX-License-Identifier: GPL-2.0 */
/*
 * journal: the back end of libmm/restore.h that survives SIGKILL.
 *
 * The old value of a setting is written to a journal and synced before the first change; every
 * write is read back; the old values are written back in reverse order by restore_all(), at
 * exit, on every signal that ends the process, and, when the process had no chance (SIGKILL), by
 * whoever opens the journal next in the same boot. A journal of another boot is dropped: none of
 * these settings outlives a boot. The value that was there before the first change wins, whoever
 * changed the setting in between.
 *
 * Whose changes: a change belongs to the process that made it. Exit and restore_all() undo what
 * the calling process changed and what processes that are dead by now left; never what belongs to
 * another living process. So a child that exits leaves its parent's settings alone; what it changed
 * and left behind by _exit(2), abort(3) under a handler of its own, or SIGKILL is undone by the
 * next restore_all() or exit of a process of the same run, or by the next start. A signal
 * handler undoes, from memory, only what its own process changed.
 *
 * Signals: a handler is set, at open, for each signal whose default action ends the process and
 * that is at its default. A signal that the program ignores or handles stays its own: it must leave
 * by exit(3), or the next start restores. A handler set later over this one does the same. After
 * restoring, the signal is raised again with its default action, so the exit status is true.
 *
 * The journal lives in $VMTESTS_STATE_DIR, by default /var/lib/vmtests, for an ordinary
 * user $XDG_RUNTIME_DIR/vmtests or else /tmp/vmtests-UID, created with mode 0700; it is refused
 * when it is a symbolic link, of another user, or writable by others. One run at a time:
 * vmtests/run_lock.h.
 *
 * Journal, one record a line, fields separated by one space, bytes outside [!-~] and '%' as %XX;
 * OWNER is PID.STARTTIME (clock ticks since boot):
 *   vmtests-journal 1 BOOT_ID
 *   set PATH OLD_VALUE OWNER
 *   done set PATH OLD_VALUE OWNER       that record is undone
 * Further record kinds (vmtests/undo.h) are added with journal_register(). The journal is emptied
 * when everything in it is undone. Of a damaged one, which a power cut leaves, what can be read is
 * undone, and the rest is named on stderr.
 *
 * Not for several threads of one process at a time.
 */
#ifndef VMTESTS_JOURNAL_H
#define VMTESTS_JOURNAL_H

#include <libmm/restore.h>

/*
 * Take the lock (or prove that it was inherited), restore what a dead predecessor left, and arm the
 * exit and signal handlers. @recovered is called once for every setting put back; NULL writes a
 * line to stderr instead. Called implicitly by the first restore_set(). What cannot be put back is
 * reported on stderr and is no failure. Returns 0; -EBUSY when another run holds the lock
 * (run_lock_owner() has its pid); -EBADMSG when the journal is of another version; -EPERM when the
 * state directory is not safe (above); or -errno.
 */
int __journal_open(void (*recovered)(const char *path, const char *value));
void journal_open(void);

/* Put one sentence into @reason: why __journal_open() returned @err. Returns @err. */
int journal_refuse(int err, char *reason, size_t len);

/*
 * Changes that are no setting: @undo gets the target and value that __journal_note() was given
 * under the same @kind, before the change is made, and returns 0 or -errno. Undoing what was never
 * made, or is gone already, is success. It runs from restore_all(), exit and recovery, not from a
 * signal handler; a record stays in the journal when the program does not know its kind. Register
 * before opening. Returns 0, -ENOSPC for too many kinds, or for __journal_note() -EINVAL for an
 * empty field.
 */
int journal_register(const char *kind, int (*undo)(const char *target, const char *value));
int __journal_note(const char *kind, const char *target, const char *value);

/*
 * From here on, registered kinds are undone on signals too, not only settings: the caller goes on
 * in a child, see vmtests/undo.h. Call it before threads are made and before anything is changed.
 * Returns 0 or -errno.
 */
int __journal_guard(void);

#endif
