// SPDX-License-Identifier: GPL-2.0
/* One buffer of bounded size, refilled from the file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load/lines.h"
#include "util.h"

#define BUFFER_SIZE (LINE_LENGTH_MAX + 1)

void lines_init(struct lines *lines, int fd, const char *name)
{
	*lines = (struct lines){ .fd = fd, .name = name };
	lines->buf = xcalloc(BUFFER_SIZE + 1, 1);
}

void lines_free(struct lines *lines)
{
	free(lines->buf);
	lines->buf = NULL;
}

static int lines_fill(struct lines *lines)
{
	ssize_t got;

	memmove(lines->buf, lines->buf + lines->at, lines->len - lines->at);
	lines->len -= lines->at;
	lines->at = 0;
	do {
		got = read(lines->fd, lines->buf + lines->len, BUFFER_SIZE - lines->len);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail("%s: reading: %s", lines->name, strerror(errno));
	lines->end = !got;
	lines->len += got;
	return 0;
}

int lines_next(struct lines *lines, char **line, size_t *len)
{
	size_t searched = 0;

	for (;;) {
		char *start = lines->buf + lines->at;
		char *newline = memchr(start + searched, '\n', lines->len - lines->at - searched);

		searched = lines->len - lines->at;
		if (newline || lines->end) {
			lines->complete = newline;
			*len = newline ? (size_t)(newline - start) : searched;
			*line = start;
			lines->at += *len + lines->complete;
			start[*len] = '\0';
			lines->number += *len || newline;
			return *len || newline ? 1 : 0;
		}
		if (searched >= BUFFER_SIZE)
			return fail("%s:%zu: line longer than %d bytes", lines->name,
				    lines->number + 1, LINE_LENGTH_MAX);
		if (lines_fill(lines))
			return -1;
	}
}
