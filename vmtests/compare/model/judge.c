// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a verdict that is wrong at most alpha of the time over the whole table.
 * Method: Holm over all cells of a report; of a row that is the same, how large its change can be,
 * with an error that is controlled over all rows called so. A/A applies the same rule to halves of
 * one label's boots and counts false alarms.
 */
#include <math.h>
#include <stdlib.h>

#include "model/cell.h"
#include "model/judge.h"

#define SAME_MAX 0.05	/* without -m, a row that may have changed by more is unsure */
#define AA_SPLITS_MAX 1000
#define AA_BOOTS_MIN 4
#define AA_BOOTS_MAX 64

/* Is it found? If so, in which direction; if not, VERDICT_NONE. */
static enum verdict cell_found(const struct cell *c, const struct row *row,
			       const struct options *opt)
{
	if (!(c->p_holm <= opt->alpha) || c->why)
		return VERDICT_NONE;
	if (cell_size(c, c->diff) < opt->min_effect)
		return VERDICT_SAME;
	return (c->diff > 0) == row->higher ? VERDICT_BETTER : VERDICT_WORSE;
}

/* A row in which nothing was found may be the same. */
static bool cell_still(const struct cell *c, double alpha)
{
	return !isnan(c->p_holm) && !c->why && c->p > alpha;
}

static double enough(const struct options *opt)
{
	return opt->min_effect > 0 ? opt->min_effect : SAME_MAX;
}

/* The judged cells of a report. */
struct family {
	const struct report *r;
	size_t *at;	/* comparison * rows + row */
	size_t n;
};

static double family_bound(void *arg, size_t i, double level)
{
	const struct family *f = arg;
	size_t rows = f->r->ds->nrows;
	const struct comparison *cmp = &f->r->cmp[f->at[i] / rows];
	size_t row = f->at[i] % rows;

	return cell_still(&cmp->cells[row], f->r->opt->alpha) ?
	       cell_bound(f->r, cmp, row, level) : INFINITY;
}

static void cell_verdict(struct report *r, struct comparison *cmp, size_t row, double level)
{
	struct cell *c = &cmp->cells[row];

	c->verdict = cell_found(c, &r->ds->rows[row], r->opt);
	if (c->verdict != VERDICT_NONE)
		return;
	c->verdict = VERDICT_UNSURE;
	if (c->why)
		return;
	if (!cell_still(c, r->opt->alpha)) {
		c->why = "not after Holm";
		return;
	}
	c->bound = level > 0 ? cell_bound(r, cmp, row, level) : INFINITY;
	if (c->bound <= enough(r->opt)) {
		c->verdict = VERDICT_SAME;
		return;
	}
	c->bound = NAN;
	c->why = "cannot exclude a change that matters";
}

/* Holm over every judged cell, then bounds of those in which nothing was found. */
void report_judge(struct report *r)
{
	size_t n = r->ds->nrows * r->ncmp;
	struct family family = { r, xcalloc(n, sizeof(*family.at)), 0 };
	double *p = xcalloc(n, sizeof(*p)), level;

	for (size_t i = 0; i < n; i++) {
		p[i] = r->cmp[i / r->ds->nrows].cells[i % r->ds->nrows].p_holm;
		if (!isnan(p[i]))
			family.at[family.n++] = i;
	}
	level = same_level(family.n, r->opt->alpha, enough(r->opt), family_bound, &family);
	holm_adjust(p, n);
	for (size_t i = 0; i < n; i++) {
		struct comparison *cmp = &r->cmp[i / r->ds->nrows];
		struct cell *c = &cmp->cells[i % r->ds->nrows];

		if (!isnan(p[i])) {
			c->p_holm = p[i];
			cell_verdict(r, cmp, i % r->ds->nrows, level);
		}
		cmp->counts[c->verdict]++;
		r->regressions += c->verdict == VERDICT_WORSE;
		r->unsure += c->verdict == VERDICT_UNSURE;
	}
	free(family.at);
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
