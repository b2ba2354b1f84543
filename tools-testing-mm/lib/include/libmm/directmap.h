/* SPDX-License-Identifier: GPL-2.0 */
/*
 * directmap: what an x86 kernel counts of its linear map: /proc/meminfo's DirectMap lines and
 * /proc/vmstat's splits and collapses. The counts are of the whole machine since boot, so only
 * differences mean anything, and they include what others did meanwhile.
 */
#ifndef LIBMM_DIRECTMAP_H
#define LIBMM_DIRECTMAP_H

#include <stdint.h>

enum directmap_size { DIRECTMAP_4K, DIRECTMAP_2M, DIRECTMAP_1G, DIRECTMAP_SIZES };

struct directmap {
	uint64_t bytes[DIRECTMAP_SIZES];	/* mapped at each size */
	uint64_t splits[DIRECTMAP_SIZES];	/* of blocks of each size; of 4K always 0 */
	uint64_t collapses[DIRECTMAP_SIZES];	/* into blocks of each size; 0 if never done */
};

/*
 * Read both files as of one moment. Returns 0; -ENOENT where the kernel does not count (not x86, or
 * before 5.13); -EAGAIN when the map kept changing; or -errno.
 */
int directmap_read(struct directmap *d);

/* Bytes of one entry of @size. */
uint64_t directmap_entry_bytes(enum directmap_size size);

#endif
