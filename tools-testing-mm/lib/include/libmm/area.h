/* SPDX-License-Identifier: GPL-2.0 */
/*
 * area: a range of device memory in the address space, within one VMA, and the entries that map it.
 *
 * A fault makes the largest entry for which address and frame are aligned and which lies within the
 * mapping. Source: is_aligned_for_order() in drivers/vfio/pci/vfio_pci_core.c, and
 * __handle_mm_fault(), which asks for the larger one first.
 */
#ifndef LIBMM_AREA_H
#define LIBMM_AREA_H

#include <libmm/devmem.h>

struct area {
	char *map;
	size_t size;
	uint64_t pa;		/* of its first byte, as far as alignment goes */
};

/* An area around a part that is another VMA, or unmapped. */
struct area_parts {
	struct area before;
	struct area part;
	struct area behind;
};

static inline char *area_end(const struct area *area)
{
	return area->map + area->size;
}

static inline uint64_t area_pa(const struct area *area, const char *p)
{
	return area->pa + (p - area->map);
}

struct area area_part(const struct area *area, char *from, char *to);
struct area_parts area_cut(const struct area *area, char *from, size_t size);

/* Bytes that the entry maps which a fault at @p makes, and where an entry of @size begins. */
size_t area_entry_size(const struct devmem_levels *levels, const struct area *area, const char *p);
char *area_entry_base(const char *p, size_t size);

/* Entries that map the whole; of these, those that are of @size bytes. */
size_t area_entries(const struct devmem_levels *levels, const struct area *area);
size_t area_entries_of(const struct devmem_levels *levels, const struct area *area, size_t size);

/* Entries that faults between @from and @to, which must not cut any, make in @area. */
size_t area_entries_within(const struct devmem_levels *levels, const struct area *area,
			   char *from, char *to);

/*
 * The entries of @area that an end of the part at @from cuts are gone, and faults make smaller ones
 * around it: how many, in what is before and behind, and with @inside in the part too.
 */
size_t area_entries_remade(const struct devmem_levels *levels, const struct area *area,
			   char *from, size_t size, bool inside);

#endif
