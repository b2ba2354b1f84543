// SPDX-License-Identifier: GPL-2.0
/*
 * json_file: a file of JSON on disk that is whole or not there, also after a power cut.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
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

	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	err = fd < 0 ? -errno : write_and_sync(fd, text);
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
