// SPDX-License-Identifier: GPL-2.0
/* From rows without a verdict to sentences that say why, and what would give one. */
#include <string.h>

#include "model/missing.h"

#define REPEATS_ENOUGH 64	/* where no table is so long that it takes more */

static const struct skip *case_skip(const struct label *label, const char *name)
{
	for (size_t b = 0; b < label->n; b++)
		for (size_t i = 0; i < label->boots[b].nskips; i++)
			if (!strcmp(label->boots[b].skips[i].name, name))
				return &label->boots[b].skips[i];
	return NULL;
}

static bool same_case(const struct row *a, const struct row *b)
{
	return !strcmp(a->bench, b->bench) && !strcmp(a->variant, b->variant);
}

static void missing_note(struct report *r, size_t label, const struct row *row, size_t rows)
{
	const struct skip *skip = case_skip(&r->ds->labels[label], row->variant);

	if (rows && skip)
		notes_add(&r->notes, "%s %s: %zu row%s missing in %s, where the case was skipped%s%s",
			  row->bench, row->variant, rows, rows == 1 ? "" : "s",
			  r->ds->labels[label].name, *skip->reason ? ": " : "", skip->reason);
}

void report_missing(struct report *r, const struct comparison *cmp)
{
	const struct row *rows = r->ds->rows;
	size_t sides[2] = { 0, cmp->label };

	for (size_t i = 0, end; i < r->ds->nrows; i = end) {
		size_t missing[2] = { 0 };

		for (end = i; end < r->ds->nrows &&
		     same_case(&rows[r->order[i]], &rows[r->order[end]]); end++)
			for (int s = 0; s < 2; s++)
				missing[s] += !report_side(r, sides[s], r->order[end])->boots &&
					      report_side(r, sides[!s], r->order[end])->boots;
		for (int s = 0; s < 2; s++)
			missing_note(r, sides[s], &rows[r->order[i]], missing[s]);
	}
}

/* So many repeats a side can reach a level, by ranks. */
static size_t repeats_needed(double level)
{
	size_t n = 2;

	while (n < REPEATS_ENOUGH && 2.0 / choose(2 * n, n) > level)
		n++;
	return n;
}

static void lack_boots(const struct report *r, struct comparison *cmp, size_t rows)
{
	size_t base = r->ds->labels[0].n, new = r->ds->labels[cmp->label].n;

	notes_add(&cmp->lacks,
		  "NO VERDICT on %zu row%s: fewer than %d boots a side (%zu and %zu), and what a boot draws at random would look like a change. It takes %d boots of each label, better 5, in turn: boot each kernel again and give run_vmtests.sh -o the same label",
		  rows, rows == 1 ? "" : "s", BOOTS_LEAST, base, new, BOOTS_LEAST);
}

/* All rows together get one family of tests, of which the first must reach alpha / rows. */
static void lack_repeats(const struct report *r, struct comparison *cmp, size_t rows, size_t most,
			 size_t judged)
{
	size_t one = repeats_needed(r->opt->alpha);
	size_t all = repeats_needed(r->opt->alpha / (rows + judged));

	notes_add(&cmp->lacks,
		  "NO VERDICT on %zu row%s: too few repeats of one boot (%zu at most). At alpha %g it takes %zu a side for a row alone and %zu for the first of %zu rows: run_vmtests.sh -r %zu",
		  rows, rows == 1 ? "" : "s", most, r->opt->alpha, one, all, rows + judged, all);
}

static void lacks_of(struct report *r, struct comparison *cmp)
{
	size_t rows[LACK_COUNT] = { 0 }, most = 0, judged = 0;

	for (size_t i = 0; i < r->ds->nrows; i++) {
		const struct cell *c = &cmp->cells[i];
		const struct side *base = report_side(r, 0, i);
		const struct side *new = report_side(r, cmp->label, i);

		judged += c->verdict < VERDICT_MISSING;
		if (c->verdict != VERDICT_NONE)
			continue;
		rows[c->lack]++;
		if (c->lack == LACK_REPEATS && most < base->samples)
			most = base->samples;
		if (c->lack == LACK_REPEATS && most < new->samples)
			most = new->samples;
	}
	if (rows[LACK_BOOTS])
		lack_boots(r, cmp, rows[LACK_BOOTS]);
	if (rows[LACK_REPEATS])
		lack_repeats(r, cmp, rows[LACK_REPEATS], most, judged);
	if (rows[LACK_SPREAD])
		notes_add(&cmp->lacks,
			  "NO VERDICT on %zu row%s: every pair differs by the same, which leaves no spread to judge by. It takes more boots",
			  rows[LACK_SPREAD], rows[LACK_SPREAD] == 1 ? "" : "s");
}

void report_lacks(struct report *r)
{
	for (size_t k = 0; k < r->ncmp; k++)
		lacks_of(r, &r->cmp[k]);
}
