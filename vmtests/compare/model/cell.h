/* SPDX-License-Identifier: GPL-2.0 */
/* One row of base against the same of another label: what its tests say, before Holm adjusts it. */
#ifndef VMCOMPARE_CELL_H
#define VMCOMPARE_CELL_H

#include "model/comparison.h"

/* Where the cell is to be judged, p_holm is p; else it is NAN, and why says why. */
void cell_make(struct cell *c, const struct report *r, const struct comparison *cmp, size_t row);

#endif
