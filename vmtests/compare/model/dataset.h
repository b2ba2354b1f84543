/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A result tree in memory, as docs/results.md defines it.
 *
 * Everything below a label is untrusted: only regular files are opened, symbolic links never, with
 * a bound on every size; a violation of the schema is an error that names the file and the line.
 */
#ifndef VMCOMPARE_RESULTS_H
#define VMCOMPARE_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "util.h"

enum unit_kind {
	UNIT_COUNT,	/* bytes, pages, splits/op: emulation does not change it */
	UNIT_TIME,	/* ns, ns/page, cycles */
	UNIT_RATE,	/* ops/s */
	UNIT_RATIO,	/* 1, %, x */
};

/* Of "ns/page", "ops/s", "bytes", "1" and their like. */
enum unit_kind unit_kind(const char *unit);

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

struct verdict {
	char *test;
	unsigned int pass, fail, skip;	/* runs that ended so; a timeout is a failure */
};

enum outcome_result { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_SKIP, OUTCOME_TIMEOUT };

/* One line of verdicts.jsonl: one test in one run. */
struct outcome {
	char *test, *reason;	/* reason is empty when there is none */
	enum outcome_result result;
	int run;
	double seconds;
};

enum extra_kind { EXTRA_COUNTER, EXTRA_SYMBOL, EXTRA_FIO };

/* What explains a sample and is none; extras.h. */
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
	struct verdict *verdicts;
	size_t nverdicts, verdicts_cap;
	struct outcome *outcomes;	/* in the order of the file */
	size_t noutcomes, outcomes_cap;
	struct extra *extras;
	size_t nextras, extras_cap;
	size_t damaged_files;	/* of perf/ and fio/ */
	char *damaged_names;	/* of the first few, and why; NULL without any */
};

struct label {
	char *name;		/* cleaned */
	struct boot *boots;	/* in the order in which they started */
	size_t n, cap;
};

struct dataset {
	struct row *rows;
	size_t nrows, rows_cap;
	uint32_t *index;	/* open addressing, row + 1 */
	size_t index_size;
	uint32_t recent;
	struct label *labels;
	size_t nlabels;
	struct notes notes;	/* what was tolerated */
};

/* Load the label or boot directory at path as the next label: 0, or -1 after saying why. */
int dataset_add(struct dataset *ds, const char *path);
void dataset_free(struct dataset *ds);

/* NULL when this boot has no such sample. */
const struct series *boot_series(const struct boot *boot, size_t row);
/* Value at a dotted path of run.json, NULL when absent or null. */
const json_t *boot_value(const struct boot *boot, const char *path);

/* For dataset_add() and the fuzzer. fd is read to its end; name is for messages. */
int samples_read(struct dataset *ds, struct boot *boot, int fd, const char *name);
int verdicts_read(struct boot *boot, int fd, const char *name);
int run_read(struct boot *boot, int fd, const char *name);
int samples_line(struct dataset *ds, struct boot *boot, char *line, size_t len, const char *where);
/* The same without the fast path. */
int samples_line_json(struct dataset *ds, struct boot *boot, const char *text, size_t len,
		      const char *where);
int boot_finish(struct dataset *ds, struct boot *boot);
void boot_free(struct boot *boot);

#endif
