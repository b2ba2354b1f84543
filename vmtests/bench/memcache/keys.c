// SPDX-License-Identifier: GPL-2.0
/*
 * keys: see keys.h.
 *
 * Zipf by rejection-inversion: W. Hoermann and G. Derflinger, "Rejection-inversion to generate
 * variates from monotone discrete distributions", ACM TOMACS 6(3), 1996. No table, and the same
 * time for any number of keys.
 *
 * ETC: B. Atikoglu, Y. Xu, E. Frachtenberg, S. Jiang, M. Paleczny, "Workload analysis of a
 * large-scale key-value store", SIGMETRICS 2012, the model of the pool ETC: keys GEV(30.7984,
 * 8.20449, 0.078688); values of 0 .. 14 bytes with the probabilities below, 0.44155 together, else
 * generalized Pareto with scale 214.476 and shape 0.348238. The figures are as the load generator
 * mutilate (J. Leverich) has them, fb_key and fb_value, which also begins the Pareto distribution
 * at 15 bytes, so that no length below is drawn from it. Here a key or value has its length for
 * good, and keys have between 10 and 250 bytes.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <libmm/base.h>

#include "keys.h"

#define ID_DIGITS 8
#define TEXT_MIN (ID_DIGITS + 2)
#define SALT_KEY UINT64_C(0x6b65790000000000)
#define SALT_VALUE UINT64_C(0x76616c0000000000)

#define ETC_KEY_LOCATION 30.7984
#define ETC_KEY_SCALE 8.20449
#define ETC_KEY_SHAPE 0.078688
#define ETC_VALUE_LOCATION 15.0
#define ETC_VALUE_SCALE 214.476
#define ETC_VALUE_SHAPE 0.348238

/* Of values of 0, 1, ... 14 bytes; 9 and 10 do have the same. */
static const double etc_small[] = {
	0.00536, 0.00047, 0.17820, 0.09239, 0.00018, 0.02740, 0.00065, 0.00606,
	0.00023, 0.00837, 0.00837, 0.08989, 0.00092, 0.00326, 0.01980,
};

/* h(x) = x^-skew, whose integral and its inverse follow; @skew is not 1. */
static double zipf_weight(const struct keys *k, double x)
{
	return pow(x, -k->skew);
}

static double zipf_integral(const struct keys *k, double x)
{
	return (pow(x, 1 - k->skew) - 1) / (1 - k->skew);
}

static double zipf_inverse(const struct keys *k, double area)
{
	return pow(1 + area * (1 - k->skew), 1 / (1 - k->skew));
}

int __keys_init(struct keys *k)
{
	if (!k->nr || k->key_bytes < TEXT_MIN || k->key_bytes > KEYS_TEXT_MAX ||
	    k->value_bytes > KEYS_VALUE_MAX)
		return -EINVAL;
	if (k->choice != KEYS_ZIPF)
		return 0;
	if (!(k->skew > 0) || k->skew == 1)
		return -EINVAL;
	k->first = zipf_integral(k, 1.5) - 1;
	k->last = zipf_integral(k, k->nr + 0.5);
	k->shortcut = 2 - zipf_inverse(k, zipf_integral(k, 2.5) - zipf_weight(k, 2));
	return 0;
}

static uint32_t zipf_next(const struct keys *k, struct random *r)
{
	for (;;) {
		double area = k->last + random_unit(r) * (k->first - k->last);
		double x = zipf_inverse(k, area);
		double rank = floor(x + 0.5);

		if (rank < 1)
			rank = 1;
		if (rank > k->nr)
			rank = k->nr;
		if (rank - x <= k->shortcut ||
		    area >= zipf_integral(k, rank + 0.5) - zipf_weight(k, rank))
			return rank - 1;
	}
}

uint32_t keys_next(const struct keys *k, struct random *r)
{
	return k->choice == KEYS_ZIPF ? zipf_next(k, r) : random_below(r, k->nr);
}

/* The quantile functions of the generalized extreme value and Pareto distributions. */
static double gev_quantile(double u)
{
	return ETC_KEY_LOCATION +
	       ETC_KEY_SCALE * (pow(-log(u), -ETC_KEY_SHAPE) - 1) / ETC_KEY_SHAPE;
}

static double pareto_quantile(double u)
{
	return ETC_VALUE_LOCATION +
	       ETC_VALUE_SCALE * (pow(1 - u, -ETC_VALUE_SHAPE) - 1) / ETC_VALUE_SHAPE;
}

static double id_unit(uint32_t id, uint64_t salt)
{
	return random_to_unit(random_mix(id ^ salt));
}

static size_t etc_key_bytes(uint32_t id)
{
	double bytes = gev_quantile(id_unit(id, SALT_KEY));

	if (bytes < TEXT_MIN)
		return TEXT_MIN;
	return bytes > KEYS_TEXT_MAX ? KEYS_TEXT_MAX : bytes;
}

static uint32_t etc_value_bytes(uint32_t id)
{
	double u = id_unit(id, SALT_VALUE), below = 0, bytes;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(etc_small); i++) {
		below += etc_small[i];
		if (u < below)
			return i;
	}
	bytes = pareto_quantile((u - below) / (1 - below));
	return bytes > KEYS_VALUE_MAX ? KEYS_VALUE_MAX : bytes;
}

size_t keys_text(const struct keys *k, uint32_t id, char *text)
{
	size_t len = k->sizes == KEYS_ETC ? etc_key_bytes(id) : k->key_bytes;
	size_t i;

	memset(text, '-', len);
	text[0] = 'k';
	for (i = 0; i < ID_DIGITS; i++)
		text[1 + i] = "0123456789abcdef"[id >> (28 - 4 * i) & 15];
	return len;
}

uint32_t keys_value_bytes(const struct keys *k, uint32_t id)
{
	return k->sizes == KEYS_ETC ? etc_value_bytes(id) : k->value_bytes;
}
