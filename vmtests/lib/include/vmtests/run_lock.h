/* SPDX-License-Identifier: GPL-2.0 */
/*
 * run_lock: one run at a time changes this machine.
 *
 * The lock is an flock(2) on STATE/lock (vmtests/journal.h has STATE), which holds the owner's pid
 * in decimal. A test that run_vmtests.sh started inherits the lock as the open file descriptor
 * $VMTESTS_LOCK_FD, which counts only if it is STATE/lock and the lock is held through it.
 */
#ifndef VMTESTS_RUN_LOCK_H
#define VMTESTS_RUN_LOCK_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Take the lock in the state directory @dir_fd, or prove that it was inherited. Returns 0, -EBUSY
 * when another run holds it, or -errno. Releasing leaves one that was inherited alone.
 */
int __run_lock_take(int dir_fd);
void run_lock_release(void);

/*
 * The descriptor that holds the lock, for handing it to a child as $VMTESTS_LOCK_FD (it is
 * close-on-exec); -1 before it is taken.
 */
int run_lock_fd(void);

/* The file that is locked, which all processes of a run have open. Returns 0 or -ENAMETOOLONG. */
int __run_lock_path(char *path, size_t size);

/* Pid in the lock file, 0 when unknown. */
pid_t run_lock_owner(void);

/*
 * Wait until no run holds the lock, at most @seconds from 1 on; it may be taken again at once.
 * Before it is taken here. Returns 0, -ETIMEDOUT, or -errno.
 */
int __run_lock_wait(unsigned int seconds);

#endif
