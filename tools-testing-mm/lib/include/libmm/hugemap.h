/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hugemap: mappings of huge pages with contents that can be checked.
 */
#ifndef LIBMM_HUGEMAP_H
#define LIBMM_HUGEMAP_H

#include <stddef.h>
#include <stdint.h>

struct hugemap {
	char *addr;		/* NULL when closed */
	uint64_t page;		/* bytes of one huge page */
	size_t nr;		/* huge pages */
};

/*
 * Map @nr huge pages of @page bytes without touching them: anonymous when @fd is -1, else @fd from
 * its start. @flags: MAP_PRIVATE or MAP_SHARED, and MAP_NORESERVE. Returns 0, -ENOMEM when
 * the pool has too few pages, or -errno.
 */
int __hugemap_open(struct hugemap *map, uint64_t page, size_t nr, int flags, int fd);

/* Give the pages back to the pool. Unmapping a mapping that is closed does nothing. */
void hugemap_close(struct hugemap *map);

/* Fault every huge page once, by writing one byte of it. */
void hugemap_touch(struct hugemap *map);

/*
 * Write every 64-bit word of the huge pages [@first, @first + @nr) with a value that depends on
 * its place and on @seed, and check it. Returns NULL when all is as written, else the first word
 * that is not. Of pages above 64 MiB it is one word in 64, so eight of a base page of 4 KiB.
 */
void hugemap_fill(struct hugemap *map, size_t first, size_t nr, uint64_t seed);
const uint64_t *hugemap_check(const struct hugemap *map, size_t first, size_t nr, uint64_t seed);

/* The first word of huge page @i, of those words, that is not 0; NULL when all are. */
const uint64_t *hugemap_nonzero(const struct hugemap *map, size_t i);

/* A pipe's default capacity in pages: pipe(7). */
#define HUGEMAP_PINS_MAX 16

/*
 * Keep the first @nr huge pages, which were touched, where they are, by a reference to each in the
 * pipe @pins: else they are migrated out of the way of a contiguous allocation anywhere in the
 * machine. The kernel still tries, and unmaps a page until it has found out (try_to_migrate() in
 * unmap_and_move_huge_page()). @pins are both -1 before. Returns 0, -EINVAL when @nr is above
 * HUGEMAP_PINS_MAX, or -errno.
 */
int __hugemap_pin(const struct hugemap *map, size_t nr, int pins[2]);
void hugemap_unpin(int pins[2]);

/* Frame number of the head of huge page @i, which was touched. */
uint64_t hugemap_pfn(const struct hugemap *map, size_t i);

/* MFD_HUGE_* or MAP_HUGE_* bits for pages of @page bytes. */
unsigned int hugemap_size_flags(uint64_t page);

#endif
