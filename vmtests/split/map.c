// SPDX-License-Identifier: GPL-2.0
/*
 * map: how the linear map is made, by the kernel's page tables where /proc/kcore shows them, else
 * by what x86 counts itself.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vmtests/census_kernel.h>
#include <libmm/directmap.h>

#include "split.h"

/* Bytes of "System RAM" of /proc/iomem: lines of "  START-END : NAME", in hex. */
static int ram_read(uint64_t *bytes)
{
	FILE *file = fopen("/proc/iomem", "re");
	char line[256];

	if (!file)
		return -errno;
	*bytes = 0;
	while (fgets(line, sizeof(line), file)) {
		uint64_t start, end;

		if (*line != ' ' && strstr(line, ": System RAM\n") &&
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2)
			*bytes += end - start + 1;
	}
	fclose(file);
	return *bytes ? 0 : -ENODATA;
}

static int map_from_census(struct map *map, char *reason, size_t len)
{
	struct census all[CENSUS_RANGES_MAX];
	int nr = census_kernel(all, reason, len);

	for (int i = 0; i < nr; i++) {
		if (strcmp(all[i].name, "linear"))
			continue;
		map->pages = all[i].leaves[CENSUS_MAPPED][KPG_PTE] * all[i].page_size;
		map->blocks = census_bytes(&all[i], CENSUS_MAPPED) - map->pages;
		return 0;
	}
	if (nr >= 0)
		snprintf(reason, len, "this kernel does not say where its linear map is");
	return nr < 0 ? nr : -ENOENT;
}

/*
 * x86 counts a 1G block again for each further stretch of RAM within it that is mapped at boot
 * (arch/x86/mm/init_64.c, phys_pud_init()), so no more blocks are believed than RAM has room
 * for.
 */
static int map_from_directmap(struct map *map)
{
	struct directmap d;
	uint64_t ram = 0;
	int err = directmap_read(&d);

	if (!err)
		err = ram_read(&ram);
	if (err)
		return err;
	map->pages = d.bytes[DIRECTMAP_4K];
	map->blocks = d.bytes[DIRECTMAP_2M] + d.bytes[DIRECTMAP_1G];
	if (map->blocks + map->pages > ram)
		map->blocks = ram > map->pages ? ram - map->pages : 0;
	return 0;
}

int __map_read(struct map *map, char *reason, size_t len)
{
	int err = map_from_census(map, reason, len);

	return err && map_from_directmap(map) ? err : 0;
}
