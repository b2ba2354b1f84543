// SPDX-License-Identifier: GPL-2.0
/* One row of one label: the means of its boots, their centre, and how far its values spread. */
#include <math.h>
#include <stdlib.h>

#include "model/side.h"

#define DRIFT_LEVEL 0.001
#define OUTLIER_LEVEL 0.01

/* The mean of one boot: rates by harmonic, ratios by geometric, the rest by arithmetic mean. */
static double row_mean(const struct row *row, const double *v, size_t n)
{
	if (row->kind == UNIT_RATE)
		return stats_harmonic(v, n);
	if (row->kind == UNIT_RATIO && row->positive)
		return stats_geometric(v, n);
	return stats_mean(v, n);
}

static double spread(double var, double centre)
{
	return centre != 0 ? sqrt(var) / fabs(centre) : var == 0 ? 0 : NAN;
}

/* All repeats, boot after boot. The caller frees them. */
static double *repeats_collect(const struct side *side, size_t row)
{
	double *v = xcalloc(side->samples, sizeof(*v));
	size_t n = 0;

	for (size_t b = 0; b < side->boots; b++) {
		const struct series *s = boot_series(side->of[b], row);

		for (size_t i = 0; i < s->n; i++)
			v[n++] = s->v[i].value;
	}
	return v;
}

static void means_make(struct side *side, const struct row *row, size_t at, const double *v)
{
	side->means = xcalloc(side->boots, sizeof(*side->means));
	for (size_t b = 0; b < side->boots; b++) {
		size_t n = boot_series(side->of[b], at)->n;

		side->means[b] = row_mean(row, v, n);
		v += n;
	}
}

static void centre_make(struct side *side)
{
	double *logs;

	if (!stats_positive(side->means, side->boots)) {
		side->centre = stats_mean(side->means, side->boots);
		side->between = spread(stats_var(side->means, side->boots), side->centre);
		return;
	}
	logs = stats_logs(side->means, side->boots);
	side->centre = stats_geometric(side->means, side->boots);
	side->between = sqrt(stats_var(logs, side->boots));
	if (grubbs_test(logs, side->boots) < OUTLIER_LEVEL)
		side->flags |= FLAG_OUTLIER;
	free(logs);
}

/* The variance within boots, pooled. */
static double spread_within(const struct side *side, size_t row, const double *v)
{
	double squares = 0, freedom = 0;

	for (size_t b = 0; b < side->boots; b++) {
		size_t n = boot_series(side->of[b], row)->n;

		if (n > 1) {
			squares += stats_var(v, n) * (n - 1);
			freedom += n - 1;
		}
		v += n;
	}
	return freedom > 0 ? spread(squares / freedom, side->centre) : NAN;
}

/* Do the repeats of the boots, each relative to its own boot's mean, rise or fall in order? */
static bool repeats_drift(const struct side *side, size_t row, const double *v)
{
	double *x = xcalloc(side->samples, sizeof(*x)), *y = xcalloc(side->samples, sizeof(*y));
	struct estimate slope;
	size_t n = 0;
	bool drift;

	for (size_t b = 0; b < side->boots; b++) {
		size_t repeats = boot_series(side->of[b], row)->n;

		for (size_t i = 0; i < repeats; i++, n++) {
			x[n] = i - (repeats - 1) / 2.0;
			y[n] = v[n] - side->means[b];
		}
	}
	drift = !slope_test(x, y, n, side->boots, 0.05, &slope) && slope.p < DRIFT_LEVEL;
	free(x);
	free(y);
	return drift;
}

void side_collect(struct side *side, const struct row *row, size_t at, const struct label *label)
{
	double *v;

	side->of = xcalloc(label->n, sizeof(*side->of));
	for (size_t b = 0; b < label->n; b++) {
		const struct series *s = boot_series(&label->boots[b], at);

		if (!s)
			continue;
		side->of[side->boots++] = &label->boots[b];
		side->samples += s->n;
	}
	v = repeats_collect(side, at);
	means_make(side, row, at, v);
	free(v);
}

void side_describe(struct side *side, size_t at)
{
	double *v = repeats_collect(side, at);

	if (side->boots) {
		centre_make(side);
		side->within = spread_within(side, at, v);
		if (repeats_drift(side, at, v))
			side->flags |= FLAG_DRIFT;
		stats_sort(v, side->samples);
		side->median = stats_quantile(v, side->samples, 0.5);
	} else {
		side->centre = NAN;
		side->median = NAN;
		side->between = NAN;
		side->within = NAN;
	}
	free(v);
}

void side_free(struct side *side)
{
	free(side->means);
	free(side->of);
}
