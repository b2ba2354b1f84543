/* SPDX-License-Identifier: GPL-2.0 */
/* Why there is nothing to judge: rows without samples, and rows with too few. */
#ifndef VMCOMPARE_MISSING_H
#define VMCOMPARE_MISSING_H

#include "model/comparison.h"

/* A note for each case whose rows one side lacks because it skipped the case. */
void report_missing(struct report *r, const struct comparison *cmp);
/* What the rows without a verdict lack and what it takes, in cmp->lacks. After the judging. */
void report_lacks(struct report *r);

#endif
