// SPDX-License-Identifier: GPL-2.0
/*
 * How addresses divide into levels. Like the descriptors of each architecture apart from
 * kpgtable.c, to serve programs that have page tables but no /proc/kcore.
 */
#include <libmm/kpgtable.h>

unsigned int kpg_level_shift(const struct kpg_geometry *geo, enum kpg_level level)
{
	return geo->page_shift + level * (geo->page_shift - 3);
}

uint64_t kpg_level_size(const struct kpg_geometry *geo, enum kpg_level level)
{
	return UINT64_C(1) << kpg_level_shift(geo, level);
}

unsigned int kpg_level_entries(const struct kpg_geometry *geo, enum kpg_level level)
{
	if (level + 1 == geo->levels)
		return 1U << (geo->index_bits - kpg_level_shift(geo, level));
	return 1U << (geo->page_shift - 3);
}

unsigned int kpg_level_index(const struct kpg_geometry *geo, enum kpg_level level, uint64_t va)
{
	return (va >> kpg_level_shift(geo, level)) & (kpg_level_entries(geo, level) - 1);
}

/*
 * Restrictions add up on the way down; the right of user space to access must be given throughout.
 */
unsigned int kpg_limits_apply(unsigned int limits, unsigned int flags)
{
	unsigned int user = limits & flags & KPG_USER;

	return ((limits | flags) & ~(unsigned int)KPG_USER) | user;
}

const char *kpg_level_name(enum kpg_level level)
{
	static const char *const names[KPG_LEVELS] = { "pte", "pmd", "pud", "p4d", "pgd" };

	return level < KPG_LEVELS ? names[level] : "?";
}
