/* SPDX-License-Identifier: GPL-2.0 */
/* census_kernel: a census of all of the kernel's own memory, and what its page tables take up. */
#ifndef VMTESTS_CENSUS_KERNEL_H
#define VMTESTS_CENSUS_KERNEL_H

#include <vmtests/census.h>

#define CENSUS_RANGES_MAX	8

/* The name of range @i of kernel memory, linear to image; NULL after the last. */
const char *census_range_name(size_t i);

/*
 * Where a range of that name lies, as krange_find() has it, and one more:
 *   vmemmap   SYMBOL(vmemmap) + pfn * SIZE(page) over the RAM of the linear map, widened to whole
 *             memory sections (NUMBER(SECTION_SIZE_BITS)); needs SPARSEMEM_VMEMMAP
 */
int census_kernel_range(const struct kcore *kc, const char *name, uint64_t *start, uint64_t *end,
			char *reason, size_t len);

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
/* Bytes of the page tables that map one range, without the root. */
uint64_t census_pgtable_bytes(const struct census *census);

/* "mapped" to "invalid". */
const char *census_attr_name(enum census_attr attr);

#endif
