/* SPDX-License-Identifier: GPL-2.0 */
/* What a label's kernel maps, and by which leaves. */
#ifndef VMCOMPARE_CENSUS_H
#define VMCOMPARE_CENSUS_H

#include "model/dataset.h"

#define CENSUS_LEVELS 4

/* Keys of run.json, from the largest leaf down. */
extern const char *const census_levels[CENSUS_LEVELS];

/* "2 PUD, 1020 PMD (976 contiguous) and 2048 PTE leaves"; caller frees; NULL without a census. */
char *census_words(const struct label *label, const char *range);
/* Bytes that the first boot maps by leaves of a level. */
double census_bytes(const struct label *label, const char *range, const char *level);

/*
 * How much larger MemTotal of new should be, in bytes from *lo to *hi, because its linear map needs
 * fewer page tables. A table that splits a block after boot comes out of free memory, not out of
 * MemTotal, so the PTEs beside blocks may or may not have cost it. A map by PTEs costs memory / 512
 * with 4K pages, / 2048 with 16K and / 8192 with 64K: one entry of 8 bytes a page. False unless
 * both have a census.
 */
bool census_memory_gain(const struct boot *base, const struct boot *new, double *lo, double *hi);

#endif
