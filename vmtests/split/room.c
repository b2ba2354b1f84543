// SPDX-License-Identifier: GPL-2.0
/*
 * room: how much memory may be used up without anybody running out, and what it is made of.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include <libmm/memory.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

#include "split.h"

#define MIN_FREE "/proc/sys/vm/min_free_kbytes"

/* What others may need at once: a share of memory, within bounds. */
#define SLACK_SHARE 128
#define SLACK_MIN (16 * MIB)
#define SLACK_MAX (256 * MIB)

uint64_t room_total(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

uint64_t room_free(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : (uint64_t)info.freeram * info.mem_unit;
}

/*
 * khugepaged raises the watermarks so that it finds huge pages (set_recommended_min_free_kbytes()),
 * by several times on a small machine. Nothing needs them while this runs: until its end they are
 * what the kernel computes without khugepaged (calculate_min_free_kbytes(), in kB).
 */
static int watermarks_lower(void)
{
	uint64_t kbytes = sqrt(room_total() / 1024 * 16.0), now;
	char text[32];
	int err = __sysfile_read_u64(MIN_FREE, &now);

	if (err || kbytes >= now)
		return err;
	snprintf(text, sizeof(text), "%" PRIu64, kbytes);
	return __restore_set(MIN_FREE, text, NULL);
}

/* The largest of "        protection: (0, 0, 950, 950)". */
static uint64_t protection_largest(const char *line)
{
	uint64_t largest = 0;

	for (line = strpbrk(line, "0123456789"); line; line = strpbrk(line, "0123456789")) {
		char *end;
		uint64_t value = strtoull(line, &end, 10);

		if (value > largest)
			largest = value;
		line = end;
	}
	return largest;
}

/*
 * Pages that an allocation like ours must leave in all zones together, from /proc/zoneinfo: above
 * the low watermark kswapd sleeps, lowmem_reserve keeps low zones for those who need them, and
 * free pages of CMA areas and of the movable zone are none for unmovable memory.
 */
static int zones_reserve(uint64_t *pages)
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	bool movable = false, in_pagesets = false;
	char line[512];

	if (!file)
		return -errno;
	*pages = 0;
	while (fgets(line, sizeof(line), file)) {
		uint64_t value;

		if (!strncmp(line, "Node ", 5)) {
			movable = strstr(line, "Movable");
			in_pagesets = false;
		} else if (strstr(line, "protection:")) {
			*pages += protection_largest(line);
		} else if (strstr(line, "pagesets")) {
			in_pagesets = true;
		} else if (in_pagesets) {
			continue;
		} else if (sscanf(line, " low %" SCNu64, &value) == 1 ||
			   sscanf(line, " nr_free_cma %" SCNu64, &value) == 1) {
			*pages += value;
		} else if (movable && sscanf(line, " pages free %" SCNu64, &value) == 1) {
			*pages += value;
		}
	}
	fclose(file);
	return *pages ? 0 : -ENODATA;
}

static uint64_t slack_bytes(void)
{
	uint64_t slack = room_total() / SLACK_SHARE;

	if (slack < SLACK_MIN)
		return SLACK_MIN;
	return slack > SLACK_MAX ? SLACK_MAX : slack;
}

int __room_reserve(size_t page, uint64_t *bytes)
{
	uint64_t pages = 0;
	int err = watermarks_lower();

	if (!err)
		err = zones_reserve(&pages);
	*bytes = pages * page + slack_bytes();
	return err;
}

/* "Node 0, zone   Normal    565    546 ...": free blocks of each order, from 0. */
static uint64_t whole_of_zone(const char *line, size_t page, size_t block)
{
	const char *zone = strstr(line, "zone");
	uint64_t bytes = 0, size = page;
	char *end;

	if (!zone)
		return 0;
	for (zone += strlen("zone"); *zone == ' ';)
		zone++;
	zone += strcspn(zone, " ");
	for (;; zone = end, size *= 2) {
		uint64_t count = strtoull(zone, &end, 10);

		if (end == zone)
			return bytes;
		if (size >= block)
			bytes += count * size;
	}
}

uint64_t room_whole_blocks(size_t page, size_t block)
{
	FILE *file = fopen("/proc/buddyinfo", "re");
	uint64_t bytes = 0;
	char line[512];

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		bytes += whole_of_zone(line, page, block);
	fclose(file);
	return bytes;
}

int __room_unlimited(char *reason, size_t len)
{
	struct memory_limit limit;

	if (__memory_limit(&limit) || limit.limit >= room_total())
		return 0;
	snprintf(reason, len,
		 "the control group %.150s limits memory to %" PRIu64 " bytes: run outside it",
		 limit.group, limit.limit);
	return -ENOMEM;
}

