/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names and units of results, as docs/results.md defines them, for what writes results and for
 * what reads them. The reader refuses a whole label for one bad name, so the writer must refuse
 * that name before it is in a file.
 */
#ifndef VMTESTS_GRAMMAR_H
#define VMTESTS_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* In RUN.TEST.symbols.jsonl this leaves room for the number, below NAME_MAX of 255. */
#define NAME_LENGTH_MAX 128
#define UNIT_LENGTH_MAX 32

/* The dot, which joins the parts of a name, is apart. */
#define NAME_CHARACTERS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-"

/*
 * The first len bytes of the string s. Parts between dots are not empty: a name is never "." or
 * "..", names no hidden file, and its parts are the nodes of a path of KCIDB.
 */
static inline bool name_valid_n(const char *s, size_t len)
{
	size_t at = 0;

	if (len > NAME_LENGTH_MAX)
		return false;
	for (;;) {
		size_t part = strspn(s + at, NAME_CHARACTERS);

		if (part > len - at)
			part = len - at;
		if (!part)
			return false;
		at += part;
		if (at == len)
			return true;
		if (s[at++] != '.')
			return false;
	}
}

/* Of a label, boot, test, case or metric. */
static inline bool name_valid(const char *s)
{
	return name_valid_n(s, strlen(s));
}

/* GROUP/NAME: two names. */
static inline bool bench_valid(const char *s)
{
	const char *slash = strchr(s, '/');

	return slash && name_valid_n(s, slash - s) && name_valid(slash + 1);
}

/* Printable ASCII without spaces, as "ns/page". */
static inline bool unit_valid(const char *s)
{
	size_t len = 0;

	while (len <= UNIT_LENGTH_MAX && s[len] > ' ' && s[len] <= '~')
		len++;
	return len && len <= UNIT_LENGTH_MAX && !s[len];
}

#endif
