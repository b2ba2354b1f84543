// SPDX-License-Identifier: GPL-2.0
/*
 * fingerprint_hash: sha256 by coreutils, and the hashes of the test programs.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vmtests/fingerprint.h>

#include "fingerprint_parts.h"

#define SHA256_HEX 64

static bool is_hash(const char *text, ssize_t len)
{
	if (len < SHA256_HEX)
		return false;
	for (size_t i = 0; i < SHA256_HEX; i++)
		if (!isxdigit((unsigned char)text[i]))
			return false;
	return true;
}

/* Through standard input: a file's name, whatever it is, never reaches the program. */
int fp_sha256_fd(int fd, char *hex)
{
	char *const argv[] = { "sha256sum", NULL };
	char *text;
	ssize_t len = fp_spawn(argv, fd, &text, FP_TEXT_MAX);
	bool good;

	if (len < 0)
		return len;
	good = is_hash(text, len);
	if (good) {
		memcpy(hex, text, SHA256_HEX);
		hex[SHA256_HEX] = '\0';
	}
	free(text);
	return good ? 0 : -EIO;
}

int __fingerprint_sha256(const char *path, char *hex)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = fp_sha256_fd(fd, hex);
	close(fd);
	return err;
}

static bool is_program(int dirfd, const char *name)
{
	struct stat st;

	return !fstatat(dirfd, name, &st, 0) && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

static int binary_add(json_t *binaries, int dirfd, const char *name)
{
	char hex[SHA256_HEX + 1];
	int fd, err;

	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	err = fd < 0 ? -errno : fp_sha256_fd(fd, hex);
	if (fd >= 0)
		close(fd);
	return json_object_set_new(binaries, name, err ? json_null() : json_string(hex));
}

/* A folder that is not there has no programs. Returns 0, or -1 when memory ran out. */
static int binaries_add(json_t *binaries, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return 0;
	while (!err && (entry = readdir(dir)))
		if (is_program(dirfd(dir), entry->d_name))
			err = binary_add(binaries, dirfd(dir), entry->d_name);
	closedir(dir);
	return err;
}

json_t *fingerprint_binaries(const char *const *dirs)
{
	json_t *binaries = json_object();

	for (; binaries && *dirs; dirs++) {
		if (binaries_add(binaries, *dirs)) {
			json_decref(binaries);
			return NULL;
		}
	}
	return binaries;
}
