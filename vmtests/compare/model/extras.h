/* SPDX-License-Identifier: GPL-2.0 */
/* What stands beside the samples without a verdict: perf counters, hot symbols, fio percentiles. */
#ifndef VMCOMPARE_EXTRAS_H
#define VMCOMPARE_EXTRAS_H

#include "model/dataset.h"

/* One line of a section: medians over the boots that have it. */
struct extra_row {
	enum extra_kind kind;
	const char *test, *what;
	double *median;		/* by label, NAN where no boot has it */
};

struct extra_table {
	struct extra_row *v;
	size_t n;
};

/* Rows by kind and test; counters and percentiles by name, symbols by their share of base. */
void extras_tabulate(struct extra_table *table, const struct dataset *ds);
void extras_free(struct extra_table *table);
/* Of a label against the first: 0.01 is 1 %; NAN where either is missing or the first is 0. */
double extra_change(const struct extra_row *row, size_t label);

#endif
