// SPDX-License-Identifier: GPL-2.0
/*
 * Permutation tests of a difference of means, and the counting of subsets that they need.
 *
 * Checked against R (tests/golden). Limits: above PERMUTE_MAX ways the permutations are drawn.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/random.h"
#include "stats/stats.h"
#include "util.h"

#define MONTE_CARLO 19999

size_t choose(size_t n, size_t k)
{
	size_t ways = 1;

	if (k > n)
		return 0;
	if (k > n - k)
		k = n - k;
	for (size_t i = 1; i <= k; i++) {
		if (ways > SIZE_MAX / (n - k + i))
			return SIZE_MAX;
		ways = ways * (n - k + i) / i;
	}
	return ways;
}

bool subset_next(size_t *idx, size_t k, size_t n)
{
	size_t i = k;

	while (i-- > 0) {
		if (idx[i] < n - k + i) {
			idx[i]++;
			for (size_t j = i + 1; j < k; j++)
				idx[j] = idx[j - 1] + 1;
			return true;
		}
	}
	return false;
}

/*
 * With n values and their total fixed, the difference of means is a rising function of the sum of
 * one side: sum_x * (1/nx + 1/ny) - total/ny. Values are centred first, so that the comparison
 * of sums keeps its digits. Sums that differ by rounding alone count as equal.
 */
struct permutation {
	double *v;
	size_t n, nx;
	double expect, limit;
};

static void permutation_init(struct permutation *pm, const double *x, size_t nx, const double *y,
			     size_t ny)
{
	double sum = 0, total = 0, scale = 0, centre;

	pm->n = nx + ny;
	pm->nx = nx;
	pm->v = xcalloc(pm->n, sizeof(double));
	memcpy(pm->v, x, nx * sizeof(double));
	memcpy(pm->v + nx, y, ny * sizeof(double));
	centre = stats_mean(pm->v, pm->n);
	for (size_t i = 0; i < pm->n; i++) {
		pm->v[i] -= centre;
		total += pm->v[i];
		scale += fabs(pm->v[i]);
		if (i < nx)
			sum += pm->v[i];
	}
	pm->expect = total * nx / pm->n;
	pm->limit = fabs(sum - pm->expect) - scale / 1e11;
}

static bool permutation_extreme(const struct permutation *pm, double sum)
{
	return fabs(sum - pm->expect) >= pm->limit;
}

static double permute_all(const struct permutation *pm, size_t ways)
{
	size_t *idx = xcalloc(pm->nx, sizeof(*idx));
	size_t hits = 0;

	for (size_t i = 0; i < pm->nx; i++)
		idx[i] = i;
	do {
		double sum = 0;

		for (size_t i = 0; i < pm->nx; i++)
			sum += pm->v[idx[i]];
		hits += permutation_extreme(pm, sum);
	} while (subset_next(idx, pm->nx, pm->n));
	free(idx);
	return (double)hits / ways;
}

static double permute_random(struct permutation *pm)
{
	uint64_t seed = PERMUTE_SEED;
	size_t hits = 1;

	for (int trial = 0; trial < MONTE_CARLO; trial++) {
		double sum = 0;

		for (size_t i = 0; i < pm->nx; i++) {
			size_t j = i + rng_next(&seed) % (pm->n - i);
			double swap = pm->v[i];

			pm->v[i] = pm->v[j];
			pm->v[j] = swap;
			sum += pm->v[i];
		}
		hits += permutation_extreme(pm, sum);
	}
	return (double)hits / (MONTE_CARLO + 1);
}

double permute_test(const double *x, size_t nx, const double *y, size_t ny, double *least,
		    bool *exact)
{
	size_t ways = choose(nx + ny, nx);
	struct permutation pm;
	double p;

	if (!nx || !ny)
		return NAN;
	permutation_init(&pm, x, nx, y, ny);
	*exact = ways <= PERMUTE_MAX;
	/* With equal sides every split has a mirror image that is as extreme. */
	*least = *exact ? (nx == ny ? 2.0 : 1.0) / ways : 1.0 / (MONTE_CARLO + 1);
	p = *exact ? permute_all(&pm, ways) : permute_random(&pm);
	free(pm.v);
	return p;
}

double permute_paired(const double *x, const double *y, size_t n, double *least, bool *exact)
{
	double observed = 0, scale = 0, *d;
	uint64_t seed = PERMUTE_SEED, trials, hits = 0;

	if (!n)
		return NAN;
	d = xcalloc(n, sizeof(*d));
	for (size_t i = 0; i < n; i++) {
		d[i] = y[i] - x[i];
		observed += d[i];
		scale += fabs(d[i]);
	}
	*exact = n <= 16;
	trials = *exact ? UINT64_C(1) << n : MONTE_CARLO;
	*least = *exact ? 2.0 / trials : 1.0 / (MONTE_CARLO + 1);
	for (uint64_t trial = 0; trial < trials; trial++) {
		uint64_t sign = 0;
		double sum = 0;

		for (size_t i = 0; i < n; i++) {
			if (i % 64 == 0)
				sign = *exact ? trial : rng_next(&seed);
			sum += (sign >> (i % 64)) & 1 ? -d[i] : d[i];
		}
		hits += fabs(sum) >= fabs(observed) - scale / 1e11;
	}
	free(d);
	return *exact ? (double)hits / trials : (double)(hits + 1) / (trials + 1);
}
