/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hvo: one pool of huge pages under test, with HVO on or off, and what it costs in struct pages.
 */
#ifndef LIBMM_HVO_H
#define LIBMM_HVO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmm/hugetlb.h>

#define HVO_REASON_MAX 256

struct hvo {
	struct hugetlb_pool pool;
	bool on;
	bool pool_open;
	size_t nr;		/* huge pages that a test may take, at least 1 */
	uint64_t page_size;	/* of base pages, bytes */
	uint64_t pages;		/* base pages in a huge page */
	size_t nr_map;		/* of those, how many to write to: zeroing takes time */
	size_t fake;		/* base pages whose struct pages fill one page: kpage.h */
	uint64_t saving;	/* base pages that HVO frees of each huge page's vmemmap, when on */
	bool counted;		/* the kernel counts struct page memory: memmap is valid */
	uint64_t memmap;	/* bytes of struct pages before the test */
	char missing[HVO_REASON_MAX];	/* why the test cannot run; empty when it can */
};

/*
 * The huge page size that this kernel maps at @level (hugetlb_level()), in bytes; 0 when it has
 * none.
 */
uint64_t hvo_level_size(const char *level);

/*
 * Take an empty pool of the size of @level, switch HVO @on or off, and fill in @h. What makes
 * that impossible is told in @h->missing, and then nothing was changed: no such size, pages of that
 * size already there (whose vmemmap is not this test's doing), too little memory, no
 * privilege, a kernel without HVO while @on, another run that holds the lock.
 */
void hvo_begin(struct hvo *h, const char *level, bool on);

/* Put pool and setting back as they were. Huge pages must be unmapped before. */
void hvo_end(struct hvo *h);

/*
 * Bytes of struct pages that exist now above those at hvo_begin(), negative when there are fewer.
 * Only when @h->counted.
 */
int64_t hvo_memmap_delta(const struct hvo *h);

/* What hvo_memmap_delta() must be while @optimized huge pages exist. */
int64_t hvo_memmap_expected(const struct hvo *h, size_t optimized);

/*
 * sizeof(struct page) where HVO is possible. HVO needs a power of two
 * (hugetlb_vmemmap_optimizable() in mm/hugetlb_vmemmap.h), and a 64-bit struct page is at least 56
 * bytes of flags, union and counters and less than 128: 64.
 */
#define HVO_STRUCT_PAGE_SIZE 64

#endif
