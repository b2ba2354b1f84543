/* SPDX-License-Identifier: GPL-2.0 */
/* What a report says, before any form is given to it. docs/statistics.md has the rules. */
#ifndef VMCOMPARE_COMPARISON_H
#define VMCOMPARE_COMPARISON_H

#include "model/audit.h"
#include "model/dataset.h"
#include "stats/stats.h"

/* Of a row of base against a label, or of a row over all labels. */
enum verdict {
	VERDICT_BETTER, VERDICT_WORSE, VERDICT_SAME, VERDICT_UNSURE, VERDICT_MISSING, VERDICT_NONE,
	VERDICT_COUNT,
};

enum method {
	METHOD_NONE,	/* values only */
	METHOD_LOG,	/* Welch on logarithms of boot means */
	METHOD_LINEAR,	/* Welch on boot means, for rows that reach zero */
	METHOD_PAIRED,	/* Student on boots that hold both sides, by logarithms */
	METHOD_PAIRED_LINEAR,	/* on boot means, for rows that reach zero */
	METHOD_REPEATS,	/* Hodges-Lehmann on logarithms of the repeats of one shared boot */
	METHOD_REPEATS_LINEAR,	/* on the repeats, for rows that reach zero */
	METHOD_EXACT,	/* a count that every boot of a side repeats */
};

/* What keeps a row from a verdict. */
enum lack {
	LACK_OTHER,	/* said elsewhere */
	LACK_BOOTS, LACK_REPEATS, LACK_SPREAD,
	LACK_COUNT,
};

#define BOOTS_LEAST 3	/* a side, for a verdict: docs/statistics.md says why */

#define FLAG_DRIFT 1	/* the repeats of a boot have a trend */
#define FLAG_OUTLIER 2	/* one boot lies far off the others */

/* One row of one label. */
struct side {
	size_t boots, samples;
	double *means;		/* one a boot, in the row's unit */
	const struct boot **of;	/* the boot of each */
	double centre;		/* what the columns show; NAN without a boot */
	double median;		/* of all samples */
	double between, within;	/* relative standard deviations; NAN when unknown */
	unsigned int flags;
};

/* One row of base against one label. Fractions: 0.01 is 1 %. */
struct cell {
	enum method method;
	enum verdict verdict;
	const char *why;	/* behind unsure and none */
	enum lack lack;
	double diff;		/* new less base on the scale of the test; NAN when unknown */
	double change, lo, hi;	/* NAN when unknown, as is a change from 0 */
	double smaller;		/* where diff is linear: the smaller centre, in its units */
	double t, df, se, p, p_holm, p_permute, p_mannwhitney;
	bool permute_exact;
	double bound;		/* of a row that is the same: no change is as large */
};

struct comparison {
	size_t label;		/* against label 0 */
	struct cell *cells;	/* by row */
	size_t counts[VERDICT_COUNT];
	struct audit audit;
	struct notes lacks;	/* what rows without a verdict lack, and what it takes */
	bool paired, interleaved;
};

struct options {
	double alpha;
	double min_effect;	/* fraction; 0 when not given */
	const char **allow;	/* unfair differences, by the names that the audit prints */
	size_t nallow;
};

struct trend;

struct report {
	const struct dataset *ds;
	const struct options *opt;
	size_t *order;		/* rows as they are printed */
	struct side *sides;	/* [label * nrows + row] */
	struct comparison *cmp;
	size_t ncmp;
	struct trend *trends;	/* trend.h; NULL below three labels */
	bool emulated;
	size_t aa_alarms, aa_splits;
	struct notes notes;
	size_t regressions, unsure;
};

const struct side *report_side(const struct report *r, size_t label, size_t row);
/* Does it compare values, not their logarithms? */
bool method_linear(enum method method);
/* Does it compare repeats, by their ranks? */
bool method_repeats(enum method method);

/* Timings under emulation are no hardware's: may this row have a verdict? */
bool row_judged(const struct report *r, const struct row *row);

/* Are both labels the one same boot, measured twice? */
bool within_one_boot(const struct report *r, const struct comparison *cmp);
/* Is that so of any comparison? Then the columns show medians of repeats. */
bool repeats_compared(const struct report *r);

#endif
