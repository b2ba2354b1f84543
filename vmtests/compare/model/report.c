// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a verdict that is wrong at most alpha of the time over the whole table.
 * Method: boots are the samples; Welch on the logarithms of their means, Holm over the rows, a
 * permutation test that must not contradict. Within one boot its repeats are the samples, by their
 * ranks. Limits: one boot a side gives values only.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_errno.h>

#include "model/comparison.h"
#include "model/trend.h"

#define POWER 0.8
#define SAME_MAX 0.05		/* without -m, a row that would miss 5 % is unsure, not the same */
#define DRIFT_LEVEL 0.001
#define OUTLIER_LEVEL 0.01
#define AA_SPLITS_MAX 1000

const char *call_name(enum call call)
{
	static const char *const names[] = { "better", "worse", "same", "unsure", "missing", "-" };

	return names[call];
}

const char *method_name(enum method method)
{
	static const char *const names[] = { "none", "welch-log", "welch-linear", "paired-log",
					     "repeats-shift", "repeats-shift-linear", "exact" };

	return names[method];
}

bool method_repeats(enum method method)
{
	return method == METHOD_REPEATS || method == METHOD_REPEATS_LINEAR;
}

const struct side *report_side(const struct report *r, size_t label, size_t row)
{
	return &r->sides[label * r->ds->nrows + row];
}

bool row_judged(const struct report *r, const struct row *row)
{
	return !r->emulated || (row->kind != UNIT_TIME && row->kind != UNIT_RATE);
}

bool within_one_boot(const struct report *r, const struct comparison *cmp)
{
	return cmp->paired && r->ds->labels[0].n == 1;
}

bool repeats_compared(const struct report *r)
{
	for (size_t k = 0; k < r->ncmp; k++)
		if (within_one_boot(r, &r->cmp[k]))
			return true;
	return false;
}

const char *pairing_words(const struct report *r, const struct comparison *cmp)
{
	static const char *const words[] = {
		"WITHIN ONE BOOT: both labels are of the same boot; its repeats are compared by their ranks, so that the verdicts hold for this boot, not for the kernel, and a drift of the machine looks like a change; base and new are medians of the repeats, the change is the median over all pairs of them (Hodges-Lehmann, Mann-Whitney)",
		"WITHIN BOOTS: every boot is in both labels, so that boots are compared as pairs; a drift within boots looks like a change",
	};

	return cmp->paired ? words[!within_one_boot(r, cmp)] : NULL;
}

/* The mean of one boot: rates by harmonic, ratios by geometric, the rest by arithmetic mean. */
static double row_mean(const struct row *row, const double *v, size_t n)
{
	if (row->kind == UNIT_RATE)
		return stats_harmonic(v, n);
	if (row->kind == UNIT_RATIO && row->positive)
		return stats_geometric(v, n);
	return stats_mean(v, n);
}

static double *log_all(const double *v, size_t n)
{
	double *l = xcalloc(n, sizeof(*l));

	for (size_t i = 0; i < n; i++)
		l[i] = log(v[i]);
	return l;
}

static bool any_nonpositive(const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(v[i] > 0))
			return true;
	return false;
}

static double spread(double var, double centre)
{
	return centre != 0 ? sqrt(var) / fabs(centre) : var == 0 ? 0 : NAN;
}

static void side_fill(struct side *side, const struct row *row, size_t at,
		      const struct label *label)
{
	double *all = NULL, *x = NULL, within = 0, pooled = 0;
	double *logs;
	struct estimate slope;
	size_t n = 0;

	side->v = xcalloc(label->n, sizeof(*side->v));
	side->of = xcalloc(label->n, sizeof(*side->of));
	for (size_t b = 0; b < label->n; b++) {
		const struct series *s = boot_series(&label->boots[b], at);

		if (s)
			n += s->n;
	}
	all = xcalloc(2 * n, sizeof(*all));
	x = xcalloc(n, sizeof(*x));
	n = 0;
	for (size_t b = 0; b < label->n; b++) {
		const struct series *s = boot_series(&label->boots[b], at);
		double mean;

		if (!s)
			continue;
		for (size_t i = 0; i < s->n; i++)
			all[n + i] = s->v[i].value;
		mean = row_mean(row, all + n, s->n);
		side->of[side->boots] = &label->boots[b];
		side->v[side->boots++] = mean;
		if (s->n > 1) {
			pooled += stats_var(all + n, s->n) * (s->n - 1);
			within += s->n - 1;
		}
		n += s->n;
	}
	side->samples = n;
	if (!side->boots) {
		side->centre = NAN;
		side->median = NAN;
		side->between = NAN;
		side->within = NAN;
		goto out;
	}
	if (any_nonpositive(side->v, side->boots)) {
		side->centre = stats_mean(side->v, side->boots);
		side->between = spread(stats_var(side->v, side->boots), side->centre);
	} else {
		logs = log_all(side->v, side->boots);
		side->centre = stats_geometric(side->v, side->boots);
		side->between = sqrt(stats_var(logs, side->boots));
		if (grubbs_test(logs, side->boots) < OUTLIER_LEVEL)
			side->flags |= FLAG_OUTLIER;
		free(logs);
	}
	side->within = within > 0 ? spread(pooled / within, side->centre) : NAN;

	/* Drift: the repeats of all boots, each relative to its own boot's mean. */
	n = 0;
	for (size_t b = 0, k = 0; b < label->n; b++) {
		const struct series *s = boot_series(&label->boots[b], at);

		if (!s)
			continue;
		for (size_t i = 0; i < s->n; i++, n++) {
			x[n] = i - (s->n - 1) / 2.0;
			all[side->samples + n] = s->v[i].value - side->v[k];
		}
		k++;
	}
	if (!slope_test(x, all + side->samples, n, 0.05, &slope) && slope.p < DRIFT_LEVEL)
		side->flags |= FLAG_DRIFT;
	stats_sort(all, n);
	side->median = stats_quantile(all, n, 0.5);
out:
	free(all);
	free(x);
}

static bool constant(const struct side *s)
{
	for (size_t i = 1; i < s->boots; i++)
		if (s->v[i] != s->v[0])
			return false;
	return true;
}

static bool method_linear(enum method method)
{
	return method == METHOD_LINEAR || method == METHOD_REPEATS_LINEAR;
}

static double ratio_change(double base, double new)
{
	return base == new ? 0 : base > 0 ? new / base - 1 : NAN;
}

/* Turn an estimate on the row's scale into fractions of base. */
static void cell_estimate(struct cell *c, const struct estimate *e, double base)
{
	bool log_scale = !method_linear(c->method);
	double unit = fabs(base);

	c->t = e->t;
	c->df = e->df;
	c->se = e->se;
	c->p = e->p;
	c->change = log_scale ? expm1(e->diff) : unit > 0 ? e->diff / unit : NAN;
	c->lo = log_scale ? expm1(e->lo) : unit > 0 ? e->lo / unit : NAN;
	c->hi = log_scale ? expm1(e->hi) : unit > 0 ? e->hi / unit : NAN;
}

/* No variance on either side: a count may be exact, a timing has only its permutations. */
static void cell_constant(struct cell *c, const struct row *row, const struct side *base,
			  const struct side *new)
{
	c->change = ratio_change(base->v[0], new->v[0]);
	c->method = METHOD_EXACT;
	if (base->v[0] == new->v[0] || row->kind == UNIT_COUNT || row->kind == UNIT_RATIO) {
		c->lo = c->change;
		c->hi = c->change;
		c->p = base->v[0] == new->v[0];
		c->detectable = 0;
	} else {
		c->p = c->p_permute;
	}
}

static bool same_boots(const struct side *base, const struct side *new)
{
	for (size_t i = 0; i < base->boots && i < new->boots; i++)
		if (strcmp(base->of[i]->id, new->of[i]->id))
			return false;
	return base->boots == new->boots;
}

static void cell_test(struct cell *c, const struct row *row, const struct side *base,
		      const struct side *new, const struct options *opt, bool paired, double *least)
{
	bool linear = any_nonpositive(base->v, base->boots) || any_nonpositive(new->v, new->boots);
	double *x = linear ? base->v : log_all(base->v, base->boots);
	double *y = linear ? new->v : log_all(new->v, new->boots);
	struct estimate e = { 0 };
	int err;

	paired = paired && !linear && same_boots(base, new);
	c->method = linear ? METHOD_LINEAR : paired ? METHOD_PAIRED : METHOD_LOG;
	c->p_mannwhitney = mannwhitney_test(x, base->boots, y, new->boots);
	if (paired) {
		c->p_permute = permute_paired(x, y, base->boots, least, &c->permute_exact);
		err = paired_test(x, y, base->boots, opt->alpha, &e);
	} else {
		c->p_permute = permute_test(x, base->boots, y, new->boots, least,
					    &c->permute_exact);
		err = welch_test(x, base->boots, y, new->boots, opt->alpha, &e);
	}
	if (!err)
		cell_estimate(c, &e, base->centre);
	else if (constant(base) && constant(new))
		cell_constant(c, row, base, new);
	else
		c->why = "no spread to judge by";
	if (!linear) {
		free(x);
		free(y);
	}
}

/*
 * Repeats have outliers, from whatever else the machine had to do, and means follow them: hence
 * ranks. The permutation of means follows them too, so that it cannot contradict.
 */
static void cell_shift(struct cell *c, const struct row *row, const struct side *base,
		       const struct side *new, double alpha)
{
	bool linear = any_nonpositive(base->v, base->boots) || any_nonpositive(new->v, new->boots);
	double *x = linear ? base->v : log_all(base->v, base->boots);
	double *y = linear ? new->v : log_all(new->v, new->boots);
	struct estimate e = { 0 };
	double least;

	c->p_permute = permute_test(x, base->boots, y, new->boots, &least, &c->permute_exact);
	c->p_mannwhitney = mannwhitney_test(x, base->boots, y, new->boots);
	if (!shift_test(x, base->boots, y, new->boots, alpha, &e)) {
		c->method = linear ? METHOD_REPEATS_LINEAR : METHOD_REPEATS;
		c->p_least = 2.0 / choose(base->boots + new->boots, base->boots);
		cell_estimate(c, &e, base->centre);
	} else if (constant(base) && constant(new)) {
		cell_constant(c, row, base, new);
	} else {
		c->why = "too few repeats";
	}
	if (!linear) {
		free(x);
		free(y);
	}
}

/* Both sides of one boot: its repeats are the samples, and only that boot is judged. */
static void cell_repeats(struct cell *c, const struct report *r, size_t label, size_t row)
{
	const struct series *s[2] = { boot_series(r->ds->labels[0].boots, row),
				      boot_series(r->ds->labels[label].boots, row) };
	struct side side[2] = { 0 };

	for (int k = 0; k < 2; k++) {
		side[k] = *report_side(r, k ? label : 0, row);
		side[k].boots = s[k]->n;
		side[k].v = xcalloc(s[k]->n, sizeof(double));
		for (size_t i = 0; i < s[k]->n; i++)
			side[k].v[i] = s[k]->v[i].value;
	}
	c->change = ratio_change(side[0].centre, side[1].centre);
	if (side[0].boots > 1 && side[1].boots > 1)
		cell_shift(c, &r->ds->rows[row], &side[0], &side[1], r->opt->alpha);
	else
		c->why = "too few repeats";
	free(side[0].v);
	free(side[1].v);
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

static void cell_fill(struct report *r, struct comparison *cmp, size_t row)
{
	const struct side *base = report_side(r, 0, row), *new = report_side(r, cmp->label, row);
	bool shared = within_one_boot(r, cmp);
	struct cell *c = &cmp->cells[row];
	double least = 1;

	*c = (struct cell){ .call = CALL_NONE, .change = NAN, .lo = NAN, .hi = NAN, .t = NAN,
			    .df = NAN, .se = NAN, .p = NAN, .p_holm = NAN, .p_permute = NAN,
			    .p_mannwhitney = NAN, .detectable = NAN };
	if (!base->boots || !new->boots) {
		c->call = CALL_MISSING;
		c->why = base->boots ? "missing in new" : new->boots ? "missing in base" :
			 "missing in both";
		return;
	}
	if (!shared && (base->boots < 2 || new->boots < 2)) {
		c->change = ratio_change(base->centre, new->centre);
		c->why = "one boot a side";
		return;
	}
	if (shared)
		cell_repeats(c, r, cmp->label, row);
	else
		cell_test(c, &r->ds->rows[row], base, new, r->opt, cmp->paired, &least);
	if (cmp->audit.unfair)
		c->why = "audit failed";
	else if (!row_judged(r, &r->ds->rows[row]))
		c->why = "emulated";
	if (c->why)
		return;
	c->p_holm = c->p;
	c->why = cell_doubt(c, least, r->opt->alpha);
}

static enum call call_make(const struct cell *c, const struct row *row, const struct options *opt,
			   const char **why)
{
	double enough = opt->min_effect > 0 ? opt->min_effect : SAME_MAX;

	if (c->p_holm <= opt->alpha && !*why) {
		double sign = isnan(c->change) ? 1 : c->change;

		if (!isnan(c->change) && fabs(c->change) < opt->min_effect)
			return CALL_SAME;
		return (sign > 0) == row->higher ? CALL_BETTER : CALL_WORSE;
	}
	if (*why)
		return CALL_UNSURE;
	if (c->p <= opt->alpha) {
		*why = "not after Holm";
		return CALL_UNSURE;
	}
	if (c->detectable <= enough)
		return CALL_SAME;
	*why = "would miss too much";
	return CALL_UNSURE;
}

/* What the row would have seen at this level, in fractions of base. */
static double cell_detectable(const struct cell *c, double level, double base)
{
	double d;

	if (c->method == METHOD_EXACT)
		return c->detectable;
	if (c->p_least > level)
		return INFINITY;
	/* Ties leave the interval no width: any shift would have parted them. */
	d = c->se == 0 ? 0 : detectable(c->se, c->df, level, POWER);
	return method_linear(c->method) ? d / fabs(base) : expm1(d);
}

/* Holm over every judged cell of the report, then what each row could have seen at its level. */
static void report_judge(struct report *r)
{
	size_t n = r->ds->nrows * r->ncmp, judged = 0, rejected = 0;
	double *p = xcalloc(n, sizeof(*p)), level;

	for (size_t i = 0; i < n; i++) {
		p[i] = r->cmp[i / r->ds->nrows].cells[i % r->ds->nrows].p_holm;
		judged += !isnan(p[i]);
	}
	holm_adjust(p, n);
	for (size_t i = 0; i < n; i++)
		rejected += p[i] <= r->opt->alpha;
	level = r->opt->alpha / (judged > rejected ? judged - rejected : 1);
	for (size_t i = 0; i < n; i++) {
		struct comparison *cmp = &r->cmp[i / r->ds->nrows];
		size_t row = i % r->ds->nrows;
		struct cell *c = &cmp->cells[row];

		if (!isnan(p[i])) {
			c->detectable = cell_detectable(c, level, report_side(r, 0, row)->centre);
			c->p_holm = p[i];
			c->call = call_make(c, &r->ds->rows[row], r->opt, &c->why);
		}
		cmp->counts[c->call]++;
		r->regressions += c->call == CALL_WORSE;
		r->unsure += c->call == CALL_UNSURE;
	}
	free(p);
}

/* Split the boots of one side every way into halves; count the splits that raise an alarm. */
static void side_aa(struct report *r, const struct row *row, const struct side *side)
{
	size_t k = side->boots / 2, idx[64], tried = 0;
	double *logs, x[64], y[64];

	if (side->boots < 4 || side->boots > 64 || any_nonpositive(side->v, side->boots) ||
	    constant(side) || !row_judged(r, row))
		return;
	logs = log_all(side->v, side->boots);
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

static int pair_check(struct report *r, struct comparison *cmp)
{
	const struct label *base = &r->ds->labels[0], *new = &r->ds->labels[cmp->label];
	size_t shared = 0;

	for (size_t i = 0; i < base->n; i++) {
		for (size_t j = 0; j < new->n; j++) {
			if (strcmp(base->boots[i].id, new->boots[j].id))
				continue;
			if (!strcmp(base->boots[i].path, new->boots[j].path))
				return fail("%s: compared with itself", base->boots[i].path);
			shared += i == j;
			if (i != j)
				return fail("%s: the same boot as %s", new->boots[j].path,
					    base->boots[i].path);
		}
	}
	if (shared && (shared != base->n || shared != new->n))
		return fail("%s and %s share %zu boots of %zu and %zu: a boot must be in both or one",
			    base->name, new->name, shared, base->n, new->n);
	cmp->paired = shared;
	return 0;
}

/*
 * Where repeats of one boot are compared, each side of one boot shows their median: a mean follows
 * outliers that the change does not, and the columns would contradict it.
 */
static void sides_of_repeats(struct report *r)
{
	if (!repeats_compared(r))
		return;
	for (size_t i = 0; i < r->ds->nlabels * r->ds->nrows; i++)
		if (r->sides[i].boots == 1)
			r->sides[i].centre = r->sides[i].median;
}

/* Boots of both labels in the order in which they ran: does either label come in one block? */
static bool boots_interleaved(const struct label *base, const struct label *new)
{
	return base->boots[0].started < new->boots[new->n - 1].started &&
	       new->boots[0].started < base->boots[base->n - 1].started;
}

static const struct tally *tally_find(const struct boot *boot, const char *test)
{
	for (size_t i = 0; i < boot->ntallies; i++)
		if (!strcmp(boot->tallies[i].test, test))
			return &boot->tallies[i];
	return NULL;
}

/* In how many boots of a label did this test pass, and in how many did it fail? */
static void test_count(const struct label *label, const char *test, size_t *passed, size_t *failed)
{
	for (size_t b = 0; b < label->n; b++) {
		const struct tally *v = tally_find(&label->boots[b], test);

		*passed += v && v->pass;
		*failed += v && v->fail;
	}
}

static bool test_seen(const struct label *label, size_t before, const char *test)
{
	for (size_t b = 0; b < before; b++)
		if (tally_find(&label->boots[b], test))
			return true;
	return false;
}

/* Tests that fail somewhere; one that passed on base and fails on new is a regression. */
static void report_tests(struct report *r, const struct comparison *cmp)
{
	const struct label *side[2] = { &r->ds->labels[0], &r->ds->labels[cmp->label] };
	const struct label *new = side[1];

	for (size_t b = 0; b < new->n; b++) {
		for (size_t i = 0; i < new->boots[b].ntallies; i++) {
			const struct tally *v = &new->boots[b].tallies[i];
			size_t failed[2] = { 0 }, passed[2] = { 0 };

			for (int s = 0; s < 2; s++)
				test_count(side[s], v->test, &passed[s], &failed[s]);
			if (test_seen(new, b, v->test) || (!failed[0] && !failed[1]))
				continue;
			notes_add(&r->notes,
				  "test %s: fails in %zu of %zu boots of %s, %zu of %zu of %s",
				  v->test, failed[0], side[0]->n, side[0]->name, failed[1], new->n,
				  new->name);
			r->regressions += !failed[0] && passed[0] && failed[1];
		}
	}
}

/* Counts of a TLB model (docs/tlb-model.md) must not be taken for a machine's. */
static void report_modelled(struct report *r)
{
	for (size_t i = 0; i < r->ds->nrows; i++) {
		if (strncmp(r->ds->rows[i].metric, "model_", strlen("model_")))
			continue;
		notes_add(&r->notes,
			  "modelled: rows model_* are counts of a TLB model in an emulator, not of hardware");
		return;
	}
}

static const struct dataset *sorting;

static int order_cmp(const void *a, const void *b)
{
	const struct row *l = &sorting->rows[*(const size_t *)a];
	const struct row *r = &sorting->rows[*(const size_t *)b];
	int c = strcmp(l->bench, r->bench);

	if (!c)
		c = strverscmp(l->variant, r->variant);
	return c ? c : strcmp(l->metric, r->metric);
}

int report_make(struct report *r, const struct dataset *ds, const struct options *opt)
{
	*r = (struct report){ .ds = ds, .opt = opt, .ncmp = ds->nlabels - 1 };
	/* A distribution that GSL cannot evaluate is NAN, hence unsure, not an abort. */
	gsl_set_error_handler_off();
	r->order = xcalloc(ds->nrows, sizeof(*r->order));
	r->sides = xcalloc(ds->nrows * ds->nlabels, sizeof(*r->sides));
	r->cmp = xcalloc(r->ncmp, sizeof(*r->cmp));
	for (size_t i = 0; i < ds->nrows; i++)
		r->order[i] = i;
	sorting = ds;
	qsort(r->order, ds->nrows, sizeof(*r->order), order_cmp);
	for (size_t l = 0; l < ds->nlabels; l++) {
		r->emulated |= label_emulated(&ds->labels[l]);
		for (size_t i = 0; i < ds->nrows; i++)
			side_fill(&r->sides[l * ds->nrows + i], &ds->rows[i], i, &ds->labels[l]);
	}
	for (size_t i = 0; i < ds->nlabels * ds->nrows; i++)
		side_aa(r, &ds->rows[i % ds->nrows], &r->sides[i]);
	for (size_t k = 0; k < r->ncmp; k++) {
		struct comparison *cmp = &r->cmp[k];

		cmp->label = k + 1;
		cmp->cells = xcalloc(ds->nrows, sizeof(*cmp->cells));
		if (pair_check(r, cmp))
			return -1;
	}
	sides_of_repeats(r);
	for (size_t k = 0; k < r->ncmp; k++) {
		struct comparison *cmp = &r->cmp[k];

		audit_make(&cmp->audit, &ds->labels[0], &ds->labels[k + 1], opt);
		cmp->interleaved = boots_interleaved(&ds->labels[0], &ds->labels[k + 1]);
		for (size_t i = 0; i < ds->nrows; i++)
			cell_fill(r, cmp, i);
		report_tests(r, cmp);
	}
	report_modelled(r);
	report_judge(r);
	trends_make(r);
	return 0;
}

void report_free(struct report *r)
{
	for (size_t i = 0; r->sides && i < r->ds->nrows * r->ds->nlabels; i++) {
		free(r->sides[i].v);
		free(r->sides[i].of);
	}
	for (size_t k = 0; k < r->ncmp; k++) {
		free(r->cmp[k].cells);
		audit_free(&r->cmp[k].audit);
	}
	trends_free(r);
	notes_free(&r->notes);
	free(r->order);
	free(r->sides);
	free(r->cmp);
}
