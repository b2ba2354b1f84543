/* SPDX-License-Identifier: GPL-2.0 */
/*
 * run_lock: one run at a time changes this kernel.
 *
 * Settings are the kernel's, so the lock is too: an flock(2) on /proc/self/ns/time, an inode that
 * all processes have in common, in any mount, PID, network or user namespace, and below any root. A
 * container has a time namespace of its own only when it is asked for one; such a run is not seen.
 * Kernels without time namespaces take the next of that directory that they have.
 *
 * A test that run_vmtests.sh started inherits the lock as the open file descriptor
 * $VMTESTS_LOCK_FD, which counts only if it is of that inode and the lock is held through it.
 */
#ifndef VMTESTS_RUN_LOCK_H
#define VMTESTS_RUN_LOCK_H

#include <sys/types.h>

/*
 * Take the lock, or prove that it was inherited. Returns 0, -EBUSY when another run holds it, or
 * -errno. Releasing leaves one that was inherited alone.
 */
int __run_lock_take(void);
void run_lock_release(void);

/*
 * The descriptor that holds the lock, for handing it to a child as $VMTESTS_LOCK_FD (it is
 * close-on-exec); -1 before it is taken.
 */
int run_lock_fd(void);

/* Open what is locked, close-on-exec. Returns a descriptor or -errno. */
int __run_lock_open(void);

/*
 * Who took the lock that is held now. It may have ended since, and left the lock to its children. 0
 * when that cannot be known: outside this PID namespace, or, in one of its own, dead.
 */
pid_t run_lock_owner(void);

/*
 * Wait until no run holds the lock, at most @seconds from 1 on, or for good when 0; it may be taken
 * again at once. Before it is taken here. Returns 0, -ETIMEDOUT, or -errno.
 */
int __run_lock_wait(unsigned int seconds);

#endif
