// SPDX-License-Identifier: GPL-2.0
/* cgroup: see libmm/cgroup.h. Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/cgroups.rst. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libmm/cgroup.h>
#include <libmm/sysfile.h>

#define CGROUP_FILE_MAX 8192
#define CGROUP_MOUNT "/sys/fs/cgroup"

/* @group and those above it. @group is cut. */
static void groups_look(bool unified, const char *mount, char *group, cgroup_look *look, void *arg)
{
	char *end;

	if (!strcmp(group, "/"))
		*group = '\0';
	for (;;) {
		look(unified, mount, group, arg);
		end = strrchr(group, '/');
		if (!end)
			return;
		*end = '\0';
	}
}

/* Whether "a,b,c" has @controller. */
static bool has_controller(const char *controllers, const char *controller)
{
	const char *at = strstr(controllers, controller);
	size_t length = strlen(controller);

	return at && (at == controllers || at[-1] == ',') && (!at[length] || at[length] == ',');
}

/* Lines of "ID:CONTROLLERS:GROUP"; version 2 has no controllers there. */
int __cgroups_each(const char *controller, cgroup_look *look, void *arg)
{
	char text[CGROUP_FILE_MAX], legacy[64], *line, *at;

	if (__sysfile_read("/proc/self/cgroup", text, sizeof(text)) < 0)
		return -ENOENT;
	snprintf(legacy, sizeof(legacy), CGROUP_MOUNT "/%s", controller);
	for (line = strtok_r(text, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
		char *controllers = strchr(line, ':'), *group;

		group = controllers ? strchr(++controllers, ':') : NULL;
		if (!group)
			continue;
		*group++ = '\0';
		if (!*controllers)
			groups_look(true, CGROUP_MOUNT, group, look, arg);
		else if (has_controller(controllers, controller))
			groups_look(false, legacy, group, look, arg);
	}
	return 0;
}
