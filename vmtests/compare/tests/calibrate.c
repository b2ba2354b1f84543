// SPDX-License-Identifier: GPL-2.0
/*
 * Does the rule hold what it promises? Simulated boots and repeats with a known truth.
 *
 * calibrate TRIALS: false alarms at most 6 %, coverage 93..97 % from 5 boots on, the mean printed
 * smallest effect within 10 % of the effect that really is found in 80 % of the trials. With fewer
 * than 4000 trials a bound is widened by the three standard errors that the 4000 would have saved.
 * Of a trend over labels: false alarms at most 6 %, and Theil-Sen's slope right within 5 % in the
 * mean. Of a shift between the repeats of one boot, with outliers and without: false alarms at most
 * 6 %, coverage 93 % at least.
 */
#include <math.h>
#include <stdlib.h>

#include "stats/random.h"
#include "stats/stats.h"
#include "util.h"

#define REPEATS 10
#define WITHIN 0.01
#define BOOTS_MOST 10
#define FULL 4000
#define LABELS_MOST 8
#define TREND_STEP 0.01		/* from a label to the next, when there is one */
#define SHIFT 0.02		/* of the repeats whose coverage is counted */
#define OUTLIER_LEAST 0.5	/* longer, and so on to */
#define OUTLIER_MOST 3.0

struct outcome {
	size_t found, covered, trials;
	double printed;
};

static double boot_mean(uint64_t *rng, double between, double shift)
{
	double boot = between * rng_normal(rng), sum = 0;

	for (int i = 0; i < REPEATS; i++)
		sum += exp(shift + boot + WITHIN * rng_normal(rng));
	return log(sum / REPEATS);
}

static struct outcome simulate(size_t boots, double between, double shift, size_t trials,
			       uint64_t seed)
{
	struct outcome o = { .trials = trials };

	for (size_t i = 0; i < trials; i++) {
		double x[BOOTS_MOST], y[BOOTS_MOST];
		struct estimate e;

		for (size_t b = 0; b < boots; b++) {
			x[b] = boot_mean(&seed, between, 0);
			y[b] = boot_mean(&seed, between, shift);
		}
		if (welch_test(x, boots, y, boots, 0.05, &e))
			continue;
		o.found += e.p <= 0.05;
		o.covered += e.lo <= shift && shift <= e.hi;
		if (!shift)
			o.printed += detectable(e.se, e.df, 0.05, 0.8) / trials;
	}
	return o;
}

/* The shift that is found in 80 % of the trials, by bisection on common random numbers. */
static double simulated_effect(size_t boots, double between, size_t trials)
{
	double lo = 0, hi = 0.2;

	for (int i = 0; i < 12; i++) {
		double mid = (lo + hi) / 2;

		if (simulate(boots, between, mid, trials, 7).found < 0.8 * trials)
			lo = mid;
		else
			hi = mid;
	}
	return hi;
}

/* Three relative standard errors of the slope over 3 labels of a boot each, which errs most. */
static double slope_slack(size_t trials)
{
	double boot = WITHIN * sqrt(1 + 1.0 / REPEATS), slope = boot * sqrt(2) / 2 / TREND_STEP;

	return trials >= FULL ? 0 : 3 * slope * (1 / sqrt(trials) - 1 / sqrt(FULL));
}

/* Three standard errors of a proportion, beyond those of the full run. */
static double slack(double p, size_t trials)
{
	return trials >= FULL ? 0 : 3 * (sqrt(p * (1 - p) / trials) - sqrt(p * (1 - p) / FULL));
}

struct trend_outcome {
	size_t found;
	double slope;
};

/* Labels of so many boots each, between boots as within. */
static struct trend_outcome trend_simulate(size_t labels, size_t boots, double step,
					   size_t trials, uint64_t seed)
{
	struct trend_outcome o = { 0 };

	for (size_t i = 0; i < trials; i++) {
		double x[LABELS_MOST * BOOTS_MOST], y[LABELS_MOST * BOOTS_MOST];
		struct kendall k;
		size_t n = 0;

		for (size_t l = 0; l < labels; l++) {
			for (size_t b = 0; b < boots; b++, n++) {
				x[n] = l;
				y[n] = boot_mean(&seed, WITHIN, l * step);
			}
		}
		o.found += !kendall_test(x, y, n, &k) && k.p <= 0.05;
		o.slope += theil_sen(x, y, n) / trials;
	}
	return o;
}

static size_t trends_check(size_t trials)
{
	static const size_t labels[] = { 3, 5, 8 }, boots[] = { 1, 3, 5 };
	size_t failures = 0;

	printf("labels boots trend-alarms slope-of-%g%%\n", 100 * TREND_STEP);
	for (size_t i = 0; i < 9; i++) {
		size_t l = labels[i / 3], b = boots[i % 3];
		struct trend_outcome none = trend_simulate(l, b, 0, trials, 300 + i);
		struct trend_outcome some = trend_simulate(l, b, TREND_STEP, trials, 400 + i);
		double alarms = (double)none.found / trials;
		bool ok = alarms <= 0.06 + slack(0.05, trials) &&
			  fabs(some.slope / TREND_STEP - 1) <= 0.05 + slope_slack(trials);

		printf("%6zu %5zu %11.1f%% %11.3f%%%s\n", l, b, 100 * alarms, 100 * some.slope,
		       ok ? "" : "  FAIL");
		failures += !ok;
	}
	return failures;
}

/* The repeats of one side of a boot, so many of them delayed by something else on the machine. */
static void repeats(uint64_t *rng, double outliers, double shift, double v[REPEATS])
{
	for (int i = 0; i < REPEATS; i++) {
		double longer = OUTLIER_LEAST + (OUTLIER_MOST - OUTLIER_LEAST) * rng_uniform(rng);

		v[i] = shift + WITHIN * rng_normal(rng);
		if (rng_uniform(rng) < outliers)
			v[i] += log1p(longer);
	}
}

static struct outcome shift_simulate(double outliers, double shift, size_t trials, uint64_t seed)
{
	struct outcome o = { .trials = trials };

	for (size_t i = 0; i < trials; i++) {
		double x[REPEATS], y[REPEATS];
		struct estimate e;

		repeats(&seed, outliers, 0, x);
		repeats(&seed, outliers, shift, y);
		if (shift_test(x, REPEATS, y, REPEATS, 0.05, &e))
			continue;
		o.found += e.p <= 0.05;
		o.covered += e.lo <= shift && shift <= e.hi;
	}
	return o;
}

static size_t shifts_check(size_t trials)
{
	static const double outliers[] = { 0, 0.1 };
	size_t failures = 0;

	printf("outliers shift-alarms coverage\n");
	for (size_t i = 0; i < 2; i++) {
		struct outcome none = shift_simulate(outliers[i], 0, trials, 500 + i);
		struct outcome some = shift_simulate(outliers[i], SHIFT, trials, 600 + i);
		double alarms = (double)none.found / trials;
		double covered = (double)some.covered / trials;
		bool ok = alarms <= 0.06 + slack(0.05, trials) &&
			  covered >= 0.93 - slack(0.05, trials);

		printf("%7.0f%% %11.1f%% %7.1f%%%s\n", 100 * outliers[i], 100 * alarms,
		       100 * covered, ok ? "" : "  FAIL");
		failures += !ok;
	}
	return failures;
}

int main(int argc, char **argv)
{
	static const size_t boots[] = { 3, 5, 10 };
	static const double ratios[] = { 0, 0.5, 1, 2 };
	size_t trials = argc > 1 ? strtoul(argv[1], NULL, 10) : FULL, failures = 0;

	if (trials < 100)
		return fail("calibrate TRIALS, 100 at least") ? 2 : 0;
	printf("boots between/within alarms coverage printed simulated\n");
	for (size_t i = 0; i < 12; i++) {
		size_t n = boots[i / 4];
		double between = ratios[i % 4] * WITHIN;
		struct outcome o = simulate(n, between, 0, trials, 100 + i);
		double alarms = (double)o.found / trials, covered = (double)o.covered / trials;
		double effect = simulated_effect(n, between, trials);
		double limit = 0.1 + 3 * slack(0.8, trials);
		bool ok = alarms <= 0.06 + slack(0.05, trials) &&
			  (n < 5 || fabs(covered - 0.95) <= 0.02 + slack(0.05, trials)) &&
			  fabs(o.printed / effect - 1) <= limit;

		printf("%5zu %14.1f %5.1f%% %7.1f%% %6.2f%% %8.2f%%%s\n", n, ratios[i % 4],
		       100 * alarms, 100 * covered, 100 * expm1(o.printed), 100 * expm1(effect),
		       ok ? "" : "  FAIL");
		failures += !ok;
	}
	failures += trends_check(trials);
	failures += shifts_check(trials);
	return failures ? 1 : 0;
}
