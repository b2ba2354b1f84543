/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kpage: what the kernel says about physical pages, by page frame number. All of these files read
 * struct pages, so they are also the plainest concurrent readers of a vmemmap that changes.
 */
#ifndef LIBMM_KPAGE_H
#define LIBMM_KPAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kpage_file {
	KPAGE_FLAGS,		/* /proc/kpageflags: KPF_* bits of linux/kernel-page-flags.h */
	KPAGE_COUNT,		/* /proc/kpagecount: mappings of the page */
	KPAGE_CGROUP,		/* /proc/kpagecgroup: inode of the memory cgroup, 0 for none */
};

/* Path of @file, for require's "file:" and for messages. */
const char *kpage_path(enum kpage_file file);

/* Returns a file descriptor or -errno. */
int __kpage_open(enum kpage_file file);

/*
 * Read the values of @nr pages from @pfn on. Returns 0; -ENODATA behind the last page of memory; or
 * -errno. Source: Documentation/admin-guide/mm/pagemap.rst.
 */
int __kpage_read(int fd, uint64_t pfn, uint64_t *values, size_t nr);

/*
 * Whether the kernel says anything of the @nr pages with @flags, which are in use. Of memory in
 * whose sections pfn_to_online_page() finds no page kpage_read() in fs/proc/page.c says nothing
 * (0, or KPF_NOPAGE), nor what its count is. Observed on 6.18: of the topmost 3.75 of 24 GiB
 * nothing was said while they were in use.
 */
bool kpage_flags_are_told(const uint64_t *flags, size_t nr);

#define KPAGE_NOT_TOLD "/proc/kpageflags says nothing of the memory that the huge pages lie in"

/*
 * Whether @flags (KPAGE_FLAGS of a huge page's @nr base pages, head first) are those of one
 * hugetlb page: a head, tails behind it, all of them HUGE, none poisoned or missing. *@wrong, when
 * not NULL, is the first page that is not as it should be.
 *
 * Each @fake pages, when not 0, the page may be told to be a head too. Kernels that map the page
 * of a huge page's first struct pages in place of the freed ones have copies of the head there.
 * snapshot_page() in mm/util.c, from which /proc/kpageflags is made, takes a page for a head that
 * has not the mark of a tail, and does not ask page_fixed_fake_head(). Observed on 6.18.
 */
bool kpage_flags_are_huge(const uint64_t *flags, size_t nr, size_t fake, size_t *wrong);

/* Whether none of the @nr pages belongs to a hugetlb page. */
bool kpage_flags_are_not_huge(const uint64_t *flags, size_t nr, size_t *wrong);

#endif
