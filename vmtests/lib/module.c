// SPDX-License-Identifier: GPL-2.0
/* module: whether the kernel has a module, or can have it. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/sysfile.h>
#include <vmtests/command.h>
#include <vmtests/module.h>

static bool path_exists(const char *path)
{
	char full[SYSFILE_PATH_MAX];

	return !__sysfile_path(full, sizeof(full), path) && !access(full, F_OK);
}

static const char *kernel_release(void)
{
	static char release[128];

	if (__sysfile_read("/proc/sys/kernel/osrelease", release, sizeof(release)) <= 0)
		return "unknown";
	return release;
}

static bool name_equal(const char *a, const char *b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if ((a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i]))
			return false;
	}
	return true;
}

static bool is_loaded(const char *name)
{
	char path[SYSFILE_PATH_MAX];
	char *p;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	for (p = path + strlen("/sys/module/"); *p; p++) {
		if (*p == '-')
			*p = '_';
	}
	return path_exists(path);
}

/*
 * modules.builtin has a line "kernel/DIRECTORY/NAME.ko" for each; most have no directory in
 * /sys/module. Returns 1, 0, or -errno when it cannot be read.
 */
static int is_builtin(const char *name)
{
	size_t size = 0, len = strlen(name);
	char path[SYSFILE_PATH_MAX], full[SYSFILE_PATH_MAX];
	char *line = NULL, *base;
	int found = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", kernel_release());
	if (__sysfile_path(full, sizeof(full), path))
		return -ENAMETOOLONG;
	file = fopen(full, "re");
	if (!file)
		return -errno;
	while (!found && getline(&line, &size, file) >= 0) {
		base = strrchr(line, '/');
		base = base ? base + 1 : line;
		found = strlen(base) > len && name_equal(base, name, len) &&
			!strncmp(base + len, ".ko", 3);
	}
	free(line);
	fclose(file);
	return found;
}

/* Returns 1 when modprobe finds the module, 0 when it does not, or -errno when it cannot run. */
static int is_loadable(const char *name)
{
	char root[SYSFILE_PATH_MAX];
	char *argv[] = { "modprobe", "-n", "-q", "-d", root, "--", (char *)name, NULL };
	pid_t pid;
	int ret;

	if (__sysfile_path(root, sizeof(root), "/"))
		return -ENAMETOOLONG;
	ret = __command_start(argv, NULL, -1, -1, true, &pid);
	if (ret)
		return ret;
	ret = __command_wait(pid);
	return ret < 0 ? ret : !ret;
}

struct probe module_probe(const char *name)
{
	int builtin = is_builtin(name), ret;

	if (is_loaded(name) || builtin > 0)
		return probe_yes();
	if (!path_exists("/proc/modules"))
		return probe_no("no module %s: the kernel has no modules (CONFIG_MODULES) and %s",
				name, builtin < 0 ? "does not list what is built in" :
						    "does not have it built in");
	ret = is_loadable(name);
	if (ret > 0)
		return probe_yes();
	if (ret < 0)
		return probe_unknown("module %s is not loaded and modprobe cannot look for it (%s): install kmod",
				     name, strerror(-ret));
	return probe_no("no module %s, loaded, built in or in /lib/modules/%s: install it", name,
			kernel_release());
}
