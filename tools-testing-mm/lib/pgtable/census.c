// SPDX-License-Identifier: GPL-2.0
/*
 * A count of how a range of kernel addresses is mapped.
 *
 * The tables are live, so they are read until two passes in a row have one digest. The second pass
 * makes the digest only, which costs a fraction of a count: on a kernel at rest, that is all.
 *
 * Limits: a change that was undone between two passes is not seen.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libmm/census.h>
#include <libmm/fail.h>
#include <libmm/kpgwalk.h>

/* Churn that outruns so many passes outruns more: the census then says that it is unstable. */
#define PASSES_MAX	8

/* __START_KERNEL_map: the last 2 GB, whatever the randomized place of the image in it. */
#define X86_IMAGE_BASE	UINT64_C(0xffffffff80000000)

/* MIN_KIMG_ALIGN: below it, the offset is the boot loader's alignment (arm64's kaslr_init()). */
#define ARM64_KASLR_MIN	(2 * 1024 * 1024)

/* From the lowest to the highest address of all segments of @kind. */
static bool kind_find(const struct kcore *kc, enum kcore_kind kind, uint64_t *start, uint64_t *end)
{
	const struct kcore_segment *seg;

	*start = UINT64_MAX;
	*end = 0;
	for (seg = kc->segments; seg < kc->segments + kc->nr_segments; seg++) {
		if (seg->kind != kind)
			continue;
		if (seg->va < *start)
			*start = seg->va;
		if (seg->va + seg->size > *end)
			*end = seg->va + seg->size;
	}
	return *end;
}

/* The whole segment that begins at @va, for ranges that are a segment of their own. */
static bool segment_find(const struct kcore *kc, uint64_t va, uint64_t *start, uint64_t *end)
{
	const struct kcore_segment *seg;

	for (seg = kc->segments; seg < kc->segments + kc->nr_segments; seg++) {
		if (seg->kind != KCORE_VIRTUAL || seg->va != va)
			continue;
		*start = va;
		*end = va + seg->size;
		return true;
	}
	return false;
}

static bool modules_find(const struct kcore *kc, uint64_t *start, uint64_t *end)
{
	uint64_t offset, size;

	/* With KASLR that range stays empty (module_init_limits()). */
	if (!kcore_number(kc, "MODULES_VADDR", start) && !kcore_number(kc, "MODULES_END", end))
		return kcore_line(kc, "KERNELOFFSET", 16, &offset) || offset < ARM64_KASLR_MIN;
	return !kcore_number(kc, "KERNEL_IMAGE_SIZE", &size) &&
	       segment_find(kc, X86_IMAGE_BASE + size, start, end);
}

static bool range_find(const struct kcore *kc, const char *name, uint64_t *start, uint64_t *end)
{
	uint64_t va;

	if (!strcmp(name, "linear"))
		return kind_find(kc, KCORE_RAM, start, end);
	if (!strcmp(name, "image"))
		return kind_find(kc, KCORE_IMAGE, start, end);
	if (!strcmp(name, "vmalloc"))
		return !kcore_number(kc, "VMALLOC_START", &va) && segment_find(kc, va, start, end);
	return !strcmp(name, "modules") && modules_find(kc, start, end);
}

int census_range(const struct kcore *kc, const char *name, uint64_t *start, uint64_t *end,
		 char *reason, size_t len)
{
	bool modules = !strcmp(name, "modules");

	if (range_find(kc, name, start, end))
		return 0;
	return libmm_refuse(-ENOENT, reason, len, "/proc/kcore does not say where the range %s is%s",
			    name, modules ? "; with KASLR, near the image in vmalloc" : "");
}

static int leaf_count(const struct kpg_leaf *leaf, void *arg)
{
	struct census *census = arg;
	bool writable = !(leaf->flags & KPG_READONLY), exec = !(leaf->flags & KPG_NOEXEC);

	if (leaf->flags & KPG_INVALID) {
		census->leaves[CENSUS_INVALID][leaf->level] += leaf->nr;
		return 0;
	}
	census->leaves[CENSUS_MAPPED][leaf->level] += leaf->nr;
	if (leaf->flags & KPG_CONTIGUOUS)
		census->leaves[CENSUS_CONTIGUOUS][leaf->level] += leaf->nr;
	if (!writable)
		census->leaves[CENSUS_READONLY][leaf->level] += leaf->nr;
	if (exec)
		census->leaves[CENSUS_EXEC][leaf->level] += leaf->nr;
	if (writable && exec)
		census->leaves[CENSUS_WX][leaf->level] += leaf->nr;
	return 0;
}

static int pass_count(const struct kpgtable *pgt, struct census *census, struct kpg_walk *walk)
{
	const struct kpg_geometry *geo = kpgtable_geometry(pgt);
	int ret;

	memset(census->leaves, 0, sizeof(census->leaves));
	ret = __kpgtable_walk(pgt, census->start, census->end, leaf_count, census, walk);
	memcpy(census->tables, walk->tables, sizeof(census->tables));
	census->tables[geo->levels - 1] = 0;
	return ret;
}

/* An error may be as passing as any other sight of a live table: it counts when seen twice. */
static int passes_run(const struct kpgtable *pgt, struct census *census, struct kpg_walk *walk)
{
	int ret = pass_count(pgt, census, walk);

	for (census->passes = 1; census->passes < PASSES_MAX && !census->stable;) {
		struct kpg_walk before = *walk;
		int last = ret;

		/* Only a range at rest can be told by its digest alone. */
		if (census->passes++ == 1 && !last)
			ret = __kpgtable_walk(pgt, census->start, census->end, NULL, NULL, walk);
		else
			ret = pass_count(pgt, census, walk);
		census->stable = ret == last && walk->digest == before.digest;
	}
	return ret;
}

int census_count(const struct kpgtable *pgt, const char *name, uint64_t start, uint64_t end,
		 struct census *census, char *reason, size_t len)
{
	const struct kpg_geometry *geo = kpgtable_geometry(pgt);
	struct kpg_walk walk;
	int ret;

	*census = (struct census) {
		.start = start, .end = end, .page_size = UINT64_C(1) << geo->page_shift,
		.va_bits = geo->va_bits, .levels = geo->levels,
	};
	snprintf(census->name, sizeof(census->name), "%s", name);
	snprintf(census->arch, sizeof(census->arch), "%s", geo->arch);
	ret = passes_run(pgt, census, &walk);
	if (ret)
		kpgtable_explain(ret, &walk, reason, len);
	return ret;
}

void census_take(const struct kpgtable *pgt, const char *name, struct census *census)
{
	char reason[KCORE_REASON_MAX];
	uint64_t start, end;
	int ret;

	ret = census_range(kpgtable_kcore(pgt), name, &start, &end, reason, sizeof(reason));
	if (!ret)
		ret = census_count(pgt, name, start, end, census, reason, sizeof(reason));
	if (ret)
		libmm_fail("census of %s: %s", name, reason);
}

uint64_t census_leaf_size(const struct census *census, enum kpg_level level)
{
	unsigned int shift = (unsigned int)__builtin_ctzll(census->page_size);

	return UINT64_C(1) << (shift + level * (shift - 3));
}

uint64_t census_leaves(const struct census *census, enum census_attr attr)
{
	uint64_t leaves = 0;
	unsigned int level;

	for (level = KPG_PTE; level < census->levels; level++)
		leaves += census->leaves[attr][level];
	return leaves;
}

uint64_t census_bytes(const struct census *census, enum census_attr attr)
{
	uint64_t bytes = 0;
	unsigned int level;

	for (level = KPG_PTE; level < census->levels; level++)
		bytes += census->leaves[attr][level] * census_leaf_size(census, level);
	return bytes;
}
