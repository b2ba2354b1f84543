/* SPDX-License-Identifier: GPL-2.0 */
/* hugetlb: pools of huge pages by page size and node. */
#ifndef LIBMM_HUGETLB_H
#define LIBMM_HUGETLB_H

#include <stddef.h>
#include <stdint.h>

#include <libmm/probe.h>

#define HUGETLB_MAX_SIZES 16
#define HUGETLB_ALL_NODES (-1)
#define HUGETLB_PATH_MAX 256

/* Huge page sizes of this kernel in bytes, ascending. Returns how many (0 without hugetlb). */
size_t hugetlb_sizes(uint64_t *sizes, size_t max);

/* The kernel has hugetlb pools. */
struct probe hugetlb_probe(void);

/*
 * The page-table level that maps a huge page of @size bytes where base pages have @page_size:
 * "pte", "contpte", "pmd", "contpmd", "pud", or "other".
 */
const char *hugetlb_level(uint64_t size, uint64_t page_size);

/* MFD_HUGE_* or MAP_HUGE_* bits for pages of @size bytes. */
static inline unsigned int hugetlb_size_flags(uint64_t size)
{
	return (unsigned int)__builtin_ctzll(size) << 26;	/* MAP_HUGE_SHIFT */
}

#define HUGETLB_COUNTS 4

struct hugetlb_pool {
	uint64_t size;		/* bytes of one huge page */
	int fd;			/* nr_hugepages, so that resizing opens no file */
	char path[HUGETLB_PATH_MAX];	/* of nr_hugepages */
	size_t others[HUGETLB_COUNTS];	/* see hugetlb_pool_beside() */
	void *held;		/* idle pages of others, reserved while a test runs */
	size_t held_size;
};

/*
 * Open the pool of @node or HUGETLB_ALL_NODES, and save its size for restore. Returns 0, -ENOENT
 * when the kernel has no such size or node, or -errno.
 */
int hugetlb_pool_open(struct hugetlb_pool *pool, uint64_t size, int node);
void hugetlb_pool_close(struct hugetlb_pool *pool);

/*
 * From now on count and resize only what is added to the pages that are there: those belong to
 * others. Without it everything counts.
 */
void hugetlb_pool_beside(struct hugetlb_pool *pool);

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
 * Bytes of pages of @size bytes that hugetlb cgroups leave to this process, UINT64_MAX without a
 * limit. A fault past them is SIGBUS, a mapping past a limit of reservations -ENOMEM.
 */
uint64_t hugetlb_cgroup_room(uint64_t size);

/*
 * For a test: open the pool of the pages that this kernel maps at @level. *@nr becomes how many of
 * them the test may have, at least 1. Pages that are there stay others': counts are beside them,
 * and idle ones are reserved, so that neither the test nor a shrinking pool takes them. Where the
 * answer is not yes nothing was changed: there may be no such pages, too little memory, no
 * privilege, or somebody else who changes settings.
 */
struct probe hugetlb_pool_take(struct hugetlb_pool *pool, const char *level, size_t *nr);

/* Have @want of *@nr pages in the pool, or at least @least. *@nr becomes what the pool has. */
struct probe hugetlb_pool_fill(struct hugetlb_pool *pool, size_t *nr, size_t want, size_t least);

/* Put back every setting that this process has changed. The pages must be unmapped before. */
void hugetlb_pool_release(struct hugetlb_pool *pool);

#endif
