/* SPDX-License-Identifier: GPL-2.0 */
/* hvo: HVO (hugetlb vmemmap optimization), and a pool with it on or off for a test. */
#ifndef LIBMM_HVO_H
#define LIBMM_HVO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmm/hugetlb.h>
#include <libmm/probe.h>

/*
 * sizeof(struct page) where HVO is possible: a power of two (hugetlb_vmemmap_optimizable() in
 * mm/hugetlb_vmemmap.h), from 56 bytes of flags, union and counters and below 128.
 */
#define HVO_STRUCT_PAGE_SIZE 64

/* The kernel can optimize the vmemmap of huge pages (vm.hugetlb_optimize_vmemmap). */
struct probe hugetlb_hvo_probe(void);

/*
 * Switch HVO for pages that are allocated from now on. Returns 0, -ENOENT where the kernel has no
 * HVO or cannot switch it, or -errno.
 */
int hugetlb_hvo_set(bool on);

/* Bytes of struct pages. Returns 0, or -ENOENT when the kernel does not count them (to 6.10). */
int hugetlb_memmap_bytes(uint64_t *bytes);

/*
 * Base pages of vmemmap that HVO frees for one huge page: all but one, HUGETLB_VMEMMAP_RESERVE_SIZE
 * in mm/hugetlb_vmemmap.h.
 */
uint64_t hugetlb_hvo_saving(uint64_t size, uint64_t page_size);

struct hvo {
	struct hugetlb_pool pool;
	bool on;
	size_t nr;		/* huge pages that a test may take, at least 1 */
	size_t nr_map;		/* how many of them to write to: zeroing takes time */
	uint64_t page_size;	/* bytes of a base page */
	uint64_t pages;		/* base pages in a huge page */
	size_t fake;		/* base pages whose struct pages fill one page: see kpage.h */
	uint64_t saving;	/* base pages of vmemmap that HVO frees per huge page, when on */
	bool counted;		/* the kernel counts struct pages: memmap is valid */
	uint64_t memmap;	/* bytes of struct pages before the test */
};

/* Take a pool as hugetlb_pool_take(), switch HVO @on or off, and fill in @h. */
struct probe hvo_begin(struct hvo *h, const char *level, bool on);

/* Restore pool and setting. Huge pages must be unmapped before. */
void hvo_end(struct hvo *h);

/* As hugetlb_pool_fill(). @h->nr and @h->nr_map become what the test has. */
struct probe hvo_fill(struct hvo *h, size_t want, size_t least);

/*
 * Bytes of struct pages beyond what there should be while @optimized huge pages exist. 0 where the
 * kernel does not count them.
 */
int64_t hvo_memmap_excess(const struct hvo *h, size_t optimized);

#endif
