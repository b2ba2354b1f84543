/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pagecache: a file that stays in the page cache while it is measured.
 *
 * That a page was read a moment ago keeps nobody from taking it: reclaim does where memory is
 * short, and DAMON where a part of memory was cold before. Pages of a locked mapping are
 * unevictable, for read(2) too (Documentation/mm/unevictable-lru.rst).
 */
#ifndef VMTESTS_PAGECACHE_H
#define VMTESTS_PAGECACHE_H

#include <stdbool.h>
#include <stdint.h>

struct pagecache {
	void *map;
	uint64_t bytes;
	bool locked;	/* false: RLIMIT_MEMLOCK is too low, and CAP_IPC_LOCK is missing */
};

/*
 * Map @bytes of @fd from its beginning, and lock them, which reads what is missing. Returns 0, also
 * where not all could be locked, or -errno of mmap(2). Pairs with pagecache_release(), which is
 * harmless after an error and a second time.
 */
int __pagecache_hold(struct pagecache *held, int fd, uint64_t bytes);
void pagecache_release(struct pagecache *held);

/*
 * How many base pages are not in the page cache now. Returns 0 or -errno of mincore(2), which takes
 * every page for present in a file that the caller may neither write nor owns.
 */
int __pagecache_missing(const struct pagecache *held, uint64_t *pages);

#endif
