/* SPDX-License-Identifier: GPL-2.0 */
/* One row of base against the same of another label: what its tests say, before Holm adjusts it. */
#ifndef VMCOMPARE_CELL_H
#define VMCOMPARE_CELL_H

#include "model/comparison.h"

/* Where the cell is to be judged, p_holm is p; else it is NAN, and why says why. */
void cell_make(struct cell *c, const struct report *r, const struct comparison *cmp, size_t row);

/*
 * The size of a difference on the cell's scale, the same when base and new are swapped: 0.01 where
 * the larger is 1 % above the smaller.
 */
double cell_size(const struct cell *c, double diff);
/* No change is as large, at this one-sided level; INFINITY where so few values cannot say. */
double cell_bound(const struct report *r, const struct comparison *cmp, size_t row, double level);

#endif
