// SPDX-License-Identifier: GPL-2.0
/*
 * One row of base against the same of another label.
 *
 * Boots are the samples: Welch on the logarithms of their means, and a permutation test that must
 * not contradict. Within one boot its repeats are the samples, by their ranks. Limits: fewer than
 * three boots a side give values only.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/cell.h"

/* The values that a test takes as independent: means of boots, or repeats of one boot. */
struct sampled {
	double *v;
	size_t n;
	double centre;	/* of the side: what a change on a linear scale is a fraction of */
};

static struct sampled sampled_boots(const struct side *side)
{
	struct sampled s = { xcalloc(side->boots, sizeof(*s.v)), side->boots, side->centre };

	memcpy(s.v, side->means, s.n * sizeof(*s.v));
	return s;
}

static struct sampled sampled_repeats(const struct side *side, const struct series *series)
{
	struct sampled s = { xcalloc(series->n, sizeof(*s.v)), series->n, side->centre };

	for (size_t i = 0; i < s.n; i++)
		s.v[i] = series->v[i].value;
	return s;
}

/*
 * Both sides on the scale of the test: logarithms where all values are positive, else values in
 * units of |base|, or in the row's own where that is 0.
 */
struct scaled {
	double *x, *y;
	bool linear;
};

static double *values_scaled(const struct sampled *s, bool linear, double unit)
{
	double *copy;

	if (!linear)
		return stats_logs(s->v, s->n);
	copy = xcalloc(s->n, sizeof(*copy));
	for (size_t i = 0; i < s->n; i++)
		copy[i] = s->v[i] / unit;
	return copy;
}

static double scale_unit(const struct sampled *base)
{
	return fabs(base->centre) > 0 ? fabs(base->centre) : 1;
}

static struct scaled scale(const struct sampled *base, const struct sampled *new)
{
	bool linear = !stats_positive(base->v, base->n) || !stats_positive(new->v, new->n);
	double unit = scale_unit(base);

	return (struct scaled){ values_scaled(base, linear, unit),
				values_scaled(new, linear, unit), linear };
}

static void scaled_free(struct scaled *s)
{
	free(s->x);
	free(s->y);
}

static double ratio_change(double base, double new)
{
	return base == new ? 0 : base > 0 ? new / base - 1 :
	       base < 0 ? (new - base) / -base : NAN;
}

/* Turn an estimate on the row's scale into fractions of base. */
static void cell_estimate(struct cell *c, const struct estimate *e, const struct sampled *base,
			  const struct sampled *new)
{
	bool linear = method_linear(c->method), known = !linear || base->centre != 0;

	c->diff = e->diff;
	c->smaller = fmin(fabs(base->centre), fabs(new->centre)) / scale_unit(base);
	c->t = e->t;
	c->df = e->df;
	c->se = e->se;
	c->p = e->p;
	c->change = !known ? NAN : linear ? e->diff : expm1(e->diff);
	c->lo = !known ? NAN : linear ? e->lo : expm1(e->lo);
	c->hi = !known ? NAN : linear ? e->hi : expm1(e->hi);
}

/* No variance on either side: a count may be exact, a timing has only its permutations. */
static void cell_constant(struct cell *c, const struct row *row, double base, double new)
{
	c->diff = new - base;
	c->smaller = fmin(fabs(base), fabs(new));
	c->change = ratio_change(base, new);
	c->method = METHOD_EXACT;
	if (base == new || row->kind == UNIT_COUNT || row->kind == UNIT_RATIO) {
		c->lo = c->change;
		c->hi = c->change;
		c->p = base == new;
	} else {
		c->p = c->p_permute;
	}
}

static void cell_lacks(struct cell *c, double base, double new, enum lack lack)
{
	static const char *const words[] = {
		[LACK_BOOTS] = "too few boots", [LACK_REPEATS] = "too few repeats",
		[LACK_SPREAD] = "no spread to judge by",
	};

	c->change = ratio_change(base, new);
	c->why = words[lack];
	c->lack = lack;
}

/* For a test that gave no estimate. */
static void cell_no_spread(struct cell *c, const struct row *row, const struct sampled *base,
			   const struct sampled *new, enum lack lack)
{
	if (stats_equal(base->v, base->n) && stats_equal(new->v, new->n)) {
		cell_constant(c, row, base->v[0], new->v[0]);
		return;
	}
	cell_lacks(c, base->centre, new->centre, lack);
}

static bool pairs_equal(const struct sampled *base, const struct sampled *new)
{
	for (size_t i = 0; i < base->n; i++)
		if (base->v[i] != new->v[i])
			return false;
	return true;
}

/* By means of boots, in pairs where every boot is on both sides. */
static void cell_boots(struct cell *c, const struct row *row, const struct sampled *base,
		       const struct sampled *new, double alpha, bool paired, double *least)
{
	struct scaled s = scale(base, new);
	struct estimate e = { 0 };
	int err;

	if (paired)
		c->method = s.linear ? METHOD_PAIRED_LINEAR : METHOD_PAIRED;
	else
		c->method = s.linear ? METHOD_LINEAR : METHOD_LOG;
	c->p_mannwhitney = mannwhitney_test(s.x, base->n, s.y, new->n);
	if (paired) {
		c->p_permute = permute_paired(s.x, s.y, base->n, least, &c->permute_exact);
		err = paired_test(s.x, s.y, base->n, alpha, &e);
	} else {
		c->p_permute = permute_test(s.x, base->n, s.y, new->n, least, &c->permute_exact);
		err = welch_test(s.x, base->n, s.y, new->n, alpha, &e);
	}
	if (!err && !paired) {
		struct interval i = boots_interval(s.x, base->n, s.y, new->n, &e, alpha / 2);

		e.lo = i.lo;
		e.hi = i.hi;
	}
	if (!err)
		cell_estimate(c, &e, base, new);
	else if (paired && pairs_equal(base, new))
		cell_constant(c, row, base->centre, base->centre);
	else
		cell_no_spread(c, row, base, new, LACK_SPREAD);
	scaled_free(&s);
}

/*
 * By repeats of one boot. They have outliers, from whatever else the machine had to do, and means
 * follow them: hence ranks. The permutation of means follows them too, so it cannot contradict.
 */
static void cell_ranks(struct cell *c, const struct row *row, const struct sampled *base,
		       const struct sampled *new, double alpha)
{
	struct scaled s = scale(base, new);
	struct estimate e = { 0 };
	bool constant = stats_equal(s.x, base->n) && stats_equal(s.y, new->n);
	double least;

	/* Drawing permutations would take most of the time, of many repeats, for a p in JSON. */
	if (constant || choose(base->n + new->n, base->n) <= PERMUTE_MAX)
		c->p_permute = permute_test(s.x, base->n, s.y, new->n, &least, &c->permute_exact);
	c->p_mannwhitney = mannwhitney_test(s.x, base->n, s.y, new->n);
	if (shift_test(s.x, base->n, s.y, new->n, alpha, &e)) {
		cell_no_spread(c, row, base, new, LACK_REPEATS);
	} else {
		c->method = s.linear ? METHOD_REPEATS_LINEAR : METHOD_REPEATS;
		cell_estimate(c, &e, base, new);
	}
	scaled_free(&s);
}

/* Are the boots of one side those of the other, in their order? */
static bool same_boots(const struct side *base, const struct side *new)
{
	for (size_t i = 0; i < base->boots && i < new->boots; i++)
		if (strcmp(base->of[i]->id, new->of[i]->id))
			return false;
	return base->boots == new->boots;
}

/* Both sides of one boot: only that boot is judged. */
static void cell_within(struct cell *c, const struct report *r, size_t label, size_t row)
{
	struct sampled base = sampled_repeats(report_side(r, 0, row),
					      boot_series(r->ds->labels[0].boots, row));
	struct sampled new = sampled_repeats(report_side(r, label, row),
					     boot_series(r->ds->labels[label].boots, row));

	if (base.n > 1 && new.n > 1)
		cell_ranks(c, &r->ds->rows[row], &base, &new, r->opt->alpha);
	else
		cell_lacks(c, base.centre, new.centre, LACK_REPEATS);
	free(base.v);
	free(new.v);
}

/* *least is the smallest p that a permutation of so many boots can reach. */
static void cell_between(struct cell *c, const struct report *r, const struct comparison *cmp,
			 size_t row, double *least)
{
	const struct side *base = report_side(r, 0, row), *new = report_side(r, cmp->label, row);
	struct sampled x = sampled_boots(base), y = sampled_boots(new);

	cell_boots(c, &r->ds->rows[row], &x, &y, r->opt->alpha,
		   cmp->paired && same_boots(base, new), least);
	free(x.v);
	free(y.v);
}

/* What speaks against a small p; NULL when nothing does. least is the permutation's. */
static const char *cell_doubt(const struct cell *c, double least, double alpha)
{
	if (!(c->p <= alpha))
		return NULL;
	if (least <= alpha && c->p_permute > alpha)
		return "permutation disagrees";
	/* The interval knows nothing of ties, p does. */
	if (method_repeats(c->method) && c->lo <= 0 && c->hi >= 0)
		return "too many ties";
	return NULL;
}

/* Two boots have a verdict where they need no spread: on a count that both repeat exactly. */
static bool boots_too_few(const struct row *row, const struct side *base, const struct side *new)
{
	size_t least = base->boots < new->boots ? base->boots : new->boots;

	if (least >= BOOTS_LEAST)
		return false;
	return least < 2 || (row->kind != UNIT_COUNT && row->kind != UNIT_RATIO) ||
	       !stats_equal(base->means, base->boots) || !stats_equal(new->means, new->boots);
}

void cell_make(struct cell *c, const struct report *r, const struct comparison *cmp, size_t row)
{
	const struct side *base = report_side(r, 0, row), *new = report_side(r, cmp->label, row);
	bool shared = within_one_boot(r, cmp);
	double least = 1;

	*c = (struct cell){ .verdict = VERDICT_NONE, .diff = NAN, .smaller = NAN, .change = NAN,
			    .lo = NAN, .hi = NAN, .t = NAN, .df = NAN, .se = NAN, .p = NAN,
			    .p_holm = NAN, .p_permute = NAN, .p_mannwhitney = NAN, .bound = NAN };
	if (!base->boots || !new->boots) {
		c->verdict = VERDICT_MISSING;
		c->why = base->boots ? "missing in new" : new->boots ? "missing in base" :
			 "missing in both";
		return;
	}
	if (!shared && boots_too_few(&r->ds->rows[row], base, new)) {
		cell_lacks(c, base->centre, new->centre, LACK_BOOTS);
		return;
	}
	if (shared)
		cell_within(c, r, cmp->label, row);
	else
		cell_between(c, r, cmp, row, &least);
	if (cmp->audit.unfair)
		c->why = "audit failed";
	else if (!row_judged(r, &r->ds->rows[row]))
		c->why = "emulated";
	if (cmp->audit.unfair || !row_judged(r, &r->ds->rows[row]))
		c->lack = LACK_OTHER;
	if (c->why)
		return;
	c->p_holm = c->p;
	c->why = cell_doubt(c, least, r->opt->alpha);
}

double cell_size(const struct cell *c, double diff)
{
	if (diff == 0)
		return 0;
	if (method_linear(c->method) || c->method == METHOD_EXACT)
		return c->smaller > 0 ? fabs(diff) / c->smaller : INFINITY;
	return expm1(fabs(diff));
}

static struct sampled cell_sampled(const struct report *r, const struct comparison *cmp,
				   size_t label, size_t row)
{
	const struct side *side = report_side(r, label, row);

	return within_one_boot(r, cmp) ?
	       sampled_repeats(side, boot_series(r->ds->labels[label].boots, row)) :
	       sampled_boots(side);
}

/* What the values of a cell cannot exclude, on its scale. */
static int cell_interval(const struct cell *c, const struct sampled *base,
			 const struct sampled *new, double level, struct interval *i)
{
	const struct estimate e = { .diff = c->diff, .se = c->se, .df = c->df };
	struct scaled s = scale(base, new);
	int err = 0;

	if (method_repeats(c->method))
		err = shift_interval(s.x, base->n, s.y, new->n, level, i);
	else if (c->method == METHOD_PAIRED || c->method == METHOD_PAIRED_LINEAR)
		*i = t_interval(&e, level);
	else
		*i = boots_interval(s.x, base->n, s.y, new->n, &e, level);
	scaled_free(&s);
	return err;
}

double cell_bound(const struct report *r, const struct comparison *cmp, size_t row, double level)
{
	const struct cell *c = &cmp->cells[row];
	struct sampled base, new;
	struct interval i;
	int err;

	if (c->method == METHOD_EXACT)
		return c->p == 1 ? 0 : INFINITY;
	base = cell_sampled(r, cmp, 0, row);
	new = cell_sampled(r, cmp, cmp->label, row);
	err = cell_interval(c, &base, &new, level, &i);
	free(base.v);
	free(new.v);
	return err ? INFINITY : cell_size(c, interval_reach(&i));
}
