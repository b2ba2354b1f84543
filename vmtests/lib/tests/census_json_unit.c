// SPDX-License-Identifier: GPL-2.0
/*
 * A census survives the way to JSON and back, and what is no census is refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <vmtests/census_json.h>

#include "kselftest_harness.h"

#define PAGE		UINT64_C(4096)
#define PUD		(512 * 512 * PAGE)
#define START		UINT64_C(0xffff000040000000)

FIXTURE(census_json)
{
	struct census census;
	char why[KCORE_REASON_MAX];
};

/* No two numbers alike where they could be mixed up. */
FIXTURE_SETUP(census_json)
{
	self->census = (struct census) {
		.name = "here", .arch = "arm64", .start = START, .end = START + 2 * PUD,
		.page_size = PAGE, .va_bits = 48, .levels = 4, .passes = 2, .stable = true,
		.tables = { [KPG_PTE] = 1, [KPG_PMD] = 1, [KPG_PUD] = 1 },
		.leaves = {
			[CENSUS_MAPPED] = { [KPG_PTE] = 4, [KPG_PMD] = 2, [KPG_PUD] = 1 },
			[CENSUS_CONTIGUOUS] = { [KPG_PTE] = 3, [KPG_PMD] = 1 },
			[CENSUS_READONLY] = { [KPG_PTE] = 2 },
			[CENSUS_INVALID] = { [KPG_PTE] = 5 },
		},
	};
}

FIXTURE_TEARDOWN(census_json)
{
}

TEST_F(census_json, there_and_back)
{
	struct census back;
	json_t *json, *again, *leaves;
	char *text;

	json = census_to_json(&self->census);
	ASSERT_NE(NULL, json);
	leaves = json_object_get(json_object_get(json, "leaves"), "pmd");
	ASSERT_EQ(2, json_integer_value(json_object_get(leaves, "mapped")));
	ASSERT_EQ(3 * PAGE, (uint64_t)json_integer_value(json_object_get(json, "pgtable_bytes")));
	text = json_dumps(json, 0);
	ASSERT_NE(NULL, text);
	again = json_loads(text, 0, NULL);
	free(text);
	json_decref(json);
	ASSERT_NE(NULL, again);
	ASSERT_EQ(0, __census_from_json(again, &back, self->why, sizeof(self->why)))
		TH_LOG("%s", self->why);
	json_decref(again);
	ASSERT_STREQ(self->census.name, back.name);
	ASSERT_STREQ(self->census.arch, back.arch);
	ASSERT_EQ(self->census.start, back.start);
	ASSERT_EQ(self->census.end, back.end);
	ASSERT_EQ(self->census.page_size, back.page_size);
	ASSERT_EQ(self->census.va_bits, back.va_bits);
	ASSERT_EQ(self->census.levels, back.levels);
	ASSERT_EQ(self->census.passes, back.passes);
	ASSERT_EQ(self->census.stable, back.stable);
	ASSERT_EQ(0, memcmp(self->census.leaves, back.leaves, sizeof(back.leaves)));
	ASSERT_EQ(0, memcmp(self->census.tables, back.tables, sizeof(back.tables)));
}

/* A census with one member replaced, or taken away when @value is NULL. Takes over @value. */
static int census_without(FIXTURE_DATA(census_json) * self, const char *key, json_t *value)
{
	json_t *json = census_to_json(&self->census);
	struct census back;
	int ret;

	if (value)
		ret = json_object_set_new(json, key, value);
	else
		ret = json_object_del(json, key);
	if (ret)
		libmm_fail("%s is no member of a census", key);
	ret = __census_from_json(json, &back, self->why, sizeof(self->why));
	json_decref(json);
	return ret;
}

TEST_F(census_json, what_is_no_census)
{
	static const char *const needed[] = {
		"name", "arch", "page_size", "va_bits", "levels", "start", "end", "stable",
		"passes", "leaves", "tables"
	};
	char long_name[CENSUS_NAME_MAX + 1] = "";
	json_t *negative;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		ASSERT_EQ(-EINVAL, census_without(self, needed[i], NULL)) TH_LOG("%s", needed[i]);
		ASSERT_EQ(-EINVAL, census_without(self, needed[i], json_null()));
	}
	ASSERT_EQ(-EINVAL, census_without(self, "levels", json_integer(6)));
	ASSERT_EQ(-EINVAL, census_without(self, "levels", json_integer(-1)));
	ASSERT_EQ(-EINVAL, census_without(self, "page_size", json_integer(0)));
	ASSERT_EQ(-EINVAL, census_without(self, "page_size", json_integer(4097)));
	ASSERT_EQ(-EINVAL, census_without(self, "start", json_string("12")));
	ASSERT_EQ(-EINVAL, census_without(self, "start", json_string("0xfffff00000000000000")));
	ASSERT_EQ(-EINVAL, census_without(self, "leaves", json_object()));
	ASSERT_EQ(-EINVAL, census_without(self, "tables", json_object()));
	negative = json_pack("{s:i, s:i, s:i, s:i}", "pte", -1, "pmd", 0, "pud", 0, "p4d", 0);
	ASSERT_EQ(-EINVAL, census_without(self, "tables", negative));
	memset(long_name, 'n', sizeof(long_name) - 1);
	ASSERT_EQ(-EINVAL, census_without(self, "name", json_string(long_name)));
}

TEST_HARNESS_MAIN
