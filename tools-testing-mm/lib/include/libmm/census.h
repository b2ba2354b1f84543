/* SPDX-License-Identifier: GPL-2.0 */
/* census: how a range of kernel addresses is mapped, in numbers. */
#ifndef LIBMM_CENSUS_H
#define LIBMM_CENSUS_H

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
 * Where a named range lies in this kernel, [@start, @end). -ENOENT, and one sentence in @reason,
 * when this kernel does not tell. The names:
 *   linear    from the lowest to the highest address of the RAM segments of /proc/kcore, holes
 *             between them included: memory that is not RAM may be mapped there too
 *   vmalloc   the segment that starts at NUMBER(VMALLOC_START); arm64 keeps the image in it
 *   modules   arm64: NUMBER(MODULES_VADDR) to NUMBER(MODULES_END), empty with KASLR, which puts
 *             modules anywhere within 2 GB of the image; x86-64: the segment that starts
 *             NUMBER(KERNEL_IMAGE_SIZE) above the base of the image's mapping
 *   image     the segment of _stext: _text to _end
 */
int census_range(const struct kcore *kc, const char *name, uint64_t *start, uint64_t *end,
		 char *reason, size_t len);

/*
 * Count [@start, @end) until two passes in a row read the same tables; a range that never holds
 * still is returned as last seen, with @stable false. @name is kept, cut to CENSUS_NAME_MAX. The
 * errors are those of __kpgtable_walk(), with one sentence in @reason.
 */
int census_count(const struct kpgtable *pgt, const char *name, uint64_t start, uint64_t end,
		 struct census *census, char *reason, size_t len);
/* Of a named range; whatever goes wrong ends the test. */
void census_take(const struct kpgtable *pgt, const char *name, struct census *census);

/* Bytes that one leaf of @level maps. */
uint64_t census_leaf_size(const struct census *census, enum kpg_level level);
/* Over all levels. */
uint64_t census_leaves(const struct census *census, enum census_attr attr);
uint64_t census_bytes(const struct census *census, enum census_attr attr);

#endif /* LIBMM_CENSUS_H */
