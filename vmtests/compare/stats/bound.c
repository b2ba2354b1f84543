// SPDX-License-Identifier: GPL-2.0
/*
 * How large a change of a row that shows none can be, at most.
 *
 * A bound is the farther of two one-sided confidence limits. Rows are picked for their small
 * bounds, so that bounds of the usual level would fail more often among those picked: the level is
 * that of Benjamini and Yekutieli (2005, J. Am. Stat. Assoc. 100) for selected intervals. Checked
 * by simulation (calibrate.c).
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>

#include "stats/stats.h"
#include "util.h"

/* By how much mean(y) - mean(x) would change, were the other split the one observed. */
static double split_shift(const double *v, const size_t *idx, size_t nx, size_t n)
{
	double in = 0, out = 0;
	size_t at = 0, moved = 0;

	for (size_t i = 0; i < n; i++) {
		bool first = at < nx && idx[at] == i;

		at += first;
		if (first && i >= nx) {
			in += v[i];
			moved++;
		} else if (!first && i < nx) {
			out += v[i];
		}
	}
	return (in - out) / moved;
}

int permute_interval(const double *x, size_t nx, const double *y, size_t ny, double level,
		     double *lo, double *hi)
{
	size_t ways = choose(nx + ny, nx), k = fmax(1, floor(level * ways)), n = 0, *idx;
	double *v, *shift;

	if (ways > PERMUTE_INTERVAL_MAX)
		return -EDOM;
	v = xcalloc(nx + ny, sizeof(*v));
	idx = xcalloc(nx, sizeof(*idx));
	shift = xcalloc(ways, sizeof(*shift));
	for (size_t i = 0; i < nx + ny; i++)
		v[i] = i < nx ? x[i] : y[i - nx];
	for (size_t i = 0; i < nx; i++)
		idx[i] = i;
	/* The first split is the one observed. */
	while (subset_next(idx, nx, nx + ny))
		shift[n++] = split_shift(v, idx, nx, nx + ny);
	stats_sort(shift, n);
	*lo = shift[k - 1];
	*hi = shift[n - k];
	free(v);
	free(idx);
	free(shift);
	return 0;
}

double interval_reach(const struct interval *i)
{
	return fmax(fabs(i->lo), fabs(i->hi));
}

struct interval t_interval(const struct estimate *e, double level)
{
	double half = gsl_cdf_tdist_Qinv(level, e->df) * e->se;

	return (struct interval){ e->diff - half, e->diff + half };
}

struct interval boots_interval(const double *x, size_t nx, const double *y, size_t ny,
			       const struct estimate *e, double level)
{
	struct interval t = t_interval(e, level);
	double lo, hi;

	if (permute_interval(x, nx, y, ny, level, &lo, &hi))
		return t;
	return (struct interval){ fmin(t.lo, lo), fmax(t.hi, hi) };
}

double same_level(size_t n, double alpha, double enough,
		  double (*bound)(void *arg, size_t i, double level), void *arg)
{
	size_t called = n, before = n + 1;

	/* From all rows down to the most that are called the same at the level that so many get. */
	while (called && called < before) {
		double level = alpha * called / n;

		before = called;
		called = 0;
		for (size_t i = 0; i < n; i++)
			called += bound(arg, i, level) <= enough;
	}
	return called ? alpha * called / n : 0;
}
