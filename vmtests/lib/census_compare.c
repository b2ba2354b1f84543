// SPDX-License-Identifier: GPL-2.0
/* What differs from one census to another. */
#include <errno.h>
#include <string.h>

#include <vmtests/census_compare.h>

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
