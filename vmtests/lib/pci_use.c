// SPDX-License-Identifier: GPL-2.0
/*
 * pci_use: whether a PCI device is in use. What its driver has made of the device is below its
 * directory in sysfs: device nodes, which are mounted or open, and network interfaces, which are
 * up.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/sysfile.h>
#include <vmtests/pci.h>

#define CLASS_BASE(class) ((class) >> 16)
#define BASE_BRIDGE	0x06	/* pci_ids.h */
#define NODES_MAX	64
#define NODE_NAME_MAX	64

struct node {
	dev_t number;
	bool block;
	char name[NODE_NAME_MAX];	/* below /dev */
};

struct user {
	const char *device;
	char *reason;
	size_t len;
	struct node nodes[NODES_MAX];
	size_t nr_nodes;
};

static int __attribute__((format(printf, 2, 3))) in_use(struct user *user, const char *fmt, ...)
{
	char why[PCI_REASON_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return libmm_refuse(-EBUSY, user->reason, user->len, "%s is in use: %s", user->device, why);
}

/* A file of @dir, which has $LIBMM_ROOT in front already. Returns its length or -errno. */
static ssize_t file_read(const char *dir, const char *name, char *text, size_t size)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return n;
}

static bool is_block(const char *dir)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/subsystem", dir) >= (int)sizeof(path))
		return false;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return !strcmp(basename(target), "block");
}

/* A directory with a file "dev" is a device node, named in its "uevent". Returns 0 or -errno. */
static int node_add(struct user *user, const char *dir)
{
	unsigned int major, minor;
	char text[1024], *name;
	struct node *node;

	if (file_read(dir, "dev", text, sizeof(text)) < 0)
		return 0;
	if (user->nr_nodes == NODES_MAX)
		return in_use(user, "it has more than %d device nodes", NODES_MAX);
	if (sscanf(text, "%u:%u", &major, &minor) != 2)
		return -EINVAL;
	node = &user->nodes[user->nr_nodes++];
	*node = (struct node) {
		.number = makedev(major, minor), .block = is_block(dir),
	};
	if (file_read(dir, "uevent", text, sizeof(text)) < 0)
		return 0;
	name = strstr(text, "DEVNAME=");
	if (name)
		sscanf(name, "DEVNAME=%63s", node->name);
	return 0;
}

/* A network interface is a directory in one that is called "net". */
static int interface_check(struct user *user, const FTSENT *dir)
{
	unsigned long flags;
	char text[64];

	if (strcmp(dir->fts_parent->fts_name, "net") ||
	    file_read(dir->fts_path, "flags", text, sizeof(text)) < 0)
		return 0;
	flags = strtoul(text, NULL, 16);
	return flags & IFF_UP ? in_use(user, "network interface %s is up", dir->fts_name) : 0;
}

static int tree_walk(struct user *user, char *top)
{
	char *paths[] = { top, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;
	int ret = 0;

	if (!fts)
		return -errno;
	while (!ret && (entry = fts_read(fts))) {
		if (entry->fts_info != FTS_D)
			continue;
		ret = node_add(user, entry->fts_path);
		if (!ret && entry->fts_level > 0)
			ret = interface_check(user, entry);
	}
	fts_close(fts);
	return ret;
}

/*
 * The kernel itself says whether a block device is claimed: mounted, swapped to, or a part of
 * another. Source: O_EXCL in open(2).
 */
static int block_check(struct user *user, const struct node *node)
{
	char path[SYSFILE_PATH_MAX], full[SYSFILE_PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", node->name);
	if (!*node->name || __sysfile_path(full, sizeof(full), path))
		return in_use(user, "a block device of it has no name");
	fd = open(full, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return in_use(user, "%s cannot be opened alone: %s", path, strerror(errno));
	close(fd);
	return 0;
}

/* The node that @link, of a process' descriptor or mapping, leads to; or NULL. */
static const struct node *node_behind(const struct user *user, const char *link)
{
	struct stat st;
	char target[16];
	size_t i;

	/* Only nodes: stat(2) of a file may wait for its server. */
	if (readlink(link, target, sizeof(target)) < 5 || strncmp(target, "/dev/", 5) ||
	    stat(link, &st) || !(S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
		return NULL;
	for (i = 0; i < user->nr_nodes; i++) {
		if (user->nodes[i].number == st.st_rdev &&
		    user->nodes[i].block == !!S_ISBLK(st.st_mode))
			return &user->nodes[i];
	}
	return NULL;
}

/* @what: "fd" or "map_files" of a process. One that has just ended uses nothing. */
static int links_check(struct user *user, const char *proc, const char *pid, const char *what)
{
	char path[PATH_MAX], link[PATH_MAX + NAME_MAX + 2];
	const struct node *node = NULL;
	struct dirent *entry;
	DIR *dir;

	if (snprintf(path, sizeof(path), "%s/%s/%s", proc, pid, what) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	dir = opendir(path);
	if (!dir)
		return 0;
	while (!node && (entry = readdir(dir))) {
		snprintf(link, sizeof(link), "%s/%s", path, entry->d_name);
		node = node_behind(user, link);
	}
	closedir(dir);
	return node ? in_use(user, "process %s has /dev/%s open", pid, node->name) : 0;
}

static int processes_check(struct user *user)
{
	char proc[SYSFILE_PATH_MAX];
	struct dirent *entry;
	int ret;
	DIR *dir;

	if (!user->nr_nodes)
		return 0;
	ret = __sysfile_path(proc, sizeof(proc), "/proc");
	if (ret)
		return ret;
	dir = opendir(proc);
	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		ret = links_check(user, proc, entry->d_name, "fd");
		if (!ret)
			ret = links_check(user, proc, entry->d_name, "map_files");
	}
	closedir(dir);
	return ret;
}

/* What is in use although nobody opens it. */
static int kind_check(struct user *user, const char *top)
{
	char text[64];

	if (file_read(top, "class", text, sizeof(text)) > 0 &&
	    CLASS_BASE(strtoul(text, NULL, 16)) == BASE_BRIDGE)
		return in_use(user, "it is a bridge to other devices");
	if (file_read(top, "boot_vga", text, sizeof(text)) > 0 && *text == '1')
		return in_use(user, "it is the display that the machine booted with");
	return 0;
}

int pci_use(const char *name, char *reason, size_t len)
{
	struct user user = { .device = name, .reason = reason, .len = len };
	char path[SYSFILE_PATH_MAX], full[SYSFILE_PATH_MAX], *top;
	size_t i;
	int ret;

	if (pci_path(path, sizeof(path), name, "") || __sysfile_path(full, sizeof(full), path))
		return libmm_refuse(-EINVAL, reason, len, "%s is no name of a PCI device", name);
	top = realpath(full, NULL);
	if (!top)
		return libmm_refuse(-errno, reason, len, "no PCI device %s: %s", name,
				    strerror(errno));
	*reason = '\0';
	ret = kind_check(&user, top);
	if (!ret)
		ret = tree_walk(&user, top);
	for (i = 0; !ret && i < user.nr_nodes; i++) {
		if (user.nodes[i].block)
			ret = block_check(&user, &user.nodes[i]);
	}
	if (!ret)
		ret = processes_check(&user);
	free(top);
	if (ret && !*reason)
		return libmm_refuse(ret, reason, len, "whether %s is in use: %s", name,
				    strerror(-ret));
	return ret;
}
