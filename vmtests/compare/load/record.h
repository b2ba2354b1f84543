/* SPDX-License-Identifier: GPL-2.0 */
/* A line of samples.jsonl, taken apart but not checked. */
#ifndef VMCOMPARE_RECORD_H
#define VMCOMPARE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "model/dataset.h"

/* In the order in which libmm writes them. */
enum field { F_BENCH, F_CASE, F_METRIC, F_UNIT, F_BETTER, F_VALUE, F_REP, F_RUN, F_T, F_COUNT };

struct record {
	const char *text[F_VALUE];	/* not NUL-terminated */
	size_t len[F_VALUE];
	double number[F_COUNT];		/* from F_VALUE on */
};

extern const char *const field_name[F_COUNT];

static inline bool text_is(const struct record *rec, enum field f, const char *s)
{
	return !strncmp(rec->text[f], s, rec->len[f]) && !s[rec->len[f]];
}

/*
 * Take apart a line exactly as libmm writes it: the nine keys in their order, without spaces, with
 * plain strings and plain numbers. False for any other line, which jansson then judges. line is
 * NUL-terminated at end.
 */
bool record_scan(struct record *rec, const char *line, const char *end);

/* Find or add the row of a record: its index, or -1 after saying why. */
long row_find(struct dataset *ds, const struct record *rec, const char *where);

#endif
