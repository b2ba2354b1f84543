/* SPDX-License-Identifier: GPL-2.0 */
/*
 * linmap_model: what the linear map must look like after single pages of it changed, derived from
 * what it looked like before. A kernel that splits for a page must split the blocks around that
 * page, down to the page, and nothing else:
 *
 *   - a leaf of level L that holds a changed page becomes a table of entries one level down, each
 *     with the leaf's permissions, and so on down to the page (arm64 split_kernel_leaf_mapping(),
 *     x86 __split_large_page());
 *   - where the architecture has contiguous groups, a leaf becomes a table of whole groups, and
 *     only those that hold a changed page lose the bit (arm64 split_contpmd(), split_contpte());
 *   - no other entry changes, and nothing is merged back.
 *
 * Plain data in, plain data out: a unit test needs no kernel.
 */
#ifndef LIBMM_LINMAP_MODEL_H
#define LIBMM_LINMAP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmm/linmap.h>

/* Pages that changed, by linear map address: ascending and distinct, by linmap_pages_sort(). */
struct linmap_pages {
	uint64_t *va;
	size_t nr;
};

/* Where the linear map has @nr present pages of this process from @addr on, sorted. */
void linmap_pages_of(const struct linmap *lm, const void *addr, size_t nr,
		     struct linmap_pages *pages);
void linmap_pages_free(struct linmap_pages *pages);

void linmap_pages_sort(struct linmap_pages *pages);
/* Whether any of them lies in [@start, @start + @size). */
bool linmap_pages_any(const struct linmap_pages *pages, uint64_t start, uint64_t size);
/* Distinct naturally aligned units of @size bytes that hold one of them. */
size_t linmap_pages_units(const struct linmap_pages *pages, uint64_t size);

/* How much splitting a change of @pages costs. */
struct linmap_cost {
	uint64_t tables[KPG_LEVELS];	/* new tables of each level */
	uint64_t broken[KPG_LEVELS];	/* contiguous groups of each level that are broken */
};

void linmap_model_cost(const struct kpg_geometry *geo, const struct linmap_snap *before,
		       const struct linmap_pages *pages, struct linmap_cost *cost);

/*
 * The entry that must map @va afterwards: in @leaf its va, pa, size, level and flags; a changed
 * page is KPG_INVALID when @held, else as before. Returns 0, or -ENOENT when nothing mapped @va before.
 */
int __linmap_model_leaf(const struct kpg_geometry *geo, const struct linmap_snap *before,
			const struct linmap_pages *pages, bool held, uint64_t va,
			struct kpg_leaf *leaf);

/*
 * Hold @after against the model: every entry of every block that a page of @pages lies in, and of
 * every last-level table that maps one. Returns the number of entries that are not as they must
 * be, and says in @why (when not 0) what is wrong with the first.
 */
size_t linmap_model_check(const struct kpg_geometry *geo, const struct linmap_snap *before,
			  const struct linmap_snap *after, const struct linmap_pages *pages,
			  bool held, char *why, size_t len);

#endif
