/* SPDX-License-Identifier: GPL-2.0 */
/* What a report says, before any form is given to it. docs/statistics.md has the rules. */
#ifndef VMCOMPARE_COMPARE_H
#define VMCOMPARE_COMPARE_H

#include "model/dataset.h"
#include "stats/stats.h"

enum call { CALL_BETTER, CALL_WORSE, CALL_SAME, CALL_UNSURE, CALL_MISSING, CALL_NONE, CALL_COUNT };

enum method {
	METHOD_NONE,	/* values only */
	METHOD_LOG,	/* Welch on logarithms of boot means */
	METHOD_LINEAR,	/* Welch on boot means, for rows that reach zero */
	METHOD_PAIRED,	/* Student on boots that hold both sides */
	METHOD_REPEATS,	/* Hodges-Lehmann on logarithms of the repeats of one shared boot */
	METHOD_REPEATS_LINEAR,	/* on the repeats, for rows that reach zero */
	METHOD_EXACT,	/* a count that every boot of a side repeats */
};

#define FLAG_DRIFT 1	/* the repeats of a boot have a trend */
#define FLAG_OUTLIER 2	/* one boot lies far off the others */

/* One row of one label. */
struct side {
	size_t boots, samples;
	double *v;		/* one mean a boot, in the row's unit */
	const struct boot **of;	/* the boot of each */
	double centre;		/* what the columns show; NAN when there is none */
	double median;		/* of all samples */
	double between, within;	/* relative standard deviations; NAN when unknown */
	unsigned int flags;
};

/* One row of base against one label. Fractions: 0.01 is 1 %. */
struct cell {
	enum method method;
	enum call call;
	const char *why;	/* behind unsure and none */
	double change, lo, hi;	/* NAN when unknown */
	double t, df, se, p, p_holm, p_permute, p_mannwhitney;
	bool permute_exact;
	double p_least;		/* what so few values can reach; 0 where they can reach any */
	double detectable;	/* at 80 % power and Holm's level */
};

struct audit_line {
	enum { AUDIT_TREATMENT, AUDIT_UNFAIR, AUDIT_ALLOWED, AUDIT_NOTE } class;
	const char *allow;	/* the name --allow takes */
	char *what, *base, *new;
	char *sentence;		/* says both, for text; NULL where base -> new will do */
	bool option;		/* of the kernel's configuration */
};

#define AUDIT_OPTIONS_SHOWN 12	/* by text and Markdown, unless asked for all */

struct audit {
	struct audit_line *v;
	size_t n, cap;
	size_t unfair, options;
};

struct comparison {
	size_t label;		/* against label 0 */
	struct cell *cells;	/* by row */
	size_t counts[CALL_COUNT];
	struct audit audit;
	bool paired, interleaved;
};

struct options {
	double alpha;
	double min_effect;	/* fraction; 0 when not given */
	const char **allow;
	size_t nallow;
	bool aa;
	bool verbose;		/* text: evidence, trends, extras, all options */
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

/* 0, or -1 after saying why. */
int report_make(struct report *r, const struct dataset *ds, const struct options *opt);
void report_free(struct report *r);
const struct side *report_side(const struct report *r, size_t label, size_t row);
const char *call_name(enum call call);
const char *method_name(enum method method);
/* Does it compare repeats, by their ranks? */
bool method_repeats(enum method method);

/* Timings under emulation are no hardware's: may this row have a verdict? */
bool row_judged(const struct report *r, const struct row *row);

/* Are both labels the one same boot, measured twice? */
bool within_one_boot(const struct report *r, const struct comparison *cmp);
/* Is that so of any comparison? Then the columns show medians of repeats. */
bool repeats_compared(const struct report *r);
/* What the first lines must say of labels that share their boots; NULL of those that do not. */
const char *pairing_words(const struct report *r, const struct comparison *cmp);

/* Compare fingerprints; opt says what is allowed. */
void audit_make(struct audit *audit, const struct label *base, const struct label *new,
		const struct options *opt);
void audit_free(struct audit *audit);
bool label_emulated(const struct label *label);

/* The forms. All write to out; the caller checks ferror(). */
void text_write(const struct report *r, FILE *out);
void markdown_write(const struct report *r, FILE *out);
void json_write(const struct report *r, FILE *out);
void html_write(const struct report *r, FILE *out);

/* "+1.2%", "-0.03%", "x12.3"; "-" for NAN. */
void change_format(char buf[24], double fraction);
/* "0.0213", "<0.0001"; "-" for NAN. */
void p_format(char buf[24], double p);
/* A relative standard deviation as "1.2%"; "-" for NAN. */
void spread_format(char buf[24], double spread);
/* "same <2.8%", "better dr", ... */
void call_format(char buf[40], const struct cell *c);

#endif
