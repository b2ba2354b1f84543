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
#include "model/comparison.h"
#include "model/extras.h"
#include "model/trend.h"

#define WIDTH 78
#define LEFT 28		/* metric, direction and unit */
#define PER_BLOCK 3	/* columns of a matrix */

/* Print s from the current column on, broken at spaces, later lines indented. */
static void wrap(FILE *out, size_t at, size_t indent, const char *s)
{
	while (*s) {
		size_t len = strcspn(s, " "), room = at < WIDTH ? WIDTH - at : 0;

		if (len + 1 > room && at > indent) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
			continue;
		}
		if (len > WIDTH - indent)
			len = WIDTH - indent;
		fprintf(out, "%s%.*s", at > indent ? " " : "", (int)len, s);
		at += len + (at > indent);
		s += len;
		s += strspn(s, " ");
	}
	fputc('\n', out);
}

static void paragraph(FILE *out, const char *head, size_t indent, char *body)
{
	fprintf(out, "%-*s", (int)indent, head);
	wrap(out, strlen(head) > indent ? strlen(head) : indent, indent, body);
	free(body);
}

static char *json_words(const struct boot *boot, const char *path, const char *none)
{
	const char *s = json_string_value(boot_value(boot, path));

	return text_clean(s && *s ? s : none);
}

static size_t label_samples(const struct label *label)
{
	size_t n = 0;

	for (size_t b = 0; b < label->n; b++)
		n += label->boots[b].samples;
	return n;
}

static void label_line(FILE *out, const char *role, const struct label *label)
{
	const struct boot *boot = label->boots;
	char *release, *arch;

	if (!label->n) {
		paragraph(out, role, 6, xasprintf("%s: no boot with results", label->name));
		return;
	}
	release = json_words(boot, "kernel.release", "unknown kernel");
	arch = json_words(boot, "cpu.arch", "unknown CPU");
	paragraph(out, role, 6,
		  xasprintf("%s: %s, %zu boot%s, %zu samples, %s %.0fK, %.0f CPUs, %.1f GiB%s",
			    label->name, release, label->n, label->n == 1 ? "" : "s",
			    label_samples(label), arch,
			    json_number_value(boot_value(boot, "memory.page_size")) / 1024,
			    json_number_value(boot_value(boot, "cpu.online")),
			    json_number_value(boot_value(boot, "memory.total")) / (1 << 30),
			    label_emulated(label) ? ", emulated" : ""));
	free(release);
	free(arch);
}

static void emulated_lines(const struct report *r, FILE *out)
{
	if (r->emulated)
		fputs("EMULATED CPU: times and rates below are not hardware's and get no verdict;\n"
		      "only memory, page-table and count metrics do.\n", out);
}

static void treatment_line(const struct audit_line *line, FILE *out)
{
	if (line->sentence) {
		fprintf(out, "  %-12s ", line->what);
		wrap(out, 15, 15, line->sentence);
	} else if (strlen(line->base) + strlen(line->new) < 46) {
		fprintf(out, "  %-12s ", line->what);
		paragraph(out, "", 0, xasprintf("base %s, new %s", line->base, line->new));
	} else {
		fprintf(out, "  %-12s base ", line->what);
		wrap(out, 20, 20, line->base);
		fprintf(out, "  %-12s new  ", "");
		wrap(out, 20, 20, line->new);
	}
}

static void difference_line(const struct audit_line *line, FILE *out)
{
	static const char *const head[] = { "", "UNFAIR", "allowed", "differs" };
	bool unfair = line->class == AUDIT_UNFAIR;

	paragraph(out, "  ", 10, xasprintf("%-7s %s: %s -> %s%s%s%s", head[line->class],
					   line->what, line->base, line->new,
					   unfair ? " (--allow " : "", unfair ? line->allow : "",
					   unfair ? ")" : ""));
}

static void audit_lines(const struct report *r, const struct comparison *cmp, FILE *out)
{
	const struct audit *a = &cmp->audit;
	bool mapped = false;
	size_t shown = 0, options = 0, most = r->opt->verbose ? a->options : AUDIT_OPTIONS_SHOWN;

	fprintf(out, "treatment\n");
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i].class != AUDIT_TREATMENT)
			continue;
		shown += strcmp(a->v[i].base, a->v[i].new) != 0;
		mapped |= !strcmp(a->v[i].what, "linear map") ||
			  !strcmp(a->v[i].what, "direct map");
		treatment_line(&a->v[i], out);
	}
	if (!shown && mapped)
		fprintf(out, "  none seen: page tables, rodata, BBML2 and MemTotal are alike\n");
	if (!mapped)
		fprintf(out, "  %sneither side says how its linear map is mapped\n",
			shown ? "" : "none seen, but ");
	fprintf(out, "audit\n");
	shown = 0;
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i].class == AUDIT_TREATMENT)
			continue;
		shown++;
		options += a->v[i].option;
		if (!a->v[i].option || options <= most)
			difference_line(&a->v[i], out);
	}
	if (options > most)
		fprintf(out, "          and %zu more options of the kernel's: -v lists them\n",
			options - most);
	if (!shown)
		fprintf(out, "  same build, config, command line, CPU, binaries and tools\n");
	if (!cmp->paired && !cmp->interleaved)
		fprintf(out, "  not interleaved: all boots of one side ran before the other's\n");
	if (a->unfair)
		fprintf(out, "AUDIT FAILED: %zu unfair difference%s, so there are no verdicts\n",
			a->unfair, a->unfair == 1 ? "" : "s");
}

/* Before anything else: what the verdicts are about. */
static void pairing_lines(const struct report *r, FILE *out)
{
	for (size_t k = 0; k < r->ncmp; k++) {
		const char *words = pairing_words(r, &r->cmp[k]);

		if (words && r->ncmp == 1)
			paragraph(out, "", 0, xasprintf("%s.", words));
		else if (words)
			paragraph(out, "", 0, xasprintf("%s: %s.", r->ds->labels[k + 1].name,
							words));
	}
}

static void note_lines(const struct report *r, FILE *out)
{
	for (size_t i = 0; i < r->ds->notes.n; i++)
		paragraph(out, "note", 6, xstrdup(r->ds->notes.v[i]));
	for (size_t i = 0; i < r->notes.n; i++)
		paragraph(out, "note", 6, xstrdup(r->notes.v[i]));
}

/* Names the case of row at unless it is that of row before, the last that was printed, if any. */
static void group_line(const struct report *r, size_t at, size_t before, FILE *out)
{
	const struct row *row = &r->ds->rows[r->order[at]];
	const struct row *last = before < at ? &r->ds->rows[r->order[before]] : NULL;

	if (last && !strcmp(last->bench, row->bench) && !strcmp(last->variant, row->variant))
		return;
	paragraph(out, "", 0, xasprintf("%s %s", row->bench, row->variant));
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
	char b[24], n[24], change[24], lo[24], hi[24], call[40];

	value_format(b, base->centre, r->ds->rows[row].unit);
	value_format(n, new->centre, r->ds->rows[row].unit);
	change_format(change, c->change);
	change_format(lo, c->lo);
	change_format(hi, c->hi);
	lo[strcspn(lo, "%")] = '\0';
	hi[strcspn(hi, "%")] = '\0';
	call_format(call, c);
	left_column(&r->ds->rows[row], out);
	fprintf(out, "%7s %7s %7s %6s %6s %s%s\n", b, n, change, lo, hi, call,
		flags_text(base->flags | new->flags));
}

/* With -v: what stands behind the verdict. */
static void evidence_line(const struct report *r, const struct comparison *cmp, size_t row,
			  FILE *out)
{
	const struct side *base = report_side(r, 0, row), *new = report_side(r, cmp->label, row);
	const struct cell *c = &cmp->cells[row];
	bool repeats = within_one_boot(r, cmp);
	char between[2][24], within[2][24], p[24], holm[24];

	if (!r->opt->verbose)
		return;
	spread_format(between[0], base->between);
	spread_format(between[1], new->between);
	spread_format(within[0], base->within);
	spread_format(within[1], new->within);
	p_format(p, c->p);
	p_format(holm, c->p_holm);
	paragraph(out, "", 4,
		  xasprintf("%s%s%s %zu/%zu, between %s/%s, within %s/%s, %sp %s, Holm %s%s%s",
			    r->ncmp > 1 ? r->ds->labels[cmp->label].name : "",
			    r->ncmp > 1 ? ": " : "", repeats ? "repeats" : "n",
			    repeats ? base->samples : base->boots,
			    repeats ? new->samples : new->boots, between[0], between[1],
			    within[0], within[1],
			    method_repeats(c->method) ? "Mann-Whitney " : "", p, holm,
			    c->why ? ": " : "", c->why ? c->why : ""));
}

static void counts_line(const struct report *r, const struct comparison *cmp, const char *head,
			FILE *out)
{
	char *s = xasprintf("%zu better, %zu worse, %zu same, %zu unsure, %zu missing, %zu without verdict; Holm, alpha %g",
			    cmp->counts[CALL_BETTER], cmp->counts[CALL_WORSE],
			    cmp->counts[CALL_SAME], cmp->counts[CALL_UNSURE],
			    cmp->counts[CALL_MISSING], cmp->counts[CALL_NONE], r->opt->alpha);

	if (r->aa_splits) {
		char *more = xasprintf("%s; A/A alarms %.1f%%", s,
				       100.0 * r->aa_alarms / r->aa_splits);

		free(s);
		s = more;
	}
	paragraph(out, head, strlen(head), s);
}

static void legend(const struct report *r, FILE *out)
{
	const char *of = !repeats_compared(r) ? "" :
			 ", within one\nboot the median of it over all pairs of repeats";

	fprintf(out, "> higher is better, < lower is better; change is new/base - 1%s.\n"
		     "[%g%% interval]; same <x%%: a change of x%% would have been seen (power 80%%).\n"
		     "d: repeats drift; o: one boot lies far off.\n", of,
		100 * (1 - r->opt->alpha));
	if (r->opt->verbose)
		fputs("n: boots; between, within: relative standard deviations between and within\n"
		      "boots, base/new; p: of the row alone; Holm: adjusted over the table.\n",
		      out);
}

static bool row_in(const struct report *r, const struct comparison *cmp, size_t row)
{
	return report_side(r, 0, row)->boots || report_side(r, cmp->label, row)->boots;
}

static void text_pair(const struct report *r, FILE *out)
{
	const struct comparison *cmp = &r->cmp[0];

	label_line(out, "base", &r->ds->labels[0]);
	label_line(out, "new", &r->ds->labels[1]);
	audit_lines(r, cmp, out);
	note_lines(r, out);
	fprintf(out, "\n%-*s%7s %7s %7s %13s %s\n", LEFT, "metric", "base", "new", "change",
		"interval", "verdict");
	for (size_t i = 0; i < r->ds->nrows; i++) {
		if (!row_in(r, cmp, r->order[i]))
			continue;
		group_line(r, i, i - 1, out);
		cell_line(r, cmp, r->order[i], out);
		evidence_line(r, cmp, r->order[i], out);
	}
	fputc('\n', out);
	counts_line(r, cmp, "", out);
	legend(r, out);
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
	fprintf(out, "%7s %7s %9s %5s %7s %s\n", first, last, slope, tau, p, call_name(t->call));
}

/* Only rows that move, unless all are asked for. */
static void trend_lines(const struct report *r, FILE *out)
{
	size_t still = 0, last = r->ds->nrows;

	if (!trends_shown(r))
		return;
	fputc('\n', out);
	paragraph(out, "trend ", 6, label_chain(r));
	fprintf(out, "%-*s%7s %7s %9s %5s %7s %s\n", LEFT, "metric", "first", "last", "per label",
		"tau", "p", "verdict");
	for (size_t i = 0; i < r->ds->nrows; i++) {
		if (!trend_shown(r, r->order[i])) {
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

static void text_matrix(const struct report *r, FILE *out)
{
	label_line(out, "base", &r->ds->labels[0]);
	for (size_t k = 0; k < r->ncmp; k++) {
		char *role = xasprintf("new%zu", k + 1);

		label_line(out, role, &r->ds->labels[k + 1]);
		audit_lines(r, &r->cmp[k], out);
		free(role);
	}
	note_lines(r, out);
	for (size_t from = 0; from < r->ncmp; from += PER_BLOCK) {
		size_t to = from + PER_BLOCK < r->ncmp ? from + PER_BLOCK : r->ncmp;

		fprintf(out, "\n%-*s%7s", LEFT, "metric", "base");
		for (size_t k = from; k < to; k++)
			fprintf(out, " %-13.13s", r->ds->labels[k + 1].name);
		fputc('\n', out);
		for (size_t i = 0; i < r->ds->nrows; i++) {
			const struct row *row = &r->ds->rows[r->order[i]];
			char value[24], change[24];

			group_line(r, i, i - 1, out);
			left_column(row, out);
			value_format(value, report_side(r, 0, r->order[i])->centre, row->unit);
			fprintf(out, "%7s", value);
			for (size_t k = from; k < to; k++) {
				const struct cell *c = &r->cmp[k].cells[r->order[i]];

				change_format(change, c->change);
				fprintf(out, " %6s %-*s", change, k + 1 < to ? 6 : 0,
					c->call == CALL_MISSING ? "miss" : call_name(c->call));
			}
			fputc('\n', out);
			for (size_t k = from; k < to; k++)
				evidence_line(r, &r->cmp[k], r->order[i], out);
		}
	}
	for (size_t k = 0; k < r->ncmp; k++) {
		char *head = xasprintf("%s: ", r->ds->labels[k + 1].name);

		fputc('\n', out);
		counts_line(r, &r->cmp[k], head, out);
		free(head);
	}
	trend_lines(r, out);
	legend(r, out);
}

static void text_single(const struct report *r, FILE *out)
{
	char *census = census_words(&r->ds->labels[0], "linear");

	label_line(out, "label", &r->ds->labels[0]);
	if (census)
		paragraph(out, "  linear map ", 13, census);
	note_lines(r, out);
	if (r->opt->aa) {
		if (r->aa_splits)
			fprintf(out, "A/A: %zu alarms in %zu splits of this label's boots: %.1f%% at alpha %g\n",
				r->aa_alarms, r->aa_splits, 100.0 * r->aa_alarms / r->aa_splits,
				r->opt->alpha);
		else
			fprintf(out, "A/A: no metric with 4 to 64 boots that vary: nothing to split\n");
	}
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
		paragraph(out, "", 0, xstrdup(row->test));
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

void text_write(const struct report *r, FILE *out)
{
	emulated_lines(r, out);
	pairing_lines(r, out);
	if (r->ds->nlabels == 1)
		text_single(r, out);
	else if (r->ncmp == 1)
		text_pair(r, out);
	else
		text_matrix(r, out);
	if (r->opt->verbose)
		extra_lines(r, out);
}
