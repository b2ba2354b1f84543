// SPDX-License-Identifier: GPL-2.0
/*
 * Mann and Kendall's trend test, the Theil-Sen slope, and the interval of a mean.
 *
 * Groups of equal x are labels, values in them boots: with ties in x the test is Jonckheere and
 * Terpstra's. Checked against R's cor.test (tests/golden) and by simulation (calibrate.c). Limits:
 * p is the normal approximation with Kendall's correction for continuity; time and memory go with
 * the square of n, hence TREND_MAX.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>

#include "stats/stats.h"
#include "util.h"

/* Sums over the groups of t equal values, as the variance of S needs them. */
struct ties {
	double pairs;		/* t (t-1) */
	double triples;		/* t (t-1) (t-2) */
	double weighted;	/* t (t-1) (2t+5) */
};

static struct ties ties_count(const double *v, size_t n)
{
	double *sorted = xcalloc(n, sizeof(*sorted));
	struct ties ties = { 0 };

	for (size_t i = 0; i < n; i++)
		sorted[i] = v[i];
	stats_sort(sorted, n);
	for (size_t i = 0, end; i < n; i = end) {
		double t;

		for (end = i; end < n && sorted[end] == sorted[i]; end++)
			;
		t = end - i;
		ties.pairs += t * (t - 1);
		ties.triples += t * (t - 1) * (t - 2);
		ties.weighted += t * (t - 1) * (2 * t + 5);
	}
	free(sorted);
	return ties;
}

static int order(double a, double b)
{
	return (a > b) - (a < b);
}

int kendall_test(const double *x, const double *y, size_t n, struct kendall *k)
{
	struct ties a, b;
	double all = (double)n * (n - 1), var;

	if (n < 3 || n > TREND_MAX)
		return -EDOM;
	*k = (struct kendall){ 0 };
	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < i; j++)
			k->s += order(x[i], x[j]) * order(y[i], y[j]);
	a = ties_count(x, n);
	b = ties_count(y, n);
	var = (all * (2 * n + 5) - a.weighted - b.weighted) / 18 +
	      a.pairs * b.pairs / (2 * all) + a.triples * b.triples / (9 * all * (n - 2));
	/* All x or all y are equal: no order to find a trend in. */
	if (!(a.pairs < all) || !(b.pairs < all) || !(var > 0))
		return -EDOM;
	k->tau = 2 * k->s / sqrt((all - a.pairs) * (all - b.pairs));
	k->z = k->s ? (k->s - copysign(1, k->s)) / sqrt(var) : 0;
	k->p = 2 * gsl_cdf_ugaussian_Q(fabs(k->z));
	return 0;
}

int mean_interval(const double *v, size_t n, double alpha, double *lo, double *hi)
{
	double mean = stats_mean(v, n), half;

	*lo = NAN;
	*hi = NAN;
	if (n < 2)
		return -EDOM;
	half = gsl_cdf_tdist_Qinv(alpha / 2, n - 1) * sqrt(stats_var(v, n) / n);
	*lo = mean - half;
	*hi = mean + half;
	return 0;
}

double theil_sen(const double *x, const double *y, size_t n)
{
	double *slopes, median;
	size_t m = 0;

	if (n < 2 || n > TREND_MAX)
		return NAN;
	slopes = xcalloc(n * (n - 1) / 2, sizeof(*slopes));
	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (x[i] != x[j])
				slopes[m++] = (y[i] - y[j]) / (x[i] - x[j]);
	stats_sort(slopes, m);
	median = stats_quantile(slopes, m, 0.5);
	free(slopes);
	return median;
}
