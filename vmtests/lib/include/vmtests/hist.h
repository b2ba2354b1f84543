/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hist: log-linear histogram of unsigned 64-bit values, for latencies.
 *
 * Values below 2 * HIST_SUB are exact; above, each power of two is split into HIST_SUB buckets of
 * equal width, and a bucket answers with its midpoint. A bucket of [lo, lo + w) has
 * w / lo <= 1 / HIST_SUB, so the midpoint is off by at most w / 2, a relative error of at most
 * 1 / (2 * HIST_SUB) = 0.39 %.
 */
#ifndef VMTESTS_HIST_H
#define VMTESTS_HIST_H

#include <stddef.h>
#include <stdint.h>

#define HIST_SUB_BITS 7
#define HIST_SUB (1u << HIST_SUB_BITS)
#define HIST_BUCKETS ((64 - HIST_SUB_BITS + 1) * HIST_SUB)
#define HIST_MAX_ERROR (1.0 / (2 * HIST_SUB))

struct hist {
	uint64_t count;
	uint64_t min;		/* exact; UINT64_MAX when empty */
	uint64_t max;		/* exact */
	double sum;
	uint64_t bucket[HIST_BUCKETS];
};

void hist_reset(struct hist *h);
void hist_add(struct hist *h, uint64_t value);

/* Add all of @from to @to: per-thread histograms are merged after the threads have ended. */
void hist_merge(struct hist *to, const struct hist *from);

/*
 * The smallest recorded value that at least @fraction (0..1) of all values do not exceed, within
 * HIST_MAX_ERROR; 0 gives min and 1 gives max, both exact. An empty histogram gives 0.
 */
uint64_t hist_quantile(const struct hist *h, double fraction);

double hist_mean(const struct hist *h);

/* Bounds of bucket @i: values v with lower <= v <= upper. */
void hist_bucket_range(size_t i, uint64_t *lower, uint64_t *upper);

#endif
