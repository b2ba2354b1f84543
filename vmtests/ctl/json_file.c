// SPDX-License-Identifier: GPL-2.0
/*
 * json_file: a file of JSON on disk that is whole or not there, also after a power cut.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"

#define DUMP_FLAGS (JSON_REAL_PRECISION(17) | JSON_ENSURE_ASCII)

static int write_all(int fd, const char *data, size_t left)
{
	while (left) {
		ssize_t done = write(fd, data, left);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done ? -errno : -EIO;
		data += done;
		left -= done;
	}
	return 0;
}

static int write_and_sync(int fd, const char *text)
{
	int err = write_all(fd, text, strlen(text));

	if (!err)
		err = write_all(fd, "\n", 1);
	if (!err && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

int regular_open(const char *path, int flags, mode_t mode)
{
	int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC, mode);
	struct stat st;
	int err;

	/* Nobody reads the FIFO. */
	if (fd < 0)
		return errno == ENXIO ? -ENOTSUP : -errno;
	err = fstat(fd, &st) ? -errno : S_ISREG(st.st_mode) ? 0 : -ENOTSUP;
	if (!err)
		return fd;
	close(fd);
	return err;
}

const char *file_strerror(int err)
{
	return err == -ENOTSUP ? "not a regular file" : strerror(-err);
}

json_t *json_file_load(const char *path, json_error_t *error)
{
	int fd = regular_open(path, O_RDONLY, 0);
	json_t *root;

	if (fd < 0) {
		snprintf(error->text, sizeof(error->text), "%s", file_strerror(fd));
		return NULL;
	}
	root = json_loadfd(fd, 0, error);
	close(fd);
	return root;
}

int path_name_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int fd, err;

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fsync(fd) ? -errno : 0;
	close(fd);
	return err;
}

int json_file_replace(const char *path, const json_t *value)
{
	char temporary[PATH_MAX];
	char *text;
	int fd, err;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new", path) >= sizeof(temporary))
		return -ENAMETOOLONG;
	text = json_dumps(value, DUMP_FLAGS | JSON_INDENT(2));
	if (!text)
		return -ENOMEM;

	fd = regular_open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644);
	err = fd < 0 ? fd : write_and_sync(fd, text);
	free(text);
	if (!err && rename(temporary, path))
		err = -errno;
	if (err && fd >= 0)
		unlink(temporary);
	return err ? err : path_name_sync(path);
}

void rfc3339_now(char buf[21])
{
	time_t now = time(NULL);
	struct tm utc;

	if (!gmtime_r(&now, &utc) || !strftime(buf, 21, "%Y-%m-%dT%H:%M:%SZ", &utc))
		buf[0] = '\0';
}
