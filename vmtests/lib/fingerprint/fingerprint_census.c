// SPDX-License-Identifier: GPL-2.0
/*
 * fingerprint_census: how this kernel maps its own memory, for run.json.
 */
#include <inttypes.h>
#include <stdio.h>

#include <vmtests/census_kernel.h>
#include <vmtests/fingerprint.h>

static const char *const level_names[KPG_LEVELS] = { "pte", "pmd", "pud", "p4d", "pgd" };

static bool level_is_empty(const struct census *census, unsigned int level)
{
	for (unsigned int attr = 0; attr < CENSUS_ATTRS; attr++)
		if (census->leaves[attr][level])
			return false;
	return true;
}

static json_t *level_json(const struct census *census, unsigned int level)
{
	const uint64_t mapped = census->leaves[CENSUS_MAPPED][level];

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "level", level_names[level],
			 "count", (json_int_t)mapped,
			 "bytes", (json_int_t)(mapped * census_leaf_size(census, level)),
			 "contiguous", (json_int_t)census->leaves[CENSUS_CONTIGUOUS][level],
			 "readonly", (json_int_t)census->leaves[CENSUS_READONLY][level],
			 "invalid", (json_int_t)census->leaves[CENSUS_INVALID][level],
			 "executable", (json_int_t)census->leaves[CENSUS_EXEC][level],
			 "write_exec", (json_int_t)census->leaves[CENSUS_WX][level]);
}

static json_t *range_json(const struct census *census)
{
	char start[24], end[24];
	json_t *leaves = json_array();

	for (unsigned int level = 0; leaves && level < census->levels; level++) {
		if (level_is_empty(census, level))
			continue;
		if (json_array_append_new(leaves, level_json(census, level))) {
			json_decref(leaves);
			return NULL;
		}
	}
	snprintf(start, sizeof(start), "0x%" PRIx64, census->start);
	snprintf(end, sizeof(end), "0x%" PRIx64, census->end);
	return json_pack("{s:s, s:s, s:b, s:I, s:o}", "start", start, "end", end,
			 "stable", (int)census->stable,
			 "pgtable_bytes", (json_int_t)census_pgtable_bytes(census),
			 "leaves", leaves);
}

static json_t *kernel_json(const struct census *all, size_t nr)
{
	json_t *ranges = json_object();

	for (size_t i = 0; ranges && i < nr; i++) {
		if (json_object_set_new(ranges, all[i].name, range_json(&all[i]))) {
			json_decref(ranges);
			return NULL;
		}
	}
	return json_pack("{s:s, s:I, s:i, s:i, s:I, s:o}", "arch", all[0].arch,
			 "page_size", (json_int_t)all[0].page_size, "va_bits", (int)all[0].va_bits,
			 "levels", (int)all[0].levels,
			 "pgtable_bytes", (json_int_t)census_kernel_pgtable_bytes(all, nr),
			 "ranges", ranges);
}

json_t *fingerprint_census(char *reason, size_t len)
{
	struct census all[CENSUS_RANGES_MAX];
	int nr = census_kernel(all, reason, len);

	if (nr > 0)
		return kernel_json(all, nr);
	if (!nr)
		snprintf(reason, len, "this kernel does not say where any range of its memory is");
	return json_null();
}
