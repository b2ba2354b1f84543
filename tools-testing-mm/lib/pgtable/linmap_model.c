// SPDX-License-Identifier: GPL-2.0
/*
 * linmap_model: splits of the linear map, predicted.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <libmm/fail.h>
#include <libmm/linmap_model.h>
#include <libmm/pagemap.h>

static int va_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void linmap_pages_of(const struct linmap *lm, const void *addr, size_t nr,
		     struct linmap_pages *pages)
{
	size_t i;

	pages->va = calloc(nr, sizeof(*pages->va));
	if (!pages->va)
		libmm_fail("linmap: no memory for the addresses of %zu pages", nr);
	pages->nr = nr;
	pagemap_pfns(addr, nr, pages->va);
	for (i = 0; i < nr; i++)
		pages->va[i] = linmap_va(lm, pages->va[i]);
	linmap_pages_sort(pages);
}

void linmap_pages_free(struct linmap_pages *pages)
{
	free(pages->va);
	*pages = (struct linmap_pages) {};
}

void linmap_pages_sort(struct linmap_pages *pages)
{
	size_t i, nr = 0;

	qsort(pages->va, pages->nr, sizeof(*pages->va), va_compare);
	for (i = 0; i < pages->nr; i++)
		if (!nr || pages->va[nr - 1] != pages->va[i])
			pages->va[nr++] = pages->va[i];
	pages->nr = nr;
}

static size_t first_from(const struct linmap_pages *pages, uint64_t start)
{
	size_t low = 0, high = pages->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (pages->va[mid] < start)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool linmap_pages_any(const struct linmap_pages *pages, uint64_t start, uint64_t size)
{
	size_t first = first_from(pages, start);

	return first < pages->nr && pages->va[first] - start < size;
}

size_t linmap_pages_units(const struct linmap_pages *pages, uint64_t size)
{
	size_t i, units = 0;

	for (i = 0; i < pages->nr; i++)
		if (!i || pages->va[i] / size != pages->va[i - 1] / size)
			units++;
	return units;
}

static uint64_t align_down(uint64_t value, uint64_t size)
{
	return value & ~(size - 1);
}

/* Bytes of a contiguous group; 0 where the level has none. */
static uint64_t group_size(const struct kpg_geometry *geo, enum kpg_level level)
{
	return geo->contiguous[level] * kpg_level_size(geo, level);
}

/* It was whole as such, or as part of a leaf above, which is split into whole groups first. */
static bool group_was_whole(const struct kpg_geometry *geo, const struct kpg_leaf *leaf,
			    enum kpg_level level)
{
	if (!geo->contiguous[level])
		return false;
	return leaf->level > level || (leaf->level == level && leaf->flags & KPG_CONTIGUOUS);
}

static bool same_unit(uint64_t a, uint64_t b, uint64_t size)
{
	return a / size == b / size;
}

void linmap_model_cost(const struct kpg_geometry *geo, const struct linmap_snap *before,
		       const struct linmap_pages *pages, struct linmap_cost *cost)
{
	enum kpg_level level;
	size_t i;

	*cost = (struct linmap_cost) {};
	for (i = 0; i < pages->nr; i++) {
		uint64_t va = pages->va[i], last = i ? pages->va[i - 1] : ~UINT64_C(0);
		struct kpg_leaf leaf;

		if (__linmap_snap_find(before, va, &leaf))
			continue;
		for (level = KPG_PTE; level <= geo->max_leaf; level++) {
			uint64_t group = group_size(geo, level);

			if (leaf.level > level &&
			    !same_unit(va, last, kpg_level_size(geo, level + 1)))
				cost->tables[level]++;
			if (group_was_whole(geo, &leaf, level) && !same_unit(va, last, group))
				cost->broken[level]++;
		}
	}
}

int __linmap_model_leaf(const struct kpg_geometry *geo, const struct linmap_snap *before,
			const struct linmap_pages *pages, bool held, uint64_t va,
			struct kpg_leaf *leaf)
{
	struct kpg_leaf old;
	bool whole, changed;
	uint64_t start;

	if (__linmap_snap_find(before, va, &old))
		return -ENOENT;
	*leaf = old;
	while (leaf->level > KPG_PTE && linmap_pages_any(pages, leaf->va, leaf->size)) {
		leaf->level--;
		leaf->size = kpg_level_size(geo, leaf->level);
		leaf->va = align_down(va, leaf->size);
		leaf->pa = old.pa + (leaf->va - old.va);
	}

	whole = group_was_whole(geo, &old, leaf->level);
	if (whole) {
		start = align_down(va, group_size(geo, leaf->level));
		whole = !linmap_pages_any(pages, start, group_size(geo, leaf->level));
	}
	leaf->flags &= ~(unsigned int)KPG_CONTIGUOUS;
	if (whole)
		leaf->flags |= KPG_CONTIGUOUS;

	changed = leaf->level == KPG_PTE && linmap_pages_any(pages, leaf->va, leaf->size);
	if (changed && held)
		leaf->flags = (leaf->flags & ~(unsigned int)KPG_PRESENT) | KPG_INVALID;
	return 0;
}

/* Permissions of an entry that faults mean nothing: x86 clears the write bit with present. */
static unsigned int flags_that_count(unsigned int flags)
{
	return flags & KPG_PRESENT ? flags : flags & (KPG_PRESENT | KPG_INVALID | KPG_CONTIGUOUS);
}

static bool leaf_equal(const struct kpg_leaf *a, const struct kpg_leaf *b)
{
	return a->va == b->va && a->pa == b->pa && a->level == b->level &&
	       flags_that_count(a->flags) == flags_that_count(b->flags);
}

static void leaf_describe(const struct kpg_leaf *leaf, int err, char *text, size_t len)
{
	if (err) {
		snprintf(text, len, "nothing");
		return;
	}
	snprintf(text, len, "a %s of %#" PRIx64 "%s%s%s%s", kpg_level_name(leaf->level), leaf->pa,
		 leaf->flags & KPG_INVALID ? " invalid" : "",
		 leaf->flags & KPG_READONLY ? " read-only" : "",
		 leaf->flags & KPG_NOEXEC ? "" : " executable",
		 leaf->flags & KPG_CONTIGUOUS ? " contiguous" : "");
}

struct check {
	const struct kpg_geometry *geo;
	const struct linmap_snap *before;
	const struct linmap_snap *after;
	const struct linmap_pages *pages;
	bool held;
	size_t wrong;
	char *why;
	size_t len;
};

static void wrong_add(struct check *c, uint64_t va, const struct kpg_leaf *want, int want_err,
		      const struct kpg_leaf *got, int got_err)
{
	char wanted[96], found[96];

	if (c->wrong++)
		return;
	leaf_describe(want, want_err, wanted, sizeof(wanted));
	leaf_describe(got, got_err, found, sizeof(found));
	snprintf(c->why, c->len, "%#" PRIx64 " must be mapped by %s and is mapped by %s",
		 va, wanted, found);
}

static void region_check(struct check *c, uint64_t start, uint64_t end)
{
	uint64_t table = kpg_level_size(c->geo, KPG_PMD), va, step;
	struct kpg_leaf want, got;
	int want_err, got_err;

	for (va = start; va < end; va += step) {
		want_err = __linmap_model_leaf(c->geo, c->before, c->pages, c->held, va, &want);
		/* A last-level table that no changed page lies in is another's business. */
		if ((want_err || want.level == KPG_PTE) &&
		    !linmap_pages_any(c->pages, align_down(va, table), table)) {
			step = table - (va & (table - 1));
			continue;
		}
		step = want_err ? kpg_level_size(c->geo, KPG_PTE) : want.size;
		got_err = __linmap_snap_find(c->after, va, &got);
		if (want_err && got_err)
			continue;
		if (want_err || got_err || !leaf_equal(&want, &got))
			wrong_add(c, va, &want, want_err, &got, got_err);
	}
}

/* What one change may touch: the leaf, its contiguous group, or the table of last entries. */
static uint64_t region_size(const struct kpg_geometry *geo, const struct kpg_leaf *leaf)
{
	uint64_t table = kpg_level_size(geo, KPG_PMD), size = leaf->size;

	if (leaf->flags & KPG_CONTIGUOUS && group_size(geo, leaf->level) > size)
		size = group_size(geo, leaf->level);
	return size > table ? size : table;
}

size_t linmap_model_check(const struct kpg_geometry *geo, const struct linmap_snap *before,
			  const struct linmap_snap *after, const struct linmap_pages *pages,
			  bool held, char *why, size_t len)
{
	struct check c = {
		.geo = geo, .before = before, .after = after, .pages = pages, .held = held,
		.why = why, .len = len,
	};
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < pages->nr; i++) {
		uint64_t size, start;
		struct kpg_leaf leaf;

		if (i && pages->va[i] < end)
			continue;
		if (__linmap_snap_find(before, pages->va[i], &leaf)) {
			wrong_add(&c, pages->va[i], &leaf, -ENOENT, &leaf, -ENOENT);
			continue;
		}
		size = region_size(geo, &leaf);
		start = align_down(pages->va[i], size);
		end = start + size;
		region_check(&c, start, end);
	}
	return c.wrong;
}
