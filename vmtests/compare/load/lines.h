/* SPDX-License-Identifier: GPL-2.0 */
/* Lines of a file whose size and line length are untrusted. */
#ifndef VMCOMPARE_LINES_H
#define VMCOMPARE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_LENGTH_MAX (1 << 20)
#define LINES_FILE_MAX (1L << 32)
#define DOCUMENT_MAX (16 << 20)

struct lines {
	int fd;
	const char *name;
	char *buf;
	size_t at, len, number;
	bool end, complete;
};

void lines_init(struct lines *lines, int fd, const char *name);
/*
 * The next line without its newline, NUL-terminated and valid until the next call: 1, 0 at the
 * end, -1 after saying why. lines->complete says whether a newline ended it.
 */
int lines_next(struct lines *lines, char **line, size_t *len);
void lines_free(struct lines *lines);

#endif
