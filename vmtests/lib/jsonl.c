// SPDX-License-Identifier: GPL-2.0
/*
 * jsonl: files of one JSON object a line that a crash cannot spoil.
 *
 * Each line is written and synced under an exclusive flock(2), which every opener takes for itself:
 * a line that did not get onto the disk whole can be cut off without taking a neighbour's with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vmtests/jsonl.h>

#define TAIL_BLOCK 4096
/* Enough digits for any double to read back as itself: IEEE 754, binary64. */
#define REAL_DIGITS 17

static int file_lock(int fd)
{
	while (flock(fd, LOCK_EX)) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static int file_unlock(int fd)
{
	return flock(fd, LOCK_UN) ? -errno : 0;
}

static int file_cut(int fd, off_t size)
{
	if (ftruncate(fd, size) || fdatasync(fd))
		return -errno;
	return 0;
}

/* Where the line begins that ends before @end: behind the newline before it, or 0. */
static int line_start(int fd, off_t end, off_t *start)
{
	char block[TAIL_BLOCK];

	while (end > 0) {
		size_t want = end < TAIL_BLOCK ? end : TAIL_BLOCK;
		ssize_t got = pread(fd, block, want, end - want);
		const char *newline;

		if (got < 0)
			return -errno;
		if ((size_t)got != want)
			return -EIO;
		newline = memrchr(block, '\n', want);
		if (newline) {
			*start = end - want + (newline - block) + 1;
			return 0;
		}
		end -= want;
	}
	*start = 0;
	return 0;
}

static int line_is_object(int fd, off_t start, off_t end, bool *whole)
{
	size_t len = end - start;
	char *line = malloc(len ? len : 1);
	json_t *object;
	ssize_t got;

	if (!line)
		return -ENOMEM;
	got = pread(fd, line, len, start);
	if (got < 0 || (size_t)got != len) {
		free(line);
		return got < 0 ? -errno : -EIO;
	}
	object = json_loadb(line, len, 0, NULL);
	*whole = json_is_object(object);
	json_decref(object);
	free(line);
	return 0;
}

/* What a crash left behind the last whole line is none, and nothing may be appended to it. */
static int tail_repair(int fd, const char *dir, const char *name)
{
	off_t size = lseek(fd, 0, SEEK_END);
	bool whole = false;
	off_t start;
	char last;
	int err;

	if (size <= 0)
		return size ? -errno : 0;
	if (pread(fd, &last, 1, size - 1) != 1)
		return -EIO;

	err = line_start(fd, last == '\n' ? size - 1 : size, &start);
	if (!err && last == '\n')
		err = line_is_object(fd, start, size - 1, &whole);
	if (err || whole)
		return err;

	fprintf(stderr, "jsonl: %s/%s: dropped a damaged last line of %lld bytes\n", dir, name,
		(long long)(size - start));
	return file_cut(fd, start);
}

static int file_prepare(int fd, int dirfd, const char *dir, const char *name)
{
	int err = file_lock(fd);

	if (err)
		return err;
	err = tail_repair(fd, dir, name);
	/* The name of a new file must be as durable as the lines in it. */
	if (!err && fsync(dirfd))
		err = -errno;
	return file_unlock(fd) ?: err;
}

/* Nothing here waits for another end, or has one. */
static int file_check(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : -ENOTSUP;
}

int __jsonl_open(const char *dir, const char *name)
{
	int dirfd, fd, err;

	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return -errno;
	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0644);
	err = fd < 0 ? -errno : file_check(fd);
	if (!err)
		err = file_prepare(fd, dirfd, dir, name);
	close(dirfd);
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

static int line_append(int fd, const char *line, size_t len)
{
	off_t before = lseek(fd, 0, SEEK_END);
	ssize_t written;
	int err = 0;

	if (before < 0)
		return -errno;
	do {
		written = write(fd, line, len);
	} while (written < 0 && errno == EINTR);

	if (written < 0)
		err = -errno;
	else if ((size_t)written < len)
		err = -ENOSPC;
	else if (fdatasync(fd))
		err = -errno;

	if (err && written > 0)
		return file_cut(fd, before) ?: err;
	return err;
}

static int line_write(int fd, const char *line, size_t len)
{
	int err = file_lock(fd);

	if (err)
		return err;
	err = line_append(fd, line, len);
	return file_unlock(fd) ?: err;
}

int __jsonl_append(int fd, const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS) |
				JSON_ENSURE_ASCII);
	size_t len;
	int err;

	if (!text)
		return -ENOMEM;

	/* The newline takes the place of the terminating NUL: the line is one buffer, one write. */
	len = strlen(text);
	text[len] = '\n';
	err = line_write(fd, text, len + 1);
	free(text);
	return err;
}

int __jsonl_add(const char *dir, const char *name, const json_t *object)
{
	int fd = __jsonl_open(dir, name), err;

	if (fd < 0)
		return fd;
	err = __jsonl_append(fd, object);
	if (close(fd) && !err)
		err = -errno;
	return err;
}

/* One line of @len bytes with its newline; only the last may be damaged, and then it is none. */
static int line_read(json_t *lines, const char *line, size_t len, bool last)
{
	json_t *object = line[len - 1] == '\n' ? json_loadb(line, len - 1, 0, NULL) : NULL;

	if (json_is_object(object))
		return json_array_append_new(lines, object) ? -ENOMEM : 0;
	json_decref(object);
	return last ? 0 : -EBADMSG;
}

static int lines_read(FILE *file, json_t *lines)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int err = 0;

	while (!err && (len = getline(&line, &size, file)) > 0) {
		int next = getc(file);

		if (next != EOF)
			ungetc(next, file);
		err = line_read(lines, line, len, next == EOF);
	}
	if (!err && ferror(file))
		err = -EIO;
	free(line);
	return err;
}

int __jsonl_read(const char *dir, const char *name, json_t **lines)
{
	char path[PATH_MAX];
	FILE *file;
	int fd, err;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	*lines = json_array();
	if (!*lines)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	err = fd < 0 ? -errno : file_check(fd);
	file = err ? NULL : fdopen(fd, "r");
	if (!err)
		err = file ? lines_read(file, *lines) : -errno;
	if (file)
		fclose(file);
	else if (fd >= 0)
		close(fd);
	if (err) {
		json_decref(*lines);
		*lines = NULL;
	}
	return err;
}
