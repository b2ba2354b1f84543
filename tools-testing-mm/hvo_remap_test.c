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

/* The vmemmap of one huge page. */
struct vmemmap {
	uint64_t pfn;		/* of the huge page's head */
	struct entry *entries;
};

FIXTURE(hvo_remap)
{
	struct hvo hvo;
	struct hugemap map;
	struct kcore *kcore;
	struct kpgtable *tables;
	uint64_t vmemmap;		/* address of struct page 0 */
	size_t nr_entries;		/* pages of vmemmap that one huge page has */
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

static void vmemmap_read(FIXTURE_DATA(hvo_remap) * self, uint64_t pfn, struct vmemmap *vm)
{
	uint64_t va = self->vmemmap + pfn * HVO_STRUCT_PAGE_SIZE;
	size_t i;

	vm->pfn = pfn;
	for (i = 0; i < self->nr_entries; i++)
		entry_read(self, va + i * self->hvo.page_size, &vm->entries[i]);
}

/* In one piece, for free(). */
static struct vmemmap *vmemmaps_alloc(size_t nr, size_t nr_entries)
{
	struct vmemmap *vms = calloc(nr, sizeof(*vms) + nr_entries * sizeof(*vms->entries));
	size_t i;

	if (!vms)
		libmm_fail("hvo_remap: no memory for %zu entries", nr * nr_entries);
	for (i = 0; i < nr; i++)
		vms[i].entries = (struct entry *)(vms + nr) + i * nr_entries;
	return vms;
}

static int pa_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Whether no physical page is mapped twice in the vmemmap of @nr huge pages. */
static bool entries_are_distinct(const struct vmemmap *vms, size_t nr, size_t nr_entries)
{
	uint64_t *pas = calloc(nr * nr_entries, sizeof(*pas));
	bool distinct = true;
	size_t i;

	if (!pas)
		libmm_fail("hvo_remap: no memory for %zu entries", nr * nr_entries);
	for (i = 0; i < nr * nr_entries; i++)
		pas[i] = vms[i / nr_entries].entries[i % nr_entries].pa;
	qsort(pas, nr * nr_entries, sizeof(*pas), pa_compare);
	for (i = 1; i < nr * nr_entries; i++)
		distinct &= pas[i] != pas[i - 1];
	free(pas);
	return distinct;
}

/* Returns the first entry that is not as an optimized huge page's, or @nr_entries. */
static size_t optimized_wrong_at(const struct vmemmap *vm, size_t nr_entries)
{
	size_t i;

	if (!vm->entries[0].present || !vm->entries[0].writable || !vm->entries[0].is_pte)
		return 0;
	for (i = 1; i < nr_entries; i++) {
		const struct entry *entry = &vm->entries[i];

		if (!entry->present || entry->writable || !entry->is_pte ||
		    entry->pa != vm->entries[1].pa)
			return i;
	}
	return i;
}

static size_t plain_wrong_at(const struct vmemmap *vm, size_t nr_entries)
{
	size_t i;

	for (i = 0; i < nr_entries; i++) {
		if (!vm->entries[i].present || !vm->entries[i].writable)
			return i;
	}
	return i;
}

static void entry_expect(struct __test_metadata *_metadata, const struct vmemmap *vm, size_t nr,
			 size_t wrong)
{
	const struct entry *entry = &vm->entries[wrong];

	EXPECT_EQ(nr, wrong) {
		TH_LOG("pfn %#llx entry %zu: pa %#llx %s %s %s", (unsigned long long)vm->pfn, wrong,
		       (unsigned long long)entry->pa, entry->present ? "present" : "missing",
		       entry->writable ? "rw" : "ro", entry->is_pte ? "pte" : "block");
	}
}

static void expect_optimized(struct __test_metadata *_metadata, const struct vmemmap *vm, size_t nr)
{
	entry_expect(_metadata, vm, nr, optimized_wrong_at(vm, nr));
}

static void expect_plain(struct __test_metadata *_metadata, const struct vmemmap *vm, size_t nr)
{
	entry_expect(_metadata, vm, nr, plain_wrong_at(vm, nr));
}

static struct probe pages_fill(struct hvo *h)
{
	return hvo_fill(h, h->nr_map, 1);
}

/* Touch all huge pages of the pool, and read the vmemmap of each. */
static struct vmemmap *pages_take(FIXTURE_DATA(hvo_remap) * self)
{
	struct vmemmap *vms = vmemmaps_alloc(self->hvo.nr, self->nr_entries);
	size_t i;

	hugemap_open(&self->map, self->hvo.pool.size, self->hvo.nr);
	hugemap_touch(&self->map);
	for (i = 0; i < self->hvo.nr; i++)
		vmemmap_read(self, hugemap_pfn(&self->map, i), &vms[i]);
	return vms;
}

/* Each entry of each page is right, and the pages share one page per zone and nothing else. */
TEST_F(hvo_remap, optimized)
{
	struct zone_span *zone;
	struct vmemmap *vms;
	size_t i, j, nr;
	uint64_t shared;

	REQUIRE(pages_fill(&self->hvo));
	nr = self->hvo.nr;
	vms = pages_take(self);
	for (i = 0; i < nr; i++) {
		expect_optimized(_metadata, &vms[i], self->nr_entries);
		for (j = 0; j < i; j++)
			EXPECT_NE(vms[j].entries[0].pa, vms[i].entries[0].pa);

		shared = vms[i].entries[1].pa;
		if (shared == vms[i].entries[0].pa)
			continue;	/* this kernel's tails are the head's page */
		zone = zone_find(self, vms[i].pfn);
		ASSERT_NE(NULL, zone);
		if (!zone->shared)
			zone->shared = shared;
		EXPECT_EQ(zone->shared, shared);
	}
	free(vms);
}

/* With HVO off the vmemmap of a huge page is not remapped. */
TEST_F(hvo_remap, not_optimized)
{
	struct vmemmap *vms;
	size_t i, nr;

	ASSERT_EQ(0, hugetlb_hvo_set(false));
	REQUIRE(pages_fill(&self->hvo));
	nr = self->hvo.nr;
	vms = pages_take(self);
	for (i = 0; i < nr; i++)
		expect_plain(_metadata, &vms[i], self->nr_entries);
	EXPECT_TRUE(entries_are_distinct(vms, nr, self->nr_entries));
	free(vms);
}

/*
 * After the pages were freed every entry is writable, and maps a physical page of its own that is
 * not the one that the tails shared.
 */
TEST_F(hvo_remap, restored)
{
	struct vmemmap *before, *after;
	size_t i, j, nr;

	REQUIRE(pages_fill(&self->hvo));
	nr = self->hvo.nr;
	before = pages_take(self);
	after = vmemmaps_alloc(nr, self->nr_entries);
	hugemap_close(&self->map);
	ASSERT_EQ(0, hugetlb_pool_resize(&self->hvo.pool, 0));

	for (i = 0; i < nr; i++) {
		expect_optimized(_metadata, &before[i], self->nr_entries);
		vmemmap_read(self, before[i].pfn, &after[i]);
		expect_plain(_metadata, &after[i], self->nr_entries);
		if (before[i].entries[1].pa == before[i].entries[0].pa)
			continue;
		for (j = 0; j < self->nr_entries; j++)
			EXPECT_NE(before[i].entries[1].pa, after[i].entries[j].pa);
	}
	EXPECT_TRUE(entries_are_distinct(after, nr, self->nr_entries));
	free(before);
	free(after);
}

/* The second cycle finds split tables and remaps them in place. */
TEST_F(hvo_remap, second_cycle)
{
	struct vmemmap *vms;
	size_t i, nr;
	int cycle;

	for (cycle = 0; cycle < 2; cycle++) {
		REQUIRE(pages_fill(&self->hvo));
		nr = self->hvo.nr;
		vms = pages_take(self);
		for (i = 0; i < nr; i++)
			expect_optimized(_metadata, &vms[i], self->nr_entries);
		hugemap_close(&self->map);
		ASSERT_EQ(0, hugetlb_pool_resize(&self->hvo.pool, 0));
		for (i = 0; i < nr; i++) {
			vmemmap_read(self, vms[i].pfn, &vms[i]);
			expect_plain(_metadata, &vms[i], self->nr_entries);
		}
		EXPECT_TRUE(entries_are_distinct(vms, nr, self->nr_entries));
		free(vms);
	}
}

/* In a pool made half with HVO on and half with it off each page is wholly one or the other. */
TEST_F(hvo_remap, mixed_pool)
{
	size_t i, nr, half, optimized = 0;
	struct vmemmap *vms;

	half = self->hvo.nr_map / 2;
	if (!half)
		SKIP(return, "memory for two huge pages of this size is missing");
	ASSERT_EQ(half, hugetlb_pool_resize(&self->hvo.pool, half));
	ASSERT_EQ(0, hugetlb_hvo_set(false));
	REQUIRE(pages_fill(&self->hvo));
	nr = self->hvo.nr;
	vms = pages_take(self);
	for (i = 0; i < nr; i++) {
		if (!vms[i].entries[self->nr_entries - 1].writable) {
			expect_optimized(_metadata, &vms[i], self->nr_entries);
			optimized++;
		} else {
			expect_plain(_metadata, &vms[i], self->nr_entries);
		}
	}
	EXPECT_EQ(half, optimized);
	free(vms);
}

TEST_HARNESS_MAIN
