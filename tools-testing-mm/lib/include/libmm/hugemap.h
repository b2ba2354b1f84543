/* SPDX-License-Identifier: GPL-2.0 */
/* hugemap: private mappings of huge pages with contents that can be checked. */
#ifndef LIBMM_HUGEMAP_H
#define LIBMM_HUGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Closed when all zero. Any mapping may be described by one, to be filled, checked and closed. */
struct hugemap {
	char *addr;
	uint64_t page;		/* bytes of one huge page */
	size_t nr;		/* huge pages */
	bool pinned;
	int pins[2];		/* a pipe */
};

/*
 * Map @nr huge pages of @page bytes without touching them. Returns 0, -ENOMEM when the pool has too
 * few pages, or -errno.
 */
int __hugemap_open(struct hugemap *map, uint64_t page, size_t nr);
void hugemap_open(struct hugemap *map, uint64_t page, size_t nr);

/* Give the pages back to the pool. Does nothing when closed. */
void hugemap_close(struct hugemap *map);

/* Fault every huge page once, by writing one byte of it. */
void hugemap_touch(struct hugemap *map);

/*
 * Write every 64-bit word with a value that depends on its place and on @seed, 0 where that is 0,
 * and check huge pages [@first, @first + @nr). Returns NULL or the first wrong word. Of pages above
 * 64 MiB it is one word in 64.
 */
void hugemap_fill(struct hugemap *map, uint64_t seed);
const uint64_t *hugemap_check(const struct hugemap *map, size_t first, size_t nr, uint64_t seed);

/*
 * Keep the huge pages, which were touched, where they are, by a reference to each in a pipe: else
 * they are migrated out of the way of a contiguous allocation. The kernel still tries, and unmaps a
 * page until it has found out (try_to_migrate() in unmap_and_move_huge_page()).
 */
void hugemap_pin(struct hugemap *map);

/* Frame number of the head of huge page @i, which was touched. */
uint64_t hugemap_pfn(const struct hugemap *map, size_t i);

#endif
