/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hugetlb: pools by page size and node, through sysconf, and what HVO saved.
 */
#ifndef LIBMM_HUGETLB_H
#define LIBMM_HUGETLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmm/probe.h>

#define HUGETLB_MAX_SIZES 16
#define HUGETLB_ALL_NODES (-1)

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
	int node;		/* HUGETLB_ALL_NODES or a node */
	int fd;			/* nr_hugepages, open for the timed path */
	char path[256];		/* its path, for messages and the journal */
};

/*
 * Open the pool and journal its present size. Returns 0, -ENOENT when the kernel has no such size
 * or node, or -errno.
 */
int hugetlb_pool_open(struct hugetlb_pool *pool, uint64_t size, int node);
void hugetlb_pool_close(struct hugetlb_pool *pool);

/*
 * Write nr_hugepages and read back what the kernel made of it: allocation may stop early. Returns
 * the pages the pool has now, or -errno. No allocation, no formatting beyond one number.
 */
long __hugetlb_pool_resize(struct hugetlb_pool *pool, unsigned long pages);

/*
 * "nr", "free", "resv", "surplus", "overcommit" of the pool. Returns the count, -EINVAL for another
 * word, -ENOENT where the kernel has no such count ("resv" and "overcommit" of a node), or -errno.
 */
long __hugetlb_pool_count(const struct hugetlb_pool *pool, const char *which);

/*
 * HVO through vm.hugetlb_optimize_vmemmap: absent, off or on. It affects pages allocated from now
 * on. hugetlb_hvo_set() journals and reads back; returns 0, -ENOENT where the kernel has no HVO
 * (or it cannot be switched), or -errno.
 */
enum hugetlb_hvo { HVO_ABSENT, HVO_OFF, HVO_ON };
enum hugetlb_hvo hugetlb_hvo_get(void);
int hugetlb_hvo_set(bool on);

/*
 * Bytes of struct pages: (nr_memmap_pages + nr_memmap_boot_pages) * page size, from /proc/vmstat
 * (6.11 and newer). Returns 0, or -ENOENT where the kernel does not count them.
 */
int hugetlb_memmap_bytes(uint64_t *bytes);

/*
 * Base pages of struct page memory that HVO frees for one huge page: the vmemmap of the page less
 * the part that is kept. Source: mm/hugetlb_vmemmap.h, HUGETLB_VMEMMAP_RESERVE_SIZE (one page).
 * Returns 0 for sizes too small to optimize and where struct page is not a power of two in size.
 */
uint64_t hugetlb_hvo_saving(uint64_t size, uint64_t struct_page_size, uint64_t page_size);

#endif
