/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pagemap: which physical page is behind an address of the calling process.
 */
#ifndef LIBMM_PAGEMAP_H
#define LIBMM_PAGEMAP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Page frame numbers of @nr base pages from @addr on, none of them faulted by asking. Works on any
 * mapping, memfd_secret's too. Returns 0; -ENOENT when a page is not present; -EPERM when the
 * kernel hides frame numbers from the caller (they need CAP_SYS_ADMIN); or -errno of reading
 * /proc/self/pagemap. Source: Documentation/admin-guide/mm/pagemap.rst.
 */
int __pagemap_pfns(const void *addr, size_t nr, uint64_t *pfns);
void pagemap_pfns(const void *addr, size_t nr, uint64_t *pfns);

#endif
