// SPDX-License-Identifier: GPL-2.0
/* The page frames that the pool has just had. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <vmtests/hugetlb_heads.h>

#include "frames.h"
#include "pool.h"

uint64_t *frames;
long nr_frames;

static uint64_t *heads;		/* room for a scan */
static uint64_t *heads_before;
static long nr_heads_before;

int frames_open(struct bench_case *c, uint64_t size)
{
	size_t room;

	nr_heads_before = hugetlb_heads(size, NULL, 0);
	if (nr_heads_before < 0)
		return bench_fail(c, nr_heads_before, "cannot read /proc/kpageflags");
	room = (nr_heads_before + grown.asked) * sizeof(*heads);
	heads_before = malloc(room);
	heads = malloc(room);
	frames = malloc(room);
	if (!heads_before || !heads || !frames)
		return bench_fail(c, -ENOMEM, "memory for the page frames of the pool");
	nr_heads_before = hugetlb_heads(size, heads_before, nr_heads_before);
	return 0;
}

void frames_close(void)
{
	free(frames);
	free(heads);
	free(heads_before);
	frames = NULL;
	heads = NULL;
	heads_before = NULL;
}

static int frame_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool frames_have(const uint64_t *sorted, long nr, uint64_t frame)
{
	return bsearch(&frame, sorted, nr, sizeof(frame), frame_compare);
}

/* Grow, note which page frames came, shrink. Returns how many, in heads[], or -errno. */
static long frames_scan(void)
{
	long found, i, nr = 0;
	int err;

	err = pool_grow();
	found = err ? err : hugetlb_heads(grown.pool.size, heads, nr_heads_before + grown.asked);
	if (!err)
		err = pool_shrink();
	if (err || found < 0)
		return err ? err : found;
	if (found > nr_heads_before + grown.asked)
		found = nr_heads_before + grown.asked;
	for (i = 0; i < found; i++)
		if (!frames_have(heads_before, nr_heads_before, heads[i]))
			heads[nr++] = heads[i];
	return nr;
}

static void frames_keep(long nr)
{
	memcpy(frames, heads, nr * sizeof(*frames));
	nr_frames = nr;
}

int frames_learn(struct bench_case *c)
{
	long nr = frames_scan();

	if (nr < 0)
		return bench_fail(c, nr, "cannot find the pool's pages in /proc/kpageflags");
	if (!nr)
		return bench_fail(c, -ENOENT, "/proc/kpageflags shows no huge page in the pool");
	frames_keep(nr);
	return 0;
}

int frames_reused_report(struct bench_case *c)
{
	long nr = frames_scan(), i, again = 0;
	int err;

	if (nr <= 0)
		return bench_fail(c, nr ? nr : -ENOENT,
				  "cannot find the pool's pages in /proc/kpageflags");
	for (i = 0; i < nr; i++)
		again += frames_have(frames, nr_frames, heads[i]);
	err = bench_value(c, "frames_reused", "1", REPORT_HIGHER, (double)again / nr);
	frames_keep(nr);
	return err ? bench_fail(c, err, "cannot write a sample of frames_reused") : 0;
}
