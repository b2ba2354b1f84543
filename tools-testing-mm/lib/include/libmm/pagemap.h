/* SPDX-License-Identifier: GPL-2.0 */
/* pagemap: /proc/self/pagemap, see Documentation/admin-guide/mm/pagemap.rst. */
#ifndef LIBMM_PAGEMAP_H
#define LIBMM_PAGEMAP_H

#include <stddef.h>
#include <stdint.h>

#include <libmm/probe.h>

#define PAGEMAP_PRESENT		(UINT64_C(1) << 63)
#define PAGEMAP_SWAPPED		(UINT64_C(1) << 62)
#define PAGEMAP_EXCLUSIVE	(UINT64_C(1) << 56)
#define PAGEMAP_PFN		((UINT64_C(1) << 55) - 1)

/* The entries of @nr base pages from @addr on; nothing is faulted. */
void pagemap_entries(const void *addr, size_t nr, uint64_t *entries);

/* The kernel shows frame numbers, which it does to CAP_SYS_ADMIN only. */
struct probe pagemap_pfns_probe(void);

/* The frame numbers of @nr base pages, all present. */
void pagemap_pfns(const void *addr, size_t nr, uint64_t *pfns);

#endif
