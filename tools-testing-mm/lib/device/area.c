// SPDX-License-Identifier: GPL-2.0
/* area: which entries map a range of device memory. */
#include <libmm/area.h>
#include <libmm/base.h>

struct area area_part(const struct area *area, char *from, char *to)
{
	return (struct area) { .map = from, .size = to - from, .pa = area_pa(area, from) };
}

struct area_parts area_cut(const struct area *area, char *from, size_t size)
{
	return (struct area_parts) {
		.before = area_part(area, area->map, from),
		.part = area_part(area, from, from + size),
		.behind = area_part(area, from + size, area_end(area)),
	};
}

char *area_entry_base(const char *p, size_t size)
{
	return (char *)((uintptr_t)p / size * size);
}

static bool entry_fits(const struct area *area, const char *p, size_t size)
{
	const char *base = area_entry_base(p, size);

	return base >= area->map && base + size <= area_end(area) && !(area_pa(area, base) % size);
}

size_t area_entry_size(const struct devmem_levels *levels, const struct area *area, const char *p)
{
	if (levels->pud_maps && entry_fits(area, p, levels->pud))
		return levels->pud;
	if (levels->pmd_maps && entry_fits(area, p, levels->pmd))
		return levels->pmd;
	return levels->page;
}

size_t area_entries_of(const struct devmem_levels *levels, const struct area *area, size_t size)
{
	size_t nr = 0, entry;
	char *p;

	for (p = area->map; p < area_end(area); p += entry) {
		entry = area_entry_size(levels, area, p);
		nr += entry == size;
	}
	return nr;
}

size_t area_entries_within(const struct devmem_levels *levels, const struct area *area,
			   char *from, char *to)
{
	size_t nr = 0;

	from = from > area->map ? from : area->map;
	to = to < area_end(area) ? to : area_end(area);
	for (; from < to; from += area_entry_size(levels, area, from))
		nr++;
	return nr;
}

size_t area_entries(const struct devmem_levels *levels, const struct area *area)
{
	return area_entries_within(levels, area, area->map, area_end(area));
}

size_t area_entries_remade(const struct devmem_levels *levels, const struct area *area,
			   char *from, size_t size, bool inside)
{
	struct area_parts parts = area_cut(area, from, size);
	char *cuts[] = { from, from + size }, *base, *last = NULL;
	size_t i, entry, nr = 0;

	for (i = 0; i < ARRAY_SIZE(cuts); i++) {
		if (cuts[i] == area->map || cuts[i] == area_end(area))
			continue;
		entry = area_entry_size(levels, area, cuts[i]);
		base = area_entry_base(cuts[i], entry);
		if (base == cuts[i] || base == last)
			continue;
		last = base;
		nr += area_entries_within(levels, &parts.before, base, base + entry);
		nr += area_entries_within(levels, &parts.behind, base, base + entry);
		if (inside)
			nr += area_entries_within(levels, &parts.part, base, base + entry);
	}
	return nr;
}
