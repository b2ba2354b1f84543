// SPDX-License-Identifier: GPL-2.0
/*
 * blocks: how many blocks of its linear map the kernel split during a run.
 *
 * x86 counts splits itself. Elsewhere the blocks of the page tables are counted at both ends; a PUD
 * that is split leaves a table of PMDs. Both are of the whole machine: what another program split
 * meanwhile is among them.
 */
#include <string.h>

#include <libmm/directmap.h>
#include <vmtests/census_kernel.h>

#include "ctl.h"

static json_t *blocks_of_directmap(void)
{
	struct directmap d;

	if (directmap_read(&d))
		return NULL;
	return json_pack("{s:s, s:I, s:I}", "of", "splits",
			 "pmd", (json_int_t)d.splits[DIRECTMAP_2M],
			 "pud", (json_int_t)d.splits[DIRECTMAP_1G]);
}

static json_t *blocks_of_census(void)
{
	struct census all[CENSUS_RANGES_MAX];
	char reason[KCORE_REASON_MAX];
	int nr = census_kernel(all, reason, sizeof(reason));

	for (int i = 0; i < nr; i++) {
		if (!strcmp(all[i].name, "linear"))
			return json_pack("{s:s, s:I, s:I, s:I}", "of", "blocks", "pmd",
					 (json_int_t)all[i].leaves[CENSUS_MAPPED][KPG_PMD], "pud",
					 (json_int_t)all[i].leaves[CENSUS_MAPPED][KPG_PUD],
					 "pmds_of_pud", (json_int_t)(all[i].page_size / 8));
	}
	return NULL;
}

json_t *blocks_json(void)
{
	return blocks_of_directmap() ?: blocks_of_census() ?: json_null();
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static json_int_t not_below_0(json_int_t n)
{
	return n > 0 ? n : 0;
}

json_t *blocks_split(const json_t *then, const json_t *now)
{
	json_int_t pmd = number(now, "pmd") - number(then, "pmd");
	json_int_t pud = number(now, "pud") - number(then, "pud");

	if (!json_is_object(then) || !json_is_object(now) ||
	    !json_equal(json_object_get(then, "of"), json_object_get(now, "of")))
		return json_null();
	if (!strcmp(json_string_value(json_object_get(now, "of")) ?: "", "blocks")) {
		pud = not_below_0(-pud);
		pmd = pud * number(now, "pmds_of_pud") - pmd;
	}
	return json_pack("{s:I, s:I}", "pmd", not_below_0(pmd), "pud", not_below_0(pud));
}

void blocks_split_say(const json_t *split)
{
	if (json_is_object(split))
		printf("blocks of the linear map that were split: %lld PMDs, %lld PUDs; only a reboot brings them back\n",
		       (long long)number(split, "pmd"), (long long)number(split, "pud"));
	else
		puts("how many blocks of the linear map were split cannot be known here");
}
