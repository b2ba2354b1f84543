/* SPDX-License-Identifier: GPL-2.0 */
/* census_compare: what differs from one census to another. */
#ifndef VMTESTS_CENSUS_COMPARE_H
#define VMTESTS_CENSUS_COMPARE_H

#include <vmtests/census.h>

/* One number that differs. @attr is CENSUS_ATTRS when it is the tables of @level. */
struct census_change {
	enum census_attr attr;
	enum kpg_level level;
	uint64_t before;
	uint64_t after;
};

#define CENSUS_CHANGES_MAX	((CENSUS_ATTRS + 1) * KPG_LEVELS)

/*
 * What differs from @before to @after, from the highest level down: at most CENSUS_CHANGES_MAX
 * entries, and how many. Where the range lies is no change (KASLR moves it). -EINVAL when
 * architecture, page size, address size or name differ, so that there is nothing to compare.
 */
int census_compare(const struct census *before, const struct census *after,
		   struct census_change *changes);

#endif
