/* SPDX-License-Identifier: GPL-2.0 */
/*
 * secretmem: memfd_secret(2) as a lever on the linear map. Faulting a page makes its linear-map
 * alias invalid and flushes the TLB; freeing it makes the alias valid again (mm/secretmem.c).
 */
#ifndef LIBMM_SECRETMEM_H
#define LIBMM_SECRETMEM_H

#include <stddef.h>

#include <libmm/probe.h>

struct secretmem {
	int fd;
	char *map;		/* NULL when not mapped */
	size_t size;		/* bytes, multiple of the base page size */
};

/*
 * Create and map @size bytes, none of them faulted. Raises RLIMIT_MEMLOCK, which applies to root
 * too (past it a fault is SIGBUS), as far as it can. Returns 0, -ENOSYS where memfd_secret is off,
 * -EAGAIN where the limit does not even allow the mapping, or -errno.
 */
int secretmem_open(struct secretmem *s, size_t size);

/* memfd_secret(2) gives a page, or @size bytes. The kernel itself is asked. */
struct probe secretmem_probe(void);
struct probe secretmem_room_probe(size_t size);

/* Fault every page once, in order; write one byte each. */
void secretmem_fault(struct secretmem *s);

/* Unmap and close, twice at will: every alias is valid again before this returns. */
void secretmem_close(struct secretmem *s);

#endif
