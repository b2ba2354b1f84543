/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a range of kernel addresses is mapped, in numbers that two kernels can be compared by.
 */
#ifndef LIBMM_CENSUS_H
#define LIBMM_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
 * The named ranges, and where each comes from:
 *   linear    from the lowest to the highest address of the RAM segments of /proc/kcore, holes
 *             between them included: memory that is not RAM may be mapped there too
 *   vmemmap   SYMBOL(vmemmap) + pfn * SIZE(page) over the same RAM, widened to whole memory
 *             sections (NUMBER(SECTION_SIZE_BITS)); needs SPARSEMEM_VMEMMAP
 *   vmalloc   the segment that starts at NUMBER(VMALLOC_START); arm64 keeps the image in it
 *   modules   arm64: NUMBER(MODULES_VADDR) to NUMBER(MODULES_END), but none with KASLR, which
 *             puts modules anywhere within 2 GB of the image; x86-64: the segment that starts
 *             NUMBER(KERNEL_IMAGE_SIZE) above the base of the image's mapping
 *   image     the segment of _stext: _text to _end
 *
 * The name of range @i, in that order; NULL after the last.
 */
const char *census_range_name(size_t i);

/*
 * Where the named range lies in this kernel: [@start, @end). -ENOENT, and one sentence in @reason,
 * when there is no range of that name or this kernel does not say where it is.
 */
int census_range(const struct kcore *kc, const char *name, uint64_t *start, uint64_t *end,
		 char *reason, size_t len);

/*
 * Count [@start, @end) until two passes in a row read the same tables; a range that never holds
 * still is returned as last seen, with @stable false. @name is kept, cut to CENSUS_NAME_MAX. The
 * errors are those of __kpgtable_walk(), with one sentence in @reason.
 */
int __census_take(struct kpgtable *pgt, const char *name, uint64_t start, uint64_t end,
		  struct census *census, char *reason, size_t len);
/* Of a named range. */
void census_take(struct kpgtable *pgt, const char *name, struct census *census);

#define CENSUS_RANGES_MAX	8

/*
 * Open the running kernel's core file and take a census of every named range that it says where it
 * is, in the order of census_range_name(). Returns how many, or the -errno of the first thing that
 * failed, with one sentence in @reason.
 */
int census_kernel(struct census all[CENSUS_RANGES_MAX], char *reason, size_t len);

/*
 * Bytes of page tables that map the kernel's own memory: the sum over @all of @nr ranges, without
 * those that lie inside another one. A table that two ranges share is counted for both, which is
 * at most one a level and range.
 */
uint64_t census_kernel_pgtable_bytes(const struct census *all, size_t nr);

/* Bytes that one leaf of @level maps. */
uint64_t census_leaf_size(const struct census *census, enum kpg_level level);
/* Over all levels. */
uint64_t census_leaves(const struct census *census, enum census_attr attr);
uint64_t census_bytes(const struct census *census, enum census_attr attr);
/* Bytes of the page tables that map the range, without the root. */
uint64_t census_pgtable_bytes(const struct census *census);
/* "mapped" to "invalid". */
const char *census_attr_name(enum census_attr attr);

/* One number that differs. @attr is CENSUS_ATTRS when it is the tables of @level. */
struct census_change {
	enum census_attr attr;
	enum kpg_level level;
	uint64_t before;
	uint64_t after;
};

#define CENSUS_CHANGES_MAX	((CENSUS_ATTRS + 1) * KPG_LEVELS)

/*
 * What differs from @before to @after, from the highest level down: at most CENSUS_CHANGES_MAX
 * entries, and how many. Where the range lies is no change (KASLR moves it). -EINVAL when
 * architecture, page size, address size or name differ, so that there is nothing to compare.
 */
int census_compare(const struct census *before, const struct census *after,
		   struct census_change *changes);

#endif /* LIBMM_CENSUS_H */
