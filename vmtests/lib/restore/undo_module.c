// SPDX-License-Identifier: GPL-2.0
/*
 * undo_module: modules that must not stay loaded.
 *
 * modprobe says beforehand what it would load, in order; what of it is not loaded yet gets a record
 * each. What the kernel itself loads later on behalf of a module (request_module()) nobody says
 * beforehand: for ciphers, where that is the rule (crypto_larval_lookup() in crypto/api.c), the
 * record is what was loaded before.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <vmtests/command.h>
#include <vmtests/procstat.h>
#include <vmtests/journal.h>
#include <vmtests/undo.h>

#include "undo.h"

#define DEPENDS_MAX 65536
#define OPTIONS_MAX 8
#define CRYPTO_FOLDER "/crypto/"
#define CRYPTO_TARGET "crypto modules"
#define CRYPTO_NONE "none"
#define CRYPTO_THREADS "cryptomgr_"
/* The parent of all kernel threads. */
#define KTHREADD 2
/* What is waited for one who loads a module: an emulator takes its time to test a cipher. */
#define LOADER_MS 30000
/* More than there are layers of modules. */
#define SWEEPS_MAX 100

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
	return undo_module_present(name) ? 0 : __journal_note(UNDO_MODULE, name, UNDO_ABSENT);
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

/*
 * Every module of the kernel's crypto that is loaded, in the order of modules.dep, whose lines are
 * "FILE: FILES IT NEEDS". Returns 0, what @visit returned when not 0, or -errno; a kernel without
 * modules has none.
 */
static int crypto_each(int (*visit)(const char *name, void *arg), void *arg)
{
	char path[PATH_MAX], name[NAME_MAX];
	struct utsname system;
	char *line = NULL;
	size_t size = 0;
	FILE *file;
	int ret = 0;

	if (uname(&system))
		return -errno;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", system.release);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? 0 : -errno;
	while (!ret && getline(&line, &size, file) >= 0) {
		line[strcspn(line, ":")] = '\0';
		if (!strstr(line, CRYPTO_FOLDER))
			continue;
		module_name(line, name, sizeof(name));
		if (undo_module_present(name))
			ret = visit(name, arg);
	}
	free(line);
	fclose(file);
	return ret;
}

static bool word_in(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; list; list = strchr(list, ' ')) {
		list += *list == ' ';
		if (!strncmp(list, word, len) && (!list[len] || list[len] == ' '))
			return true;
	}
	return false;
}

struct crypto_sweep {
	const char *kept;
	bool progress;
};

/* One that is in use has found another user since, and stays. */
static int crypto_sweep_one(const char *name, void *arg)
{
	struct crypto_sweep *sweep = arg;
	int ret;

	if (word_in(sweep->kept, name))
		return 0;
	ret = module_unload(name);
	if (!ret)
		sweep->progress = true;
	return ret == -EAGAIN ? 0 : ret;
}

/*
 * Whether @pid loads modules for the kernel's crypto: modprobe, as a child of a kernel thread
 * (call_usermodehelper_exec_sync() in kernel/umh.c), or a thread that puts an algorithm together
 * and may ask for more of them (crypto/algboss.c). They go on when the one who needed them is
 * killed.
 */
static bool loads_crypto(pid_t pid)
{
	struct procstat stat, parent;

	if (__procstat_of(pid, &stat))
		return false;
	if (stat.parent == KTHREADD)
		return !strncmp(stat.name, CRYPTO_THREADS, strlen(CRYPTO_THREADS));
	return !strcmp(stat.name, "modprobe") && !__procstat_of(stat.parent, &parent) &&
	       parent.parent == KTHREADD;
}

/* Until it has ended, or for as long as one may take. */
static void process_await(pid_t pid)
{
	struct pollfd ended = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };

	if (ended.fd < 0)
		return;
	poll(&ended, 1, LOADER_MS);
	close(ended.fd);
}

/* Returns whether there were any. */
static bool crypto_loaders_await(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool seen = false;

	while (proc && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid <= 0 || !loads_crypto(pid))
			continue;
		seen = true;
		process_await(pid);
	}
	if (proc)
		closedir(proc);
	return seen;
}

/* Again and again, because one may be in use by the next, or on its way in. */
int undo_crypto(const char *target, const char *value)
{
	struct crypto_sweep sweep = { .kept = value };
	unsigned int rounds = SWEEPS_MAX;
	int ret = 0;

	(void)target;
	do {
		sweep.progress = crypto_loaders_await();
		ret = crypto_each(crypto_sweep_one, &sweep);
	} while (!ret && sweep.progress && --rounds);
	return ret;
}

static int crypto_add(const char *name, void *arg)
{
	char **list = arg, *longer;

	if (asprintf(&longer, "%s%s%s", *list ? *list : "", *list ? " " : "", name) < 0)
		return -ENOMEM;
	free(*list);
	*list = longer;
	return 0;
}

int __undo_crypto_modules(void)
{
	char *list = NULL;
	int ret;

	ret = crypto_each(crypto_add, &list);
	if (!ret)
		ret = __journal_note(UNDO_CRYPTO, CRYPTO_TARGET, list ? list : CRYPTO_NONE);
	free(list);
	return ret;
}
