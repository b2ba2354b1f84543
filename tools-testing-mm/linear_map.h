/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the linear_map tests share: the kernel's page tables where they can be seen, and the
 * reason where there is none.
 */
#ifndef LINEAR_MAP_H
#define LINEAR_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <libmm/base.h>
#include <libmm/linmap.h>
#include <libmm/require.h>

struct linear_map {
	struct linmap *lm;			/* NULL without kcore */
	char no_kcore[KCORE_REASON_MAX];	/* then: why */
};

static inline void linear_map_open(struct linear_map *map)
{
	if (__linmap_open(&map->lm, map->no_kcore, sizeof(map->no_kcore)))
		map->lm = NULL;
}

static inline void linear_map_close(struct linear_map *map)
{
	linmap_close(map->lm);
	map->lm = NULL;
}

/* Why a test that needs @needs, and page tables when @tables, cannot run here; NULL: it can. */
static inline const char *linear_map_missing(const struct linear_map *map, const char *needs,
					     bool tables)
{
	const char *reason = require_needs(needs);

	if (reason)
		return reason;
	return tables && !map->lm ? map->no_kcore : NULL;
}

static inline bool linear_map_is_arm64(const struct linmap *lm)
{
	return !strcmp(linmap_geometry(lm)->arch, "arm64");
}

#endif
