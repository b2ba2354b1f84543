/* SPDX-License-Identifier: GPL-2.0 */
/* hugetlb: pools by page size and node, and HVO (hugetlb vmemmap optimization). */
#ifndef LIBMM_HUGETLB_H
#define LIBMM_HUGETLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmm/probe.h>

#define HUGETLB_MAX_SIZES 16
#define HUGETLB_ALL_NODES (-1)
#define HUGETLB_PATH_MAX 256

/* Huge page sizes of this kernel in bytes, ascending. Returns how many (0 without hugetlb). */
size_t hugetlb_sizes(uint64_t *sizes, size_t max);

/* The kernel has hugetlb pools; it can optimize their vmemmap (vm.hugetlb_optimize_vmemmap). */
struct probe hugetlb_probe(void);
struct probe hugetlb_hvo_probe(void);

/*
 * The page-table level that maps a huge page of @size bytes where base pages have @page_size:
 * "pte", "contpte", "pmd", "contpmd", "pud", or "other".
 */
const char *hugetlb_level(uint64_t size, uint64_t page_size);

struct hugetlb_pool {
	uint64_t size;		/* bytes of one huge page */
	int fd;			/* nr_hugepages, so that resizing opens no file */
	char path[HUGETLB_PATH_MAX];	/* of nr_hugepages */
};

/*
 * Open the pool of @node or HUGETLB_ALL_NODES, and save its size for restore. Returns 0, -ENOENT
 * when the kernel has no such size or node, or -errno.
 */
int hugetlb_pool_open(struct hugetlb_pool *pool, uint64_t size, int node);
void hugetlb_pool_close(struct hugetlb_pool *pool);

/*
 * Write nr_hugepages and read back what the kernel made of it: allocation may stop early. Returns
 * the pages that the pool has now, or -errno.
 */
long __hugetlb_pool_resize(struct hugetlb_pool *pool, unsigned long pages);
size_t hugetlb_pool_resize(struct hugetlb_pool *pool, unsigned long pages);

/*
 * @which: "nr", "free", "resv", "surplus" or "nr_overcommit". Returns the count, -ENOENT where the
 * kernel has no such count ("resv" and "nr_overcommit" of a node), or -errno.
 */
long __hugetlb_pool_count(const struct hugetlb_pool *pool, const char *which);
size_t hugetlb_pool_count(const struct hugetlb_pool *pool, const char *which);

/* The path of another file of the pool. */
void hugetlb_pool_file(const struct hugetlb_pool *pool, const char *file,
		       char path[HUGETLB_PATH_MAX]);

/*
 * Switch HVO for pages that are allocated from now on. Returns 0, -ENOENT where the kernel has no
 * HVO or cannot switch it, or -errno.
 */
int hugetlb_hvo_set(bool on);

/* Bytes of struct pages. Returns 0, or -ENOENT when the kernel does not count them (to 6.10). */
int hugetlb_memmap_bytes(uint64_t *bytes);

/*
 * Base pages of vmemmap that HVO frees for one huge page: all but one, HUGETLB_VMEMMAP_RESERVE_SIZE
 * in mm/hugetlb_vmemmap.h. 0 where struct page is not a power of two in size.
 */
uint64_t hugetlb_hvo_saving(uint64_t size, uint64_t struct_page_size, uint64_t page_size);

#endif
