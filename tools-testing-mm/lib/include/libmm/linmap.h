/* SPDX-License-Identifier: GPL-2.0 */
/*
 * linmap: the linear map as the kernel's page tables have it, one page at a time or as a whole.
 * Needs /proc/kcore.
 */
#ifndef LIBMM_LINMAP_H
#define LIBMM_LINMAP_H

#include <stddef.h>
#include <stdint.h>

#include <libmm/kcore.h>
#include <libmm/kpgtable.h>

struct linmap;

/* On failure -errno and one sentence in @reason (KCORE_REASON_MAX bytes), for a skip. */
int __linmap_open(struct linmap **lm, char *reason, size_t len);
void linmap_close(struct linmap *lm);
struct kpgtable *linmap_tables(const struct linmap *lm);
const struct kpg_geometry *linmap_geometry(const struct linmap *lm);

/* Address of page frame @pfn in the linear map. Returns 0, or -ENOENT when it is not RAM. */
int __linmap_va(const struct linmap *lm, uint64_t pfn, uint64_t *va);
uint64_t linmap_va(const struct linmap *lm, uint64_t pfn);

/*
 * The leaf that maps page frame @pfn in the linear map now. Returns 0, -ENOENT when the frame is
 * not RAM or no leaf is there at all, or -errno of __kpgtable_lookup().
 */
int __linmap_leaf(const struct linmap *lm, uint64_t pfn, struct kpg_leaf *leaf);
void linmap_leaf(const struct linmap *lm, uint64_t pfn, struct kpg_leaf *leaf);

/* Every leaf of a range of kernel addresses at one moment, ascending, in the runs of the walk. */
struct linmap_snap {
	struct kpg_leaf *leaf;
	size_t nr;
	size_t room;
	uint64_t tables[KPG_LEVELS];	/* that the range is mapped by, the root included */
};

/*
 * Take a range by the name that census.h gives it: walk until two passes in a row read the same.
 * On failure -errno (-EAGAIN: it never held still) and one sentence in @reason.
 */
int __linmap_snap(const struct linmap *lm, const char *range, struct linmap_snap *snap,
		  char *reason, size_t len);
void linmap_snap(const struct linmap *lm, const char *range, struct linmap_snap *snap);
void linmap_snap_free(struct linmap_snap *snap);

/* The one entry that maps @va (its nr is 1), copied to @leaf. -ENOENT when none does. */
int __linmap_snap_find(const struct linmap_snap *snap, uint64_t va, struct kpg_leaf *leaf);

#endif
