// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: hist places every 64-bit value in the one bucket that contains it, and its quantiles are
 * within HIST_MAX_ERROR of those of the sorted values.
 * Method: every power of two and its neighbours, every bucket's bounds, and pseudo-random values of
 * every magnitude (a fixed seed: a failure repeats).
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vmtests/hist.h>
#include <vmtests/random.h>

#include <kselftest_harness.h>

#define NR_SAMPLES 20000

static const double fractions[] = {
	0, 0.000000001, 0.001, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1
};

/* Uniform in magnitude, so that every group of buckets is met. */
static uint64_t random_any_size(struct random *state)
{
	uint64_t value = random_next(state);

	return value >> (random_next(state) % 64);
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint64_t sorted_quantile(const uint64_t *sorted, size_t count, double fraction)
{
	size_t rank = ceil(fraction * count);

	return sorted[rank ? rank - 1 : 0];
}

static long double relative_error(uint64_t got, uint64_t truth)
{
	if (got == truth)
		return 0;
	return fabsl((long double)got - (long double)truth) / (long double)truth;
}

FIXTURE(hist)
{
	struct hist *h;
	struct hist *other;
	uint64_t *samples;
};

FIXTURE_SETUP(hist)
{
	self->h = malloc(sizeof(*self->h));
	self->other = malloc(sizeof(*self->other));
	self->samples = malloc(NR_SAMPLES * sizeof(*self->samples));
	ASSERT_NE(NULL, self->h);
	ASSERT_NE(NULL, self->other);
	ASSERT_NE(NULL, self->samples);
	hist_reset(self->h);
	hist_reset(self->other);
}

FIXTURE_TEARDOWN(hist)
{
	free(self->h);
	free(self->other);
	free(self->samples);
}

static size_t bucket_of_only_value(const struct hist *h)
{
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		if (h->bucket[i])
			return i;
	return HIST_BUCKETS;
}

/*
 * Between far outliers, so that the answer is the bucket's and not an exact extreme: the median of
 * {0, value, UINT64_MAX}.
 */
static uint64_t value_through_hist(struct hist *h, uint64_t value)
{
	hist_reset(h);
	hist_add(h, 0);
	hist_add(h, value);
	hist_add(h, UINT64_MAX);
	return hist_quantile(h, 0.5);
}

TEST_F(hist, buckets_tile_all_values)
{
	uint64_t lower, upper, next = 0;

	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		hist_bucket_range(i, &lower, &upper);
		ASSERT_EQ(next, lower);
		ASSERT_LE(lower, upper);
		next = upper + 1;
	}
	ASSERT_EQ(UINT64_MAX, upper);
}

TEST_F(hist, bucket_bounds_contain_their_values)
{
	uint64_t lower, upper;

	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		hist_bucket_range(i, &lower, &upper);
		hist_reset(self->h);
		hist_add(self->h, lower);
		hist_add(self->h, upper);
		ASSERT_EQ(2u, self->h->bucket[i]);
	}
}

TEST_F(hist, powers_of_two_are_within_the_error)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		for (int off = -1; off <= 1; off++) {
			uint64_t value = (1ull << bit) + off;

			ASSERT_LE(relative_error(value_through_hist(self->h, value), value),
				  HIST_MAX_ERROR);
		}
	}
}

TEST_F(hist, random_values_are_within_the_error)
{
	struct random seed = { 1 };

	for (size_t i = 0; i < NR_SAMPLES; i++) {
		uint64_t value = random_any_size(&seed);
		uint64_t lower, upper;

		hist_reset(self->other);
		hist_add(self->other, value);
		hist_bucket_range(bucket_of_only_value(self->other), &lower, &upper);
		ASSERT_LE(lower, value);
		ASSERT_GE(upper, value);
		ASSERT_LE(relative_error(value_through_hist(self->h, value), value),
			  HIST_MAX_ERROR);
	}
}

TEST_F(hist, small_values_are_exact)
{
	for (uint64_t value = 0; value < 2 * HIST_SUB; value++)
		ASSERT_EQ(value, value_through_hist(self->h, value));
}

TEST_F(hist, quantiles_match_the_sorted_values)
{
	struct random seed = { 2 };

	for (size_t i = 0; i < NR_SAMPLES; i++) {
		self->samples[i] = random_any_size(&seed);
		hist_add(self->h, self->samples[i]);
	}
	qsort(self->samples, NR_SAMPLES, sizeof(*self->samples), compare_u64);

	for (size_t i = 0; i < ARRAY_SIZE(fractions); i++) {
		uint64_t truth = sorted_quantile(self->samples, NR_SAMPLES, fractions[i]);

		ASSERT_LE(relative_error(hist_quantile(self->h, fractions[i]), truth),
			  HIST_MAX_ERROR)
			TH_LOG("fraction %g", fractions[i]);
	}
	EXPECT_EQ(self->samples[0], hist_quantile(self->h, 0));
	EXPECT_EQ(self->samples[NR_SAMPLES - 1], hist_quantile(self->h, 1));
}

TEST_F(hist, one_value_is_every_quantile)
{
	/* The first and the last value of one bucket: below and above its midpoint. */
	static const uint64_t values[] = { 999424, 1003519 };

	for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
		hist_reset(self->h);
		hist_add(self->h, values[v]);
		for (size_t i = 0; i < ARRAY_SIZE(fractions); i++)
			EXPECT_EQ(values[v], hist_quantile(self->h, fractions[i]));
		EXPECT_EQ(values[v], hist_mean(self->h));
	}
}

TEST_F(hist, empty_answers_zero)
{
	EXPECT_EQ(0u, hist_quantile(self->h, 0));
	EXPECT_EQ(0u, hist_quantile(self->h, 0.5));
	EXPECT_EQ(0u, hist_quantile(self->h, 1));
	EXPECT_EQ(0.0, hist_mean(self->h));
	EXPECT_EQ(UINT64_MAX, self->h->min);
}

TEST_F(hist, merge_is_adding_to_one)
{
	struct hist *both = malloc(sizeof(*both));
	struct random seed = { 3 };

	ASSERT_NE(NULL, both);
	hist_reset(both);
	for (size_t i = 0; i < NR_SAMPLES; i++) {
		/* Small enough for every partial sum to be exact in a double. */
		uint64_t value = random_next(&seed) >> 32;

		hist_add(i % 3 ? self->h : self->other, value);
		hist_add(both, value);
	}
	/* Both extremes come from the one that is merged in. */
	hist_add(self->other, 0);
	hist_add(both, 0);
	hist_add(self->other, UINT32_MAX + 1ull);
	hist_add(both, UINT32_MAX + 1ull);
	hist_merge(self->h, self->other);
	EXPECT_EQ(0, memcmp(both, self->h, sizeof(*both)));

	hist_reset(self->other);
	hist_merge(self->h, self->other);
	EXPECT_EQ(0, memcmp(both, self->h, sizeof(*both)));
	free(both);
}

TEST_F(hist, mean_is_of_the_values_not_the_buckets)
{
	hist_add(self->h, 1000001);
	hist_add(self->h, 1000002);
	EXPECT_EQ(1000001.5, hist_mean(self->h));
}

TEST_HARNESS_MAIN
