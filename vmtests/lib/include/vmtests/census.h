/* SPDX-License-Identifier: GPL-2.0 */
/* census: how a range of kernel addresses is mapped, in numbers. */
#ifndef VMTESTS_CENSUS_H
#define VMTESTS_CENSUS_H

#include <libmm/kpgtable.h>

#define CENSUS_NAME_MAX		48

/* What is counted of the leaves of a level. All but the last are of valid leaves. */
enum census_attr {
	CENSUS_MAPPED,		/* every valid leaf */
	CENSUS_CONTIGUOUS,
	CENSUS_READONLY,
	CENSUS_EXEC,		/* executable by the kernel */
	CENSUS_WX,		/* writable and executable at once */
	CENSUS_INVALID,		/* populated, but faults */
	CENSUS_ATTRS
};

/*
 * A leaf is counted whole when any of it lies in [start, end). @tables: pages of page tables of
 * each level that map the range, without the root, which is part of the kernel image. @stable: the
 * tables were read twice the same, within @passes reads.
 */
struct census {
	char name[CENSUS_NAME_MAX];
	char arch[16];
	uint64_t start;
	uint64_t end;
	uint64_t page_size;
	unsigned int va_bits;
	unsigned int levels;
	uint64_t leaves[CENSUS_ATTRS][KPG_LEVELS];
	uint64_t tables[KPG_LEVELS];
	unsigned int passes;
	bool stable;
};

/*
 * Count [@start, @end) until two passes in a row read the same tables; a range that never holds
 * still is returned as last seen, with @stable false. @name is kept, cut to CENSUS_NAME_MAX. The
 * errors are those of kpgtable_walk(), with one sentence in @reason.
 */
int census_count(const struct kpgtable *pgt, const char *name, uint64_t start, uint64_t end,
		 struct census *census, char *reason, size_t len);

/* Bytes that one leaf of @level maps. */
uint64_t census_leaf_size(const struct census *census, enum kpg_level level);
/* Over all levels. */
uint64_t census_leaves(const struct census *census, enum census_attr attr);
uint64_t census_bytes(const struct census *census, enum census_attr attr);

#endif /* VMTESTS_CENSUS_H */
