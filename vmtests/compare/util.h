/* SPDX-License-Identifier: GPL-2.0 */
/* Allocations that abort when memory runs out, growing arrays, and text that is safe to print. */
#ifndef VMCOMPARE_UTIL_H
#define VMCOMPARE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Make room for one more element behind the n that p holds; *cap is its capacity. */
#define array_grow(p, n, cap)						\
	do {								\
		if ((n) == (cap)) {					\
			(cap) = (cap) ? (cap) * 2 : 8;			\
			(p) = xreallocarray(p, cap, sizeof(*(p)));	\
		}							\
	} while (0)

/* Sentences for the reader of the report, in the order in which they were found. */
struct notes {
	char **v;
	size_t n, cap;
};

void notes_add(struct notes *notes, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void notes_free(struct notes *notes);

/*
 * Results are untrusted: a copy of s in which everything but printable ASCII is a '?', cut to
 * TEXT_MAX characters, so that no name can move a cursor or break a line. The caller frees it.
 */
#define TEXT_MAX 200
char *text_clean(const char *s);
/* The same in place, whatever its length. */
void text_printable(char *s);

/* "what: why", cleaned, to stderr; always returns -1. */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* For the fuzzer, which would drown in messages. */
extern bool fail_quiet;

#endif
