/* SPDX-License-Identifier: GPL-2.0 */
/*
 * linmap: the linear map as the kernel's page tables have it, one page at a time or as a whole.
 * Needs /proc/kcore.
 */
#ifndef LIBMM_LINMAP_H
#define LIBMM_LINMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmm/kcore.h>
#include <libmm/kpgtable.h>
#include <libmm/probe.h>

struct linmap;

/* A physical address: where a function wants one, the compiler refuses a virtual one. */
struct phys {
	uint64_t addr;
};

/* Any answer but yes says why the page tables cannot be seen, and @lm is NULL. */
struct probe linmap_open(struct linmap **lm);
void linmap_close(struct linmap *lm);
const struct kcore *linmap_kcore(const struct linmap *lm);
const struct kpg_geometry *linmap_geometry(const struct linmap *lm);

/* The leaf that maps RAM at @pa in the linear map, or any @va. No flags where none does. */
struct kpg_leaf linmap_leaf(const struct linmap *lm, struct phys pa);
struct kpg_leaf linmap_leaf_at(const struct linmap *lm, uint64_t va);

/* Where the range of this name (libmm/krange.h) lies. */
struct probe linmap_range(const struct linmap *lm, const char *name, uint64_t *start,
			  uint64_t *end);

/* Every leaf of a range of kernel addresses at one moment, ascending, in the runs of the walk. */
struct linmap_snap {
	struct kpg_leaf *leaf;
	size_t nr;
	size_t room;
	uint64_t tables[KPG_LEVELS];	/* that the range is mapped by, the root included */
};

/* Walk [@start, @end), or the range of this name, until two passes in a row read the same. */
void linmap_snap_between(const struct linmap *lm, uint64_t start, uint64_t end,
			 struct linmap_snap *snap);
void linmap_snap(const struct linmap *lm, const char *range, struct linmap_snap *snap);
void linmap_snap_free(struct linmap_snap *snap);

/* How many entries have @flags, of those in @mask. */
uint64_t linmap_snap_count(const struct linmap_snap *snap, unsigned int mask, unsigned int flags);

/* The one entry that maps @va (its nr is 1), copied to @leaf. False when none does. */
bool linmap_snap_find(const struct linmap_snap *snap, uint64_t va, struct kpg_leaf *leaf);

#endif
