/* SPDX-License-Identifier: GPL-2.0 */
/* cgroup: the control groups that this process is in, at their usual places. */
#ifndef LIBMM_CGROUP_H
#define LIBMM_CGROUP_H

#include <stdbool.h>

/*
 * @group's files are in @mount@group; it is empty for the root that this process can see. @unified:
 * of version 2, whose files have other names than those of version 1.
 */
typedef void cgroup_look(bool unified, const char *mount, const char *group, void *arg);

/*
 * Call @look for each group of @controller that this process is in, and those above it. Returns 0,
 * or -ENOENT when /proc/self/cgroup cannot be read.
 */
int __cgroups_each(const char *controller, cgroup_look *look, void *arg);

#endif
