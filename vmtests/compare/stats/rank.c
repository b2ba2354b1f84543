// SPDX-License-Identifier: GPL-2.0
/*
 * Two samples by their ranks: Mann and Whitney's test, Hodges and Lehmann's shift with Moses'
 * interval.
 *
 * An outlier has a rank like any other, however far out it lies. Checked against R's wilcox.test
 * (tests/golden) and by simulation (calibrate.c). Limits: exact up to MANNWHITNEY_MAX values in
 * all, normal above; the interval's level is that of data without ties.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>

#include "stats/stats.h"
#include "util.h"

#define MANNWHITNEY_MAX 100

/* Twice the midrank of every value of v, an integer even with ties. */
static void ranks_doubled(const double *v, size_t n, size_t *rank)
{
	size_t *order = xcalloc(n, sizeof(*order));
	size_t i = 0;

	gsl_sort_index(order, v, 1, n);
	while (i < n) {
		size_t j = i;

		while (j + 1 < n && v[order[j + 1]] == v[order[i]])
			j++;
		for (size_t k = i; k <= j; k++)
			rank[order[k]] = i + j + 2;
		i = j + 1;
	}
	free(order);
}

static int rank_cmp(const void *a, const void *b)
{
	size_t l = *(const size_t *)a, r = *(const size_t *)b;

	return (l > r) - (l < r);
}

/* sum[i] of the i smallest ranks. Returns 2 where all doubled ranks are even, else 1. */
static size_t ranks_sum(size_t *rank, size_t n, size_t *sum)
{
	size_t odd = 0;

	qsort(rank, n, sizeof(*rank), rank_cmp);
	sum[0] = 0;
	for (size_t i = 0; i < n; i++) {
		sum[i + 1] = sum[i] + rank[i];
		odd |= rank[i] & 1;
	}
	return odd ? 1 : 2;
}

/*
 * How many k-subsets of n doubled ranks have the doubled sum s, 0 <= s <= n (n + 1). Sorts the
 * ranks: j of the first i sum up to no less than the first j and no more than the last j of them,
 * and only what lies between is visited, which is a tenth of all for 50 against 50.
 */
static double *ranksum_ways(size_t *rank, size_t n, size_t k)
{
	size_t width = n * (n + 1) + 1, *sum = xcalloc(n + 1, sizeof(*sum));
	size_t step = ranks_sum(rank, n, sum);
	double *ways = xcalloc((k + 1) * width, sizeof(*ways));

	/* Rank after rank, from the largest subset down, so that each is taken once at most. */
	ways[0] = 1;
	for (size_t i = 0; i < n; i++) {
		/* Smaller subsets cannot reach k any more. */
		size_t least = k + i + 1 > n ? k + i + 1 - n : 1;

		for (size_t j = i + 1 < k ? i + 1 : k; j > 0 && j >= least; j--) {
			size_t most = sum[i + 1] - sum[i + 1 - j];

			for (size_t s = sum[j - 1] + rank[i]; s <= most; s += step)
				ways[j * width + s] += ways[(j - 1) * width + s - rank[i]];
		}
	}
	memmove(ways, ways + k * width, width * sizeof(*ways));
	free(sum);
	return ways;
}

/* p of the rank sum among all subsets of the ranks there are, hence exact with ties. */
static double ranksum_exact(size_t *rank, size_t n, size_t k, double far)
{
	double *ways = ranksum_ways(rank, n, k), hits = 0, all = 0;

	for (size_t s = 0; s <= n * (n + 1); s++) {
		all += ways[s];
		if (fabs(s - (double)k * (n + 1)) >= far)
			hits += ways[s];
	}
	free(ways);
	return hits / all;
}

/*
 * The variance of the sum of k of n ranks drawn without replacement, which is that of Lehmann
 * (1975, Nonparametrics, ch. 1) with ties; the correction for continuity is half a rank.
 */
static double ranksum_normal(const size_t *rank, size_t n, size_t k, double far)
{
	double squares = 0, var;

	for (size_t i = 0; i < n; i++)
		squares += pow(rank[i] - (n + 1.0), 2);
	var = squares * k * (n - k) / n / (n - 1);
	return far > 1 ? 2 * gsl_cdf_ugaussian_Q((far - 1) / sqrt(var)) : 1;
}

double mannwhitney_test(const double *x, size_t nx, const double *y, size_t ny)
{
	size_t n = nx + ny, *rank, seen = 0;
	double *v, far, p;

	if (!nx || !ny)
		return NAN;
	v = xcalloc(n, sizeof(*v));
	rank = xcalloc(n, sizeof(*rank));
	memcpy(v, x, nx * sizeof(*x));
	memcpy(v + nx, y, ny * sizeof(*y));
	ranks_doubled(v, n, rank);
	for (size_t i = 0; i < nx; i++)
		seen += rank[i];
	far = fabs(seen - (double)nx * (n + 1));
	p = n <= MANNWHITNEY_MAX ? ranksum_exact(rank, n, nx, far) :
				   ranksum_normal(rank, n, nx, far);
	free(v);
	free(rank);
	return p;
}

/*
 * The smallest u with P(U <= u) >= tail, U being Mann and Whitney's count without ties: R's
 * qwilcox, with its allowance for rounding. U is the rank sum less the least there is.
 */
static size_t shift_rank_exact(size_t nx, size_t ny, double tail)
{
	size_t n = nx + ny, rank[MANNWHITNEY_MAX] = { 0 }, u = 0;
	double *ways, all = 0, below = 0;

	for (size_t i = 0; i < n; i++)
		rank[i] = 2 * (i + 1);
	ways = ranksum_ways(rank, n, nx);
	for (size_t s = 0; s <= n * (n + 1); s++)
		all += ways[s];
	for (;; u++) {
		below += ways[nx * (nx + 1) + 2 * u];
		if (u == nx * ny || below / all >= tail - 10 * DBL_EPSILON)
			break;
	}
	free(ways);
	return u;
}

/* The same of the normal with U's mean and variance, corrected for continuity. */
static size_t shift_rank(size_t nx, size_t ny, double tail)
{
	/* Rows of a table have as many repeats, each asked at the same level. */
	static struct {
		size_t nx, ny, u;
		double tail;
	} last;
	double pairs = (double)nx * ny, u;

	if (nx + ny <= MANNWHITNEY_MAX) {
		if (last.nx != nx || last.ny != ny || last.tail != tail) {
			last.u = shift_rank_exact(nx, ny, tail);
			last.nx = nx;
			last.ny = ny;
			last.tail = tail;
		}
		return last.u;
	}
	u = ceil((pairs - 1) / 2 - gsl_cdf_ugaussian_Qinv(tail) * sqrt(pairs * (nx + ny + 1) / 12));
	return u > 0 ? u : 0;
}

/* How many differences y[j] - x[i] of sorted values are at most d. */
static size_t pairs_below(const double *x, size_t nx, const double *y, size_t ny, double d)
{
	size_t n = 0, j = 0;

	for (size_t i = 0; i < nx; i++) {
		while (j < ny && y[j] - x[i] <= d)
			j++;
		n += j;
	}
	return n;
}

/*
 * The k-th smallest difference, from 1 on, by bisection down to neighbouring numbers: repeats may
 * be so many that their pairs fit in no memory.
 */
static double pairs_select(const double *x, size_t nx, const double *y, size_t ny, size_t k)
{
	double lo = y[0] - x[nx - 1], hi = y[ny - 1] - x[0];

	if (pairs_below(x, nx, y, ny, lo) >= k)
		return lo;
	for (;;) {
		double mid = lo / 2 + hi / 2;

		if (!(mid > lo && mid < hi))
			return hi;
		if (pairs_below(x, nx, y, ny, mid) >= k)
			hi = mid;
		else
			lo = mid;
	}
}

static double *sorted_copy(const double *v, size_t n)
{
	double *copy = xcalloc(n, sizeof(*copy));

	memcpy(copy, v, n * sizeof(*copy));
	stats_sort(copy, n);
	return copy;
}

int shift_interval(const double *x, size_t nx, const double *y, size_t ny, double level,
		   struct interval *i)
{
	size_t k = shift_rank(nx, ny, level);
	double *a, *b;

	if (!k)
		return -EDOM;
	a = sorted_copy(x, nx);
	b = sorted_copy(y, ny);
	i->lo = pairs_select(a, nx, b, ny, k);
	i->hi = pairs_select(a, nx, b, ny, nx * ny + 1 - k);
	free(a);
	free(b);
	return 0;
}

int shift_test(const double *x, size_t nx, const double *y, size_t ny, double alpha,
	       struct estimate *e)
{
	size_t pairs = nx * ny;
	struct interval i;
	double *a, *b;

	if (nx < 2 || ny < 2 || (stats_var(x, nx) == 0 && stats_var(y, ny) == 0) ||
	    shift_interval(x, nx, y, ny, alpha / 2, &i))
		return -EDOM;
	a = sorted_copy(x, nx);
	b = sorted_copy(y, ny);
	*e = (struct estimate){ .se = NAN, .t = NAN, .df = NAN, .lo = i.lo, .hi = i.hi };
	e->diff = (pairs_select(a, nx, b, ny, (pairs + 1) / 2) +
		   pairs_select(a, nx, b, ny, pairs / 2 + 1)) / 2;
	free(a);
	free(b);
	e->p = mannwhitney_test(x, nx, y, ny);
	return 0;
}
