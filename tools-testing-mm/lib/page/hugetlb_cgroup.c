// SPDX-License-Identifier: GPL-2.0
/* hugetlb: what cgroups leave. Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/hugetlb.rst. */
#include <stdio.h>

#include <libmm/base.h>
#include <libmm/cgroup.h>
#include <libmm/hugetlb.h>
#include <libmm/sysfile.h>

/* Charges are of pages in use, and of reserved ones. */
static const char *const charges[] = { "", "rsvd." };

/* "2MB", as mem_fmt() of mm/hugetlb_cgroup.c has it. */
static void size_name(uint64_t size, char *name, size_t len)
{
	unsigned int shift = size >= UINT64_C(1) << 30 ? 30 : size >= 1 << 20 ? 20 : 10;

	snprintf(name, len, "%lu%cB", (unsigned long)(size >> shift), "KMG"[shift / 10 - 1]);
}

struct room {
	char pages[32];		/* the size's name */
	uint64_t least;
};

/* A group without a limit says "max", which is no number. */
static void group_look(bool unified, const char *mount, const char *group, void *arg)
{
	struct room *room = arg;
	uint64_t limit, used;
	char path[SYSFILE_PATH_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(charges); i++) {
		int end = snprintf(path, sizeof(path), "%s%s/hugetlb.%s.%s", mount, group,
				   room->pages, charges[i]);

		snprintf(path + end, sizeof(path) - end, unified ? "max" : "limit_in_bytes");
		if (__sysfile_read_u64(path, &limit))
			continue;
		snprintf(path + end, sizeof(path) - end, unified ? "current" : "usage_in_bytes");
		if (__sysfile_read_u64(path, &used) || used > limit)
			used = limit;
		if (limit - used < room->least)
			room->least = limit - used;
	}
}

uint64_t hugetlb_cgroup_room(uint64_t size)
{
	struct room room = { .least = UINT64_MAX };

	size_name(size, room.pages, sizeof(room.pages));
	__cgroups_each("hugetlb", group_look, &room);
	return room.least;
}
