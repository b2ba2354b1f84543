// SPDX-License-Identifier: GPL-2.0
/*
 * baseline: see baseline.h.
 */
#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <libmm/fail.h>

#include "baseline.h"

#define LABEL_PATH_MAX 4096

struct wanted {
	const char *bench;
	const char *kase;
	const char *metric;
	double *values;
	size_t nr;
};

static bool member_is(const json_t *object, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value && !strcmp(value, text);
}

static int sample_take(struct wanted *w, const json_t *sample)
{
	const json_t *value = json_object_get(sample, "value");
	double *grown;

	if (!member_is(sample, "bench", w->bench) || !member_is(sample, "case", w->kase) ||
	    !member_is(sample, "metric", w->metric) || !json_is_number(value))
		return 0;
	grown = realloc(w->values, (w->nr + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	w->values = grown;
	w->values[w->nr++] = json_number_value(value);
	return 0;
}

/* A line that is damaged holds no sample; whoever compares the labels complains of it. */
static int samples_read(struct wanted *w, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	if (!file)
		return -errno;
	while (!err && getline(&line, &size, file) > 0) {
		json_t *sample = json_loads(line, 0, NULL);

		err = sample_take(w, sample);
		json_decref(sample);
	}
	if (ferror(file))
		err = -EIO;
	free(line);
	fclose(file);
	return err;
}

static int value_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int boots_read(struct wanted *w, const char *label, char *why, size_t size)
{
	char pattern[LABEL_PATH_MAX];
	int err = 0, ret;
	glob_t boots;
	size_t i;

	if ((size_t)snprintf(pattern, sizeof(pattern), "%s/*/samples.jsonl", label) >=
	    sizeof(pattern))
		return libmm_refuse(-ENAMETOOLONG, why, size, "the baseline's name is too long");
	ret = glob(pattern, GLOB_NOSORT, NULL, &boots);
	if (ret && ret != GLOB_NOMATCH)
		return libmm_refuse(-EIO, why, size, "cannot look for %s", pattern);
	for (i = 0; !ret && !err && i < boots.gl_pathc; i++) {
		err = samples_read(w, boots.gl_pathv[i]);
		if (err)
			libmm_refuse(err, why, size, "cannot read %s: %s", boots.gl_pathv[i],
				     strerror(-err));
	}
	globfree(&boots);
	return err;
}

int __baseline_median(const char *label, const char *bench, const char *kase, const char *metric,
		      double *median, char *why, size_t size)
{
	struct wanted w = { .bench = bench, .kase = kase, .metric = metric };
	int err = boots_read(&w, label, why, size);

	if (!err && !w.nr)
		err = libmm_refuse(-ENOENT, why, size, "%s has no %s of %s: measure it there first",
				   label, metric, kase);
	if (!err) {
		qsort(w.values, w.nr, sizeof(*w.values), value_compare);
		*median = (w.values[(w.nr - 1) / 2] + w.values[w.nr / 2]) / 2;
	}
	free(w.values);
	return err;
}
