// SPDX-License-Identifier: GPL-2.0
/* The rows of a dataset by their names: a hash table with open addressing. */
#include <stdlib.h>
#include <string.h>

#include <vmtests/grammar.h>

#include "load/record.h"

#define ROWS_MAX 65536

static uint64_t hash_add(uint64_t h, const char *s, size_t len)
{
	/* FNV-1a. A collision costs time and nothing else. */
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * UINT64_C(0x100000001b3);
	return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

static bool row_is(const struct row *row, const struct record *rec)
{
	return text_is(rec, F_METRIC, row->metric) && text_is(rec, F_CASE, row->variant) &&
	       text_is(rec, F_BENCH, row->bench);
}

static char *text_copy(const struct record *rec, enum field f)
{
	char *s = xcalloc(rec->len[f] + 1, 1);

	memcpy(s, rec->text[f], rec->len[f]);
	return s;
}

static int row_check(const struct row *row, const char *where)
{
	if (!bench_valid(row->bench))
		return fail("%s: bench \"%s\" is not group/name", where, row->bench);
	if (!name_valid(row->variant))
		return fail("%s: case \"%s\" is not a name", where, row->variant);
	if (!name_valid(row->metric))
		return fail("%s: metric \"%s\" is not a name", where, row->metric);
	if (!unit_valid(row->unit))
		return fail("%s: unit \"%s\" is not 1 to %d of printable ASCII without spaces",
			    where, row->unit, UNIT_LENGTH_MAX);
	return 0;
}

static void index_put(struct dataset *ds, uint32_t row)
{
	size_t at = ds->rows[row].hash & (ds->index_size - 1);

	while (ds->index[at])
		at = (at + 1) & (ds->index_size - 1);
	ds->index[at] = row + 1;
}

static void index_grow(struct dataset *ds)
{
	ds->index_size = ds->index_size ? ds->index_size * 2 : 256;
	free(ds->index);
	ds->index = xcalloc(ds->index_size, sizeof(*ds->index));
	for (size_t i = 0; i < ds->nrows; i++)
		index_put(ds, i);
}

static long row_add(struct dataset *ds, const struct record *rec, uint64_t hash, const char *where)
{
	struct row row = { .positive = true, .hash = hash };

	if (ds->nrows >= ROWS_MAX)
		return fail("%s: more than %d metrics", where, ROWS_MAX);
	row.bench = text_copy(rec, F_BENCH);
	row.variant = text_copy(rec, F_CASE);
	row.metric = text_copy(rec, F_METRIC);
	row.unit = text_copy(rec, F_UNIT);
	row.higher = text_is(rec, F_BETTER, "higher");
	row.kind = unit_kind(row.unit);
	if (row_check(&row, where)) {
		row_free(&row);
		return -1;
	}
	array_grow(ds->rows, ds->nrows, ds->rows_cap);
	ds->rows[ds->nrows++] = row;
	if (ds->nrows * 2 > ds->index_size)
		index_grow(ds);
	else
		index_put(ds, ds->nrows - 1);
	return ds->nrows - 1;
}

long row_find(struct dataset *ds, const struct record *rec, const char *where)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t at;

	/* Samples of one row, or of a bench's few rows in turn, follow each other. */
	for (uint32_t i = ds->recent; i < ds->nrows && i < ds->recent + 2; i++)
		if (row_is(&ds->rows[i], rec))
			return i;
	for (enum field f = F_BENCH; f <= F_METRIC; f++)
		hash = hash_add(hash, rec->text[f], rec->len[f]);
	if (!ds->index_size)
		index_grow(ds);
	at = hash & (ds->index_size - 1);
	for (; ds->index[at]; at = (at + 1) & (ds->index_size - 1))
		if (row_is(&ds->rows[ds->index[at] - 1], rec))
			return ds->index[at] - 1;
	return row_add(ds, rec, hash, where);
}
