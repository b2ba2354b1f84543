// SPDX-License-Identifier: GPL-2.0
/*
 * Does a row go one way over the labels of the command line?
 *
 * The boots are the samples again: their means over the place of their label, by Mann and Kendall's
 * test, with Theil and Sen's slope beside it. Limits: the labels are one step apart whatever they
 * are named; a row that goes up and down again has no trend.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/trend.h"

static const struct trend_point nowhere = { NAN, NAN, NAN };

static struct trend_point point_of(const struct side *side, double alpha)
{
	struct trend_point point = nowhere;
	double *v = xcalloc(side->boots, sizeof(*v));
	bool positive = true;

	for (size_t i = 0; i < side->boots; i++) {
		v[i] = side->means[i];
		positive &= v[i] > 0;
	}
	stats_sort(v, side->boots);
	point.median = stats_quantile(v, side->boots, 0.5);
	for (size_t i = 0; positive && i < side->boots; i++)
		v[i] = log(v[i]);
	if (!mean_interval(v, side->boots, alpha, &point.lo, &point.hi) && positive) {
		point.lo = exp(point.lo);
		point.hi = exp(point.hi);
	}
	free(v);
	return point;
}

/* A boot in two labels would give two samples that are not independent. */
static bool boots_shared(const struct dataset *ds)
{
	for (size_t l = 1; l < ds->nlabels; l++)
		for (size_t b = 0; b < ds->labels[l].n; b++)
			for (size_t m = 0; m < l; m++)
				for (size_t c = 0; c < ds->labels[m].n; c++)
					if (!strcmp(ds->labels[l].boots[b].id,
						    ds->labels[m].boots[c].id))
						return true;
	return false;
}

static const char *trends_barred(const struct report *r)
{
	for (size_t k = 0; k < r->ncmp; k++)
		if (r->cmp[k].audit.unfair)
			return "audit failed";
	return boots_shared(r->ds) ? "labels share a boot" : NULL;
}

/* Every boot's mean over the place of its label. */
static void trend_test(const struct report *r, size_t row, struct trend *t)
{
	double *x = xcalloc(t->boots, sizeof(*x)), *y = xcalloc(t->boots, sizeof(*y));
	double base = fabs(report_side(r, 0, row)->centre);
	bool positive = true;
	size_t n = 0;

	for (size_t l = 0; l < r->ds->nlabels; l++) {
		const struct side *side = report_side(r, l, row);

		for (size_t i = 0; i < side->boots; i++, n++) {
			x[n] = l;
			y[n] = side->means[i];
			positive &= y[n] > 0;
		}
	}
	if (kendall_test(x, y, n, &t->test))
		t->test = (struct kendall){ NAN, NAN, NAN, NAN };
	for (size_t i = 0; positive && i < n; i++)
		y[i] = log(y[i]);
	t->slope = theil_sen(x, y, n);
	t->linear = !positive;
	t->slope = positive ? expm1(t->slope) : base > 0 ? t->slope / base : NAN;
	free(x);
	free(y);
}

static void trend_fill(struct report *r, size_t row, const char *barred)
{
	struct trend *t = &r->trends[row];

	*t = (struct trend){ .verdict = VERDICT_NONE, .slope = NAN, .p_holm = NAN, .why = barred,
			     .points = xcalloc(r->ds->nlabels, sizeof(*t->points)),
			     .test = { NAN, NAN, NAN, NAN } };
	for (size_t l = 0; l < r->ds->nlabels; l++) {
		const struct side *side = report_side(r, l, row);

		t->labels += side->boots > 0;
		t->boots += side->boots;
		t->points[l] = side->boots ? point_of(side, r->opt->alpha) : nowhere;
	}
	if (t->labels < TREND_LABELS) {
		t->why = "fewer than three labels";
		return;
	}
	trend_test(r, row, t);
	if (!t->why && !row_judged(r, &r->ds->rows[row]))
		t->why = "emulated";
	else if (!t->why && isnan(t->test.p))
		t->why = t->boots > TREND_MAX ? "too many boots" : "all boots are equal";
	if (!t->why)
		t->p_holm = t->test.p;
}

/* From the first label to the last; the same when their order is reversed. */
static double trend_size(const struct report *r, const struct trend *t)
{
	double steps = r->ds->nlabels - 1;

	return t->linear ? fabs(t->slope) * steps : expm1(fabs(log1p(t->slope)) * steps);
}

static void trend_judge(const struct report *r, struct trend *t, const struct row *row)
{
	if (t->p_holm <= r->opt->alpha) {
		if (trend_size(r, t) < r->opt->min_effect) {
			t->why = "smaller than -m";
			return;
		}
		t->verdict = (t->test.tau > 0) == row->higher ? VERDICT_BETTER : VERDICT_WORSE;
	} else if (t->test.p <= r->opt->alpha) {
		t->verdict = VERDICT_UNSURE;
		t->why = "not after Holm";
	} else {
		t->why = "no trend seen";
	}
}

void trends_make(struct report *r)
{
	const char *barred;
	double *p;

	if (r->ds->nlabels < TREND_LABELS)
		return;
	barred = trends_barred(r);
	r->trends = xcalloc(r->ds->nrows, sizeof(*r->trends));
	p = xcalloc(r->ds->nrows, sizeof(*p));
	for (size_t i = 0; i < r->ds->nrows; i++) {
		trend_fill(r, i, barred);
		p[i] = r->trends[i].p_holm;
	}
	holm_adjust(p, r->ds->nrows);
	for (size_t i = 0; i < r->ds->nrows; i++) {
		if (isnan(p[i]))
			continue;
		r->trends[i].p_holm = p[i];
		trend_judge(r, &r->trends[i], &r->ds->rows[i]);
	}
	free(p);
}

void trends_free(struct report *r)
{
	for (size_t i = 0; r->trends && i < r->ds->nrows; i++)
		free(r->trends[i].points);
	free(r->trends);
	r->trends = NULL;
}
