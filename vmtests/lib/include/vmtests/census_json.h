/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A census as JSON. Apart from census.h so that only who wants JSON needs jansson.
 *
 *	{"name": "linear", "arch": "arm64", "page_size": 4096, "va_bits": 48, "levels": 4,
 *	 "start": "0xffff000000000000", "end": "0xffff000100000000", "stable": true, "passes": 2,
 *	 "pgtable_bytes": 8388608, "mapped_bytes": 4294967296,
 *	 "leaves": {"pmd": {"size": 2097152, "mapped": 0, "contiguous": 0, ...}, ...},
 *	 "tables": {"pte": 2048, ...}}
 *
 * Addresses are strings, for JSON's integers are signed; the levels are those the kernel has.
 */
#ifndef VMTESTS_CENSUS_JSON_H
#define VMTESTS_CENSUS_JSON_H

#include <jansson.h>

#include <vmtests/census.h>

/* A new reference, or NULL when memory is short. */
json_t *census_to_json(const struct census *census);
/* -EINVAL, and one sentence in @reason, when @json is not a census. */
int __census_from_json(const json_t *json, struct census *census, char *reason, size_t len);

#endif /* VMTESTS_CENSUS_JSON_H */
