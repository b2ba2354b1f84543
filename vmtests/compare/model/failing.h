/* SPDX-License-Identifier: GPL-2.0 */
/* Tests that fail, and in how many boots. */
#ifndef VMCOMPARE_FAILING_H
#define VMCOMPARE_FAILING_H

#include "model/comparison.h"

/* A note for each; one that passed on base and fails on new is a regression. */
void report_failing(struct report *r, const struct comparison *cmp);
/* The same with one label. */
void report_failing_alone(struct report *r);

#endif
