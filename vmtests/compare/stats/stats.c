// SPDX-License-Identifier: GPL-2.0
/*
 * Means, Welch and Holm, each in its textbook form.
 *
 * Checked against R (tests/golden) and by simulation (calibrate.c). Distributions and sorting are
 * GSL's.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#include "stats/stats.h"
#include "util.h"

static int pointed_cmp(const void *a, const void *b)
{
	double l = **(double *const *)a, r = **(double *const *)b;

	return (l > r) - (l < r);
}

void stats_settle(double **v, size_t n)
{
	size_t first = 0;

	qsort(v, n, sizeof(*v), pointed_cmp);
	for (size_t i = 1; i < n; i++) {
		if (*v[i] - *v[first] <= ROUNDING * fabs(*v[first]))
			*v[i] = *v[first];
		else
			first = i;
	}
}

bool stats_equal(const double *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (v[i] != v[0])
			return false;
	return true;
}

bool stats_positive(const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(v[i] > 0))
			return false;
	return true;
}

double *stats_logs(const double *v, size_t n)
{
	double *logs = xcalloc(n, sizeof(*logs));

	for (size_t i = 0; i < n; i++)
		logs[i] = log(v[i]);
	return logs;
}

double stats_mean(const double *v, size_t n)
{
	if (!n)
		return NAN;
	/* Equal values have that value as their mean, without a rounding error. */
	if (stats_equal(v, n))
		return v[0];
	return gsl_stats_mean(v, 1, n);
}

double stats_var(const double *v, size_t n)
{
	if (n < 2)
		return NAN;
	if (stats_equal(v, n))
		return 0;
	return gsl_stats_variance_m(v, 1, n, stats_mean(v, n));
}

double stats_harmonic(const double *v, size_t n)
{
	long double sum = 0;

	if (!n)
		return NAN;
	if (stats_equal(v, n))
		return v[0];
	for (size_t i = 0; i < n; i++) {
		if (v[i] <= 0)
			return 0;
		sum += 1 / (long double)v[i];
	}
	return n / sum;
}

double stats_geometric(const double *v, size_t n)
{
	long double sum = 0;

	if (!n)
		return NAN;
	if (stats_equal(v, n))
		return v[0];
	for (size_t i = 0; i < n; i++) {
		if (v[i] <= 0)
			return 0;
		sum += logl(v[i]);
	}
	return expl(sum / n);
}

double stats_quantile(const double *sorted, size_t n, double q)
{
	return n ? gsl_stats_quantile_from_sorted_data(sorted, 1, n, q) : NAN;
}

void stats_sort(double *v, size_t n)
{
	gsl_sort(v, 1, n);
}

/* The difference of two means; 0 where rounding explains it. */
static double means_diff(double x, double y)
{
	return fabs(y - x) <= ROUNDING * fmax(fabs(x), fabs(y)) ? 0 : y - x;
}

/* Fill t, p and the interval from diff, se and df. */
static int estimate_finish(struct estimate *e, double alpha)
{
	double half;

	if (!(e->se > 0) || !isfinite(e->se) || !isfinite(e->df) || !(e->df > 0))
		return -EDOM;
	e->t = e->diff / e->se;
	e->p = 2 * gsl_cdf_tdist_Q(fabs(e->t), e->df);
	half = gsl_cdf_tdist_Qinv(alpha / 2, e->df) * e->se;
	e->lo = e->diff - half;
	e->hi = e->diff + half;
	return 0;
}

int welch_test(const double *x, size_t nx, const double *y, size_t ny, double alpha,
	       struct estimate *e)
{
	double a, b;

	if (nx < 2 || ny < 2)
		return -EDOM;
	a = stats_var(x, nx) / nx;
	b = stats_var(y, ny) / ny;
	e->diff = means_diff(stats_mean(x, nx), stats_mean(y, ny));
	e->se = sqrt(a + b);
	e->df = (a + b) * (a + b) / (a * a / (nx - 1) + b * b / (ny - 1));
	return estimate_finish(e, alpha);
}

int paired_test(const double *x, const double *y, size_t n, double alpha, struct estimate *e)
{
	double *d, least = INFINITY, most = -INFINITY, size = 1;

	if (n < 2)
		return -EDOM;
	d = xcalloc(n, sizeof(*d));
	for (size_t i = 0; i < n; i++) {
		d[i] = y[i] - x[i];
		least = fmin(least, d[i]);
		most = fmax(most, d[i]);
		size = fmax(size, fabs(x[i]) + fabs(y[i]));
	}
	/* Logarithms lose digits as 1 does, however close to 0 they are. */
	if (most - least <= ROUNDING * size) {
		free(d);
		return -EDOM;
	}
	e->diff = stats_mean(d, n);
	e->se = sqrt(stats_var(d, n) / n);
	e->df = n - 1;
	free(d);
	return estimate_finish(e, alpha);
}

struct ranked_p {
	double p;
	size_t at;
};

static int ranked_p_cmp(const void *a, const void *b)
{
	const struct ranked_p *l = a, *r = b;

	return (l->p > r->p) - (l->p < r->p);
}

void holm_adjust(double *p, size_t n)
{
	struct ranked_p *order = xcalloc(n + 1, sizeof(*order));
	size_t m = 0;
	double most = 0;

	for (size_t i = 0; i < n; i++)
		if (!isnan(p[i]))
			order[m++] = (struct ranked_p){ p[i], i };
	qsort(order, m, sizeof(*order), ranked_p_cmp);
	for (size_t i = 0; i < m; i++) {
		most = fmax(most, fmin(1, order[i].p * (m - i)));
		p[order[i].at] = most;
	}
	free(order);
}

int slope_test(const double *x, const double *y, size_t n, size_t means, double alpha,
	       struct estimate *e)
{
	double mx, my, sxx = 0, sxy = 0, rss = 0;

	if (n < means + 2)
		return -EDOM;
	mx = stats_mean(x, n);
	my = stats_mean(y, n);
	for (size_t i = 0; i < n; i++) {
		sxx += (x[i] - mx) * (x[i] - mx);
		sxy += (x[i] - mx) * (y[i] - my);
	}
	if (!(sxx > 0))
		return -EDOM;
	e->diff = sxy / sxx;
	for (size_t i = 0; i < n; i++) {
		double r = y[i] - my - e->diff * (x[i] - mx);

		rss += r * r;
	}
	e->df = n - means - 1;
	e->se = sqrt(rss / e->df / sxx);
	return estimate_finish(e, alpha);
}

double grubbs_test(const double *v, size_t n)
{
	double mean, sd, g = 0, t2;

	if (n < 3 || stats_equal(v, n))
		return NAN;
	mean = stats_mean(v, n);
	sd = sqrt(stats_var(v, n));
	for (size_t i = 0; i < n; i++)
		g = fmax(g, fabs(v[i] - mean) / sd);
	/* Inverts G = (n-1)/sqrt(n) * sqrt(t^2 / (n-2+t^2)), t at level p/(2n). */
	t2 = (double)(n - 1) * (n - 1) - n * g * g;
	if (t2 <= 0)
		return 0;
	t2 = n * (n - 2) * g * g / t2;
	return fmin(1, 2 * n * gsl_cdf_tdist_Q(sqrt(t2), n - 2));
}
