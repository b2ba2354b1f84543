// SPDX-License-Identifier: GPL-2.0
/*
 * Does the rule hold what it promises? Simulated boots and repeats with a known truth.
 *
 * calibrate TRIALS: false alarms at most 6 %, coverage 93 % at least, also of boots of two modes
 * and of unequal numbers of them. Of rows that are called the same, their bounds fail in at most
 * 6 %, also where all rows changed by just what is enough. Of a trend over labels: false alarms at
 * most 6 %, and Theil-Sen's slope right within 5 % in the mean. Of a shift between the repeats of
 * one boot, with outliers and without: false alarms at most 6 %, coverage 93 % at least. Of the
 * drift warning's test at 5 %: false alarms at most 6 %, however few the repeats. With fewer than
 * 4000 trials a limit is widened by the three standard errors that the 4000 would have saved.
 */
#include <math.h>
#include <stdlib.h>

#include "stats/random.h"
#include "stats/stats.h"
#include "util.h"

#define REPEATS 10
#define WITHIN 0.01
#define BOOTS_MOST 10
#define DRIFT_BOOTS 5
#define FULL 4000
#define LABELS_MOST 8
#define TREND_STEP 0.01		/* from a label to the next, when there is one */
#define SHIFT 0.02		/* of the repeats whose coverage is counted */
#define OUTLIER_LEAST 0.5	/* longer, and so on to */
#define OUTLIER_MOST 3.0

#define ALPHA 0.05
#define MODES 0.03		/* between two modes of a boot */
#define MATTERS 0.05		/* a row that cannot have changed by more is the same */
#define TABLE_ROWS 20
#define TABLES_PART 10		/* so many trials make one table */

/* How boots are drawn. */
struct world {
	size_t nx, ny;
	bool bimodal;
	double between;
};

struct outcome {
	size_t found, covered, trials;
};

static double boot_mean(uint64_t *rng, double between, double shift)
{
	double boot = between * rng_normal(rng), sum = 0;

	for (int i = 0; i < REPEATS; i++)
		sum += exp(shift + boot + WITHIN * rng_normal(rng));
	return log(sum / REPEATS);
}

/* The mean of a boot of either of two modes, MODES apart, with repeats of little noise. */
static double boot_bimodal(uint64_t *rng, double shift)
{
	return shift + (rng_uniform(rng) < 0.5 ? MODES : 0) + MODES / 50 * rng_normal(rng);
}

static double boot_draw(uint64_t *rng, const struct world *w, double shift)
{
	return w->bimodal ? boot_bimodal(rng, shift) : boot_mean(rng, w->between, shift);
}

struct boots {
	double x[BOOTS_MOST], y[BOOTS_MOST];
	struct estimate e;
};

/* By Welch, and the permutation does not contradict: as the model judges a row alone. */
static bool boots_found(const struct boots *b, const struct world *w)
{
	double least, p;
	bool exact;

	if (b->e.p > ALPHA)
		return false;
	p = permute_test(b->x, w->nx, b->y, w->ny, &least, &exact);
	return least > ALPHA || p <= ALPHA;
}

static int boots_simulate(struct boots *b, const struct world *w, double shift, uint64_t *seed)
{
	for (size_t i = 0; i < w->nx; i++)
		b->x[i] = boot_draw(seed, w, 0);
	for (size_t i = 0; i < w->ny; i++)
		b->y[i] = boot_draw(seed, w, shift);
	return welch_test(b->x, w->nx, b->y, w->ny, ALPHA, &b->e);
}

static struct outcome simulate(const struct world *w, size_t trials, uint64_t seed)
{
	struct outcome o = { .trials = trials };

	for (size_t i = 0; i < trials; i++) {
		struct interval in;
		struct boots b;

		if (boots_simulate(&b, w, 0, &seed))
			continue;
		in = boots_interval(b.x, w->nx, b.y, w->ny, &b.e, ALPHA / 2);
		o.found += boots_found(&b, w);
		o.covered += in.lo <= 0 && 0 <= in.hi;
	}
	return o;
}

struct table {
	struct boots rows[TABLE_ROWS];
	const struct world *w;
};

static double table_bound(void *arg, size_t row, double level)
{
	const struct table *t = arg;
	const struct boots *b = &t->rows[row];
	struct interval i;

	if (b->e.p <= ALPHA)
		return INFINITY;
	i = boots_interval(b->x, t->w->nx, b->y, t->w->ny, &b->e, level);
	return interval_reach(&i);
}

struct same_outcome {
	size_t rows, same, wrong;
	double rate;	/* wrong of the same, in the mean over tables; 0 in those without any */
};

/* How much a row changed: by more or less than is enough, or not at all; at worst by just that. */
static double truth_draw(uint64_t *seed, size_t row, bool worst)
{
	if (worst)
		return MATTERS;
	return row % 3 ? MATTERS * 2 * (2 * rng_uniform(seed) - 1) : 0;
}

static struct same_outcome same_simulate(const struct world *w, bool worst, size_t tables,
					 uint64_t seed)
{
	struct same_outcome o = { 0 };

	for (size_t i = 0; i < tables; i++) {
		double truth[TABLE_ROWS], level;
		size_t same = 0, wrong = 0;
		struct table t = { .w = w };

		for (size_t r = 0; r < TABLE_ROWS; r++) {
			truth[r] = truth_draw(&seed, r, worst);
			if (boots_simulate(&t.rows[r], w, truth[r], &seed))
				abort();
		}
		level = same_level(TABLE_ROWS, ALPHA, MATTERS, table_bound, &t);
		for (size_t r = 0; level > 0 && r < TABLE_ROWS; r++) {
			double bound = table_bound(&t, r, level);

			same += bound <= MATTERS;
			wrong += bound <= MATTERS && fabs(truth[r]) >= bound;
		}
		o.rows += TABLE_ROWS;
		o.same += same;
		o.wrong += wrong;
		o.rate += same ? (double)wrong / same / tables : 0;
	}
	return o;
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

static size_t boots_check(size_t trials)
{
	static const struct world worlds[] = {
		{ 3, 3, .between = 0 }, { 3, 3, .between = WITHIN / 2 },
		{ 3, 3, .between = WITHIN }, { 3, 3, .between = 2 * WITHIN },
		{ 5, 5, .between = 0 }, { 5, 5, .between = WITHIN / 2 },
		{ 5, 5, .between = WITHIN }, { 5, 5, .between = 2 * WITHIN },
		{ 10, 10, .between = 0 }, { 10, 10, .between = WITHIN / 2 },
		{ 10, 10, .between = WITHIN }, { 10, 10, .between = 2 * WITHIN },
		{ 3, 10, .between = WITHIN }, { 3, 3, .bimodal = true },
		{ 3, 4, .bimodal = true }, { 3, 5, .bimodal = true },
		{ 5, 5, .bimodal = true }, { 3, 10, .bimodal = true },
		{ 5, 10, .bimodal = true }, { 10, 10, .bimodal = true },
	};
	size_t failures = 0;

	printf("boots spread alarms coverage same wrong-of-same at-worst\n");
	for (size_t i = 0; i < ARRAY_SIZE(worlds); i++) {
		const struct world *w = &worlds[i];
		struct outcome o = simulate(w, trials, 100 + i);
		struct same_outcome s = same_simulate(w, false, trials / TABLES_PART, 700 + i);
		struct same_outcome worst = same_simulate(w, true, trials / TABLES_PART, 900 + i);
		double alarms = (double)o.found / trials, covered = (double)o.covered / trials;
		double wrong = s.same ? (double)s.wrong / s.same : 0;
		bool ok = alarms <= 0.06 + slack(0.05, trials) &&
			  covered >= 0.93 - slack(0.05, trials) &&
			  wrong <= 0.06 + 3 * sqrt(0.05 * 0.95 / (s.same + 1)) &&
			  worst.rate <= 0.06 + 3 * sqrt(0.05 * 0.95 / (trials / TABLES_PART));

		printf("%2zu/%-2zu %6s %5.1f%% %7.1f%% %4.0f%% %12.1f%% %7.1f%%%s\n", w->nx, w->ny,
		       w->bimodal ? "modes" : w->between == 0 ? "0" :
		       w->between < WITHIN ? "0.5" : w->between > WITHIN ? "2" : "1",
		       100 * alarms, 100 * covered, 100.0 * s.same / s.rows, 100 * wrong,
		       100 * worst.rate, ok ? "" : "  FAIL");
		failures += !ok;
	}
	return failures;
}

/* The slope over the repeats of 5 boots, each less its boot's mean, as the model has it. */
static size_t drift_alarms(size_t n, size_t trials, uint64_t seed)
{
	size_t found = 0;

	for (size_t t = 0; t < trials; t++) {
		double x[DRIFT_BOOTS * REPEATS], y[DRIFT_BOOTS * REPEATS];
		struct estimate e;

		for (size_t b = 0; b < DRIFT_BOOTS; b++) {
			double mean = 0;

			for (size_t i = 0; i < n; i++) {
				x[b * n + i] = i - (n - 1) / 2.0;
				y[b * n + i] = rng_normal(&seed);
				mean += y[b * n + i] / n;
			}
			for (size_t i = 0; i < n; i++)
				y[b * n + i] -= mean;
		}
		found += !slope_test(x, y, DRIFT_BOOTS * n, DRIFT_BOOTS, ALPHA, &e) &&
			 e.p <= ALPHA;
	}
	return found;
}

static size_t drifts_check(size_t trials)
{
	static const size_t repeats[] = { 2, 3, 10 };
	size_t failures = 0;

	printf("repeats drift-alarms\n");
	for (size_t i = 0; i < ARRAY_SIZE(repeats); i++) {
		double alarms = (double)drift_alarms(repeats[i], trials, 800 + i) / trials;
		bool ok = alarms <= 0.06 + slack(0.05, trials);

		printf("%7zu %11.1f%%%s\n", repeats[i], 100 * alarms, ok ? "" : "  FAIL");
		failures += !ok;
	}
	return failures;
}

int main(int argc, char **argv)
{
	size_t trials = argc > 1 ? strtoul(argv[1], NULL, 10) : FULL, failures;

	if (trials < 100)
		return fail("calibrate TRIALS, 100 at least") ? 2 : 0;
	failures = boots_check(trials);
	failures += trends_check(trials);
	failures += shifts_check(trials);
	failures += drifts_check(trials);
	return failures ? 1 : 0;
}
