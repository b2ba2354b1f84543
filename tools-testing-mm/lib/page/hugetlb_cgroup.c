// SPDX-License-Identifier: GPL-2.0
/* hugetlb: what cgroups leave. Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/hugetlb.rst. */
#include <stdio.h>
#include <string.h>

#include <libmm/base.h>
#include <libmm/hugetlb.h>
#include <libmm/sysfile.h>

/* Of version 2 and 1: what stands between ID and GROUP in /proc/self/cgroup, and the files. */
static const struct hierarchy {
	const char *controllers, *mount, *limit, *used;
} hierarchies[] = {
	{ "::", "/sys/fs/cgroup", "max", "current" },
	{ ":hugetlb:", "/sys/fs/cgroup/hugetlb", "limit_in_bytes", "usage_in_bytes" },
};

/* Charges are of pages in use, and of reserved ones. */
static const char *const charges[] = { "", "rsvd." };

/* "2MB", as mem_fmt() of mm/hugetlb_cgroup.c has it. */
static void size_name(uint64_t size, char *name, size_t len)
{
	unsigned int shift = size >= UINT64_C(1) << 30 ? 30 : size >= 1 << 20 ? 20 : 10;

	snprintf(name, len, "%lu%cB", (unsigned long)(size >> shift), "KMG"[shift / 10 - 1]);
}

/* A group without a limit says "max", which is no number. */
static uint64_t group_leaves(const struct hierarchy *h, const char *group, const char *pages)
{
	uint64_t limit, used, least = UINT64_MAX;
	char path[SYSFILE_PATH_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(charges); i++) {
		int end = snprintf(path, sizeof(path), "%s%s/hugetlb.%s.%s", h->mount, group, pages,
				   charges[i]);

		snprintf(path + end, sizeof(path) - end, "%s", h->limit);
		if (__sysfile_read_u64(path, &limit))
			continue;
		snprintf(path + end, sizeof(path) - end, "%s", h->used);
		if (__sysfile_read_u64(path, &used) || used > limit)
			used = limit;
		if (limit - used < least)
			least = limit - used;
	}
	return least;
}

/* @line's group and those above it. @line is cut. */
static uint64_t line_leaves(const struct hierarchy *h, char *line, const char *pages)
{
	char *end, *group = strstr(line, h->controllers);
	uint64_t left, least = UINT64_MAX;

	if (!group)
		return least;
	group += strlen(h->controllers);
	do {
		left = group_leaves(h, group, pages);
		least = left < least ? left : least;
		end = strrchr(group, '/');
		if (end)
			*end = '\0';
	} while (end);
	return least;
}

uint64_t hugetlb_cgroup_room(uint64_t size)
{
	uint64_t left, least = UINT64_MAX;
	char text[4096], pages[32], *line, *at;
	size_t i;

	size_name(size, pages, sizeof(pages));
	if (__sysfile_read("/proc/self/cgroup", text, sizeof(text)) < 0)
		return least;
	for (line = strtok_r(text, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
		for (i = 0; i < ARRAY_SIZE(hierarchies); i++) {
			left = line_leaves(&hierarchies[i], line, pages);
			least = left < least ? left : least;
		}
	}
	return least;
}
