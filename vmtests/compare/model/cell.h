/* SPDX-License-Identifier: GPL-2.0 */
/* One row of base against the same of another label: what its tests say, before Holm adjusts it. */
#ifndef VMCOMPARE_CELL_H
#define VMCOMPARE_CELL_H

#include "model/comparison.h"

/* p_holm is p where the cell is to be judged, else NAN; why then says why not. */
void cell_make(struct cell *c, const struct report *r, const struct comparison *cmp, size_t row);

#endif
