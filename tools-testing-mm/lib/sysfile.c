// SPDX-License-Identifier: GPL-2.0
/*
 * sysfile: bounded reads and writes of small files below /proc and /sys.
 *
 * Such files give their content in one read(2) as a rule, but seq_file may give less, so reads go
 * on to the end of the file. Writes are one write(2): a store method sees one call and one value.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/sysfile.h>

static const char *root_dir(void)
{
	const char *root = getenv("LIBMM_ROOT");

	return root ? root : "";
}

static int file_open(const char *path, int flags)
{
	char full[SYSFILE_PATH_MAX];
	int ret, fd;

	ret = __sysfile_path(full, sizeof(full), path);
	if (ret)
		return ret;

	fd = open(full, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static ssize_t read_to_end(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size) {
		n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return len;
		len += n;
	}
	return -EOVERFLOW;
}

static size_t string_trim(char *s, size_t len)
{
	while (len && isspace((unsigned char)s[len - 1]))
		len--;
	s[len] = '\0';
	return len;
}

/* Leading digits only: strtoull() itself would take "-1" and white space. */
static int number_parse(const char *s, char **end, uint64_t *value)
{
	int base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;

	if (!isdigit((unsigned char)s[0]))
		return -EINVAL;

	errno = 0;
	*value = strtoull(s, end, base);
	return errno ? -EINVAL : 0;
}

int __sysfile_path(char *buf, size_t size, const char *path)
{
	int len = snprintf(buf, size, "%s%s", root_dir(), path);

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

ssize_t __sysfile_read(const char *path, char *buf, size_t size)
{
	ssize_t len;
	int fd;

	fd = file_open(path, O_RDONLY);
	if (fd < 0)
		return fd;

	len = read_to_end(fd, buf, size);
	close(fd);
	return len < 0 ? len : (ssize_t)string_trim(buf, len);
}

int __sysfile_read_u64(const char *path, uint64_t *value)
{
	char buf[64], *end;
	uint64_t number;
	ssize_t len;

	len = __sysfile_read(path, buf, sizeof(buf));
	if (len == -EOVERFLOW)
		return -EINVAL;
	if (len < 0)
		return len;
	if (number_parse(buf, &end, &number) || *end)
		return -EINVAL;

	*value = number;
	return 0;
}

int __sysfile_write(const char *path, const char *value)
{
	size_t len = strlen(value);
	ssize_t n;
	int fd, ret;

	if (!len)
		return -EINVAL;

	/* The kernel's files ignore O_TRUNC; a regular file of a test's root needs it. */
	fd = file_open(path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return fd;

	n = write(fd, value, len);
	ret = n < 0 ? -errno : (size_t)n < len ? -EIO : 0;
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

static const char *line_value(const char *line, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len))
		return NULL;
	line += len;
	if (*line == ':')
		line++;
	else if (!isblank((unsigned char)*line))
		return NULL;

	while (isblank((unsigned char)*line))
		line++;
	return line;
}

int __sysfile_read_key(const char *path, const char *key, uint64_t *value)
{
	char *line = NULL, *end;
	const char *number;
	int fd, ret = -ENOENT;
	size_t size = 0;
	FILE *file;

	fd = file_open(path, O_RDONLY);
	if (fd < 0)
		return fd;
	file = fdopen(fd, "r");
	if (!file) {
		ret = -errno;
		close(fd);
		return ret;
	}

	errno = 0;
	while (getline(&line, &size, file) >= 0) {
		number = line_value(line, key);
		if (number) {
			ret = number_parse(number, &end, value);
			break;
		}
	}
	if (ferror(file))
		ret = errno ? -errno : -EIO;
	free(line);
	fclose(file);
	return ret;
}

int sysfile_readable(const char *path)
{
	int fd = file_open(path, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}
