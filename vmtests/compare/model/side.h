/* SPDX-License-Identifier: GPL-2.0 */
/* One row of one label. */
#ifndef VMCOMPARE_SIDE_H
#define VMCOMPARE_SIDE_H

#include "model/comparison.h"

/* at is the index of row in the dataset; side is all zero. */
void side_make(struct side *side, const struct row *row, size_t at, const struct label *label);
void side_free(struct side *side);

#endif
