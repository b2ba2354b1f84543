// SPDX-License-Identifier: GPL-2.0
/*
 * undo_file: files and folders that must not stay.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vmtests/journal.h>
#include <vmtests/undo.h>

#include "undo.h"

#define WALK_FDS 8

int undo_file(const char *target, const char *value)
{
	(void)value;
	return unlink(target) && errno != ENOENT ? -errno : 0;
}

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path) && errno != ENOENT ? -errno : 0;
}

/* What is mounted inside is left alone, and makes its folder busy. */
int undo_tree(const char *target, const char *value)
{
	struct stat st;
	int ret;

	(void)value;
	if (lstat(target, &st))
		return errno == ENOENT ? 0 : -errno;
	/* The name is ours alone; this is not what stood behind it. */
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return -EPERM;
	ret = nftw(target, entry_remove, WALK_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return ret == -1 ? -errno : ret;
}

int __undo_file(const char *path)
{
	struct stat st;

	if (!lstat(path, &st))
		return -EEXIST;
	return errno == ENOENT ? __journal_note(UNDO_FILE, path, UNDO_ABSENT) : -errno;
}

int __undo_directory(const char *parent, char *path, size_t size)
{
	uint64_t random;
	int ret;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	ret = snprintf(path, size, "%s/vmtests.%016" PRIx64, parent, random);
	if (ret < 0 || (size_t)ret >= size)
		return -ENAMETOOLONG;
	ret = __journal_note(UNDO_TREE, path, UNDO_ABSENT);
	if (ret)
		return ret;
	return mkdir(path, 0700) ? -errno : 0;
}
