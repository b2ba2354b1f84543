// SPDX-License-Identifier: GPL-2.0
/*
 * area: which entries map a stretch of device memory.
 */
#include <libmm/area.h>

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

static bool entry_fits(const struct area *area, const char *p, size_t size)
{
	uintptr_t base = (uintptr_t)p / size * size;
	uint64_t pa;

	if (base < (uintptr_t)area->map || base + size > (uintptr_t)area_end(area))
		return false;
	pa = area->pa + (base - (uintptr_t)area->map);
	return pa % size == 0;
}

size_t area_entry_size(const struct devmem_levels *levels, const struct area *area, const char *p)
{
	if (levels->pud_maps && entry_fits(area, p, levels->pud))
		return levels->pud;
	if (levels->pmd_maps && entry_fits(area, p, levels->pmd))
		return levels->pmd;
	return levels->page;
}

char *area_entry_base(const char *p, size_t size)
{
	return (char *)((uintptr_t)p / size * size);
}

/* From @from to @to, which must not cut any: all for @size 0, else those of that size. */
static size_t entries_count(const struct devmem_levels *levels, const struct area *area,
			    char *from, char *to, size_t size)
{
	size_t nr = 0, entry;

	for (; from < to; from += entry) {
		entry = area_entry_size(levels, area, from);
		nr += !size || entry == size;
	}
	return nr;
}

size_t area_entries(const struct devmem_levels *levels, const struct area *area)
{
	return entries_count(levels, area, area->map, area_end(area), 0);
}

size_t area_entries_of(const struct devmem_levels *levels, const struct area *area, size_t size)
{
	return entries_count(levels, area, area->map, area_end(area), size);
}

static char *later(char *a, char *b)
{
	return a > b ? a : b;
}

static char *earlier(char *a, char *b)
{
	return a < b ? a : b;
}

size_t area_entries_within(const struct devmem_levels *levels, const struct area *area,
			   char *from, char *to)
{
	from = later(from, area->map);
	to = earlier(to, area_end(area));
	return from < to ? entries_count(levels, area, from, to, 0) : 0;
}

size_t area_entries_remade(const struct devmem_levels *levels, const struct area *area,
			   char *from, size_t size, bool inside)
{
	struct area_parts parts = area_cut(area, from, size);
	char *cuts[] = { from, from + size }, *base, *last = NULL;
	size_t i, entry, nr = 0;

	for (i = 0; i < 2; i++) {
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
