/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fakeroot: a temporary directory that $LIBMM_ROOT makes libmm take for the root, for unit tests.
 * Everything here aborts the test when the machine refuses what any machine must give.
 */
#ifndef LIBMM_TESTS_FAKEROOT_H
#define LIBMM_TESTS_FAKEROOT_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmm/base.h>

struct fakeroot {
	char dir[128];
};

#define fakeroot_must(ok, what)						\
	do {								\
		if (!(ok)) {						\
			perror(what);					\
			abort();					\
		}							\
	} while (0)

static inline void fakeroot_create(struct fakeroot *root)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(root->dir, sizeof(root->dir), "%s/libmm-XXXXXX", tmp ? tmp : "/tmp");
	fakeroot_must(mkdtemp(root->dir), root->dir);
	fakeroot_must(!setenv("LIBMM_ROOT", root->dir, 1), "setenv");
}

static inline int fakeroot_unlink(const char *path, const struct stat *st, int type,
				  struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void fakeroot_remove(struct fakeroot *root)
{
	fakeroot_must(!nftw(root->dir, fakeroot_unlink, 8, FTW_DEPTH | FTW_PHYS), root->dir);
}

static inline char *fakeroot_path(const struct fakeroot *root, const char *path)
{
	static char full[512];

	snprintf(full, sizeof(full), "%s%s", root->dir, path);
	return full;
}

/* Make @path, and the directories on the way, hold @text. */
static inline void fakeroot_write(const struct fakeroot *root, const char *path, const char *text)
{
	char *full = fakeroot_path(root, path), *p;
	FILE *file;

	for (p = full + strlen(root->dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0755);
		*p = '/';
	}
	file = fopen(full, "w");
	fakeroot_must(file, full);
	fakeroot_must(fputs(text, file) >= 0 && !fclose(file), full);
}

/* What @path holds, "" for nothing, NULL when there is no such file. */
static inline char *fakeroot_read(const struct fakeroot *root, const char *path)
{
	static char text[8192];
	size_t len;
	FILE *file;

	file = fopen(fakeroot_path(root, path), "r");
	if (!file)
		return NULL;
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

#endif
