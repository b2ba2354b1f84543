/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results in the forms that other systems take: every verdict and every sample of the labels, none
 * judged. docs/fleet.md says which system takes which, and under what names they are found there.
 */
#ifndef VMCOMPARE_EXPORT_H
#define VMCOMPARE_EXPORT_H

#include <stdio.h>

#include "model/dataset.h"

/*
 * Each writes to out and returns 0, or -1 after saying why; the caller checks ferror(). origin is
 * the name that KCIDB knows the submitter by.
 */
int kcidb_export(const struct dataset *ds, const char *origin, FILE *out);
int squad_export(const struct dataset *ds, const char *origin, FILE *out);
int lava_export(const struct dataset *ds, const char *origin, FILE *out);
int tmt_export(const struct dataset *ds, const char *origin, FILE *out);

/* Of [a-z0-9_], 1 to 64 characters: what KCIDB takes as an origin. */
bool origin_valid(const char *s);

/* What all of them share. */

/* In every (label, boot, run) that has a verdict or a sample. */
struct export_run {
	const char *label;	/* whole, as run.json has it */
	const struct boot *boot;
	int run;
	const char *started;	/* RFC 3339, NULL when run.json does not say */
};

/* Calls visit for each, in the order of labels and boots; a return other than 0 ends it. */
int export_runs(const struct dataset *ds, int (*visit)(const struct export_run *r, void *arg),
		void *arg);
/* "BENCH.CASE.METRIC" with the '/' of the bench as a dot. The caller frees it. */
char *export_metric_name(const struct row *row);
/* A text of run.json at a dotted path, NULL when absent. */
const char *export_text(const struct boot *boot, const char *path);
/* Write root and release it: 0, or -1 after saying why. */
int export_dump(json_t *root, FILE *out);

#endif
