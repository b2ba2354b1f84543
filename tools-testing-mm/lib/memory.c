// SPDX-License-Identifier: GPL-2.0
/* memory: see libmm/memory.h. Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libmm/cgroup.h>
#include <libmm/memory.h>
#include <libmm/sysfile.h>

#define KDAMONDS "/sys/kernel/mm/damon/admin/kdamonds"

struct files {
	const char *limit, *used, *reclaimable;
};

static const struct files unified_files = { "memory.max", "memory.current", "inactive_file" };
static const struct files legacy_files = {
	"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file",
};

static int group_file(char *path, const char *mount, const char *group, const char *file)
{
	int n = snprintf(path, SYSFILE_PATH_MAX, "%s%s/%s", mount, group, file);

	return n < SYSFILE_PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int group_number(const char *mount, const char *group, const char *file, uint64_t *value)
{
	char path[SYSFILE_PATH_MAX];
	int err = group_file(path, mount, group, file);

	return err ? err : __sysfile_read_u64(path, value);
}

/* A group without a limit says "max", in version 1 a number beyond any memory; the root nothing. */
static void group_look(bool unified, const char *mount, const char *group, void *arg)
{
	const struct files *files = unified ? &unified_files : &legacy_files;
	uint64_t limit, used, reclaimable = 0, left;
	struct memory_limit *least = arg;
	char path[SYSFILE_PATH_MAX];

	if (group_number(mount, group, files->limit, &limit) ||
	    group_number(mount, group, files->used, &used))
		return;
	if (!group_file(path, mount, group, "memory.stat"))
		__sysfile_read_key(path, files->reclaimable, &reclaimable);
	used -= reclaimable < used ? reclaimable : used;
	left = limit > used ? limit - used : 0;
	if (left >= least->left)
		return;
	least->limit = limit;
	least->left = left;
	snprintf(least->group, sizeof(least->group), "%s", *group ? group : "/");
}

int __memory_limit(struct memory_limit *limit)
{
	*limit = (struct memory_limit) { .left = UINT64_MAX };
	__cgroups_each("memory", group_look, limit);
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
