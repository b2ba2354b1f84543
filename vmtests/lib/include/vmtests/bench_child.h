/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bench_child: a child that does nothing until it is let go, so that what fork() costs and what the
 * child's exit costs can be timed apart.
 */
#ifndef VMTESTS_BENCH_CHILD_H
#define VMTESTS_BENCH_CHILD_H

#include <sys/types.h>

/* All zero: no child. */
struct bench_child {
	pid_t pid;
	int release;		/* closing it lets the child exit */
};

/* Returns 0 or -errno, and then there is no child. */
int __bench_child_fork(struct bench_child *child);

/* Let it go and wait for its end. Returns 0, -ECHILD when it did not exit with 0, or -errno. */
int __bench_child_exit(struct bench_child *child);

/* End one that may be there. */
void bench_child_kill(struct bench_child *child);

#endif
