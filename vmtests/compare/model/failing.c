// SPDX-License-Identifier: GPL-2.0
/* From the outcomes of tests to notes and regressions. */
#include <string.h>

#include "model/failing.h"

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

/* A note when a label has this test and skipped it in each boot: its rows are missing for that. */
static void test_skipped(struct report *r, const struct label *label, const char *test)
{
	size_t skipped = 0, others = 0;

	for (size_t b = 0; b < label->n; b++) {
		const struct tally *v = tally_find(&label->boots[b], test);

		skipped += v && v->skip;
		others += v && (v->pass || v->fail);
	}
	if (skipped && !others)
		notes_add(&r->notes, "test %s: skipped in all boots of %s, so that it has no rows there",
			  test, label->name);
}

static bool test_seen(const struct label *label, size_t before, const char *test)
{
	for (size_t b = 0; b < before; b++)
		if (tally_find(&label->boots[b], test))
			return true;
	return false;
}

void report_failing(struct report *r, const struct comparison *cmp)
{
	const struct label *side[2] = { &r->ds->labels[0], &r->ds->labels[cmp->label] };
	const struct label *new = side[1];

	for (size_t b = 0; b < new->n; b++) {
		for (size_t i = 0; i < new->boots[b].ntallies; i++) {
			const struct tally *v = &new->boots[b].tallies[i];
			size_t failed[2] = { 0 }, passed[2] = { 0 };

			for (int s = 0; s < 2; s++)
				test_count(side[s], v->test, &passed[s], &failed[s]);
			if (test_seen(new, b, v->test))
				continue;
			for (int s = 0; s < 2; s++)
				if (passed[!s])
					test_skipped(r, side[s], v->test);
			if (!failed[0] && !failed[1])
				continue;
			notes_add(&r->notes,
				  "test %s: fails in %zu of %zu boots of %s, %zu of %zu of %s",
				  v->test, failed[0], side[0]->n, side[0]->name, failed[1], new->n,
				  new->name);
			r->regressions += !failed[0] && passed[0] && failed[1];
		}
	}
}

void report_failing_alone(struct report *r)
{
	const struct label *label = &r->ds->labels[0];

	for (size_t b = 0; b < label->n; b++) {
		for (size_t i = 0; i < label->boots[b].ntallies; i++) {
			const char *test = label->boots[b].tallies[i].test;
			size_t failed = 0, passed = 0;

			test_count(label, test, &passed, &failed);
			if (failed && !test_seen(label, b, test))
				notes_add(&r->notes, "test %s: fails in %zu of %zu boots of %s",
					  test, failed, label->n, label->name);
		}
	}
}
