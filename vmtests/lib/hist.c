// SPDX-License-Identifier: GPL-2.0
/*
 * hist: log-linear histogram; hist.h derives the error bound.
 *
 * Group 0 holds the values below HIST_SUB, one a bucket. Group g > 0 holds the power of two
 * [HIST_SUB << (g - 1), HIST_SUB << g), in HIST_SUB buckets of 1 << (g - 1). Bucket i is entry
 * i % HIST_SUB of group i / HIST_SUB, so bucket numbers rise with the values.
 */
#include <math.h>
#include <string.h>

#include <vmtests/hist.h>

static unsigned int group_shift(size_t group)
{
	return group ? group - 1 : 0;
}

static size_t value_bucket(uint64_t value)
{
	unsigned int top_bit, shift;

	if (value < HIST_SUB)
		return value;

	top_bit = 63 - __builtin_clzll(value);
	shift = top_bit - HIST_SUB_BITS;
	return (size_t)(shift + 1) * HIST_SUB + ((value >> shift) - HIST_SUB);
}

static uint64_t bucket_value(const struct hist *h, size_t i)
{
	uint64_t lower, upper, middle;

	hist_bucket_range(i, &lower, &upper);
	middle = lower + (upper - lower) / 2;

	/* A bucket is wider than what was recorded in it: never answer beyond the extremes. */
	if (middle < h->min)
		return h->min;
	if (middle > h->max)
		return h->max;
	return middle;
}

void hist_reset(struct hist *h)
{
	memset(h, 0, sizeof(*h));
	h->min = UINT64_MAX;
}

void hist_add(struct hist *h, uint64_t value)
{
	h->count++;
	h->sum += value;
	h->bucket[value_bucket(value)]++;
	if (value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
}

void hist_merge(struct hist *to, const struct hist *from)
{
	to->count += from->count;
	to->sum += from->sum;
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
	if (from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
}

uint64_t hist_quantile(const struct hist *h, double fraction)
{
	uint64_t wanted, seen = 0;

	if (!h->count)
		return 0;
	if (fraction <= 0)
		return h->min;
	if (fraction >= 1)
		return h->max;

	wanted = ceil(fraction * h->count);
	if (!wanted)
		wanted = 1;
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= wanted)
			return bucket_value(h, i);
	}
	return h->max;
}

double hist_mean(const struct hist *h)
{
	return h->count ? h->sum / h->count : 0;
}

void hist_bucket_range(size_t i, uint64_t *lower, uint64_t *upper)
{
	size_t group = i / HIST_SUB;
	uint64_t offset = i % HIST_SUB;
	unsigned int shift = group_shift(group);

	*lower = (group ? HIST_SUB + offset : offset) << shift;
	*upper = *lower + ((1ull << shift) - 1);
}
