/* SPDX-License-Identifier: GPL-2.0 */
/* A result tree in memory, as docs/results.md defines it: load/ fills it, all others read it. */
#ifndef VMCOMPARE_RESULTS_H
#define VMCOMPARE_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "model/units.h"
#include "util.h"

struct row {
	char *bench, *variant, *metric, *unit;
	bool higher;	/* is better */
	bool positive;	/* no sample is zero or less */
	enum unit_kind kind;
	uint64_t hash;
};

struct sample {
	double value, t;
	int run, rep;
};

struct bucket {
	double upper, count;
};

struct series {
	struct sample *v;
	size_t n, cap;
	bool unordered;
	struct bucket *hist;	/* of all repeats together */
	size_t nhist, hist_cap;
};

enum outcome_result {
	OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_SKIP, OUTCOME_TIMEOUT, OUTCOME_COUNT,
};

/* One line of verdicts.jsonl: one test in one run. */
struct outcome {
	char *test, *reason;	/* reason may be empty */
	enum outcome_result result;
	int run;
	double seconds;
};

/* The outcomes of one test in one boot. */
struct tally {
	char *test;
	unsigned int pass, fail, skip;	/* runs that ended so; a timeout is a failure */
};

/* A case that a benchmark skipped, in ktap/. */
struct skip {
	char *name, *reason;	/* reason is cleaned, and may be empty */
};

enum extra_kind { EXTRA_COUNTER, EXTRA_SYMBOL, EXTRA_FIO };

/* A value of perf/ or fio/: it explains samples and gets no verdict. */
struct extra {
	enum extra_kind kind;
	char *test, *what;	/* what is cleaned */
	double value;
};

struct boot {
	char *id, *path;
	json_t *run;		/* run.json */
	double started;		/* seconds of the Unix epoch, NAN when unknown */
	struct series *series;	/* by row */
	size_t nseries;
	size_t samples, damaged;
	struct outcome *outcomes;	/* in the order of the file */
	size_t noutcomes, outcomes_cap;
	struct tally *tallies;
	size_t ntallies, tallies_cap;
	struct skip *skips;
	size_t nskips, skips_cap;
	struct extra *extras;
	size_t nextras, extras_cap;
	size_t damaged_files;	/* of perf/ and fio/ */
	char *damaged_names;	/* of the first few, and why; NULL without any */
};

struct label {
	char *name;		/* cleaned */
	struct boot *boots;	/* in the order in which they started */
	size_t n, cap;
	size_t strays;		/* entries of its directory that are no boots */
};

struct dataset {
	struct row *rows;
	size_t nrows, rows_cap;
	/* Used by load/ to find a row. */
	uint32_t *index;	/* open addressing, row + 1 */
	size_t index_size;
	uint32_t recent;
	struct label *labels;
	size_t nlabels;
	struct notes notes;	/* what was tolerated */
};

/* A number of the first boot, 0 when absent. */
double label_number(const struct label *label, const char *path);
bool label_emulated(const struct label *label);
const char *outcome_name(enum outcome_result result);
/* NULL when this boot has no sample of the row. */
const struct series *boot_series(const struct boot *boot, size_t row);
/* Value at a dotted path of run.json, NULL when absent or null. */
const json_t *boot_value(const struct boot *boot, const char *path);

void row_free(struct row *row);
void boot_free(struct boot *boot);
void dataset_free(struct dataset *ds);

#endif
