// SPDX-License-Identifier: GPL-2.0
/*
 * directmap: the kernel counts entries in update_page_count() and events in split_page_count() and
 * collapse_page_count(), arch/x86/mm/pat/set_memory.c.
 */
#include <errno.h>
#include <string.h>

#include <libmm/directmap.h>
#include <libmm/sysfile.h>

#define TRIES	8

static const struct {
	const char *meminfo;
	const char *splits;
	const char *collapses;
} keys[DIRECTMAP_SIZES] = {
	{ .meminfo = "DirectMap4k" },
	{ "DirectMap2M", "direct_map_level2_splits", "direct_map_level2_collapses" },
	{ "DirectMap1G", "direct_map_level3_splits", "direct_map_level3_collapses" },
};

static int events_read(struct directmap *d)
{
	int i, ret;

	for (i = DIRECTMAP_2M; i < DIRECTMAP_SIZES; i++) {
		ret = __sysfile_read_key("/proc/vmstat", keys[i].splits, &d->splits[i]);
		if (ret)
			return ret;
		ret = __sysfile_read_key("/proc/vmstat", keys[i].collapses, &d->collapses[i]);
		if (ret && ret != -ENOENT)
			return ret;
	}
	return 0;
}

static int bytes_read(struct directmap *d)
{
	int i, ret;

	for (i = DIRECTMAP_4K; i < DIRECTMAP_SIZES; i++) {
		ret = __sysfile_read_key("/proc/meminfo", keys[i].meminfo, &d->bytes[i]);
		/* A CPU without 1G pages has no line for them. */
		if (ret && (ret != -ENOENT || i != DIRECTMAP_1G))
			return ret;
		d->bytes[i] <<= 10;
	}
	return 0;
}

int directmap_read(struct directmap *d)
{
	struct directmap after = {};
	int tries, ret;

	for (tries = 0; tries < TRIES; tries++) {
		*d = (struct directmap) {};
		ret = events_read(d);
		if (!ret)
			ret = bytes_read(d);
		if (!ret)
			ret = events_read(&after);
		if (ret)
			return ret;
		if (!memcmp(after.splits, d->splits, sizeof(d->splits)) &&
		    !memcmp(after.collapses, d->collapses, sizeof(d->collapses)))
			return 0;
	}
	return -EAGAIN;
}

uint64_t directmap_entry_bytes(enum directmap_size size)
{
	return UINT64_C(4096) << (9 * size);
}
