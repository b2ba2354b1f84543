/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kpage: what the kernel says about physical pages, by page frame number. All of it is read from
 * struct pages. See Documentation/admin-guide/mm/pagemap.rst.
 */
#ifndef LIBMM_KPAGE_H
#define LIBMM_KPAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KPAGE_FLAGS	"/proc/kpageflags"	/* KPF_* bits of linux/kernel-page-flags.h */
#define KPAGE_COUNT	"/proc/kpagecount"	/* mappings of the page */
#define KPAGE_CGROUP	"/proc/kpagecgroup"	/* inode of the memory cgroup, 0 for none */

/* Open one of these files, and read the values of @nr pages from @pfn on. */
int kpage_open(const char *path);
void kpage_read(int fd, uint64_t pfn, uint64_t *values, size_t nr);

/*
 * Whether the kernel says anything about the @nr pages with @flags, which are in use. It reports 0
 * or KPF_NOPAGE, and no count, for memory in whose sections pfn_to_online_page() finds no page.
 * Seen on 6.18 for the topmost 3.75 of 24 GiB.
 */
bool kpage_flags_are_told(const uint64_t *flags, size_t nr);

#define KPAGE_NOT_TOLD KPAGE_FLAGS " says nothing of the memory that the huge pages lie in"

/*
 * Whether @flags, of a huge page's @nr base pages, are those of one hugetlb page: a head, tails
 * behind it, all of them HUGE, none poisoned or missing. Else *@wrong is the first bad page.
 *
 * With @fake not 0, each page at a multiple of it may be reported as a head too. Kernels that map
 * the first page of a huge page's vmemmap in place of the freed ones have copies of the head there,
 * which snapshot_page() in mm/util.c takes for heads. Seen on 6.18.
 */
bool kpage_flags_are_huge(const uint64_t *flags, size_t nr, size_t fake, size_t *wrong);

/* Whether none of the @nr pages belongs to a hugetlb page. */
bool kpage_flags_are_not_huge(const uint64_t *flags, size_t nr, size_t *wrong);

#endif
