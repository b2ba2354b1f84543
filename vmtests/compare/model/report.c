// SPDX-License-Identifier: GPL-2.0
/* From a dataset to a report: sides, comparisons, verdicts, trends, in the order of their needs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_errno.h>

#include "model/cell.h"
#include "model/failing.h"
#include "model/fairness.h"
#include "model/judge.h"
#include "model/missing.h"
#include "model/report.h"
#include "model/side.h"
#include "model/treatment.h"
#include "model/trend.h"

static int pair_check(struct report *r, struct comparison *cmp)
{
	const struct label *base = &r->ds->labels[0], *new = &r->ds->labels[cmp->label];
	size_t shared = 0;

	for (size_t i = 0; i < base->n; i++) {
		for (size_t j = 0; j < new->n; j++) {
			if (strcmp(base->boots[i].id, new->boots[j].id))
				continue;
			if (!strcmp(base->boots[i].path, new->boots[j].path))
				return fail("%s: compared with itself", base->boots[i].path);
			shared += i == j;
			if (i != j)
				return fail("%s: the same boot as %s", new->boots[j].path,
					    base->boots[i].path);
		}
	}
	if (shared && (shared != base->n || shared != new->n))
		return fail("%s and %s share %zu boots of %zu and %zu: a boot must be in both or one",
			    base->name, new->name, shared, base->n, new->n);
	cmp->paired = shared;
	return 0;
}

/*
 * Where repeats of one boot are compared, each side of one boot shows their median: a mean follows
 * outliers that the change does not, and the columns would contradict it.
 */
static void sides_of_repeats(struct report *r)
{
	if (!repeats_compared(r))
		return;
	for (size_t i = 0; i < r->ds->nlabels * r->ds->nrows; i++)
		if (r->sides[i].boots == 1)
			r->sides[i].centre = r->sides[i].median;
}

/* In the order in which the boots ran, did one label come after the other? */
static bool boots_interleaved(const struct label *base, const struct label *new)
{
	return base->boots[0].started < new->boots[new->n - 1].started &&
	       new->boots[0].started < base->boots[base->n - 1].started;
}

/* The larger of the 1-minute loads at the start of a boot's runs; 0 where none is known. */
static double boot_load_of(const struct boot *boot)
{
	double load = 0;
	const json_t *run;
	size_t i;

	json_array_foreach(boot_value(boot, "runs"), i, run)
		load = fmax(load, json_number_value(json_object_get(run, "load")));
	return load;
}

/* What else ran on the machine is in the times of a label. */
static void report_busy(struct report *r, const struct label *label)
{
	double cpus = label_number(label, "cpu.online"), most = 0;
	size_t busy = 0;

	for (size_t b = 0; b < label->n; b++) {
		double load = boot_load_of(&label->boots[b]);

		most = fmax(most, load);
		busy += load > cpus;
	}
	if (busy && cpus > 0)
		notes_add(&r->notes,
			  "WARNING: the machine was busy when %zu of %zu boots of %s began: load %.1f on %.0f CPUs; what else ran is in their times",
			  busy, label->n, label->name, most, cpus);
}

/* Counts of a TLB model (docs/tlb-model.md) must not be mistaken for hardware's. */
static void report_modelled(struct report *r)
{
	for (size_t i = 0; i < r->ds->nrows; i++) {
		if (strncmp(r->ds->rows[i].metric, "model_", strlen("model_")))
			continue;
		notes_add(&r->notes,
			  "modelled: rows model_* are counts of a TLB model in an emulator, not of hardware");
		return;
	}
}

static int order_cmp(const void *a, const void *b, void *arg)
{
	const struct row *rows = arg;
	const struct row *l = &rows[*(const size_t *)a], *r = &rows[*(const size_t *)b];
	int c = strcmp(l->bench, r->bench);

	if (!c)
		c = strverscmp(l->variant, r->variant);
	return c ? c : strcmp(l->metric, r->metric);
}

static void rows_order(struct report *r)
{
	r->order = xcalloc(r->ds->nrows, sizeof(*r->order));
	for (size_t i = 0; i < r->ds->nrows; i++)
		r->order[i] = i;
	qsort_r(r->order, r->ds->nrows, sizeof(*r->order), order_cmp, r->ds->rows);
}

/* The same repeats in another order have means that differ by rounding, which is no difference. */
static void means_settle(struct report *r, size_t row)
{
	size_t n = 0, boots = 0;
	double **means;

	for (size_t l = 0; l < r->ds->nlabels; l++)
		boots += report_side(r, l, row)->boots;
	means = xcalloc(boots, sizeof(*means));
	for (size_t l = 0; l < r->ds->nlabels; l++)
		for (size_t b = 0; b < report_side(r, l, row)->boots; b++)
			means[n++] = &report_side(r, l, row)->means[b];
	stats_settle(means, n);
	free(means);
}

static void sides_make(struct report *r)
{
	size_t rows = r->ds->nrows, n = rows * r->ds->nlabels;

	r->sides = xcalloc(n, sizeof(*r->sides));
	for (size_t i = 0; i < n; i++)
		side_collect(&r->sides[i], &r->ds->rows[i % rows], i % rows,
			     &r->ds->labels[i / rows]);
	for (size_t i = 0; i < rows; i++)
		means_settle(r, i);
	for (size_t i = 0; i < n; i++)
		side_describe(&r->sides[i], i % rows);
	for (size_t i = 0; i < n; i++)
		side_aa(r, &r->ds->rows[i % rows], &r->sides[i]);
}

static void comparison_make(struct report *r, struct comparison *cmp)
{
	const struct label *base = &r->ds->labels[0], *new = &r->ds->labels[cmp->label];

	cmp->audit.allow = r->opt->allow;
	cmp->audit.nallow = r->opt->nallow;
	audit_treatment(&cmp->audit, base, new);
	audit_fairness(&cmp->audit, base, new);
	cmp->interleaved = boots_interleaved(base, new);
	cmp->cells = xcalloc(r->ds->nrows, sizeof(*cmp->cells));
	for (size_t i = 0; i < r->ds->nrows; i++)
		cell_make(&cmp->cells[i], r, cmp, i);
	report_failing(r, cmp);
	report_missing(r, cmp);
}

int report_make(struct report *r, const struct dataset *ds, const struct options *opt)
{
	*r = (struct report){ .ds = ds, .opt = opt, .ncmp = ds->nlabels - 1 };
	/* A distribution that GSL cannot evaluate is NAN, hence unsure, not an abort. */
	gsl_set_error_handler_off();
	r->cmp = xcalloc(r->ncmp, sizeof(*r->cmp));
	for (size_t k = 0; k < r->ncmp; k++) {
		r->cmp[k].label = k + 1;
		if (pair_check(r, &r->cmp[k]))
			return -1;
	}
	for (size_t l = 0; l < ds->nlabels; l++)
		r->emulated |= label_emulated(&ds->labels[l]);
	rows_order(r);
	sides_make(r);
	sides_of_repeats(r);
	for (size_t k = 0; k < r->ncmp; k++)
		comparison_make(r, &r->cmp[k]);
	if (!r->ncmp)
		report_failing_alone(r);
	for (size_t l = 0; l < ds->nlabels; l++)
		report_busy(r, &ds->labels[l]);
	report_modelled(r);
	report_judge(r);
	report_lacks(r);
	trends_make(r);
	return 0;
}

void report_free(struct report *r)
{
	for (size_t i = 0; r->sides && i < r->ds->nrows * r->ds->nlabels; i++)
		side_free(&r->sides[i]);
	for (size_t k = 0; k < r->ncmp; k++) {
		free(r->cmp[k].cells);
		audit_free(&r->cmp[k].audit);
		notes_free(&r->cmp[k].lacks);
	}
	trends_free(r);
	notes_free(&r->notes);
	free(r->order);
	free(r->sides);
	free(r->cmp);
}
