/* SPDX-License-Identifier: GPL-2.0 */
/* hugetlb_heads: where the huge pages of a pool lie, whether free or in use. */
#ifndef VMTESTS_HUGETLB_HEADS_H
#define VMTESTS_HUGETLB_HEADS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Page frame numbers, aligned to @size bytes and ascending, at which /proc/kpageflags shows the
 * head of a hugetlb page of any node. Returns how many there are, of which the first @max are in
 * @pfns, or -errno.
 *
 * Where pools of several sizes have pages, some are not of this size: a smaller page may lie so,
 * and inside a larger one that HVO has optimized, kernels whose tail struct pages are the head's
 * own page (before 7.x) show a head in every page of vmemmap. So tell a pool's pages by the
 * difference between before and after it grew.
 */
long hugetlb_heads(uint64_t size, uint64_t *pfns, size_t max);

#endif
