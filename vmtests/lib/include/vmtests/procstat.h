/* SPDX-License-Identifier: GPL-2.0 */
/* procstat: what /proc/PID/stat says of a process or a thread. Source: proc_pid_stat(5). */
#ifndef VMTESTS_PROCSTAT_H
#define VMTESTS_PROCSTAT_H

#include <stdint.h>
#include <sys/types.h>

#define PROCSTAT_NAME_MAX 65	/* threads of the kernel have longer names than TASK_COMM_LEN */

struct procstat {
	char name[PROCSTAT_NAME_MAX];
	char state;		/* R, S, D, Z, ... */
	pid_t parent;
	uint64_t user_ticks;	/* of sysconf(_SC_CLK_TCK) */
	uint64_t kernel_ticks;
	uint64_t children_ticks;	/* both, of children that it has waited for */
	uint64_t start;		/* ticks after boot */
	int cpu;		/* where it ran last */
};

/*
 * @dir is /proc/PID or /proc/PID/task/TID, of the kernel's own /proc whatever $LIBMM_ROOT says.
 * Returns 0, -errno of open(2), -ESRCH when it ended meanwhile, or -EINVAL.
 */
int __procstat_read(const char *dir, struct procstat *stat);
int __procstat_of(pid_t pid, struct procstat *stat);

#endif
