// SPDX-License-Identifier: GPL-2.0
/*
 * A census of all of the kernel's own memory, and what its page tables take up.
 */
#include <errno.h>
#include <string.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/krange.h>
#include <vmtests/census_kernel.h>

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
	ret = krange_find(kc, "linear", start, end, reason, len);
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

const char *census_range_name(size_t i)
{
	static const char *const names[] = { "linear", "vmemmap", "vmalloc", "modules", "image" };

	return i < ARRAY_SIZE(names) ? names[i] : NULL;
}

int census_kernel_range(const struct kcore *kc, const char *name, uint64_t *start, uint64_t *end,
			char *reason, size_t len)
{
	if (!strcmp(name, "vmemmap"))
		return vmemmap_find(kc, start, end, reason, len);
	return krange_find(kc, name, start, end, reason, len);
}

static int ranges_take(const struct kpgtable *pgt, struct census *all, char *reason, size_t len)
{
	const char *name;
	int nr = 0;

	for (size_t i = 0; (name = census_range_name(i)) && nr < CENSUS_RANGES_MAX; i++) {
		uint64_t start, end;
		int ret = census_kernel_range(kpgtable_kcore(pgt), name, &start, &end, reason,
					      len);

		if (ret == -ENOENT)
			continue;
		if (!ret)
			ret = census_count(pgt, name, start, end, &all[nr], reason, len);
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
