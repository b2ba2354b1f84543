// SPDX-License-Identifier: GPL-2.0
/* linmap_model: splits of the linear map, predicted. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/linmap_model.h>
#include <libmm/pagemap.h>

void linmap_pages_add(struct linmap_pages *pages, struct phys pa)
{
	if (pages->nr == pages->room) {
		pages->room = pages->room ? 2 * pages->room : 1024;
		pages->pa = reallocarray(pages->pa, pages->room, sizeof(pa));
		if (!pages->pa)
			libmm_fail("linmap: no memory for %zu pages", pages->room);
	}
	pages->pa[pages->nr++] = pa;
}

static int phys_compare(const void *a, const void *b)
{
	const struct phys *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

void linmap_pages_sort(struct linmap_pages *pages)
{
	size_t i, nr = 0;

	if (pages->nr)
		qsort(pages->pa, pages->nr, sizeof(*pages->pa), phys_compare);
	for (i = 0; i < pages->nr; i++)
		if (!nr || phys_compare(&pages->pa[nr - 1], &pages->pa[i]))
			pages->pa[nr++] = pages->pa[i];
	pages->nr = nr;
}

void linmap_pages_of(const void *addr, size_t nr, struct linmap_pages *pages)
{
	uint64_t *pfns = calloc(nr, sizeof(*pfns));
	size_t i;

	if (!pfns)
		libmm_fail("linmap: no memory for the frames of %zu pages", nr);
	pagemap_pfns(addr, nr, pfns);
	for (i = 0; i < nr; i++)
		linmap_pages_add(pages, (struct phys) { pfns[i] * page_size() });
	free(pfns);
	linmap_pages_sort(pages);
}

void linmap_pages_free(struct linmap_pages *pages)
{
	free(pages->pa);
	*pages = (struct linmap_pages) {};
}

struct span {
	struct phys start;
	uint64_t size;
};

static int span_compare(const void *key, const void *item)
{
	const struct span *span = key;
	const struct phys *pa = item;

	if (pa->addr < span->start.addr)
		return 1;
	return -(pa->addr - span->start.addr >= span->size);
}

bool linmap_pages_any(const struct linmap_pages *pages, struct phys start, uint64_t size)
{
	const struct span span = { start, size };

	return pages->nr &&
	       bsearch(&span, pages->pa, pages->nr, sizeof(*pages->pa), span_compare);
}

static bool same_unit(uint64_t a, uint64_t b, uint64_t size)
{
	return a / size == b / size;
}

size_t linmap_pages_units(const struct linmap_pages *pages, uint64_t size)
{
	size_t i, units = 0;

	for (i = 0; i < pages->nr; i++)
		units += !i || !same_unit(pages->pa[i].addr, pages->pa[i - 1].addr, size);
	return units;
}

size_t linmap_pages_count(const struct linmap_pages *pages, const struct linmap *lm,
			  unsigned int mask, unsigned int flags)
{
	size_t i, count = 0;

	for (i = 0; i < pages->nr; i++)
		count += (linmap_leaf(lm, pages->pa[i]).flags & mask) == flags;
	return count;
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

/* The linear map is linear: one difference between its addresses and physical ones. */
static uint64_t linear_offset(const struct linmap_snap *snap)
{
	return snap->nr ? snap->leaf->va - snap->leaf->pa : 0;
}

struct linmap_cost linmap_model_cost(const struct kpg_geometry *geo,
				     const struct linmap_snap *before,
				     const struct linmap_pages *pages)
{
	uint64_t offset = linear_offset(before), va, last = ~UINT64_C(0);
	struct linmap_cost cost = {};
	enum kpg_level level;
	size_t i;

	for (i = 0; i < pages->nr; i++, last = va) {
		struct kpg_leaf leaf;

		va = pages->pa[i].addr + offset;
		if (!linmap_snap_find(before, va, &leaf))
			continue;
		for (level = KPG_PTE; level <= geo->max_leaf; level++) {
			if (leaf.level > level &&
			    !same_unit(va, last, kpg_level_size(geo, level + 1)))
				cost.tables[level]++;
			if (group_was_whole(geo, &leaf, level) &&
			    !same_unit(va, last, group_size(geo, level)))
				cost.broken[level]++;
		}
	}
	return cost;
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

/* Whether a page changed within @size bytes, which @va lies in, aligned as they are long. */
static bool changed(const struct check *c, uint64_t va, uint64_t size)
{
	const struct phys start = { align_down(va, size) - linear_offset(c->before) };

	return linmap_pages_any(c->pages, start, size);
}

/* The entry that must map @va afterwards. False when nothing mapped it before. */
static bool wanted_leaf(const struct check *c, uint64_t va, struct kpg_leaf *leaf)
{
	struct kpg_leaf old;

	if (!linmap_snap_find(c->before, va, &old))
		return false;
	*leaf = old;
	while (leaf->level > KPG_PTE && changed(c, va, leaf->size)) {
		leaf->level--;
		leaf->size = kpg_level_size(c->geo, leaf->level);
		leaf->va = align_down(va, leaf->size);
		leaf->pa = old.pa + (leaf->va - old.va);
	}

	leaf->flags &= ~(unsigned int)KPG_CONTIGUOUS;
	if (group_was_whole(c->geo, &old, leaf->level) &&
	    !changed(c, va, group_size(c->geo, leaf->level)))
		leaf->flags |= KPG_CONTIGUOUS;
	if (c->held && leaf->level == KPG_PTE && changed(c, va, leaf->size))
		leaf->flags = (leaf->flags & ~(unsigned int)KPG_PRESENT) | KPG_INVALID;
	return true;
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

static void leaf_describe(const struct kpg_leaf *leaf, char *text, size_t len)
{
	if (!leaf) {
		snprintf(text, len, "nothing");
		return;
	}
	snprintf(text, len, "a %s of %#" PRIx64 "%s%s%s%s", kpg_level_name(leaf->level), leaf->pa,
		 leaf->flags & KPG_INVALID ? " invalid" : "",
		 leaf->flags & KPG_READONLY ? " read-only" : "",
		 leaf->flags & KPG_NOEXEC ? "" : " executable",
		 leaf->flags & KPG_CONTIGUOUS ? " contiguous" : "");
}

/* @want and @got are NULL where nothing must map @va, and nothing does. */
static void wrong_add(struct check *c, uint64_t va, const struct kpg_leaf *want,
		      const struct kpg_leaf *got)
{
	char wanted[96], found[96];

	if (c->wrong++)
		return;
	leaf_describe(want, wanted, sizeof(wanted));
	leaf_describe(got, found, sizeof(found));
	snprintf(c->why, c->len, "%#" PRIx64 " must be mapped by %s and is mapped by %s",
		 va, wanted, found);
}

static void region_check(struct check *c, uint64_t start, uint64_t end)
{
	uint64_t table = kpg_level_size(c->geo, KPG_PMD), va, step;
	struct kpg_leaf want, got;
	bool wanted, found;

	for (va = start; va < end; va += step) {
		wanted = wanted_leaf(c, va, &want);
		/* A last-level table that no changed page lies in is another's business. */
		if ((!wanted || want.level == KPG_PTE) && !changed(c, va, table)) {
			step = table - (va & (table - 1));
			continue;
		}
		step = wanted ? want.size : kpg_level_size(c->geo, KPG_PTE);
		found = linmap_snap_find(c->after, va, &got);
		if (wanted != found || (wanted && !leaf_equal(&want, &got)))
			wrong_add(c, va, wanted ? &want : NULL, found ? &got : NULL);
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
		uint64_t va = pages->pa[i].addr + linear_offset(before), start;
		struct kpg_leaf leaf;

		if (i && va < end)
			continue;
		if (!linmap_snap_find(before, va, &leaf)) {
			wrong_add(&c, va, NULL, NULL);
			continue;
		}
		start = align_down(va, region_size(geo, &leaf));
		end = start + region_size(geo, &leaf);
		region_check(&c, start, end);
	}
	return c.wrong;
}
