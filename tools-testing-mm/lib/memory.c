// SPDX-License-Identifier: GPL-2.0
/* memory: see libmm/memory.h. Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libmm/memory.h>
#include <libmm/sysfile.h>

#define CGROUP_FILE_MAX 8192
#define KDAMONDS "/sys/kernel/mm/damon/admin/kdamonds"

struct hierarchy {
	const char *mount, *limit, *used, *reclaimable;
};

static const struct hierarchy unified = {
	"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file",
};

static const struct hierarchy legacy = {
	"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
	"total_inactive_file",
};

static int group_file(char *path, const struct hierarchy *h, const char *group, const char *file)
{
	int n = snprintf(path, SYSFILE_PATH_MAX, "%s%s/%s", h->mount, group, file);

	return n < SYSFILE_PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int group_number(const struct hierarchy *h, const char *group, const char *file,
			uint64_t *value)
{
	char path[SYSFILE_PATH_MAX];
	int err = group_file(path, h, group, file);

	return err ? err : __sysfile_read_u64(path, value);
}

/* A group without a limit says "max", in version 1 a number beyond any memory; the root nothing. */
static void group_look(const struct hierarchy *h, const char *group, struct memory_limit *least)
{
	uint64_t limit, used, reclaimable = 0, left;
	char path[SYSFILE_PATH_MAX];

	if (group_number(h, group, h->limit, &limit) || group_number(h, group, h->used, &used))
		return;
	if (!group_file(path, h, group, "memory.stat"))
		__sysfile_read_key(path, h->reclaimable, &reclaimable);
	used -= reclaimable < used ? reclaimable : used;
	left = limit > used ? limit - used : 0;
	if (left >= least->left)
		return;
	least->limit = limit;
	least->left = left;
	snprintf(least->group, sizeof(least->group), "%s", *group ? group : "/");
}

/* @group and those above it, up to the root that this process can see. @group is cut. */
static void groups_look(const struct hierarchy *h, char *group, struct memory_limit *least)
{
	char *end;

	if (!strcmp(group, "/"))
		*group = '\0';
	for (;;) {
		group_look(h, group, least);
		end = strrchr(group, '/');
		if (!end)
			return;
		*end = '\0';
	}
}

/* Whether "a,memory,b" has memory. */
static bool has_memory(const char *controllers)
{
	const char *at = strstr(controllers, "memory");
	size_t length = strlen("memory");

	return at && (at == controllers || at[-1] == ',') && (!at[length] || at[length] == ',');
}

/* Lines of "ID:CONTROLLERS:GROUP"; version 2 has no controllers there. */
int __memory_limit(struct memory_limit *limit)
{
	char text[CGROUP_FILE_MAX], *line, *at;

	*limit = (struct memory_limit) { .left = UINT64_MAX };
	if (__sysfile_read("/proc/self/cgroup", text, sizeof(text)) < 0)
		return -ENOENT;
	for (line = strtok_r(text, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
		char *controllers = strchr(line, ':'), *group;

		group = controllers ? strchr(++controllers, ':') : NULL;
		if (!group)
			continue;
		*group++ = '\0';
		if (!*controllers)
			groups_look(&unified, group, limit);
		else if (has_memory(controllers))
			groups_look(&legacy, group, limit);
	}
	return limit->left == UINT64_MAX ? -ENOENT : 0;
}

int __memory_available(uint64_t *bytes)
{
	struct memory_limit limit;
	uint64_t kib;
	int err = __sysfile_read_key("/proc/meminfo", "MemAvailable", &kib);

	if (err)
		return err;
	*bytes = kib * 1024;
	if (!__memory_limit(&limit) && limit.left < *bytes)
		*bytes = limit.left;
	return 0;
}

int memory_panic_on_oom(void)
{
	uint64_t value;

	return __sysfile_read_u64("/proc/sys/vm/panic_on_oom", &value) ? 0 : (int)value;
}

bool memory_damon_on(void)
{
	char path[SYSFILE_PATH_MAX], state[16];
	uint64_t i, nr;

	if (__sysfile_read_u64(KDAMONDS "/nr_kdamonds", &nr))
		return false;
	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), KDAMONDS "/%" PRIu64 "/state", i);
		if (__sysfile_read(path, state, sizeof(state)) > 0 && !strncmp(state, "on", 2))
			return true;
	}
	return false;
}
