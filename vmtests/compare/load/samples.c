// SPDX-License-Identifier: GPL-2.0
/* samples.jsonl: every line checked and put into its row. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "load/lines.h"
#include "load/load.h"
#include "load/record.h"

#define TIME_MAX 1e12		/* seconds; more is not a time since boot */

static bool whole(double v)
{
	return v >= 0 && v <= INT_MAX && v == floor(v);
}

static int record_check(const struct record *rec, const struct row *row, const char *where)
{
	double value = rec->number[F_VALUE];

	if (!text_is(rec, F_BETTER, "higher") && !text_is(rec, F_BETTER, "lower"))
		return fail("%s: better is neither \"higher\" nor \"lower\"", where);
	if (!text_is(rec, F_UNIT, row->unit))
		return fail("%s: %s %s %s has unit %.*s here and %s elsewhere", where, row->bench,
			    row->variant, row->metric, (int)rec->len[F_UNIT], rec->text[F_UNIT],
			    row->unit);
	if (row->higher != text_is(rec, F_BETTER, "higher"))
		return fail("%s: %s %s %s is better higher in one place, lower in another", where,
			    row->bench, row->variant, row->metric);
	if (!isfinite(value))
		return fail("%s: value is not finite", where);
	if (value < 0 && (row->kind == UNIT_TIME || row->kind == UNIT_RATE))
		return fail("%s: negative %s: %g %s", where,
			    row->kind == UNIT_TIME ? "duration" : "rate", value, row->unit);
	if (!whole(rec->number[F_REP]) || !whole(rec->number[F_RUN]))
		return fail("%s: rep or run is not an integer from 0", where);
	if (!(rec->number[F_T] >= 0 && rec->number[F_T] <= TIME_MAX))
		return fail("%s: t %g is not a time since boot", where, rec->number[F_T]);
	return 0;
}

static struct series *series_of(struct dataset *ds, struct boot *boot, size_t row)
{
	if (row >= boot->nseries) {
		size_t n = ds->nrows > 2 * boot->nseries ? ds->nrows : 2 * boot->nseries;

		boot->series = xreallocarray(boot->series, n, sizeof(*boot->series));
		memset(boot->series + boot->nseries, 0,
		       (n - boot->nseries) * sizeof(*boot->series));
		boot->nseries = n;
	}
	return &boot->series[row];
}

/* NULL after saying why. */
static struct series *record_store(struct dataset *ds, struct boot *boot, const struct record *rec,
				   const char *where)
{
	long row = row_find(ds, rec, where);
	struct series *series;
	struct sample s;

	if (row < 0 || record_check(rec, &ds->rows[row], where))
		return NULL;
	ds->recent = row;
	s = (struct sample){ rec->number[F_VALUE], rec->number[F_T], rec->number[F_RUN],
			     rec->number[F_REP] };
	ds->rows[row].positive &= s.value > 0;
	series = series_of(ds, boot, row);
	if (series->n) {
		const struct sample *last = &series->v[series->n - 1];

		if (s.run < last->run || (s.run == last->run && s.rep <= last->rep))
			series->unordered = true;
	}
	array_grow(series->v, series->n, series->cap);
	series->v[series->n++] = s;
	boot->samples++;
	return series;
}

static int record_from_json(struct record *rec, const json_t *line, const char *where)
{
	for (enum field f = 0; f < F_COUNT; f++) {
		const json_t *v = json_object_get(line, field_name[f]);

		if (!v)
			return fail("%s: no \"%s\"", where, field_name[f]);
		if (f < F_VALUE ? !json_is_string(v) : f == F_REP || f == F_RUN ?
		    !json_is_integer(v) : !json_is_number(v))
			return fail("%s: \"%s\" has the wrong type", where, field_name[f]);
		if (f < F_VALUE) {
			rec->text[f] = json_string_value(v);
			rec->len[f] = json_string_length(v);
		} else {
			rec->number[f] = json_number_value(v);
		}
	}
	return 0;
}

static int hist_add(struct series *series, const json_t *hist, const char *where)
{
	const json_t *buckets = json_object_get(hist, "buckets"), *pair;
	double last = -INFINITY;
	size_t i;

	if (!json_is_array(buckets))
		return fail("%s: hist without buckets", where);
	json_array_foreach(buckets, i, pair) {
		const json_t *upper = json_array_get(pair, 0), *count = json_array_get(pair, 1);

		if (json_array_size(pair) != 2 ||
		    !json_is_number(upper) || !json_is_number(count) ||
		    json_number_value(upper) <= last || !(json_number_value(count) > 0))
			return fail("%s: hist bucket %zu is not a rising [upper, count]", where, i);
		last = json_number_value(upper);
		array_grow(series->hist, series->nhist, series->hist_cap);
		series->hist[series->nhist++] = (struct bucket){ last, json_number_value(count) };
	}
	return 0;
}

int samples_line_json(struct dataset *ds, struct boot *boot, const char *line, size_t len,
		      const char *where)
{
	struct record rec = { 0 };
	struct series *series;
	json_error_t error;
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	int ret = -1;

	if (!o)
		return fail("%s: %s", where, error.text);
	if (!json_is_object(o)) {
		fail("%s: not an object", where);
	} else if (!record_from_json(&rec, o, where)) {
		const json_t *hist = json_object_get(o, "hist");

		series = record_store(ds, boot, &rec, where);
		ret = !series ? -1 : hist ? hist_add(series, hist, where) : 0;
	}
	json_decref(o);
	return ret;
}

int samples_line(struct dataset *ds, struct boot *boot, const char *line, size_t len,
		 const char *where)
{
	struct record rec;

	if (record_scan(&rec, line, line + len))
		return record_store(ds, boot, &rec, where) ? 0 : -1;
	return samples_line_json(ds, boot, line, len, where);
}

/* A torn write leaves a prefix of a line and no newline. Anything else is not an accident. */
static bool line_torn(const char *line, size_t len)
{
	json_error_t error;
	json_t *v = json_loadb(line, len, 0, &error);

	json_decref(v);
	return !v;
}

int samples_read(struct dataset *ds, struct boot *boot, int fd, const char *name)
{
	struct lines lines;
	size_t len;
	char *line;
	int more;

	lines_init(&lines, fd, name);
	while ((more = lines_next(&lines, &line, &len)) > 0) {
		char where[512];

		if (!lines.complete && line_torn(line, len)) {
			boot->damaged++;
			break;
		}
		snprintf(where, sizeof(where), "%s:%zu", name, lines.number);
		if (samples_line(ds, boot, line, len, where)) {
			more = -1;
			break;
		}
	}
	lines_free(&lines);
	return more < 0 ? -1 : 0;
}

static int sample_cmp(const void *a, const void *b)
{
	const struct sample *l = a, *r = b;

	return l->run != r->run ? (l->run > r->run) - (l->run < r->run) :
				  (l->rep > r->rep) - (l->rep < r->rep);
}

static int bucket_cmp(const void *a, const void *b)
{
	const struct bucket *l = a, *r = b;

	return (l->upper > r->upper) - (l->upper < r->upper);
}

static void hist_merge(struct series *series)
{
	size_t n = 0;

	if (!series->nhist)
		return;
	qsort(series->hist, series->nhist, sizeof(*series->hist), bucket_cmp);
	for (size_t i = 1; i < series->nhist; i++) {
		if (series->hist[i].upper == series->hist[n].upper)
			series->hist[n].count += series->hist[i].count;
		else
			series->hist[++n] = series->hist[i];
	}
	series->nhist = n + 1;
}

int samples_finish(const struct dataset *ds, struct boot *boot)
{
	for (size_t r = 0; r < boot->nseries && r < ds->nrows; r++) {
		struct series *s = &boot->series[r];

		hist_merge(s);
		if (!s->unordered)
			continue;
		qsort(s->v, s->n, sizeof(*s->v), sample_cmp);
		for (size_t i = 1; i < s->n; i++)
			if (!sample_cmp(&s->v[i - 1], &s->v[i]))
				return fail("%s: %s %s %s: repeat %d of run %d stands there twice",
					    boot->path, ds->rows[r].bench, ds->rows[r].variant,
					    ds->rows[r].metric, s->v[i].rep, s->v[i].run);
	}
	return 0;
}
