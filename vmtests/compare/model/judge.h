/* SPDX-License-Identifier: GPL-2.0 */
/* From the tests of each cell to verdicts over the whole report. */
#ifndef VMCOMPARE_JUDGE_H
#define VMCOMPARE_JUDGE_H

#include "model/comparison.h"

/* Verdicts of all cells, and their counts. */
void report_judge(struct report *r);
/* Split the boots of one side every way into halves; count the splits that raise an alarm. */
void side_aa(struct report *r, const struct row *row, const struct side *side);

#endif
