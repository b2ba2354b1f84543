// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a verdict that is wrong at most alpha of the time over the whole table.
 * Method: Holm over all cells of a report; what a cell could have seen is said at the level that
 * Holm leaves it. A/A applies the same rule to halves of one label's boots and counts false alarms.
 */
#include <math.h>
#include <stdlib.h>

#include "model/judge.h"

#define POWER 0.8
#define SAME_MAX 0.05		/* without -m, a row that would miss 5 % is unsure, not the same */
#define AA_SPLITS_MAX 1000
#define AA_BOOTS_MIN 4
#define AA_BOOTS_MAX 64

static enum verdict verdict_make(const struct cell *c, const struct row *row,
				 const struct options *opt, const char **why)
{
	double enough = opt->min_effect > 0 ? opt->min_effect : SAME_MAX;

	if (c->p_holm <= opt->alpha && !*why) {
		if (!isnan(c->change) && fabs(c->change) < opt->min_effect)
			return VERDICT_SAME;
		return (c->diff > 0) == row->higher ? VERDICT_BETTER : VERDICT_WORSE;
	}
	if (*why)
		return VERDICT_UNSURE;
	if (c->p <= opt->alpha) {
		*why = "not after Holm";
		return VERDICT_UNSURE;
	}
	if (c->detectable <= enough)
		return VERDICT_SAME;
	*why = "would miss too much";
	return VERDICT_UNSURE;
}

/* What the row would have seen at this level, in fractions of base. */
static double cell_detectable(const struct cell *c, double level, double base)
{
	double d;

	if (c->method == METHOD_EXACT)
		return c->detectable;
	if (c->p_least > level)
		return INFINITY;
	/* With ties the interval may have no width: any shift would have been seen. */
	d = c->se == 0 ? 0 : detectable(c->se, c->df, level, POWER);
	if (method_linear(c->method))
		return base != 0 ? d : INFINITY;
	return expm1(d);
}

/* Holm over every judged cell, then what each could have seen at its level. */
void report_judge(struct report *r)
{
	size_t n = r->ds->nrows * r->ncmp, judged = 0, rejected = 0;
	double *p = xcalloc(n, sizeof(*p)), level;

	for (size_t i = 0; i < n; i++) {
		p[i] = r->cmp[i / r->ds->nrows].cells[i % r->ds->nrows].p_holm;
		judged += !isnan(p[i]);
	}
	holm_adjust(p, n);
	for (size_t i = 0; i < n; i++)
		rejected += p[i] <= r->opt->alpha;
	level = r->opt->alpha / (judged > rejected ? judged - rejected : 1);
	for (size_t i = 0; i < n; i++) {
		struct comparison *cmp = &r->cmp[i / r->ds->nrows];
		size_t row = i % r->ds->nrows;
		struct cell *c = &cmp->cells[row];

		if (!isnan(p[i])) {
			c->detectable = cell_detectable(c, level, report_side(r, 0, row)->centre);
			c->p_holm = p[i];
			c->verdict = verdict_make(c, &r->ds->rows[row], r->opt, &c->why);
		}
		cmp->counts[c->verdict]++;
		r->regressions += c->verdict == VERDICT_WORSE;
		r->unsure += c->verdict == VERDICT_UNSURE;
	}
	free(p);
}

void side_aa(struct report *r, const struct row *row, const struct side *side)
{
	size_t k = side->boots / 2, idx[AA_BOOTS_MAX], tried = 0;
	double *logs, x[AA_BOOTS_MAX], y[AA_BOOTS_MAX];

	if (side->boots < AA_BOOTS_MIN || side->boots > AA_BOOTS_MAX ||
	    !stats_positive(side->means, side->boots) ||
	    stats_equal(side->means, side->boots) || !row_judged(r, row))
		return;
	logs = stats_logs(side->means, side->boots);
	for (size_t i = 0; i < k; i++)
		idx[i] = i;
	do {
		struct estimate e;
		size_t nx = 0, ny = 0;

		for (size_t i = 0; i < side->boots; i++) {
			if (nx < k && idx[nx] == i)
				x[nx++] = logs[i];
			else
				y[ny++] = logs[i];
		}
		r->aa_splits++;
		r->aa_alarms += !welch_test(x, nx, y, ny, r->opt->alpha, &e) &&
				e.p <= r->opt->alpha;
	} while (++tried < AA_SPLITS_MAX && subset_next(idx, k, side->boots));
	free(logs);
}
