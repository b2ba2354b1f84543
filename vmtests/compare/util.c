// SPDX-License-Identifier: GPL-2.0
/* Small helpers of vmcompare. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

bool fail_quiet;

static void *checked(void *p)
{
	if (p)
		return p;
	fputs("vmcompare: out of memory; compare fewer or smaller labels\n", stderr);
	abort();
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	return checked(reallocarray(p, n ? n : 1, size));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

static char *xvasprintf(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		checked(NULL);
	return s;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

void notes_add(struct notes *notes, const char *fmt, ...)
{
	va_list ap;

	array_grow(notes->v, notes->n, notes->cap);
	va_start(ap, fmt);
	notes->v[notes->n++] = xvasprintf(fmt, ap);
	va_end(ap);
}

void notes_free(struct notes *notes)
{
	for (size_t i = 0; i < notes->n; i++)
		free(notes->v[i]);
	free(notes->v);
	*notes = (struct notes){ 0 };
}

void text_printable(char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

char *text_clean(const char *s)
{
	size_t len = strnlen(s, TEXT_MAX + 1);
	char *copy = xcalloc(TEXT_MAX + 1, 1);

	memcpy(copy, s, len > TEXT_MAX ? TEXT_MAX : len);
	if (len > TEXT_MAX)
		memcpy(copy + TEXT_MAX - 3, "...", 3);
	text_printable(copy);
	return copy;
}

int fail(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	text_printable(s);
	if (!fail_quiet)
		fprintf(stderr, "vmcompare: %s\n", s);
	free(s);
	return -1;
}
