// SPDX-License-Identifier: GPL-2.0
/*
 * A count of how a range of kernel addresses is mapped.
 *
 * The tables are live, so they are read until two passes in a row have one digest. The second pass
 * makes the digest only, which costs a fraction of a count: on a kernel at rest, that is all.
 *
 * Limits: a change that was undone between two passes is not seen. Ranges are named as census.h has
 * it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <libmm/census.h>
#include <libmm/fail.h>
#include <libmm/kpgwalk.h>

/*
 * Churn that outruns this many passes will outrun more; then the census says that it is unstable.
 */
#define PASSES_MAX	8

typedef int (*range_fn)(const struct kcore *kc, uint64_t *start, uint64_t *end, char *reason,
			size_t len);

struct range {
	const char *name;
	range_fn find;
};

/* Of the RAM segments: the lowest and the end of the highest, as addresses of the linear map. */
static int linear_find(const struct kcore *kc, uint64_t *start, uint64_t *end, char *reason,
		       size_t len)
{
	const struct kcore_segment *segs = kc->segments;
	size_t i, nr = kc->nr_segments;

	*start = UINT64_MAX;
	*end = 0;
	for (i = 0; i < nr; i++) {
		if (segs[i].kind != KCORE_RAM)
			continue;
		if (segs[i].va < *start)
			*start = segs[i].va;
		if (segs[i].va + segs[i].size > *end)
			*end = segs[i].va + segs[i].size;
	}
	if (!*end)
		return libmm_refuse(-ENOENT, reason, len, "/proc/kcore has no segment of RAM");
	return 0;
}

static uint64_t round_down_to(uint64_t value, uint64_t unit)
{
	return value - value % unit;
}

static uint64_t round_up_to(uint64_t value, uint64_t unit)
{
	return round_down_to(value + unit - 1, unit);
}

/* struct pages are allocated a memory section at a time (mm/sparse.c). */
static int vmemmap_find(const struct kcore *kc, uint64_t *start, uint64_t *end, char *reason,
			size_t len)
{
	uint64_t base, page_struct, section_bits, first_pa = 0, last_pa = 0, section;
	uint64_t page_size;
	int ret;

	if (kcore_line(kc, "PAGESIZE", 10, &page_size) || !page_size ||
	    kcore_symbol(kc, "vmemmap", &base) ||
	    kcore_size(kc, "page", &page_struct) || !page_struct ||
	    kcore_number(kc, "SECTION_SIZE_BITS", &section_bits) || section_bits > 62)
		return libmm_refuse(-ENOENT, reason, len,
				    "VMCOREINFO has no vmemmap: no CONFIG_SPARSEMEM_VMEMMAP");
	ret = linear_find(kc, start, end, reason, len);
	if (ret)
		return ret;
	if (!kcore_va_to_pa(kc, *start, &first_pa) || !kcore_va_to_pa(kc, *end - 1, &last_pa))
		return libmm_refuse(-ENOENT, reason, len,
				    "the linear map has no physical addresses");
	section = UINT64_C(1) << section_bits;
	first_pa = round_down_to(first_pa, section);
	last_pa = round_up_to(last_pa + 1, section);
	*start = base + first_pa / page_size * page_struct;
	*end = base + last_pa / page_size * page_struct;
	return 0;
}

/* The whole segment that begins at @va, for ranges that are a segment of their own. */
static int segment_at(const struct kcore *kc, uint64_t va, uint64_t *start, uint64_t *end)
{
	const struct kcore_segment *segs = kc->segments;
	size_t i, nr = kc->nr_segments;

	for (i = 0; i < nr; i++) {
		if (segs[i].kind != KCORE_VIRTUAL || segs[i].va != va)
			continue;
		*start = va;
		*end = va + segs[i].size;
		return 0;
	}
	return -ENOENT;
}

static int vmalloc_find(const struct kcore *kc, uint64_t *start, uint64_t *end, char *reason,
			size_t len)
{
	uint64_t va;

	if (kcore_number(kc, "VMALLOC_START", &va) || segment_at(kc, va, start, end))
		return libmm_refuse(-ENOENT, reason, len,
				    "no segment of /proc/kcore begins at VMALLOC_START");
	return 0;
}

static int image_find(const struct kcore *kc, uint64_t *start, uint64_t *end, char *reason,
		      size_t len)
{
	const struct kcore_segment *segs = kc->segments;
	size_t i, nr = kc->nr_segments;

	for (i = 0; i < nr; i++) {
		if (segs[i].kind != KCORE_IMAGE)
			continue;
		*start = segs[i].va;
		*end = segs[i].va + segs[i].size;
		return 0;
	}
	return libmm_refuse(-ENOENT, reason, len,
			    "/proc/kcore has no segment of its own for the kernel image");
}

/* __START_KERNEL_map: the last 2 GB, whatever the randomized place of the image in it. */
#define X86_IMAGE_BASE	UINT64_C(0xffffffff80000000)

/* MIN_KIMG_ALIGN: below it, the offset is the boot loader's alignment (arm64's kaslr_init()). */
#define ARM64_KASLR_MIN	(2 * 1024 * 1024)

static bool arm64_has_kaslr(const struct kcore *kc)
{
	uint64_t offset;

	return !kcore_line(kc, "KERNELOFFSET", 16, &offset) && offset >= ARM64_KASLR_MIN;
}

static int arm64_modules_find(const struct kcore *kc, uint64_t *start, uint64_t *end)
{
	int ret = kcore_number(kc, "MODULES_VADDR", start);

	return ret ? ret : kcore_number(kc, "MODULES_END", end);
}

static int modules_find(const struct kcore *kc, uint64_t *start, uint64_t *end, char *reason,
			size_t len)
{
	uint64_t image_size;

	if (!arm64_modules_find(kc, start, end)) {
		/* module_init_limits(): the range of that name then stays empty. */
		if (arm64_has_kaslr(kc))
			return libmm_refuse(-ENOENT, reason, len,
					    "with KASLR, modules are near the image in vmalloc");
		return 0;
	}
	if (!kcore_number(kc, "KERNEL_IMAGE_SIZE", &image_size) &&
	    !segment_at(kc, X86_IMAGE_BASE + image_size, start, end))
		return 0;
	return libmm_refuse(-ENOENT, reason, len, "VMCOREINFO does not place the modules");
}

static const struct range ranges[] = {
	{ "linear", linear_find },
	{ "vmemmap", vmemmap_find },
	{ "vmalloc", vmalloc_find },
	{ "modules", modules_find },
	{ "image", image_find },
};

#define NR_RANGES	(sizeof(ranges) / sizeof(*ranges))

const char *census_range_name(size_t i)
{
	return i < NR_RANGES ? ranges[i].name : NULL;
}

int census_range(const struct kcore *kc, const char *name, uint64_t *start, uint64_t *end,
		 char *reason, size_t len)
{
	size_t i;

	for (i = 0; i < NR_RANGES; i++)
		if (!strcmp(name, ranges[i].name))
			return ranges[i].find(kc, start, end, reason, len);
	return libmm_refuse(-ENOENT, reason, len, "no range is called %s", name);
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

static int pass_count(struct kpgtable *pgt, struct census *census, struct kpg_walk *walk)
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
static int passes_run(struct kpgtable *pgt, struct census *census, struct kpg_walk *walk)
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

int __census_take(struct kpgtable *pgt, const char *name, uint64_t start, uint64_t end,
		  struct census *census, char *reason, size_t len)
{
	const struct kpg_geometry *geo = kpgtable_geometry(pgt);
	struct kpg_walk walk;
	int ret;

	*census = (struct census) {
		.start = start,
		.end = end,
		.page_size = UINT64_C(1) << geo->page_shift,
		.va_bits = geo->va_bits,
		.levels = geo->levels,
	};
	snprintf(census->name, sizeof(census->name), "%s", name);
	snprintf(census->arch, sizeof(census->arch), "%s", geo->arch);
	ret = passes_run(pgt, census, &walk);
	if (ret)
		kpgtable_explain(ret, &walk, reason, len);
	return ret;
}

void census_take(struct kpgtable *pgt, const char *name, struct census *census)
{
	char reason[KCORE_REASON_MAX];
	uint64_t start, end;
	int ret;

	ret = census_range(kpgtable_kcore(pgt), name, &start, &end, reason, sizeof(reason));
	if (!ret)
		ret = __census_take(pgt, name, start, end, census, reason, sizeof(reason));
	if (ret)
		libmm_fail("census of %s: %s", name, reason);
}

static int ranges_take(struct kpgtable *pgt, struct census *all, char *reason, size_t len)
{
	const char *name;
	int nr = 0;

	for (size_t i = 0; (name = census_range_name(i)) && nr < CENSUS_RANGES_MAX; i++) {
		uint64_t start, end;
		int ret = census_range(kpgtable_kcore(pgt), name, &start, &end, reason, len);

		if (ret == -ENOENT)
			continue;
		if (!ret)
			ret = __census_take(pgt, name, start, end, &all[nr], reason, len);
		if (ret)
			return ret;
		nr++;
	}
	return nr;
}

int census_kernel(struct census all[CENSUS_RANGES_MAX], char *reason, size_t len)
{
	struct kpgtable *pgt;
	struct kcore *kc;
	int ret;

	ret = kcore_open(&kc, reason, len);
	if (ret)
		return ret;
	ret = kpgtable_open(&pgt, kc, reason, len);
	if (!ret) {
		ret = ranges_take(pgt, all, reason, len);
		kpgtable_close(pgt);
	}
	kcore_close(kc);
	return ret;
}

static bool lies_inside(const struct census *range, const struct census *all, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (range != &all[i] && range->start >= all[i].start && range->end <= all[i].end)
			return true;
	return false;
}

uint64_t census_kernel_pgtable_bytes(const struct census *all, size_t nr)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < nr; i++)
		if (!lies_inside(&all[i], all, nr))
			bytes += census_pgtable_bytes(&all[i]);
	return bytes;
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

uint64_t census_pgtable_bytes(const struct census *census)
{
	uint64_t tables = 0;
	unsigned int level;

	for (level = KPG_PTE; level < census->levels; level++)
		tables += census->tables[level];
	return tables * census->page_size;
}

const char *census_attr_name(enum census_attr attr)
{
	static const char *const names[CENSUS_ATTRS] = {
		"mapped", "contiguous", "readonly", "exec", "wx", "invalid"
	};

	return attr < CENSUS_ATTRS ? names[attr] : "?";
}

static bool comparable(const struct census *before, const struct census *after)
{
	return !strcmp(before->name, after->name) && !strcmp(before->arch, after->arch) &&
	       before->page_size == after->page_size && before->va_bits == after->va_bits &&
	       before->levels == after->levels;
}

int census_compare(const struct census *before, const struct census *after,
		   struct census_change *changes)
{
	unsigned int attr, level = before->levels;
	int nr = 0;

	if (!comparable(before, after))
		return -EINVAL;
	while (level--) {
		for (attr = CENSUS_MAPPED; attr <= CENSUS_ATTRS; attr++) {
			bool tables = attr == CENSUS_ATTRS;
			uint64_t was = tables ? before->tables[level] : before->leaves[attr][level];
			uint64_t is = tables ? after->tables[level] : after->leaves[attr][level];

			if (was != is)
				changes[nr++] = (struct census_change) { attr, level, was, is };
		}
	}
	return nr;
}
