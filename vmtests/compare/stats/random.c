// SPDX-License-Identifier: GPL-2.0
/* Random numbers from a seed. */
#include <math.h>

#include "stats/random.h"

uint64_t rng_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

double rng_uniform(uint64_t *state)
{
	return ((rng_next(state) >> 11) + 0.5) / 0x1p53;
}

double rng_normal(uint64_t *state)
{
	/* Box and Muller 1958; the second value is left unused to keep no state. */
	double r = sqrt(-2 * log(rng_uniform(state)));

	return r * cos(2 * M_PI * rng_uniform(state));
}
