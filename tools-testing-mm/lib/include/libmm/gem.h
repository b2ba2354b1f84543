/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gem: a buffer of vgem, a DRM device without hardware. It is memory of tmpfs, mapped as a device's
 * memory is: VM_PFNMAP, in entries that its faults make. 7.2 makes PMDs where it is of huge pages,
 * 6.12 does not.
 */
#ifndef LIBMM_GEM_H
#define LIBMM_GEM_H

#include <stddef.h>
#include <stdint.h>

#define GEM_REASON_MAX 256

struct gem {
	int fd;			/* maps the buffer, from offset on */
	uint64_t offset;
	uint64_t size;
};

/*
 * Make a buffer of @size bytes, a multiple of the page size. Its memory is taken when it is first
 * mapped, as tmpfs' setting for huge pages is then. Returns 0; or -errno and one sentence in
 * @reason (GEM_REASON_MAX is enough): -ENODEV, no vgem. Source: drm/drm_mode.h, which Debian's
 * headers of the kernel leave out.
 */
int __gem_open(struct gem *gem, uint64_t size, char *reason, size_t len);

/* Nothing for one that was not opened, whose fd is -1. */
void gem_close(struct gem *gem);

#endif
