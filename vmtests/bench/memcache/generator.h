/* SPDX-License-Identifier: GPL-2.0 */
/*
 * generator: threads that ask a memcached server over many connections.
 *
 * A connection has at most one request on its way. Which connection is next is chosen at random
 * among those that have none, so that the server and the kernel meet their state in no order.
 */
#ifndef MEMCACHE_GENERATOR_H
#define MEMCACHE_GENERATOR_H

#include <stdint.h>
#include <netinet/in.h>

#include <vmtests/hist.h>

#include "keys.h"

struct generator;

struct generator_config {
	struct sockaddr_in server;
	unsigned int threads;
	unsigned int first_cpu;		/* as __bench_pin(): thread i on CPU first_cpu + i */
	unsigned int conns;		/* at least one a thread */
	unsigned int gets_per_set;	/* UINT_MAX: no sets */
	struct keys keys;		/* after __keys_init() */
	uint64_t seed;
};

struct generator_phase {
	uint64_t ns;
	/*
	 * Requests a second, at times of a Poisson process that does not wait for answers; or 0:
	 * closed loop, the next request when an answer came.
	 */
	double rate;
	/* Closed loop: requests on their way, at most; 0: as many as there are connections. */
	unsigned int window;
};

struct generator_result {
	double offered_per_sec;		/* open loop: requests that were due */
	double achieved_per_sec;	/* answers within the time of the phase */
	uint64_t answers;		/* also those that came after it */
	uint64_t misses;
	/*
	 * ns from when the request was due (open loop) or sent (closed loop) to the answer. When
	 * a request had to wait for a connection, the wait counts. In the closed loop an answer
	 * may be seen some microseconds late: there, throughput is what counts.
	 */
	struct hist latency;
	/* ns that the generator itself came too late: it was due, and a connection was free. */
	struct hist lateness;
};

/*
 * Connect and start the threads, which wait. Returns 0, or -errno with a sentence in @why (@size
 * bytes).
 */
int __generator_start(struct generator **generator, const struct generator_config *config,
		      char *why, size_t size);

/* Put every key in. Returns as __generator_run(). */
int __generator_load(struct generator *g, char *why, size_t size);

/*
 * Run one phase and wait for its last answer. Returns 0; -EPROTO for a wrong answer; -EPIPE when a
 * connection ended; -ETIMEDOUT when answers stayed away; each with a sentence in @why.
 */
int __generator_run(struct generator *g, const struct generator_phase *phase,
		    struct generator_result *result, char *why, size_t size);

/* Leaves no connection in TIME_WAIT. */
void generator_stop(struct generator *g);

#endif
