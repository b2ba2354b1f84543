/* SPDX-License-Identifier: GPL-2.0 */
/* hvo: one pool of huge pages under test, with HVO on or off, and what it costs in struct pages. */
#ifndef LIBMM_HVO_H
#define LIBMM_HVO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmm/hugetlb.h>
#include <libmm/probe.h>

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

/* The huge page size, in bytes, that this kernel maps at @level (hugetlb_level()); 0 for none. */
uint64_t hvo_level_size(const char *level);

/*
 * Take an empty pool of the size of @level, switch HVO @on or off, and fill in @h. Where the answer
 * is not yes nothing was changed, and hvo_end() is not needed: no such size, pages of that size
 * already there (whose vmemmap is not this test's doing), too little memory, no privilege, no HVO
 * while @on, somebody else who changes settings.
 */
struct probe hvo_begin(struct hvo *h, const char *level, bool on);

/* Restore pool and setting. Huge pages must be unmapped before. */
void hvo_end(struct hvo *h);

/*
 * Have @want pages in the pool, or at least @least. @h->nr and @h->nr_map become what the test has.
 * Memory may be too fragmented, which is the reason of a skip.
 */
struct probe hvo_fill(struct hvo *h, size_t want, size_t least);

/*
 * Bytes of struct pages beyond what there should be while @optimized huge pages exist. 0 where the
 * kernel does not count them.
 */
int64_t hvo_memmap_excess(const struct hvo *h, size_t optimized);

/*
 * sizeof(struct page) where HVO is possible: a power of two (hugetlb_vmemmap_optimizable() in
 * mm/hugetlb_vmemmap.h), from 56 bytes of flags, union and counters and below 128.
 */
#define HVO_STRUCT_PAGE_SIZE 64

#endif
