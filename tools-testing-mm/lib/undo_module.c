// SPDX-License-Identifier: GPL-2.0
/*
 * undo_module: modules that must not stay loaded.
 *
 * modprobe says beforehand what it would load, in order; what of it is not loaded yet gets a record
 * each. Not seen: what the kernel itself loads later on behalf of a module (request_module()), so
 * a caller who knows of such a need loads it first, by its alias.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <libmm/command.h>
#include <libmm/sysconf.h>
#include <libmm/undo.h>

#include "undo.h"

#define DEPENDS_MAX 65536
#define OPTIONS_MAX 8

void undo_udev_settle(void)
{
	char *const argv[] = { "udevadm", "settle", NULL };
	pid_t pid;

	/* No udev is as good as one that is done; what it kept busy shows in the next try. */
	if (!access("/run/udev/control", F_OK) &&
	    !__command_start(argv, NULL, -1, STDERR_FILENO, true, &pid))
		__command_wait(pid);
}

int undo_module_present(const char *name)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "/sys/module/%s", name) < (int)sizeof(path) &&
	       !access(path, F_OK);
}

static int module_unload(const char *name)
{
	if (!syscall(__NR_delete_module, name, O_NONBLOCK) || errno == ENOENT)
		return 0;
	return -errno;
}

int undo_module(const char *target, const char *value)
{
	int ret = module_unload(target);

	(void)value;
	if (ret != -EAGAIN)
		return ret;
	undo_udev_settle();
	return module_unload(target);
}

/* The name that the kernel gives to the module in @file: "dm-mod.ko.xz" is dm_mod. */
static void module_name(const char *file, char *name, size_t size)
{
	const char *base = strrchr(file, '/');

	snprintf(name, size, "%s", base ? base + 1 : file);
	name[strcspn(name, ".")] = '\0';
	for (; *name; name++) {
		if (*name == '-')
			*name = '_';
	}
}

/* @line: "insmod FILE OPTIONS", or "builtin NAME". */
static int depend_journal(char *line)
{
	char name[NAME_MAX], *rest = line;

	if (strcmp(strsep(&rest, " "), "insmod") || !rest)
		return 0;
	module_name(strsep(&rest, " "), name, sizeof(name));
	return undo_module_present(name) ? 0 : __sysconf_journal(UNDO_MODULE, name, UNDO_ABSENT);
}

static int depends_journal(const char *name)
{
	char *const argv[] = { "modprobe", "--show-depends", (char *)name, NULL };
	char *text, *rest, *line;
	ssize_t len;
	int ret = 0;

	len = __command_output(argv, NULL, -1, &text, DEPENDS_MAX);
	if (len < 0)
		return len == -EIO ? -ENOENT : (int)len;
	for (rest = text; !ret && (line = strsep(&rest, "\n"));)
		ret = depend_journal(line);
	free(text);
	return ret;
}

int __undo_module_load(const char *name, const char *const *options)
{
	char *argv[OPTIONS_MAX + 6] = { "modprobe", "-q" };
	size_t n = 2;
	int ret;

	ret = depends_journal(name);
	if (ret)
		return ret;
	argv[n++] = (char *)name;
	for (; options && *options; options++) {
		if (n > OPTIONS_MAX)
			return -E2BIG;
		argv[n++] = (char *)*options;
	}
	ret = __undo_process_run(argv, NULL, -1, STDERR_FILENO, false);
	return ret > 0 ? -EIO : ret;
}
