/* SPDX-License-Identifier: GPL-2.0 */
/* kpgwalk: every leaf of a range of kernel addresses, and whether the tables held still. */
#ifndef LIBMM_KPGWALK_H
#define LIBMM_KPGWALK_H

#include <libmm/kpgtable.h>

/*
 * Called with what the walk meets; @leaf->va may lie below the start of the walk when an entry
 * reaches across it. Nonzero ends the walk, which then returns it; negative is an error.
 */
typedef int (*kpg_visit_fn)(const struct kpg_leaf *leaf, void *arg);

/*
 * What a walk found besides leaves. @tables: the tables of each level that it read, the root too.
 * @digest: over every descriptor read but the geometry's @ignore bits; two walks with one digest
 * saw the same tables. @bad_*: where an error happened.
 */
struct kpg_walk {
	uint64_t tables[KPG_LEVELS];
	uint64_t digest;
	uint64_t bad_va;
	uint64_t bad_desc;
	enum kpg_level bad_level;
};

/*
 * Visit every populated leaf of [@start, @end) in the order of addresses. Without @visit only the
 * digest and tables are made, faster. One pass over live tables without a lock: what the kernel
 * changes meanwhile may be seen before, after, or as the garbage of a table freed under the reader.
 * Two walks with equal digests tell that nothing changed.
 *
 * -EINVAL, not a range of kernel addresses; -EUCLEAN, a descriptor that no kernel writes; -EFAULT,
 * a table outside RAM; -ELOOP, a table that is its own ancestor, or more tables than RAM has pages.
 */
int kpgtable_walk(const struct kpgtable *pgt, uint64_t start, uint64_t end, kpg_visit_fn visit,
		  void *arg, struct kpg_walk *walk);

/* One sentence about the error of a walk. */
void kpgtable_explain(int err, const struct kpg_walk *walk, char *reason, size_t len);

#endif /* LIBMM_KPGWALK_H */
