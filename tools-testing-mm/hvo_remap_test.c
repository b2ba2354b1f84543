// SPDX-License-Identifier: GPL-2.0
/*
 * HVO (hugetlb vmemmap optimization) remaps exactly the vmemmap that it should, and undoes that,
 * entry by entry of the kernel's page tables.
 *
 * The vmemmap of a huge page is the n pages that hold its struct pages. Optimized, the first is
 * private and writable, and the other n - 1 are read-only and one page: one per zone and order
 * where the kernel has such pages for tails, else the first itself. Not optimized, all n are
 * writable and distinct. Page tables are read through /proc/kcore; no counter is used.
 *
 * Limits: needs /proc/kcore. A lookup is exact for its moment; the pages under test are held or
 * their pool is at rest, so nothing should change then.
 *
 * To see it fail: ignore vm.hugetlb_optimize_vmemmap.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

#include <libmm/fail.h>
#include <libmm/harness.h>
#include <libmm/hugemap.h>
#include <libmm/hvo.h>
#include <libmm/kcore.h>
#include <libmm/kpgtable.h>
#include <libmm/pagemap.h>

#define ZONES_MAX 64

/* Page frames [start, end) of a zone. */
struct zone_span {
	uint64_t start;
	uint64_t end;
	uint64_t shared;	/* what its optimized tails map, 0 while unknown */
};

/* One page of vmemmap as the page tables map it. */
struct entry {
	uint64_t pa;
	bool present;
	bool writable;
	bool is_pte;
};

FIXTURE(hvo_remap)
{
	struct hvo hvo;
	struct hugemap map;
	struct kcore *kcore;
	struct kpgtable *tables;
	uint64_t vmemmap;		/* address of struct page 0 */
	size_t nr_entries;		/* pages of vmemmap that one huge page has */
	size_t nr;			/* huge pages under test */
	uint64_t *pfns;			/* of their heads */
	struct entry *entries;		/* nr_entries of each */
	struct zone_span zones[ZONES_MAX];
	size_t nr_zones;
};

FIXTURE_VARIANT(hvo_remap)
{
	const char *level;
};

FIXTURE_VARIANT_ADD(hvo_remap, contpte) { .level = "contpte" };
FIXTURE_VARIANT_ADD(hvo_remap, pmd) { .level = "pmd" };
FIXTURE_VARIANT_ADD(hvo_remap, contpmd) { .level = "contpmd" };
FIXTURE_VARIANT_ADD(hvo_remap, pud) { .level = "pud" };

/* A zone has a line "spanned N" and, later, one "start_pfn: N". */
static size_t zones_read(struct zone_span *zones, size_t max)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	uint64_t value, spanned = 0;
	size_t size = 0, nr = 0;
	char *line = NULL;

	if (!file)
		libmm_fail("hvo_remap: opening /proc/zoneinfo: %s", strerror(errno));
	while (getline(&line, &size, file) >= 0) {
		if (sscanf(line, " spanned %" SCNu64, &value) == 1)
			spanned = value;
		if (sscanf(line, " start_pfn: %" SCNu64, &value) == 1 && spanned && nr < max)
			zones[nr++] = (struct zone_span){ value, value + spanned, 0 };
	}
	free(line);
	fclose(file);
	return nr;
}

static struct probe vmemmap_open(FIXTURE_DATA(hvo_remap) * self)
{
	struct probe no = { .answer = PROBE_NO };
	uint64_t struct_page = 0;

	if (kcore_open(&self->kcore, no.why, sizeof(no.why)) ||
	    kpgtable_open(&self->tables, self->kcore, no.why, sizeof(no.why)))
		return no;
	if (kcore_symbol(self->kcore, "vmemmap", &self->vmemmap) ||
	    kcore_size(self->kcore, "page", &struct_page))
		return probe_no("VMCOREINFO has no vmemmap: no CONFIG_SPARSEMEM_VMEMMAP");
	if (struct_page != HVO_STRUCT_PAGE_SIZE)
		return probe_no("struct page has %" PRIu64 " bytes, no power of two as HVO needs",
				struct_page);
	return probe_yes();
}

/* A setup that skips ends the process, and so closes what was opened. */
FIXTURE_SETUP(hvo_remap)
{
	REQUIRE(pagemap_pfns_probe());
	REQUIRE(vmemmap_open(self));
	REQUIRE(hvo_begin(&self->hvo, variant->level, true));
	if (!self->hvo.saving) {
		hvo_end(&self->hvo);
		SKIP(return, "huge pages of this size have no vmemmap that could be freed");
	}
	self->nr_entries = self->hvo.pages * HVO_STRUCT_PAGE_SIZE / self->hvo.page_size;
	self->nr_zones = zones_read(self->zones, ZONES_MAX);
}

FIXTURE_TEARDOWN(hvo_remap)
{
	hugemap_close(&self->map);
	kpgtable_close(self->tables);
	kcore_close(self->kcore);
	free(self->pfns);
	free(self->entries);
	hvo_end(&self->hvo);
}

/* A zone's span may hold another zone within it: the narrowest is the page's own. */
static struct zone_span *zone_find(FIXTURE_DATA(hvo_remap) * self, uint64_t pfn)
{
	struct zone_span *zone, *found = NULL;
	size_t i;

	for (i = 0; i < self->nr_zones; i++) {
		zone = &self->zones[i];
		if (pfn < zone->start || pfn >= zone->end)
			continue;
		if (!found || zone->end - zone->start < found->end - found->start)
			found = zone;
	}
	return found;
}

static void entry_read(FIXTURE_DATA(hvo_remap) * self, uint64_t va, struct entry *entry)
{
	struct kpg_path path;

	kpgtable_lookup(self->tables, va, &path);
	memset(entry, 0, sizeof(*entry));
	if (!path.nr || path.step[path.nr - 1].entry.kind != KPG_LEAF)
		return;
	entry->pa = path.leaf.pa + (va - path.leaf.va);
	entry->present = path.leaf.flags & KPG_PRESENT;
	entry->writable = !(path.leaf.flags & KPG_READONLY);
	entry->is_pte = path.leaf.level == KPG_PTE;
}

/* The vmemmap of huge page @i. */
static struct entry *entries_of(FIXTURE_DATA(hvo_remap) * self, size_t i)
{
	return &self->entries[i * self->nr_entries];
}

static void vmemmaps_read(FIXTURE_DATA(hvo_remap) * self)
{
	size_t i, j;

	for (i = 0; i < self->nr; i++) {
		uint64_t va = self->vmemmap + self->pfns[i] * HVO_STRUCT_PAGE_SIZE;

		for (j = 0; j < self->nr_entries; j++)
			entry_read(self, va + j * self->hvo.page_size, &entries_of(self, i)[j]);
	}
}

static struct probe pages_fill(struct hvo *h)
{
	return hvo_fill(h, h->nr_map, 1);
}

/* Touch all huge pages of the pool, and read the vmemmap of each. */
static void pages_take(FIXTURE_DATA(hvo_remap) * self)
{
	size_t i;

	self->nr = self->hvo.nr;
	free(self->pfns);
	free(self->entries);
	self->pfns = calloc(self->nr, sizeof(*self->pfns));
	self->entries = calloc(self->nr * self->nr_entries, sizeof(*self->entries));
	if (!self->pfns || !self->entries)
		libmm_fail("hvo_remap: no memory for the vmemmap of %zu pages", self->nr);
	hugemap_open(&self->map, self->hvo.pool.size, self->nr);
	hugemap_touch(&self->map);
	for (i = 0; i < self->nr; i++)
		self->pfns[i] = hugemap_pfn(&self->map, i);
	vmemmaps_read(self);
}

static int pa_compare(const void *a, const void *b)
{
	uint64_t x = ((const struct entry *)a)->pa, y = ((const struct entry *)b)->pa;

	return (x > y) - (x < y);
}

/* Whether no physical page is mapped twice in all the vmemmap that was read. Sorts it. */
static bool entries_are_distinct(FIXTURE_DATA(hvo_remap) * self)
{
	size_t i, nr = self->nr * self->nr_entries;

	qsort(self->entries, nr, sizeof(*self->entries), pa_compare);
	for (i = 1; i < nr; i++) {
		if (self->entries[i].pa == self->entries[i - 1].pa)
			return false;
	}
	return true;
}

/* Whether entry @j of a huge page is as an optimized one's, or as one's that is not. */
static bool entry_is_right(const struct entry *entries, size_t j, bool optimized)
{
	const struct entry *entry = &entries[j];

	if (!optimized)
		return entry->present && entry->writable;
	if (!entry->present || !entry->is_pte)
		return false;
	return j ? !entry->writable && entry->pa == entries[1].pa : entry->writable;
}

static void expect_entries(struct __test_metadata *_metadata, FIXTURE_DATA(hvo_remap) * self,
			   size_t i, bool optimized)
{
	const struct entry *entry, *entries = entries_of(self, i);
	size_t j;

	for (j = 0; j < self->nr_entries && entry_is_right(entries, j, optimized); j++)
		;
	entry = &entries[j];
	EXPECT_EQ(self->nr_entries, j) {
		TH_LOG("pfn %#" PRIx64 " entry %zu: pa %#" PRIx64 " %s %s %s", self->pfns[i], j,
		       entry->pa, entry->present ? "present" : "missing",
		       entry->writable ? "rw" : "ro", entry->is_pte ? "pte" : "block");
	}
}

static void expect_all(struct __test_metadata *_metadata, FIXTURE_DATA(hvo_remap) * self,
		       bool optimized)
{
	size_t i;

	for (i = 0; i < self->nr; i++)
		expect_entries(_metadata, self, i, optimized);
}

/* Each entry of each page is right, and the pages share one page per zone and nothing else. */
TEST_F(hvo_remap, optimized)
{
	struct zone_span *zone;
	uint64_t head, shared;
	size_t i, j;

	REQUIRE(pages_fill(&self->hvo));
	pages_take(self);
	expect_all(_metadata, self, true);
	for (i = 0; i < self->nr; i++) {
		head = entries_of(self, i)[0].pa;
		shared = entries_of(self, i)[1].pa;
		for (j = 0; j < i; j++)
			EXPECT_NE(entries_of(self, j)[0].pa, head);
		if (shared == head)
			continue;	/* this kernel's tails are the head's page */
		zone = zone_find(self, self->pfns[i]);
		ASSERT_NE(NULL, zone);
		if (!zone->shared)
			zone->shared = shared;
		EXPECT_EQ(zone->shared, shared);
	}
}

/* With HVO off the vmemmap of a huge page is not remapped. */
TEST_F(hvo_remap, not_optimized)
{
	ASSERT_EQ(0, hugetlb_hvo_set(false));
	REQUIRE(pages_fill(&self->hvo));
	pages_take(self);
	expect_all(_metadata, self, false);
	EXPECT_TRUE(entries_are_distinct(self));
}

/* Free the huge pages. Their vmemmap is plain then, and has none of the page that tails shared. */
static void expect_restored(struct __test_metadata *_metadata, FIXTURE_DATA(hvo_remap) * self)
{
	uint64_t *shared = calloc(self->nr, sizeof(*shared));
	size_t i, j;

	ASSERT_NE(NULL, shared);
	for (i = 0; i < self->nr; i++) {
		if (entries_of(self, i)[1].pa != entries_of(self, i)[0].pa)
			shared[i] = entries_of(self, i)[1].pa;
	}
	hugemap_close(&self->map);
	ASSERT_EQ(0, hugetlb_pool_resize(&self->hvo.pool, 0));
	vmemmaps_read(self);
	expect_all(_metadata, self, false);
	for (i = 0; i < self->nr; i++) {
		for (j = 0; shared[i] && j < self->nr_entries; j++)
			EXPECT_NE(shared[i], entries_of(self, i)[j].pa);
	}
	EXPECT_TRUE(entries_are_distinct(self));
	free(shared);
}

/* After the pages were freed every entry is writable, and maps a physical page of its own. */
TEST_F(hvo_remap, restored)
{
	REQUIRE(pages_fill(&self->hvo));
	pages_take(self);
	expect_all(_metadata, self, true);
	expect_restored(_metadata, self);
}

/* The second cycle finds split tables and remaps them in place. */
TEST_F(hvo_remap, second_cycle)
{
	int cycle;

	for (cycle = 0; cycle < 2; cycle++) {
		REQUIRE(pages_fill(&self->hvo));
		pages_take(self);
		expect_all(_metadata, self, true);
		expect_restored(_metadata, self);
	}
}

/* In a pool made half with HVO on and half with it off each page is wholly one or the other. */
TEST_F(hvo_remap, mixed_pool)
{
	size_t i, half = self->hvo.nr_map / 2, nr_optimized = 0;

	if (!half)
		SKIP(return, "memory for two huge pages of this size is missing");
	ASSERT_EQ(half, hugetlb_pool_resize(&self->hvo.pool, half));
	ASSERT_EQ(0, hugetlb_hvo_set(false));
	REQUIRE(pages_fill(&self->hvo));
	pages_take(self);
	for (i = 0; i < self->nr; i++) {
		bool optimized = !entries_of(self, i)[self->nr_entries - 1].writable;

		expect_entries(_metadata, self, i, optimized);
		nr_optimized += optimized;
	}
	EXPECT_EQ(half, nr_optimized);
}

TEST_HARNESS_MAIN
