// SPDX-License-Identifier: GPL-2.0
/*
 * sysfile: bounded reads and writes of small files below /proc and /sys.
 *
 * A seq_file may give less than all in one read(2), so reads go on to the end of the file. A write
 * is one write(2): a store method sees one call and one value.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/sysfile.h>

/* For all of a file of keys, of which vmstat is the longest. */
#define KEYS_MAX 32768

int __sysfile_path(char *buf, size_t size, const char *path)
{
	const char *root = getenv("LIBMM_ROOT");
	int len = snprintf(buf, size, "%s%s", root ? root : "", path);

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

int sysfile_open(const char *path, int flags)
{
	char full[SYSFILE_PATH_MAX];
	int err, fd;

	err = __sysfile_path(full, sizeof(full), path);
	if (err)
		return err;
	fd = open(full, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static ssize_t read_to_end(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, buf + len, size - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? n : 0;
	} while (n && len < size);
	return n ? -EOVERFLOW : (ssize_t)len;
}

ssize_t __sysfile_read(const char *path, char *buf, size_t size)
{
	int fd = sysfile_open(path, O_RDONLY);
	ssize_t len;

	if (fd < 0)
		return fd;
	len = read_to_end(fd, buf, size);
	close(fd);
	if (len < 0)
		return len;
	while (len && isspace((unsigned char)buf[len - 1]))
		len--;
	buf[len] = '\0';
	return len;
}

/* Leading digits only: strtoull() itself would take "-1" and white space. */
static int number_parse(const char *s, char **end, uint64_t *value)
{
	if (!isdigit((unsigned char)s[0]))
		return -EINVAL;
	errno = 0;
	*value = strtoull(s, end, s[0] == '0' && (s[1] | 0x20) == 'x' ? 16 : 10);
	return errno ? -EINVAL : 0;
}

int __sysfile_read_u64(const char *path, uint64_t *value)
{
	char buf[64], *end;
	uint64_t number;
	ssize_t len;

	len = __sysfile_read(path, buf, sizeof(buf));
	if (len < 0)
		return len == -EOVERFLOW ? -EINVAL : len;
	if (number_parse(buf, &end, &number) || *end)
		return -EINVAL;
	*value = number;
	return 0;
}

int __sysfile_write(const char *path, const char *value)
{
	size_t len = strlen(value);
	int fd, err = 0;
	ssize_t n;

	if (!len)
		return -EINVAL;
	/* The kernel's files ignore O_TRUNC; a regular file of a test's root needs it. */
	fd = sysfile_open(path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return fd;
	n = write(fd, value, len);
	if (n != (ssize_t)len)
		err = n < 0 ? -errno : -EIO;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

/* What follows "KEY:" or "KEY " on the line, or NULL. */
static const char *line_value(const char *line, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) || (line[len] != ':' && !isblank((unsigned char)line[len])))
		return NULL;
	line += len + (line[len] == ':');
	return line + strspn(line, " \t");
}

int __sysfile_read_key(const char *path, const char *key, uint64_t *value)
{
	char text[KEYS_MAX], *line, *end, *rest = text;
	ssize_t len = __sysfile_read(path, text, sizeof(text));
	const char *number;

	if (len < 0)
		return len;
	while ((line = strsep(&rest, "\n"))) {
		number = line_value(line, key);
		if (number)
			return number_parse(number, &end, value);
	}
	return -ENOENT;
}

bool sysfile_readable(const char *path)
{
	int fd = sysfile_open(path, O_RDONLY | O_NONBLOCK);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}
