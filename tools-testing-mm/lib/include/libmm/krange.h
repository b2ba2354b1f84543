/* SPDX-License-Identifier: GPL-2.0 */
/* krange: where the kernel keeps what it maps, by name. */
#ifndef LIBMM_KRANGE_H
#define LIBMM_KRANGE_H

#include <libmm/kcore.h>

/*
 * Where a named range lies in this kernel, [@start, @end). -ENOENT, and one sentence in @reason,
 * when this kernel does not tell. The names:
 *   linear    from the lowest to the highest address of the RAM segments of /proc/kcore, holes
 *             between them included: memory that is not RAM may be mapped there too
 *   vmalloc   the segment that starts at NUMBER(VMALLOC_START); arm64 keeps the image in it
 *   modules   arm64: NUMBER(MODULES_VADDR) to NUMBER(MODULES_END), empty with KASLR, which puts
 *             modules anywhere within 2 GB of the image; x86-64: the segment that starts
 *             NUMBER(KERNEL_IMAGE_SIZE) above the base of the image's mapping
 *   image     the segment of _stext: _text to _end
 */
int krange_find(const struct kcore *kc, const char *name, uint64_t *start, uint64_t *end,
		char *reason, size_t len);

#endif
