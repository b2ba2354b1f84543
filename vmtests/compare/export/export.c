// SPDX-License-Identifier: GPL-2.0
/* What all exports share. */
#include <stdlib.h>
#include <string.h>

#include "export/export.h"

#define ORIGIN_MAX 64

bool origin_valid(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n && n <= ORIGIN_MAX && !s[n];
}

const char *export_text(const struct boot *boot, const char *path)
{
	return json_string_value(boot_value(boot, path));
}

char *export_metric_name(const struct row *row)
{
	char *name = xasprintf("%s.%s.%s", row->bench, row->variant, row->metric);

	for (char *p = name; (p = strchr(p, '/'));)
		*p = '.';
	return name;
}

int export_dump(json_t *root, FILE *out)
{
	int err = json_dumpf(root, out, JSON_INDENT(1));

	json_decref(root);
	if (err || fputc('\n', out) == EOF)
		return fail("writing JSON: the stream failed");
	return 0;
}

static const char *run_started(const struct boot *boot, int run)
{
	const json_t *runs = boot_value(boot, "runs"), *entry;
	size_t i;

	json_array_foreach(runs, i, entry)
		if (json_integer_value(json_object_get(entry, "run")) == run)
			return json_string_value(json_object_get(entry, "started"));
	return NULL;
}

static int int_cmp(const void *a, const void *b)
{
	const int *l = a, *r = b;

	return (*l > *r) - (*l < *r);
}

struct numbers {
	int *v;
	size_t n, cap;
};

/* Results come in runs, so that a number is nearly always that of its neighbour. */
static void number_add(struct numbers *numbers, int run)
{
	if (numbers->n && numbers->v[numbers->n - 1] == run)
		return;
	array_grow(numbers->v, numbers->n, numbers->cap);
	numbers->v[numbers->n++] = run;
}

static struct numbers boot_runs(const struct boot *boot)
{
	struct numbers numbers = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < boot->noutcomes; i++)
		number_add(&numbers, boot->outcomes[i].run);
	for (size_t r = 0; r < boot->nseries; r++)
		for (size_t i = 0; i < boot->series[r].n; i++)
			number_add(&numbers, boot->series[r].v[i].run);
	if (numbers.n)
		qsort(numbers.v, numbers.n, sizeof(*numbers.v), int_cmp);
	for (size_t i = 0; i < numbers.n; i++)
		if (!kept || numbers.v[kept - 1] != numbers.v[i])
			numbers.v[kept++] = numbers.v[i];
	numbers.n = kept;
	return numbers;
}

int export_runs(const struct dataset *ds, int (*visit)(const struct export_run *r, void *arg),
		void *arg)
{
	int ret = 0;

	for (size_t l = 0; l < ds->nlabels; l++) {
		for (size_t b = 0; b < ds->labels[l].n; b++) {
			const struct boot *boot = &ds->labels[l].boots[b];
			const char *label = export_text(boot, "label");
			struct numbers runs = boot_runs(boot);

			for (size_t i = 0; !ret && i < runs.n; i++) {
				struct export_run r = {
					.label = label ? label : ds->labels[l].name,
					.boot = boot, .run = runs.v[i],
					.started = run_started(boot, runs.v[i]),
				};

				ret = visit(&r, arg);
			}
			free(runs.v);
		}
	}
	return ret;
}
