/* SPDX-License-Identifier: GPL-2.0 */
/* A row over more than two labels, in the order of the command line. docs/statistics.md. */
#ifndef VMCOMPARE_TREND_H
#define VMCOMPARE_TREND_H

#include "model/comparison.h"

#define TREND_LABELS 3		/* fewer have no trend */

struct trend_point {
	double median;		/* over the means of the boots; NAN without a boot */
	double lo, hi;		/* of their mean, 1 - alpha, by Student's t; NAN below two boots */
};

struct trend {
	struct trend_point *points;	/* by label */
	size_t labels, boots;		/* that have the row */
	struct kendall test;		/* NAN when it could not be made */
	bool linear;			/* slope is in units of |base| */
	double slope;			/* from a label to the next; 0.01 is 1 % */
	double p_holm;
	enum verdict verdict;		/* better, worse, unsure, none */
	const char *why;		/* behind unsure and none */
};

/* By row, in r->trends; none below TREND_LABELS labels. Holm's adjustment is over these tests. */
void trends_make(struct report *r);
void trends_free(struct report *r);

#endif
