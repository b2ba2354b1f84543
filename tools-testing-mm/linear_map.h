/* SPDX-License-Identifier: GPL-2.0 */
/* What the linear_map tests share: the linear map, as far as it can be seen, and a lever on it. */
#ifndef LINEAR_MAP_H
#define LINEAR_MAP_H

#include <pthread.h>
#include <string.h>

#include <libmm/base.h>
#include <libmm/directmap.h>
#include <libmm/fail.h>
#include <libmm/linmap.h>
#include <libmm/linmap_model.h>
#include <libmm/pagemap.h>
#include <libmm/secretmem.h>

struct linear_map {
	struct linmap *lm;		/* NULL where the page tables cannot be seen */
	struct probe tables;		/* then: why */
	struct secretmem secret;
	struct linmap_pages pages;	/* that linear_map_take() has taken */
};

static inline void linear_map_open(struct linear_map *map)
{
	*map = (struct linear_map) { .secret.fd = -1 };
	map->tables = linmap_open(&map->lm);
}

static inline void linear_map_close(struct linear_map *map)
{
	linmap_pages_free(&map->pages);
	secretmem_close(&map->secret);
	linmap_close(map->lm);
}

static inline bool linear_map_is_arm64(const struct linmap *lm)
{
	return !strcmp(linmap_geometry(lm)->arch, "arm64");
}

/* Bytes of a PMD-mapped block. */
static inline uint64_t linear_map_block(const struct linear_map *map)
{
	return map->lm ? kpg_level_size(linmap_geometry(map->lm), KPG_PMD) :
			 directmap_entry_bytes(DIRECTMAP_2M);
}

/* Entries of the linear map that fault: those of secretmem pages. 0 where they cannot be seen. */
static inline uint64_t linear_map_invalid(const struct linear_map *map)
{
	struct linmap_snap snap;
	uint64_t invalid;

	if (!map->lm)
		return 0;
	linmap_snap(map->lm, "linear", &snap);
	invalid = linmap_snap_count(&snap, KPG_INVALID, KPG_INVALID);
	linmap_snap_free(&snap);
	return invalid;
}

/* Room for @nr pages of secretmem. */
static inline void linear_map_secret(struct linear_map *map, size_t nr)
{
	int err = secretmem_open(&map->secret, nr * page_size());

	if (err)
		libmm_fail("memfd_secret of %zu pages: %s", nr, strerror(-err));
}

/* Take @nr pages out of the linear map. */
static inline void linear_map_take(struct linear_map *map, size_t nr)
{
	linear_map_secret(map, nr);
	secretmem_fault(&map->secret);
	linmap_pages_of(map->secret.map, nr, &map->pages);
}

#define LINEAR_MAP_THREADS	16

/* Run @run on each of @nr arguments of @size bytes, all at once, and wait for them. */
static inline void linear_map_crowd(void *(*run)(void *), void *args, size_t size, size_t nr)
{
	pthread_t threads[LINEAR_MAP_THREADS];
	size_t i;

	for (i = 0; i < nr; i++)
		if (pthread_create(&threads[i], NULL, run, (char *)args + i * size))
			libmm_fail("pthread_create");
	for (i = 0; i < nr; i++)
		if (pthread_join(threads[i], NULL))
			libmm_fail("pthread_join");
}

#endif
