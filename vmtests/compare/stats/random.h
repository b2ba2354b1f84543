/* SPDX-License-Identifier: GPL-2.0 */
/* SplitMix64 (Steele et al. 2014): a small seeded generator, the same on every machine. */
#ifndef VMCOMPARE_RANDOM_H
#define VMCOMPARE_RANDOM_H

#include <stdint.h>

uint64_t rng_next(uint64_t *state);
/* In (0, 1). */
double rng_uniform(uint64_t *state);
/* Of mean 0 and variance 1. */
double rng_normal(uint64_t *state);

#endif
