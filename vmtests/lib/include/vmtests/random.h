/* SPDX-License-Identifier: GPL-2.0 */
/*
 * random: the same sequence on every machine, one generator a thread.
 */
#ifndef VMTESTS_RANDOM_H
#define VMTESTS_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;		/* never 0 */
};

/* SplitMix64's mixing (Steele, Lea, Flood 2014): neighbouring numbers give unrelated results. */
static inline uint64_t random_mix(uint64_t value)
{
	value += UINT64_C(0x9e3779b97f4a7c15);
	value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static inline void random_seed(struct random *r, uint64_t seed)
{
	r->state = random_mix(seed) | 1;
}

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016. */
static inline uint64_t random_next(struct random *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * UINT64_C(2685821657736338717);
}

/* 64 random bits as a number in (0, 1), neither end included: 53 bits and a half. */
static inline double random_to_unit(uint64_t bits)
{
	return ((bits >> 11) + 0.5) / (1ull << 53);
}

static inline double random_unit(struct random *r)
{
	return random_to_unit(random_next(r));
}

/* 0 .. @bound - 1 by a multiplication: the bias is below @bound / 2^32 of a probability. */
static inline uint32_t random_below(struct random *r, uint32_t bound)
{
	return ((random_next(r) >> 32) * bound) >> 32;
}

#endif
