/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A temporary folder that stands for the root of another machine's /proc and /sys.
 */
#ifndef LIBMM_TESTS_FAKE_ROOT_H
#define LIBMM_TESTS_FAKE_ROOT_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fake_root {
	char dir[64];
};

/* Makes the folder and sets $LIBMM_ROOT. Returns 0 or -errno. */
static inline int fake_root_make(struct fake_root *root)
{
	strcpy(root->dir, "/tmp/libmm_root.XXXXXX");
	if (!mkdtemp(root->dir) || setenv("LIBMM_ROOT", root->dir, 1))
		return -errno;
	return 0;
}

static inline int fake_remove_one(const char *path, const struct stat *st, int type,
				  struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline int fake_root_remove(struct fake_root *root)
{
	unsetenv("LIBMM_ROOT");
	return nftw(root->dir, fake_remove_one, 16, FTW_DEPTH | FTW_PHYS) ? -errno : 0;
}

/* Write @size bytes as the file @path of the fake machine, with the folders above it. */
static inline int fake_bytes(const char *path, const void *data, size_t size)
{
	char full[512];
	ssize_t written;
	int fd;

	snprintf(full, sizeof(full), "%s%s", getenv("LIBMM_ROOT"), path);
	for (char *slash = full + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(full, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		return -errno;
	written = write(fd, data, size);
	close(fd);
	return written == (ssize_t)size ? 0 : -EIO;
}

static inline int fake_file(const char *path, const char *text)
{
	return fake_bytes(path, text, strlen(text));
}

#endif
