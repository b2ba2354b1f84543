// SPDX-License-Identifier: GPL-2.0
/* Whole files, opened and read within bounds. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "util.h"

int file_open(int dirfd, const char *name, long max)
{
	struct stat st;
	int fd, err;

	/* O_NONBLOCK: the open of a FIFO must not wait for a writer. */
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : !S_ISREG(st.st_mode) ? -EINVAL :
	      st.st_size > max ? -EFBIG : 0;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

char *file_slurp(int fd, const char *name, size_t max, size_t *len)
{
	size_t cap = 1 << 16;
	char *buf = xcalloc(cap + 1, 1);

	*len = 0;
	for (;;) {
		ssize_t got = read(fd, buf + *len, cap - *len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || *len > max) {
			fail("%s: reading: %s", name, strerror(got < 0 ? errno : EFBIG));
			free(buf);
			return NULL;
		}
		if (!got)
			break;
		*len += got;
		if (*len == cap) {
			cap *= 2;
			buf = xreallocarray(buf, cap + 1, 1);
		}
	}
	buf[*len] = '\0';
	return buf;
}
