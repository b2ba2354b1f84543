/* SPDX-License-Identifier: GPL-2.0 */
/* One row of one label. */
#ifndef VMCOMPARE_SIDE_H
#define VMCOMPARE_SIDE_H

#include "model/comparison.h"

/* Which boots have the row, and their means. at is its index in the dataset; side is all zero. */
void side_collect(struct side *side, const struct row *row, size_t at, const struct label *label);
/* The rest, once means that differ by rounding only are equal over all labels. */
void side_describe(struct side *side, size_t at);
void side_free(struct side *side);

#endif
