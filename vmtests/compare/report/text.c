// SPDX-License-Identifier: GPL-2.0
/*
 * The plain form: ASCII, 78 columns at most, meant to be pasted into a cover letter.
 *
 * One label prints medians and spreads, two print a table, more print a matrix against the first.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/census.h"
#include "model/extras.h"
#include "model/trend.h"
#include "report/format.h"
#include "report/forms.h"
#include "report/text.h"

#define LEFT 28		/* metric, direction and unit */
#define PER_BLOCK 3	/* columns of a matrix */

/* Name the case of row at, unless row before, which was printed last, is of the same case. */
static void group_line(const struct report *r, size_t at, size_t before, FILE *out)
{
	const struct row *row = &r->ds->rows[r->order[at]];
	const struct row *last = before < at ? &r->ds->rows[r->order[before]] : NULL;

	if (last && !strcmp(last->bench, row->bench) && !strcmp(last->variant, row->variant))
		return;
	text_paragraph(out, "", 0, xasprintf("%s %s", row->bench, row->variant));
}

/* Metric, direction and unit; on a line of their own unless a space follows them. */
static void left_column(const struct row *row, FILE *out)
{
	int n = fprintf(out, " %s %c%s", row->metric, row->higher ? '>' : '<', row->unit);

	if (n >= LEFT)
		fprintf(out, "\n%*s", LEFT, "");
	else
		fprintf(out, "%*s", LEFT - n, "");
}

static const char *flags_text(unsigned int flags)
{
	static const char *const text[] = { "", " d", " o", " do" };

	return text[flags & 3];
}

static void cell_line(const struct report *r, const struct comparison *cmp, size_t row, FILE *out)
{
	const struct side *base = report_side(r, 0, row), *new = report_side(r, cmp->label, row);
	const struct cell *c = &cmp->cells[row];
	char b[24], n[24], change[24], lo[24], hi[24], verdict[40];

	value_format(b, base->centre, r->ds->rows[row].unit);
	value_format(n, new->centre, r->ds->rows[row].unit);
	change_format(change, c->change);
	change_format(lo, c->lo);
	change_format(hi, c->hi);
	lo[strcspn(lo, "%")] = '\0';
	hi[strcspn(hi, "%")] = '\0';
	verdict_format(verdict, c);
	left_column(&r->ds->rows[row], out);
	fprintf(out, "%7s %7s %7s %6s %6s %s%s\n", b, n, change, lo, hi, verdict,
		flags_text(base->flags | new->flags));
}

/* With -v: the evidence for the verdict. */
static void evidence_line(const struct view *view, const struct comparison *cmp, size_t row)
{
	const struct report *r = view->r;
	const struct side *base = report_side(r, 0, row), *new = report_side(r, cmp->label, row);
	const struct cell *c = &cmp->cells[row];
	bool repeats = within_one_boot(r, cmp);
	char between[2][24], within[2][24], p[24], holm[24], *words;

	if (!view->verbose)
		return;
	spread_format(between[0], base->between);
	spread_format(between[1], new->between);
	spread_format(within[0], base->within);
	spread_format(within[1], new->within);
	p_format(p, c->p);
	p_format(holm, c->p_holm);
	words = xasprintf("%s%s%s %zu/%zu, between %s/%s, within %s/%s, %sp %s, Holm %s%s%s",
			  r->ncmp > 1 ? r->ds->labels[cmp->label].name : "",
			  r->ncmp > 1 ? ": " : "", repeats ? "repeats" : "n",
			  repeats ? base->samples : base->boots,
			  repeats ? new->samples : new->boots, between[0], between[1], within[0],
			  within[1], method_repeats(c->method) ? "Mann-Whitney " : "", p, holm,
			  c->why ? ": " : "", c->why ? c->why : "");
	text_paragraph(view->out, "", 4, words);
}

static void counts_line(const struct report *r, const struct comparison *cmp, const char *head,
			FILE *out)
{
	char *s = xasprintf("%zu better, %zu worse, %zu same, %zu unsure, %zu missing, %zu without verdict; Holm, alpha %g",
			    cmp->counts[VERDICT_BETTER], cmp->counts[VERDICT_WORSE],
			    cmp->counts[VERDICT_SAME], cmp->counts[VERDICT_UNSURE],
			    cmp->counts[VERDICT_MISSING], cmp->counts[VERDICT_NONE], r->opt->alpha);

	if (r->aa_splits) {
		char *more = xasprintf("%s; A/A alarms %.1f%%", s,
				       100.0 * r->aa_alarms / r->aa_splits);

		free(s);
		s = more;
	}
	text_paragraph(out, head, strlen(head), s);
}

static void legend(const struct view *view)
{
	const struct report *r = view->r;
	FILE *out = view->out;
	const char *of = !repeats_compared(r) ? "" :
			 ", within one\nboot the median of it over all pairs of repeats";

	fprintf(out, "> higher is better, < lower is better; change is new/base - 1%s.\n"
		     "[%g%% interval]; same <x%%: the change is smaller, but for %g%% of such rows.\n"
		     "d: repeats drift; o: one boot lies far off.\n", of,
		100 * (1 - r->opt->alpha), 100 * r->opt->alpha);
	if (view->verbose)
		fputs("n: boots; between, within: relative standard deviations between and within\n"
		      "boots, base/new; p: of the row alone; Holm: adjusted over the table.\n",
		      out);
}

static bool row_in(const struct report *r, const struct comparison *cmp, size_t row)
{
	return report_side(r, 0, row)->boots || report_side(r, cmp->label, row)->boots;
}

static void text_pair(const struct view *view)
{
	const struct report *r = view->r;
	FILE *out = view->out;
	const struct comparison *cmp = &r->cmp[0];

	text_label(out, "base", &r->ds->labels[0]);
	text_label(out, "new", &r->ds->labels[1]);
	text_audit(view, cmp);
	text_notes(r, out);
	fprintf(out, "\n%-*s%7s %7s %7s %13s %s\n", LEFT, "metric", "base", "new", "change",
		"interval", "verdict");
	for (size_t i = 0; i < r->ds->nrows; i++) {
		if (!row_in(r, cmp, r->order[i]))
			continue;
		group_line(r, i, i - 1, out);
		cell_line(r, cmp, r->order[i], out);
		evidence_line(view, cmp, r->order[i]);
	}
	fputc('\n', out);
	counts_line(r, cmp, "", out);
	legend(view);
}

/* "a > b > c"; the caller frees it. */
static char *label_chain(const struct report *r)
{
	char *chain = xstrdup(r->ds->labels[0].name);

	for (size_t l = 1; l < r->ds->nlabels; l++) {
		char *longer = xasprintf("%s > %s", chain, r->ds->labels[l].name);

		free(chain);
		chain = longer;
	}
	return chain;
}

static void trend_line(const struct report *r, size_t row, FILE *out)
{
	const struct trend *t = &r->trends[row];
	char first[24], last[24], slope[24], tau[24] = "-", p[24];

	value_format(first, t->points[0].median, r->ds->rows[row].unit);
	value_format(last, t->points[r->ds->nlabels - 1].median, r->ds->rows[row].unit);
	change_format(slope, t->slope);
	if (!isnan(t->test.tau))
		snprintf(tau, sizeof(tau), "%+.2f", t->test.tau);
	p_format(p, t->p_holm);
	left_column(&r->ds->rows[row], out);
	fprintf(out, "%7s %7s %9s %5s %7s %s\n", first, last, slope, tau, p,
		verdict_name(t->verdict));
}

/* Only rows that move, unless all are asked for. */
static void trend_lines(const struct view *view)
{
	const struct report *r = view->r;
	FILE *out = view->out;
	size_t still = 0, last = r->ds->nrows;

	if (!trends_shown(view))
		return;
	fputc('\n', out);
	text_paragraph(out, "trend ", 6, label_chain(r));
	fprintf(out, "%-*s%7s %7s %9s %5s %7s %s\n", LEFT, "metric", "first", "last", "per label",
		"tau", "p", "verdict");
	for (size_t i = 0; i < r->ds->nrows; i++) {
		if (!view->verbose && r->trends[r->order[i]].verdict == VERDICT_NONE) {
			still++;
			continue;
		}
		group_line(r, i, last, out);
		last = i;
		trend_line(r, r->order[i], out);
	}
	if (still)
		fprintf(out, "%zu row%s without a trend; -v lists them\n", still,
			still == 1 ? "" : "s");
	fputs("first, last: medians over boots; per label: Theil-Sen slope; p: Mann-Kendall\n"
	      "over the boots, adjusted by Holm over this section.\n", out);
}

static void matrix_row(const struct view *view, size_t row, size_t from, size_t to)
{
	const struct report *r = view->r;
	char value[24], change[24];

	left_column(&r->ds->rows[row], view->out);
	value_format(value, report_side(r, 0, row)->centre, r->ds->rows[row].unit);
	fprintf(view->out, "%7s", value);
	for (size_t k = from; k < to; k++) {
		const struct cell *c = &r->cmp[k].cells[row];

		change_format(change, c->change);
		fprintf(view->out, " %6s %-*s", change, k + 1 < to ? 6 : 0,
			c->verdict == VERDICT_MISSING ? "miss" : verdict_name(c->verdict));
	}
	fputc('\n', view->out);
	for (size_t k = from; k < to; k++)
		evidence_line(view, &r->cmp[k], row);
}

/* The labels that fit beside each other. */
static void matrix_block(const struct view *view, size_t from, size_t to)
{
	const struct report *r = view->r;

	fprintf(view->out, "\n%-*s%7s", LEFT, "metric", "base");
	for (size_t k = from; k < to; k++)
		fprintf(view->out, " %-13.13s", r->ds->labels[k + 1].name);
	fputc('\n', view->out);
	for (size_t i = 0; i < r->ds->nrows; i++) {
		group_line(r, i, i - 1, view->out);
		matrix_row(view, r->order[i], from, to);
	}
}

static void text_matrix(const struct view *view)
{
	const struct report *r = view->r;
	FILE *out = view->out;

	text_label(out, "base", &r->ds->labels[0]);
	for (size_t k = 0; k < r->ncmp; k++) {
		char *role = xasprintf("new%zu", k + 1);

		text_label(out, role, &r->ds->labels[k + 1]);
		text_audit(view, &r->cmp[k]);
		free(role);
	}
	text_notes(r, out);
	for (size_t from = 0; from < r->ncmp; from += PER_BLOCK)
		matrix_block(view, from, from + PER_BLOCK < r->ncmp ? from + PER_BLOCK : r->ncmp);
	for (size_t k = 0; k < r->ncmp; k++) {
		char *head = xasprintf("%s: ", r->ds->labels[k + 1].name);

		fputc('\n', out);
		counts_line(r, &r->cmp[k], head, out);
		free(head);
	}
	trend_lines(view);
	legend(view);
}

static void aa_line(const struct view *view)
{
	const struct report *r = view->r;

	if (!view->aa)
		return;
	if (r->aa_splits)
		fprintf(view->out, "A/A: %zu alarms in %zu splits of this label's boots: %.1f%% at alpha %g\n",
			r->aa_alarms, r->aa_splits, 100.0 * r->aa_alarms / r->aa_splits,
			r->opt->alpha);
	else
		fputs("A/A: no metric with 4 to 64 boots that vary: nothing to split\n", view->out);
}

static void text_single(const struct view *view)
{
	const struct report *r = view->r;
	FILE *out = view->out;
	char *census = census_words(&r->ds->labels[0], "linear");

	text_label(out, "label", &r->ds->labels[0]);
	if (census)
		text_paragraph(out, "  linear map ", 13, census);
	text_notes(r, out);
	aa_line(view);
	if (!r->ds->nrows) {
		fprintf(out, "no samples\n");
		return;
	}
	fprintf(out, "\n%-*s%8s %9s %9s %6s %8s\n", LEFT, "metric", "median", "between", "within",
		"boots", "samples");
	for (size_t i = 0; i < r->ds->nrows; i++) {
		const struct side *s = report_side(r, 0, r->order[i]);
		char median[24], between[24], within[24];

		value_format(median, s->median, r->ds->rows[r->order[i]].unit);
		spread_format(between, s->between);
		spread_format(within, s->within);
		group_line(r, i, i - 1, out);
		left_column(&r->ds->rows[r->order[i]], out);
		fprintf(out, "%8s %9s %9s %6zu %8zu%s\n", median, between, within,
			s->boots, s->samples, flags_text(s->flags));
	}
	fprintf(out, "\n> higher is better, < lower is better; between and within boots: relative\n"
		     "standard deviations; d: repeats drift; o: one boot lies far off.\n");
}

static void extra_heading(const struct extra_row *row, const struct extra_row *last, FILE *out)
{
	if (!last || last->kind != row->kind)
		fprintf(out, "\n%s (medians over boots)\n", extra_title(row->kind));
	if (!last || last->kind != row->kind || strcmp(last->test, row->test))
		text_paragraph(out, "", 0, xstrdup(row->test));
}

static void extra_lines(const struct report *r, FILE *out)
{
	struct extra_table table;

	extras_tabulate(&table, r->ds);
	for (size_t i = 0; i < table.n; i++) {
		const struct extra_row *row = &table.v[i];
		char value[24], change[24];

		extra_heading(row, i ? row - 1 : NULL, out);
		value_format(value, row->median[0], extra_unit(row->kind));
		fprintf(out, " %-50.50s %8s\n", row->what, value);
		for (size_t l = 1; l < r->ds->nlabels; l++) {
			value_format(value, row->median[l], extra_unit(row->kind));
			change_format(change, extra_change(row, l));
			fprintf(out, "   %-48.48s %8s %8s\n", r->ds->labels[l].name, value, change);
		}
	}
	extras_free(&table);
}

void text_write(const struct view *view)
{
	const struct report *r = view->r;
	FILE *out = view->out;

	text_emulated(r, out);
	text_pairing(r, out);
	text_lacks(r, out);
	if (r->ds->nlabels == 1)
		text_single(view);
	else if (r->ncmp == 1)
		text_pair(view);
	else
		text_matrix(view);
	if (view->verbose)
		extra_lines(r, out);
	text_lacks(r, out);
}
