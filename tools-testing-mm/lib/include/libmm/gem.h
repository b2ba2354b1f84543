/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gem: a buffer of vgem, a DRM device without hardware. It is memory of tmpfs, mapped as a device's
 * memory is: VM_PFNMAP, by entries that its faults make. 7.2 makes PMDs of huge pages, 6.12 does
 * not.
 */
#ifndef LIBMM_GEM_H
#define LIBMM_GEM_H

#include <stdint.h>

#include <libmm/probe.h>

struct gem {
	int fd;			/* maps the buffer, from offset on */
	uint64_t offset;
};

/*
 * Make a buffer of @size bytes, a multiple of the page size. Its memory is allocated when it is
 * first mapped, by tmpfs' setting for huge pages at that time.
 */
struct probe gem_open(struct gem *gem, uint64_t size);

/* Does nothing when fd is -1. */
void gem_close(struct gem *gem);

#endif
