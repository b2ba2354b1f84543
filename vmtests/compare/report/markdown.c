// SPDX-License-Identifier: GPL-2.0
/* The form for issues and merge requests: the text form's content as Markdown tables. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "model/trend.h"
#include "report/format.h"
#include "report/forms.h"

/* Nothing in s may become markup: ASCII punctuation takes a backslash, angle brackets an entity. */
static void escaped(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '<')
			fputs("&lt;", out);
		else if (*s == '>')
			fputs("&gt;", out);
		else if (*s == '&')
			fputs("&amp;", out);
		else if (ispunct((unsigned char)*s) && !strchr(".,:%+-/()", *s))
			fprintf(out, "\\%c", *s);
		else
			fputc(*s, out);
	}
}

static void lack_lines(const struct comparison *cmp, FILE *out)
{
	for (size_t i = 0; i < cmp->lacks.n; i++) {
		fputs("**", out);
		escaped(out, cmp->lacks.v[i]);
		fputs(".**\n\n", out);
	}
}

static void audit_table(const struct view *view, const struct comparison *cmp)
{
	FILE *out = view->out;
	size_t options = 0, most = view->verbose ? cmp->audit.options : AUDIT_OPTIONS_SHOWN;
	static const char *const class[] = { "treatment", "**unfair**", "allowed", "differs" };

	fputs("| audit | what | base | new |\n|---|---|---|---|\n", out);
	for (size_t i = 0; i < cmp->audit.n; i++) {
		const struct audit_line *line = &cmp->audit.v[i];

		options += line->option;
		if (line->option && options > most)
			continue;
		fprintf(out, "| %s | ", class[line->class]);
		escaped(out, line->what);
		fputs(" | ", out);
		escaped(out, line->base);
		fputs(" | ", out);
		escaped(out, line->new);
		fputs(" |\n", out);
	}
	fputc('\n', out);
	if (options > most)
		fprintf(out, "%zu more options of the kernel's differ: -v lists them.\n\n",
			options - most);
	if (cmp->audit.unfair)
		fputs("**Audit failed: there are no verdicts.**\n\n", out);
}

static void row_cells(const struct report *r, size_t at, FILE *out)
{
	const struct row *row = &r->ds->rows[at];

	fputs("| ", out);
	escaped(out, row->bench);
	fputc(' ', out);
	escaped(out, row->variant);
	fputs(" | ", out);
	escaped(out, row->metric);
	fputs(" | ", out);
	escaped(out, row->unit);
	fprintf(out, ", %s is better | ", row->higher ? "higher" : "lower");
}

static void evidence_cells(const struct report *r, const struct comparison *cmp, size_t row,
			   FILE *out)
{
	const struct side *base = report_side(r, 0, row), *new = report_side(r, cmp->label, row);
	bool repeats = within_one_boot(r, cmp);
	char between[2][24], within[2][24], p[24];

	spread_format(between[0], base->between);
	spread_format(between[1], new->between);
	spread_format(within[0], base->within);
	spread_format(within[1], new->within);
	p_format(p, cmp->cells[row].p_holm);
	fprintf(out, " | %zu, %zu | %s, %s | %s, %s | ", repeats ? base->samples : base->boots,
		repeats ? new->samples : new->boots, between[0], between[1], within[0], within[1]);
	escaped(out, p);
	fputs(" |\n", out);
}

static void comparison_table(const struct report *r, const struct comparison *cmp, FILE *out)
{
	fprintf(out, "| case | metric | unit | base | new | change | %g%% interval | verdict | n | between boots | within | p (Holm) |\n",
		100 * (1 - r->opt->alpha));
	fputs("|---|---|---|--:|--:|--:|---|---|--:|--:|--:|--:|\n", out);
	for (size_t i = 0; i < r->ds->nrows; i++) {
		size_t at = r->order[i];
		const struct cell *c = &cmp->cells[at];
		char base[24], new[24], change[24], lo[24], hi[24], verdict[40];

		value_format(base, report_side(r, 0, at)->centre, r->ds->rows[at].unit);
		value_format(new, report_side(r, cmp->label, at)->centre, r->ds->rows[at].unit);
		change_format(change, c->change);
		change_format(lo, c->lo);
		change_format(hi, c->hi);
		verdict_format(verdict, c);
		row_cells(r, at, out);
		fprintf(out, "%s | %s | %s | %s to %s | ", base, new, change, lo, hi);
		escaped(out, verdict);
		if (c->why)
			fprintf(out, " (%s)", c->why);
		evidence_cells(r, cmp, at, out);
	}
	fputc('\n', out);
}

static void single_table(const struct report *r, FILE *out)
{
	fputs("| case | metric | unit | median | boots | samples |\n"
	      "|---|---|---|--:|--:|--:|\n", out);
	for (size_t i = 0; i < r->ds->nrows; i++) {
		const struct side *s = report_side(r, 0, r->order[i]);
		char median[24];

		value_format(median, s->median, r->ds->rows[r->order[i]].unit);
		row_cells(r, r->order[i], out);
		fprintf(out, "%s | %zu | %zu |\n", median, s->boots, s->samples);
	}
}

static void trend_table(const struct view *view)
{
	const struct report *r = view->r;
	FILE *out = view->out;

	if (!trends_shown(view))
		return;
	fputs("## Trend\n\n", out);
	for (size_t l = 0; l < r->ds->nlabels; l++) {
		fprintf(out, "%zu. ", l + 1);
		escaped(out, r->ds->labels[l].name);
		fputc('\n', out);
	}
	fputs("\n| case | metric | unit | first | last | per label | tau | p (Holm) | verdict |\n"
	      "|---|---|---|--:|--:|--:|--:|--:|---|\n", out);
	for (size_t i = 0; i < r->ds->nrows; i++) {
		size_t at = r->order[i];
		const struct trend *t = &r->trends[at];
		char first[24], last[24], slope[24];

		value_format(first, t->points[0].median, r->ds->rows[at].unit);
		value_format(last, t->points[r->ds->nlabels - 1].median, r->ds->rows[at].unit);
		change_format(slope, t->slope);
		row_cells(r, at, out);
		fprintf(out, "%s | %s | %s | ", first, last, slope);
		if (isnan(t->p_holm))
			fputs("- | - | ", out);
		else
			fprintf(out, "%+.2f | %.2g | ", t->test.tau, t->p_holm);
		fputs(verdict_name(t->verdict), out);
		if (t->why)
			fprintf(out, " (%s)", t->why);
		fputs(" |\n", out);
	}
	fputc('\n', out);
}

void markdown_write(const struct view *view)
{
	const struct report *r = view->r;
	FILE *out = view->out;

	if (r->emulated)
		fputs("**Emulated CPU: times and rates are not hardware's and get no verdict.**\n\n",
		      out);
	for (size_t k = 0; k < r->ncmp; k++) {
		fputs("## ", out);
		escaped(out, r->ds->labels[0].name);
		fputs(" against ", out);
		escaped(out, r->ds->labels[k + 1].name);
		fputs("\n\n", out);
		if (pairing_words(r, &r->cmp[k]))
			fprintf(out, "**%s.**\n\n", pairing_words(r, &r->cmp[k]));
		lack_lines(&r->cmp[k], out);
		audit_table(view, &r->cmp[k]);
		comparison_table(r, &r->cmp[k], out);
		lack_lines(&r->cmp[k], out);
	}
	if (!r->ncmp)
		single_table(r, out);
	trend_table(view);
	for (size_t i = 0; i < r->ds->notes.n; i++) {
		fputs("- ", out);
		escaped(out, r->ds->notes.v[i]);
		fputc('\n', out);
	}
	for (size_t i = 0; i < r->notes.n; i++) {
		fputs("- ", out);
		escaped(out, r->notes.v[i]);
		fputc('\n', out);
	}
}
