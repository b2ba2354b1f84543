/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memory: how much of it this process may take.
 *
 * MemAvailable knows no control groups, and a group that is full has an OOM killer of its own.
 * hugetlb's pools are charged to no memory cgroup: for those MemAvailable alone counts.
 */
#ifndef LIBMM_MEMORY_H
#define LIBMM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_GROUP_MAX 256

/* The memory cgroup, of those that this process is in, that leaves least. In bytes. */
struct memory_limit {
	uint64_t limit;
	uint64_t left;		/* page cache that is inactive counts as free */
	char group[MEMORY_GROUP_MAX];
};

/*
 * Cgroups of version 2 and of version 1 at their usual places. Returns 0, or -ENOENT when none has
 * a limit that can be read.
 */
int __memory_limit(struct memory_limit *limit);

/*
 * What new workloads can take without swapping, in bytes: MemAvailable of /proc/meminfo
 * (Documentation/filesystems/proc.rst), or what __memory_limit() leaves if that is less. Returns 0
 * or -errno.
 */
int __memory_available(uint64_t *bytes);

/*
 * vm.panic_on_oom: 0 no, 1 the kernel panics where it would end a process because the whole machine
 * is out of memory, 2 also for a memory cgroup that is. 0 where it cannot be read. Source:
 * Documentation/admin-guide/sysctl/vm.rst.
 */
int memory_panic_on_oom(void);

/*
 * Whether DAMON watches memory, by whose word cold pages may be reclaimed while there is memory
 * enough. Source: Documentation/admin-guide/mm/damon/usage.rst.
 */
bool memory_damon_on(void);

#endif
