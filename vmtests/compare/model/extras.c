// SPDX-License-Identifier: GPL-2.0
/* Values of perf/ and fio/ as rows: medians over the boots of each label, side by side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/extras.h"

struct item {
	const struct extra *extra;
	size_t label, boot;
};

static int key_cmp(const struct extra *a, const struct extra *b)
{
	int c = (a->kind > b->kind) - (a->kind < b->kind);

	c = c ? c : strcmp(a->test, b->test);
	return c ? c : strverscmp(a->what, b->what);
}

static int item_cmp(const void *a, const void *b)
{
	const struct item *l = a, *r = b;
	int c = key_cmp(l->extra, r->extra);

	c = c ? c : (l->label > r->label) - (l->label < r->label);
	return c ? c : (l->boot > r->boot) - (l->boot < r->boot);
}

static int double_cmp(const void *a, const void *b)
{
	double l = *(const double *)a, r = *(const double *)b;

	return (l > r) - (l < r);
}

/* Median over boots of the mean over a boot's runs; items are of one row and label. */
static double items_median(const struct item *items, size_t n)
{
	double *means = xcalloc(n, sizeof(*means)), median;
	size_t boots = 0;

	for (size_t i = 0, end; i < n; i = end) {
		double sum = 0;

		for (end = i; end < n && items[end].boot == items[i].boot; end++)
			sum += items[end].extra->value;
		means[boots++] = sum / (end - i);
	}
	qsort(means, boots, sizeof(*means), double_cmp);
	median = (means[(boots - 1) / 2] + means[boots / 2]) / 2;
	free(means);
	return median;
}

static size_t items_collect(const struct dataset *ds, struct item **items)
{
	size_t n = 0, cap = 0;

	*items = NULL;
	for (size_t l = 0; l < ds->nlabels; l++)
		for (size_t b = 0; b < ds->labels[l].n; b++)
			for (size_t e = 0; e < ds->labels[l].boots[b].nextras; e++) {
				array_grow(*items, n, cap);
				(*items)[n++] = (struct item){
					&ds->labels[l].boots[b].extras[e], l, b };
			}
	if (n)
		qsort(*items, n, sizeof(**items), item_cmp);
	return n;
}

/* Of base: what is hot in new alone comes last. */
static double row_heat(const struct extra_row *row)
{
	return isnan(row->median[0]) ? 0 : row->median[0];
}

static int row_cmp(const void *a, const void *b)
{
	const struct extra_row *l = a, *r = b;
	int c = (l->kind > r->kind) - (l->kind < r->kind);

	c = c ? c : strcmp(l->test, r->test);
	if (!c && l->kind == EXTRA_SYMBOL)
		c = (row_heat(l) < row_heat(r)) - (row_heat(l) > row_heat(r));
	return c ? c : strverscmp(l->what, r->what);
}

void extras_tabulate(struct extra_table *table, const struct dataset *ds)
{
	struct item *items;
	size_t n = items_collect(ds, &items), cap = 0;

	*table = (struct extra_table){ 0 };
	for (size_t i = 0, end; i < n; i = end) {
		const struct extra *e = items[i].extra;
		struct extra_row *row;

		for (end = i; end < n && items[end].label == items[i].label &&
		     !key_cmp(e, items[end].extra); end++)
			;
		row = table->n ? &table->v[table->n - 1] : NULL;
		if (!row || row->kind != e->kind || strcmp(row->test, e->test) ||
		    strcmp(row->what, e->what)) {
			array_grow(table->v, table->n, cap);
			row = &table->v[table->n++];
			*row = (struct extra_row){ e->kind, e->test, e->what,
				xcalloc(ds->nlabels, sizeof(double)) };
			for (size_t l = 0; l < ds->nlabels; l++)
				row->median[l] = NAN;
		}
		row->median[items[i].label] = items_median(items + i, end - i);
	}
	free(items);
	if (table->n)
		qsort(table->v, table->n, sizeof(*table->v), row_cmp);
}

void extras_free(struct extra_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		free(table->v[i].median);
	free(table->v);
	*table = (struct extra_table){ 0 };
}

double extra_change(const struct extra_row *row, size_t label)
{
	return row->median[0] > 0 ? row->median[label] / row->median[0] - 1 : NAN;
}
