// SPDX-License-Identifier: GPL-2.0
/*
 * samples.jsonl, fast.
 *
 * jansson decides what a line means. In front of it stands a scanner for exactly the lines that
 * libmm writes: one flat object of the nine keys with plain strings and plain numbers. Whatever it
 * does not recognize at once goes to jansson, so it can only be faster, never more permissive: a
 * million samples take 1 s instead of 4. The fuzzer holds both to the same answer.
 */
#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <vmtests/grammar.h>

#include "load/lines.h"
#include "model/dataset.h"

#define ROWS_MAX 65536
#define TIME_MAX 1e12		/* seconds; more is no time since boot */
#define INTEGER_DIGITS 18	/* that every 64-bit integer has room for */

enum field { F_BENCH, F_CASE, F_METRIC, F_UNIT, F_BETTER, F_VALUE, F_REP, F_RUN, F_T, F_COUNT };

static const char *const field_name[F_COUNT] = {
	"bench", "case", "metric", "unit", "better", "value", "rep", "run", "t",
};

struct record {
	const char *text[F_VALUE];	/* not NUL-terminated */
	size_t len[F_VALUE];
	double number[F_COUNT];		/* from F_VALUE on */
};

enum unit_kind unit_kind(const char *unit)
{
	static const char *const times[] = {
		"s", "ms", "us", "ns", "ps", "min", "h", "cycle", "cycles", "jiffies", "seconds",
	};
	static const char *const ratios[] = { "1", "%", "x", "ratio", "percent" };
	const char *slash = strrchr(unit, '/');
	size_t len = strcspn(unit, "/");

	if (slash)
		for (size_t i = 0; i < ARRAY_SIZE(times); i++)
			if (!strcmp(slash + 1, times[i]))
				return UNIT_RATE;
	if (!strcasecmp(unit, "iops") || !strcmp(unit, "Hz"))
		return UNIT_RATE;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		if (!strncmp(unit, times[i], len) && !times[i][len])
			return UNIT_TIME;
	for (size_t i = 0; i < ARRAY_SIZE(ratios); i++)
		if (!strcmp(unit, ratios[i]))
			return UNIT_RATIO;
	return UNIT_COUNT;
}

static uint64_t hash_add(uint64_t h, const char *s, size_t len)
{
	/* FNV-1a; a row that collides costs time, nothing else. */
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * UINT64_C(0x100000001b3);
	return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

static bool text_is(const struct record *rec, enum field f, const char *s)
{
	return !strncmp(rec->text[f], s, rec->len[f]) && !s[rec->len[f]];
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
		return fail("%s: case \"%s\" is no name", where, row->variant);
	if (!name_valid(row->metric))
		return fail("%s: metric \"%s\" is no name", where, row->metric);
	if (!unit_valid(row->unit))
		return fail("%s: unit \"%s\" is not 1 to %d of printable ASCII without spaces",
			    where, row->unit, UNIT_LENGTH_MAX);
	return 0;
}

static void row_free(struct row *row)
{
	free(row->bench);
	free(row->variant);
	free(row->metric);
	free(row->unit);
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

static long row_find(struct dataset *ds, const struct record *rec, const char *where)
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
		return fail("%s: rep or run is no integer from 0", where);
	if (!(rec->number[F_T] >= 0 && rec->number[F_T] <= TIME_MAX))
		return fail("%s: t %g is no time since boot", where, rec->number[F_T]);
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

static const char *skip_space(const char *p)
{
	while (*p == ' ')
		p++;
	return p;
}

/* The end of a JSON string without escapes that starts behind its quote, or NULL. */
static const char *plain_string(const char *p)
{
	for (; *p != '"'; p++)
		if (*p < ' ' || *p > '~' || *p == '\\')
			return NULL;
	return p;
}

/*
 * Does p start with a number as JSON has it? strtod() alone would take 0x10, inf and 01. What may
 * be too large an integer is jansson's to say, which refuses it.
 */
static bool plain_number(const char *p)
{
	const char *first;

	p += *p == '-';
	first = p;
	if (!isdigit((unsigned char)*p) || (*p == '0' && isdigit((unsigned char)p[1])))
		return false;
	while (isdigit((unsigned char)*p))
		p++;
	if (*p != '.' && p - first > INTEGER_DIGITS)
		return false;
	if (*p == '.') {
		if (!isdigit((unsigned char)*++p))
			return false;
		while (isdigit((unsigned char)*p))
			p++;
	}
	return *p == ',' || *p == '}' || *p == ' ';
}

static enum field field_find(const char *key, size_t len)
{
	for (enum field f = 0; f < F_COUNT; f++)
		if (!strncmp(field_name[f], key, len) && !field_name[f][len])
			return f;
	return F_COUNT;
}

static bool record_scan(struct record *rec, const char *p, const char *end)
{
	unsigned int seen = 0;

	if (*p++ != '{')
		return false;
	for (;;) {
		const char *key, *stop;
		char *after;
		enum field f;

		p = skip_space(p);
		if (*p++ != '"')
			return false;
		key = p;
		p = plain_string(p);
		if (!p)
			return false;
		f = field_find(key, p - key);
		if (f == F_COUNT || seen & (1U << f))
			return false;
		seen |= 1U << f;
		p = skip_space(p + 1);
		if (*p++ != ':')
			return false;
		p = skip_space(p);
		if (f < F_VALUE) {
			if (*p++ != '"')
				return false;
			stop = plain_string(p);
			if (!stop)
				return false;
			rec->text[f] = p;
			rec->len[f] = stop - p;
			p = stop + 1;
		} else {
			if (!plain_number(p))
				return false;
			rec->number[f] = strtod(p, &after);
			/* Whether a number is an integer is jansson's to say. */
			if (f == F_REP || f == F_RUN)
				for (stop = p; stop < after; stop++)
					if (!isdigit((unsigned char)*stop))
						return false;
			p = after;
		}
		p = skip_space(p);
		if (*p == '}')
			break;
		if (*p++ != ',')
			return false;
	}
	return p + 1 == end && seen == (1U << F_COUNT) - 1;
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
			return fail("%s: hist bucket %zu is no rising [upper, count]", where, i);
		last = json_number_value(upper);
		array_grow(series->hist, series->nhist, series->hist_cap);
		series->hist[series->nhist++] = (struct bucket){ last, json_number_value(count) };
	}
	return 0;
}

int samples_line_json(struct dataset *ds, struct boot *boot, const char *text, size_t len,
		      const char *where)
{
	struct record rec = { 0 };
	struct series *series;
	json_error_t error;
	json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	int ret = -1;

	if (!line)
		return fail("%s: %s", where, error.text);
	if (!json_is_object(line)) {
		fail("%s: not an object", where);
	} else if (!record_from_json(&rec, line, where)) {
		const json_t *hist = json_object_get(line, "hist");

		series = record_store(ds, boot, &rec, where);
		ret = !series ? -1 : hist ? hist_add(series, hist, where) : 0;
	}
	json_decref(line);
	return ret;
}

int samples_line(struct dataset *ds, struct boot *boot, char *line, size_t len, const char *where)
{
	struct record rec;

	if (record_scan(&rec, line, line + len))
		return record_store(ds, boot, &rec, where) ? 0 : -1;
	return samples_line_json(ds, boot, line, len, where);
}

/* A torn write leaves a prefix of a line and no newline; anything else is no accident. */
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

int boot_finish(struct dataset *ds, struct boot *boot)
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

const struct series *boot_series(const struct boot *boot, size_t row)
{
	return row < boot->nseries && boot->series[row].n ? &boot->series[row] : NULL;
}

void boot_free(struct boot *boot)
{
	for (size_t i = 0; i < boot->nseries; i++) {
		free(boot->series[i].v);
		free(boot->series[i].hist);
	}
	for (size_t i = 0; i < boot->noutcomes; i++) {
		free(boot->outcomes[i].test);
		free(boot->outcomes[i].reason);
	}
	free(boot->outcomes);
	for (size_t i = 0; i < boot->nverdicts; i++)
		free(boot->verdicts[i].test);
	for (size_t i = 0; i < boot->nextras; i++) {
		free(boot->extras[i].test);
		free(boot->extras[i].what);
	}
	free(boot->extras);
	free(boot->damaged_names);
	free(boot->series);
	free(boot->verdicts);
	free(boot->id);
	free(boot->path);
	json_decref(boot->run);
	*boot = (struct boot){ 0 };
}

void dataset_free(struct dataset *ds)
{
	for (size_t l = 0; l < ds->nlabels; l++) {
		for (size_t b = 0; b < ds->labels[l].n; b++)
			boot_free(&ds->labels[l].boots[b]);
		free(ds->labels[l].boots);
		free(ds->labels[l].name);
	}
	for (size_t r = 0; r < ds->nrows; r++)
		row_free(&ds->rows[r]);
	free(ds->labels);
	free(ds->rows);
	free(ds->index);
	notes_free(&ds->notes);
	*ds = (struct dataset){ 0 };
}
