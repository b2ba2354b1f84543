// SPDX-License-Identifier: GPL-2.0
/* The pictures of a report as a script: sweeps, trends, samples in run order, percentiles. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <vmtests/grammar.h>

#include "report/pictures.h"
#include "report/plot.h"
#include "model/trend.h"

#define POINTS_MAX 200	/* of one boot in one picture */
#define SWEEP_LEAST 3
#define TITLE_MAX 16	/* of a label, so that its key fits */
#define TREND_SPREAD 0.3	/* of the dots above a label, which are 1 apart */
#define TICS_FLAT 50	/* letters of labels that fit side by side */
#define TICS_MAX 16	/* boots of which each has a number */

/* How many boots of the report ran before this one. */
static size_t boot_place(const struct dataset *ds, const struct boot *boot)
{
	size_t place = 0;

	for (size_t l = 0; l < ds->nlabels; l++)
		for (size_t b = 0; b < ds->labels[l].n; b++)
			place += ds->labels[l].boots[b].started < boot->started ||
				 (!(ds->labels[l].boots[b].started > boot->started) &&
				  &ds->labels[l].boots[b] < boot);
	return place;
}

static size_t boots_all(const struct dataset *ds)
{
	size_t n = 0;

	for (size_t l = 0; l < ds->nlabels; l++)
		n += ds->labels[l].n;
	return n;
}

/*
 * A label in gnuplot's language, which can run commands: the label's name only if name_valid()
 * accepts it, cut to what fits.
 */
static void label_quoted(const struct report *r, size_t label, FILE *script)
{
	const char *name = r->ds->labels[label].name;

	if (name_valid(name) && strlen(name) <= TITLE_MAX)
		fprintf(script, "'%s'", name);
	else if (name_valid(name))
		fprintf(script, "'%.*s..'", TITLE_MAX - 2, name);
	else
		fprintf(script, "'label %zu'", label + 1);
}

/*
 * The y axis of a row's values. Bytes are divided by a power of 1024, which is returned, and the
 * axis is named after it. Values that are all equal get a range, or gnuplot would warn on stderr.
 */
static double axis_write(const struct report *r, size_t row, FILE *script)
{
	static const char *const prefix[] = { "", "Ki", "Mi", "Gi", "Ti" };
	double lo = INFINITY, hi = -INFINITY, half, scale = 1;
	size_t power = 0;

	for (size_t l = 0; l < r->ds->nlabels; l++) {
		for (size_t b = 0; b < r->ds->labels[l].n; b++) {
			const struct series *s = boot_series(&r->ds->labels[l].boots[b], row);

			for (size_t i = 0; s && i < s->n; i++) {
				lo = fmin(lo, s->v[i].value);
				hi = fmax(hi, s->v[i].value);
			}
		}
	}
	if (!strcmp(r->ds->rows[row].unit, "bytes")) {
		for (; power < 4 && hi / scale >= 1024; power++)
			scale *= 1024;
		fprintf(script, "set ylabel '%sB'\n", prefix[power]);
	}
	half = lo != 0 ? fabs(lo) / 20 : 1;
	if (lo == hi)
		fprintf(script, "set yrange [%.9g:%.9g]\n", (lo - half) / scale,
			(hi + half) / scale);
	return scale;
}

static void plot_samples(const struct report *r, size_t row, FILE *script)
{
	double scale;

	plot_begin(script);
	scale = axis_write(r, row, script);
	for (size_t l = 0; l < r->ds->nlabels; l++) {
		fprintf(script, "$d%zu << END\nnan nan\n", l);
		for (size_t b = 0; b < r->ds->labels[l].n; b++) {
			const struct boot *boot = &r->ds->labels[l].boots[b];
			const struct series *s = boot_series(boot, row);
			size_t step = s ? 1 + (s->n - 1) / POINTS_MAX : 1;

			for (size_t i = 0; s && i < s->n; i += step)
				fprintf(script, "%.4f %.9g\n", boot_place(r->ds, boot) + 1 - 0.35 +
					0.7 * (i + 0.5) / s->n, s->v[i].value / scale);
		}
		fputs("END\n", script);
	}
	if (boots_all(r->ds) <= TICS_MAX)
		fputs("set xtics 1\n", script);
	fprintf(script, "set xlabel 'boots in the order in which they ran'\nset xrange [0.5:%zu.5]\nplot",
		boots_all(r->ds));
	for (size_t l = 0; l < r->ds->nlabels; l++) {
		fprintf(script, "%s $d%zu with points pt 7 ps 0.4 lc %zu title ", l ? "," : "", l,
			l + 1);
		label_quoted(r, l, script);
	}
	fputc('\n', script);
}

static bool row_has_hist(const struct report *r, size_t row)
{
	for (size_t l = 0; l < r->ds->nlabels; l++)
		for (size_t b = 0; b < r->ds->labels[l].n; b++) {
			const struct series *s = boot_series(&r->ds->labels[l].boots[b], row);

			if (s && s->nhist)
				return true;
		}
	return false;
}

static void plot_percentiles(const struct report *r, size_t row, FILE *script)
{
	const char *comma = "";

	plot_begin(script);
	fputs("set logscale y\nset xlabel 'nines of the percentile: 2 is p99'\nset ylabel 'latency'\n",
	      script);
	for (size_t l = 0; l < r->ds->nlabels; l++) {
		for (size_t b = 0; b < r->ds->labels[l].n; b++) {
			const struct series *s = boot_series(&r->ds->labels[l].boots[b], row);
			double total = 0, seen = 0;

			fprintf(script, "$h%zu_%zu << END\nnan nan\n", l, b);
			for (size_t i = 0; s && i < s->nhist; i++)
				total += s->hist[i].count;
			for (size_t i = 0; s && i + 1 < s->nhist; i++) {
				seen += s->hist[i].count;
				fprintf(script, "%.9g %.9g\n", -log10(1 - seen / total),
					s->hist[i].upper);
			}
			fputs("END\n", script);
		}
	}
	fputs("plot", script);
	for (size_t l = 0; l < r->ds->nlabels; l++)
		for (size_t b = 0; b < r->ds->labels[l].n; b++, comma = ",") {
			fprintf(script, "%s $h%zu_%zu with steps lc %zu %s", comma, l, b, l + 1,
				b ? "notitle" : "title ");
			if (!b)
				label_quoted(r, l, script);
		}
	fputc('\n', script);
}

/* "conn.c64" is the sweep "conn.c" at 64: the last number of the case, if it ends the name. */
static bool sweep_point(const struct row *row, size_t *stem, double *at)
{
	size_t len = strlen(row->variant);

	*stem = len;
	while (*stem && row->variant[*stem - 1] >= '0' && row->variant[*stem - 1] <= '9')
		--*stem;
	if (*stem == len || len - *stem > 15)
		return false;
	*at = strtod(row->variant + *stem, NULL);
	return true;
}

static bool sweep_same(const struct row *a, const struct row *b)
{
	size_t la, lb;
	double at;

	return !strcmp(a->bench, b->bench) && !strcmp(a->metric, b->metric) &&
	       sweep_point(a, &la, &at) && sweep_point(b, &lb, &at) && la == lb &&
	       !strncmp(a->variant, b->variant, la);
}

/* Draws the sweep that starts with this row; false when no sweep does. */
static bool plot_sweep(const struct report *r, size_t first, FILE *script)
{
	const struct row *rows = r->ds->rows;
	size_t points = 0, stem;
	double at;

	for (size_t i = 0; i < r->ds->nrows; i++) {
		size_t row = r->order[i];

		if (!sweep_same(&rows[first], &rows[row]))
			continue;
		if (!points && row != first)
			return false;
		points++;
	}
	if (points < SWEEP_LEAST)
		return false;
	plot_begin(script);
	for (size_t l = 0; l < r->ds->nlabels; l++) {
		fprintf(script, "$s%zu << END\nnan nan\n", l);
		for (size_t i = 0; i < r->ds->nrows; i++) {
			const struct side *side = report_side(r, l, r->order[i]);

			if (side->boots && sweep_same(&rows[first], &rows[r->order[i]]) &&
			    sweep_point(&rows[r->order[i]], &stem, &at))
				fprintf(script, "%.9g %.9g\n", at, side->centre);
		}
		fputs("END\n", script);
	}
	fputs("set logscale x 2\nset yrange [0:*]\nset xlabel 'N'\nplot", script);
	for (size_t l = 0; l < r->ds->nlabels; l++) {
		fprintf(script, "%s $s%zu using (($1) < 1 ? 0.5 : $1):2 with linespoints pt 7 ps 0.5 lc %zu title ",
			l ? "," : "", l, l + 1);
		label_quoted(r, l, script);
	}
	fputc('\n', script);
	return true;
}

/* Boots lie side by side above their label, in the order in which they ran. */
static void trend_dots(const struct report *r, size_t row, double scale, FILE *script)
{
	fputs("$dots << END\nnan nan\n", script);
	for (size_t l = 0; l < r->ds->nlabels; l++) {
		const struct side *side = report_side(r, l, row);

		for (size_t i = 0; i < side->boots; i++)
			fprintf(script, "%.4f %.9g\n",
				l + TREND_SPREAD * ((i + 0.5) / side->boots - 0.5),
				side->means[i] / scale);
	}
	fputs("END\n", script);
}

static void plot_trend(const struct report *r, size_t row, FILE *script)
{
	const struct trend *t = &r->trends[row];
	size_t letters = 0;
	double scale;

	plot_begin(script);
	scale = axis_write(r, row, script);
	trend_dots(r, row, scale, script);
	fputs("$median << END\nnan nan\n", script);
	for (size_t l = 0; l < r->ds->nlabels; l++)
		if (!isnan(t->points[l].median))
			fprintf(script, "%zu %.9g\n", l, t->points[l].median / scale);
	fputs("END\n$bars << END\nnan 0 0 0\n", script);
	for (size_t l = 0; l < r->ds->nlabels; l++)
		if (!isnan(t->points[l].lo))
			fprintf(script, "%zu %.9g %.9g %.9g\n", l,
				t->points[l].median / scale, t->points[l].lo / scale,
				t->points[l].hi / scale);
	fputs("END\nset xtics noenhanced (", script);
	for (size_t l = 0; l < r->ds->nlabels; l++) {
		fputs(l ? ", " : "", script);
		label_quoted(r, l, script);
		fprintf(script, " %zu", l);
		letters += strnlen(r->ds->labels[l].name, TITLE_MAX) + 2;
	}
	fprintf(script, ")%s\nset xrange [-0.5:%zu.5]\n",
		letters > TICS_FLAT ? " rotate by 30 right" : "", r->ds->nlabels - 1);
	fprintf(script, "plot $bars with yerrorbars pt 0 lw 2 lc 1 title '%g%% interval', ",
		100 * (1 - r->opt->alpha));
	fputs("$median with linespoints pt 5 ps 0.6 lc 1 title 'median', ", script);
	fputs("$dots with points pt 7 ps 0.4 lc 2 title 'boot'\n", script);
}

size_t pictures_script(const struct report *r, FILE *script, struct picture *pictures)
{
	size_t n = 0;

	for (size_t i = 0; i < r->ds->nrows; i++) {
		size_t row = r->order[i];

		if (plot_sweep(r, row, script))
			pictures[n++] = (struct picture){ row, PICTURE_SWEEP };
		if (r->trends && r->trends[row].labels >= TREND_LABELS) {
			plot_trend(r, row, script);
			pictures[n++] = (struct picture){ row, PICTURE_TREND };
		}
		plot_samples(r, row, script);
		pictures[n++] = (struct picture){ row, PICTURE_SAMPLES };
		if (row_has_hist(r, row)) {
			plot_percentiles(r, row, script);
			pictures[n++] = (struct picture){ row, PICTURE_PERCENTILES };
		}
	}
	return n;
}

const char *picture_words(enum picture_kind kind)
{
	static const char *const words[] = {
		"sweep", "trend over the labels", "samples", "latency percentiles, a line a boot",
	};

	return words[kind];
}
