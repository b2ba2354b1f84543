// SPDX-License-Identifier: GPL-2.0
/*
 * One self-contained file: audit, table, page tables, every boot's samples in run order, latency
 * percentiles, sweeps. No script and no network, which the page's own policy also forbids.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/census.h"
#include "model/extras.h"
#include "model/trend.h"
#include "report/format.h"
#include "report/forms.h"
#include "report/html_head.h"
#include "report/pictures.h"
#include "report/plot.h"

static void escaped(FILE *out, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*s, out);
		}
	}
}

static void element(FILE *out, const char *open, const char *text, const char *close)
{
	fputs(open, out);
	escaped(out, text);
	fputs(close, out);
}

static void audit_rows(const struct audit *audit, bool options, FILE *out)
{
	static const char *const class[] = { "treatment", "unfair", "allowed", "differs" };

	fputs("<table class=\"rows\"><tbody><tr class=\"head\"><th></th><th>what</th><th>base</th>\n"
	      "<th>new</th></tr>\n", out);
	for (size_t i = 0; i < audit->n; i++) {
		const struct audit_line *line = &audit->v[i];

		if (line->option != options)
			continue;
		fprintf(out, "<tr><td class=\"%s\">%s</td>", class[line->class],
			class[line->class]);
		element(out, "<td>", line->what, "");
		if (line->class == AUDIT_UNFAIR)
			fprintf(out, " <span class=\"dim\">(--allow %s)</span>", line->allow);
		element(out, "</td><td data-k=\"base\">", line->base, "</td>");
		element(out, "<td data-k=\"new\">", line->new, "</td></tr>\n");
	}
	fputs("</tbody></table>\n", out);
}

static void audit_section(const struct comparison *cmp, FILE *out)
{
	const struct audit *audit = &cmp->audit;

	fputs("<h2>Treatment and audit</h2>\n", out);
	if (audit->unfair)
		fputs("<p class=\"unfair\">Audit failed: there are no verdicts.</p>\n", out);
	if (!audit->n)
		fputs("<p>No difference between the fingerprints.</p>\n", out);
	if (audit->n > audit->options)
		audit_rows(audit, false, out);
	if (audit->options) {
		fprintf(out, "<details><summary>%zu option%s of the kernel's configuration</summary>\n",
			audit->options, audit->options == 1 ? "" : "s");
		audit_rows(audit, true, out);
		fputs("</details>\n", out);
	}
}

static void census_bar(const struct label *label, FILE *out)
{
	char *words = census_words(label, "linear");
	double bytes[CENSUS_LEVELS], total = 0;
	char size[24];

	for (size_t i = 0; i < CENSUS_LEVELS; i++) {
		bytes[i] = census_bytes(label, "linear", census_levels[i]);
		total += bytes[i];
	}
	if (words && total > 0) {
		value_format(size, total, "bytes");
		element(out, "<p><b>", label->name, "</b> maps ");
		fprintf(out, "%sB with ", size);
		element(out, "", words, "</p><div class=\"bar\">");
		for (size_t i = 0; i < CENSUS_LEVELS; i++)
			if (bytes[i] > 0)
				fprintf(out, "<i class=\"%s\" style=\"width:%.3f%%\"></i>",
					census_levels[i], 100 * bytes[i] / total);
		fputs("</div><p class=\"key\">", out);
		for (size_t i = 0; i < CENSUS_LEVELS; i++)
			if (bytes[i] > 0)
				fprintf(out, "<i class=\"%s\"></i> %s %.1f%% ", census_levels[i],
					census_levels[i], 100 * bytes[i] / total);
		fputs("</p>\n", out);
	}
	free(words);
}

static void number_cell(FILE *out, const char *key, const char *value)
{
	fprintf(out, "<td class=\"n\" data-k=\"%s\">%s</td>", key, value);
}

static void verdict_cell(FILE *out, enum verdict verdict, const char *text, const char *why)
{
	fprintf(out, "<td data-k=\"verdict\"><span class=\"%s\">", verdict_name(verdict));
	element(out, "", text, "</span>");
	if (why)
		fprintf(out, " <span class=\"dim\">%s</span>", why);
	fputs("</td>", out);
}

static void row_line(const struct report *r, const struct comparison *cmp, size_t at, FILE *out)
{
	const struct row *row = &r->ds->rows[at];
	const struct side *base = report_side(r, 0, at);
	const struct side *new = cmp ? report_side(r, cmp->label, at) : NULL;
	char a[24], b[24], change[24], lo[24], hi[24], verdict[40];
	bool repeats;

	element(out, "<tr><td>", row->bench, " ");
	element(out, "", row->variant, "</td>");
	element(out, "<td><b>", row->metric, "</b> <span class=\"dim\">");
	element(out, "", row->unit, "");
	fprintf(out, ", %s is better</span></td>", row->higher ? "higher" : "lower");
	value_format(a, cmp ? base->centre : base->median, row->unit);
	number_cell(out, cmp ? "base" : "median", a);
	if (cmp) {
		const struct cell *c = &cmp->cells[at];

		value_format(b, new->centre, row->unit);
		change_format(change, c->change);
		change_format(lo, c->lo);
		change_format(hi, c->hi);
		verdict_format(verdict, c);
		number_cell(out, "new", b);
		number_cell(out, "change", change);
		fprintf(out, "<td class=\"n\" data-k=\"interval\">%s to %s</td>", lo, hi);
		p_format(a, c->p_holm);
		number_cell(out, "p", *a == '<' ? "&lt;0.0001" : a);
		verdict_cell(out, c->verdict, verdict, c->why);
	}
	spread_format(a, base->between);
	spread_format(b, base->within);
	fprintf(out, "<td class=\"n dim\" data-k=\"spread between, within boots\">%s, %s", a, b);
	if (cmp) {
		spread_format(a, new->between);
		spread_format(b, new->within);
		fprintf(out, " /<br> %s, %s", a, b);
	}
	repeats = cmp && within_one_boot(r, cmp);
	fprintf(out, "</td><td class=\"n dim\" data-k=\"%s\">%zu", repeats ? "repeats" : "boots",
		repeats ? base->samples : base->boots);
	if (cmp)
		fprintf(out, " / %zu", repeats ? new->samples : new->boots);
	fputs("</td></tr>\n", out);
}

static void table_section(const struct report *r, const struct comparison *cmp, FILE *out)
{
	fputs("<h2>Metrics</h2>\n<table class=\"rows\"><tbody>\n"
	      "<tr class=\"head\"><th>case</th><th>metric</th>", out);
	if (cmp)
		fprintf(out, "<th class=\"n\">base</th><th class=\"n\">new</th>\n"
			"<th class=\"n\">change</th><th class=\"n\">%g%% interval</th>\n"
			"<th class=\"n\">p</th><th>verdict</th>", 100 * (1 - r->opt->alpha));
	else
		fputs("<th class=\"n\">median</th>", out);
	fprintf(out, "<th class=\"n\">between, within</th><th class=\"n\">%s</th></tr>\n",
		cmp && within_one_boot(r, cmp) ? "repeats" : "boots");
	for (size_t i = 0; i < r->ds->nrows; i++)
		row_line(r, cmp, r->order[i], out);
	fputs("</tbody></table>\n", out);
	if (cmp)
		fprintf(out, "<p>%zu better, %zu worse, %zu same, %zu unsure, %zu missing, %zu without\n"
			"verdict. p is adjusted by Holm, alpha %g. \"same &lt;x%%\": the change is smaller,\n"
			"but for %g%% of such rows at most. Spreads are relative standard deviations, base's /\n"
			"new's.</p>\n", cmp->counts[VERDICT_BETTER], cmp->counts[VERDICT_WORSE],
			cmp->counts[VERDICT_SAME], cmp->counts[VERDICT_UNSURE],
			cmp->counts[VERDICT_MISSING], cmp->counts[VERDICT_NONE], r->opt->alpha,
			100 * r->opt->alpha);
}

static void picture_section(const struct report *r, FILE *out)
{
	struct picture *pictures = xcalloc(PICTURE_KINDS * r->ds->nrows, sizeof(*pictures));
	struct plots plots = { 0 };
	char *text = NULL;
	size_t len = 0, n;
	FILE *script = open_memstream(&text, &len);

	if (!script)
		abort();
	n = pictures_script(r, script, pictures);
	if (fclose(script))
		abort();
	if (n)
		plots_run(&plots, text, len);
	fputs("<h2>Pictures</h2>\n", out);
	if (plots.why || plots.n != n)
		fprintf(out, "<p>No pictures: %s.</p>\n", plots.why ? plots.why :
			"gnuplot drew another number of pictures than it was asked for");
	fputs("<div class=\"pictures\">\n", out);
	for (size_t i = 0; !plots.why && plots.n == n && i < n; i++) {
		const struct row *row = &r->ds->rows[pictures[i].row];

		element(out, "<figure><figcaption><b>", row->bench, " ");
		element(out, "", row->variant, "</b><br>");
		element(out, "", row->metric, " <span class=\"dim\">");
		element(out, "", row->unit, ", ");
		fprintf(out, "%s</span></figcaption>\n%s\n</figure>\n",
			picture_words(pictures[i].kind), plots.svg[i]);
	}
	fputs("</div>\n", out);
	plots_free(&plots);
	free(text);
	free(pictures);
}

/* Before anything else: what the verdicts are about. */
static void pairing_section(const struct report *r, FILE *out)
{
	for (size_t k = 0; k < r->ncmp; k++) {
		const char *words = pairing_words(r, &r->cmp[k]);

		if (!words)
			continue;
		fputs("<p><b>", out);
		if (r->ncmp > 1)
			element(out, "", r->ds->labels[k + 1].name, ": ");
		fprintf(out, "%s.</b></p>\n", words);
	}
}

/* First and last: what rows without a verdict lack. */
static void lacks_section(const struct report *r, FILE *out)
{
	for (size_t k = 0; k < r->ncmp; k++) {
		for (size_t i = 0; i < r->cmp[k].lacks.n; i++) {
			fputs("<p class=\"unfair\">", out);
			if (r->ncmp > 1)
				element(out, "", r->ds->labels[k + 1].name, ": ");
			element(out, "", r->cmp[k].lacks.v[i], ".</p>\n");
		}
	}
}

static void notes_section(const struct notes *notes, FILE *out)
{
	for (size_t i = 0; i < notes->n; i++)
		element(out, "<p>Note: ", notes->v[i], "</p>\n");
}

static void extra_line(const struct report *r, const struct extra_row *row, FILE *out)
{
	char value[24], change[24];

	element(out, "<tr><td>", row->test, "</td>");
	element(out, "<td>", row->what, "</td>");
	for (size_t l = 0; l < r->ds->nlabels; l++) {
		value_format(value, row->median[l], extra_unit(row->kind));
		number_cell(out, l ? "new" : "base", value);
		if (!l)
			continue;
		change_format(change, extra_change(row, l));
		number_cell(out, "change", change);
	}
	fputs("</tr>\n", out);
}

static void trend_line(const struct report *r, size_t at, FILE *out)
{
	const struct trend *t = &r->trends[at];
	const struct row *row = &r->ds->rows[at];
	char value[24];

	element(out, "<tr><td>", row->bench, " ");
	element(out, "", row->variant, "</td>");
	element(out, "<td><b>", row->metric, "</b> <span class=\"dim\">");
	element(out, "", row->unit, "");
	fprintf(out, ", %s is better</span></td>", row->higher ? "higher" : "lower");
	value_format(value, t->points[0].median, row->unit);
	number_cell(out, "first", value);
	value_format(value, t->points[r->ds->nlabels - 1].median, row->unit);
	number_cell(out, "last", value);
	change_format(value, t->slope);
	number_cell(out, "per label", value);
	p_format(value, t->p_holm);
	number_cell(out, "p", *value == '<' ? "&lt;0.0001" : value);
	verdict_cell(out, t->verdict, verdict_name(t->verdict), t->why);
	fputs("</tr>\n", out);
}

static void trend_section(const struct report *r, FILE *out)
{
	if (!r->trends)
		return;
	fputs("<h1>Trend</h1>\n<p>", out);
	for (size_t l = 0; l < r->ds->nlabels; l++)
		element(out, l ? " &rarr; " : "", r->ds->labels[l].name, "");
	fputs("</p>\n<table class=\"rows\"><tbody>\n"
	      "<tr class=\"head\"><th>case</th><th>metric</th><th class=\"n\">first</th>\n"
	      "<th class=\"n\">last</th><th class=\"n\">per label</th><th class=\"n\">p</th>\n"
	      "<th>verdict</th></tr>\n", out);
	for (size_t i = 0; i < r->ds->nrows; i++)
		trend_line(r, r->order[i], out);
	fputs("</tbody></table>\n<p>First and last: medians over boots; per label: Theil-Sen slope;\n"
	      "p: Mann-Kendall over the boots, adjusted by Holm over this table.</p>\n", out);
}

/* perf and fio: medians over boots, side by side, without a verdict. */
static void extra_section(const struct report *r, FILE *out)
{
	struct extra_table table;

	extras_tabulate(&table, r->ds);
	for (size_t i = 0; i < table.n; i++) {
		const struct extra_row *row = &table.v[i];

		if (!i || row[-1].kind != row->kind) {
			fprintf(out, "%s<h2>%s</h2>\n<table class=\"rows\"><tbody>\n"
				"<tr class=\"head\"><th>test</th><th></th><th class=\"n\">base</th>",
				i ? "</tbody></table>\n" : "", extra_title(row->kind));
			for (size_t k = 0; k < r->ncmp; k++) {
				element(out, "<th class=\"n\">", r->ds->labels[k + 1].name, "</th>");
				fputs("<th class=\"n\">change</th>", out);
			}
			fputs("</tr>\n", out);
		}
		extra_line(r, row, out);
	}
	if (table.n)
		fputs("</tbody></table>\n", out);
	extras_free(&table);
}

void html_write(const struct view *view)
{
	const struct report *r = view->r;
	FILE *out = view->out;

	fputs(html_head, out);
	element(out, "<h1>", r->ds->labels[0].name, r->ncmp ? " against " : "");
	for (size_t k = 0; k < r->ncmp; k++)
		element(out, k ? ", " : "", r->ds->labels[k + 1].name, "");
	fputs("</h1>\n", out);
	if (r->emulated)
		fputs("<p class=\"unfair\">Emulated CPU: times and rates are not hardware's and get no\n"
		      "verdict.</p>\n", out);
	pairing_section(r, out);
	lacks_section(r, out);
	notes_section(&r->ds->notes, out);
	notes_section(&r->notes, out);
	for (size_t l = 0; l < r->ds->nlabels; l++)
		census_bar(&r->ds->labels[l], out);
	for (size_t k = 0; k < r->ncmp; k++) {
		if (r->ncmp > 1)
			element(out, "<h1>", r->ds->labels[k + 1].name, "</h1>\n");
		audit_section(&r->cmp[k], out);
		table_section(r, &r->cmp[k], out);
	}
	if (!r->ncmp)
		table_section(r, NULL, out);
	trend_section(r, out);
	extra_section(r, out);
	picture_section(r, out);
	lacks_section(r, out);
	fputs("</body></html>\n", out);
}
