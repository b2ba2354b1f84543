/* SPDX-License-Identifier: GPL-2.0 */
/*
 * arrivals: when requests are due that come at one rate, whatever the server does.
 */
#ifndef MEMCACHE_ARRIVALS_H
#define MEMCACHE_ARRIVALS_H

#include <math.h>
#include <stdint.h>

#include <vmtests/random.h>

struct arrivals {
	double mean_ns;		/* between two */
	double next_ns;		/* on the clock of the caller */
};

/*
 * A Poisson process of @per_second, from @start_ns on. Several independent ones, a thread each,
 * with rates that add up are one Poisson process of the sum.
 */
static inline void arrivals_init(struct arrivals *a, double per_second, uint64_t start_ns,
				 struct random *r)
{
	a->mean_ns = 1e9 / per_second;
	a->next_ns = start_ns - a->mean_ns * log(random_unit(r));
}

/* When the next request is due, in ns. */
static inline uint64_t arrivals_due(const struct arrivals *a)
{
	return a->next_ns;
}

/* Exponential gaps by inversion of the distribution. */
static inline void arrivals_advance(struct arrivals *a, struct random *r)
{
	a->next_ns -= a->mean_ns * log(random_unit(r));
}

#endif
