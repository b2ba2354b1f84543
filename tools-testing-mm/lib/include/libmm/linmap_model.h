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

#include <libmm/linmap.h>

/*
 * A set of pages, ascending. Empty when all is 0. By physical address: the linear map keeps every
 * alignment that its blocks need, so these tell blocks apart where page tables cannot be seen, too.
 */
struct linmap_pages {
	struct phys *pa;
	size_t nr;
	size_t room;
};

/* Add a page, which is not sorted in before linmap_pages_sort(). */
void linmap_pages_add(struct linmap_pages *pages, struct phys pa);
void linmap_pages_sort(struct linmap_pages *pages);
/* Add @nr present pages of this process from @addr on. */
void linmap_pages_of(const void *addr, size_t nr, struct linmap_pages *pages);
void linmap_pages_free(struct linmap_pages *pages);

/* Whether any of them lies in [@start, @start + @size). */
bool linmap_pages_any(const struct linmap_pages *pages, struct phys start, uint64_t size);
/* Distinct naturally aligned units of @size bytes that hold one of them. */
size_t linmap_pages_units(const struct linmap_pages *pages, uint64_t size);
/* Those whose entry of the linear map has @flags now, of those in @mask. */
size_t linmap_pages_count(const struct linmap_pages *pages, const struct linmap *lm,
			  unsigned int mask, unsigned int flags);

/* How much splitting a change of @pages costs. */
struct linmap_cost {
	uint64_t tables[KPG_LEVELS];	/* new tables of each level */
	uint64_t broken[KPG_LEVELS];	/* contiguous groups of each level that are broken */
};

struct linmap_cost linmap_model_cost(const struct kpg_geometry *geo,
				     const struct linmap_snap *before,
				     const struct linmap_pages *pages);

/*
 * Hold @after against the model, with @pages KPG_INVALID when @held, else as before: every entry of
 * every block that a page lies in, and of every last-level table that maps one. Returns the number
 * of wrong entries, and says in @why (when not 0) what is wrong with the first.
 */
size_t linmap_model_check(const struct kpg_geometry *geo, const struct linmap_snap *before,
			  const struct linmap_snap *after, const struct linmap_pages *pages,
			  bool held, char *why, size_t len);

#endif
