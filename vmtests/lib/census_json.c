// SPDX-License-Identifier: GPL-2.0
/*
 * A census to JSON and back.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmtests/census_json.h>
#include <vmtests/census_kernel.h>
#include <libmm/fail.h>

#define PAGE_SIZE_MIN	4096
#define PAGE_SIZE_MAX	65536

static json_t *leaves_to_json(const struct census *census, enum kpg_level level)
{
	json_t *leaves = json_object();
	unsigned int attr;

	if (json_object_set_new(leaves, "size",
				json_integer((json_int_t)census_leaf_size(census, level))))
		goto fail;
	for (attr = CENSUS_MAPPED; attr < CENSUS_ATTRS; attr++)
		if (json_object_set_new(leaves, census_attr_name(attr),
					json_integer((json_int_t)census->leaves[attr][level])))
			goto fail;
	return leaves;
fail:
	json_decref(leaves);
	return NULL;
}

/* {"pmd": ..., "pte": ...}: from the highest level down, as tables are read. */
static int levels_to_json(const struct census *census, json_t *leaves, json_t *tables)
{
	unsigned int level = census->levels;

	while (level--) {
		const char *name = kpg_level_name(level);

		if (json_object_set_new(leaves, name, leaves_to_json(census, level)))
			return -ENOMEM;
		if (json_object_set_new(tables, name,
					json_integer((json_int_t)census->tables[level])))
			return -ENOMEM;
	}
	return 0;
}

json_t *census_to_json(const struct census *census)
{
	json_t *leaves = json_object(), *tables = json_object();
	char start[24], end[24];

	snprintf(start, sizeof(start), "%#" PRIx64, census->start);
	snprintf(end, sizeof(end), "%#" PRIx64, census->end);
	if (!leaves || !tables || levels_to_json(census, leaves, tables)) {
		json_decref(leaves);
		json_decref(tables);
		return NULL;
	}
	/* Takes over both objects, even when it fails. */
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:b, s:I, s:I, s:I, s:o, s:o}",
			 "name", census->name, "arch", census->arch,
			 "page_size", (json_int_t)census->page_size,
			 "va_bits", (json_int_t)census->va_bits,
			 "levels", (json_int_t)census->levels,
			 "start", start, "end", end, "stable", census->stable,
			 "passes", (json_int_t)census->passes,
			 "pgtable_bytes", (json_int_t)census_pgtable_bytes(census),
			 "mapped_bytes", (json_int_t)census_bytes(census, CENSUS_MAPPED),
			 "leaves", leaves, "tables", tables);
}

static bool text_copy(char *to, size_t len, const char *from)
{
	int n = snprintf(to, len, "%s", from);

	return n >= 0 && (size_t)n < len;
}

static bool address_parse(const char *text, uint64_t *address)
{
	char *end;

	errno = 0;
	*address = strtoull(text, &end, 16);
	return !errno && !strncmp(text, "0x", 2) && end != text + 2 && !*end;
}

static bool count_get(const json_t *object, const char *key, uint64_t *count)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*count = (uint64_t)json_integer_value(value);
	return true;
}

static bool levels_from_json(const json_t *leaves, const json_t *tables, struct census *census)
{
	unsigned int level, attr;

	for (level = KPG_PTE; level < census->levels; level++) {
		const json_t *counts = json_object_get(leaves, kpg_level_name(level));

		for (attr = CENSUS_MAPPED; attr < CENSUS_ATTRS; attr++)
			if (!count_get(counts, census_attr_name(attr),
				       &census->leaves[attr][level]))
				return false;
		if (!count_get(tables, kpg_level_name(level), &census->tables[level]))
			return false;
	}
	return true;
}

static bool geometry_plausible(json_int_t page_size, json_int_t va_bits, json_int_t levels)
{
	return page_size >= PAGE_SIZE_MIN && page_size <= PAGE_SIZE_MAX &&
	       !(page_size & (page_size - 1)) && va_bits > 0 && va_bits <= 64 && levels >= 2 &&
	       levels <= KPG_LEVELS;
}

int __census_from_json(const json_t *json, struct census *census, char *reason, size_t len)
{
	const char *name, *arch, *start, *end;
	json_int_t page_size, va_bits, levels, passes;
	json_t *leaves, *tables;
	json_error_t error;
	int stable;

	if (json_unpack_ex((json_t *)json, &error, 0,
			   "{s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:b, s:I, s:o, s:o}",
			   "name", &name, "arch", &arch, "page_size", &page_size,
			   "va_bits", &va_bits, "levels", &levels, "start", &start, "end", &end,
			   "stable", &stable, "passes", &passes, "leaves", &leaves,
			   "tables", &tables))
		return libmm_refuse(-EINVAL, reason, len, "not a census: %s", error.text);
	memset(census, 0, sizeof(*census));
	if (!text_copy(census->name, sizeof(census->name), name) ||
	    !text_copy(census->arch, sizeof(census->arch), arch))
		return libmm_refuse(-EINVAL, reason, len, "not a census: %s", "a name is too long");
	if (!address_parse(start, &census->start) || !address_parse(end, &census->end))
		return libmm_refuse(-EINVAL, reason, len, "not a census: %s",
				    "start and end are not addresses");
	if (!geometry_plausible(page_size, va_bits, levels))
		return libmm_refuse(-EINVAL, reason, len, "not a census: %s",
				    "page_size, va_bits or levels are of no kernel");
	census->page_size = (uint64_t)page_size;
	census->va_bits = (unsigned int)va_bits;
	census->levels = (unsigned int)levels;
	census->passes = (unsigned int)passes;
	census->stable = stable;
	if (!levels_from_json(leaves, tables, census))
		return libmm_refuse(-EINVAL, reason, len, "not a census: %s",
				    "a count is missing or is not a count");
	return 0;
}
