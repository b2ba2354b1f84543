/* SPDX-License-Identifier: GPL-2.0 */
/*
 * client: one thread of the generator, its connections, and the requests on their way. Private to
 * the generator (generator.c) and its two loops (closed.c, open.c).
 *
 * Functions that return int return 0, or -errno with a sentence in client.why.
 */
#ifndef MEMCACHE_CLIENT_H
#define MEMCACHE_CLIENT_H

#include <pthread.h>
#include <stdbool.h>

#include "arrivals.h"
#include "generator.h"
#include "reply.h"

#define CLIENT_READ_BYTES (64u << 10)
/* "set KEY 0 0 65536\r\nVALUE\r\n" */
#define CLIENT_REQUEST_MAX (KEYS_TEXT_MAX + 32 + KEYS_VALUE_MAX + 2)
#define NO_CONN UINT32_MAX

struct conn {
	int fd;
	bool is_set;
	bool busy;
	bool waits;		/* to send the rest of a request */
	uint32_t older, newer;	/* neighbours in the order of requests, while busy */
	uint32_t key;
	uint32_t sent;		/* bytes of the request */
	uint64_t due;		/* ns, as bench_now_ns() */
	struct reply reply;
};

struct client {
	const struct generator_config *config;
	const struct generator_phase *phase;
	unsigned int index;	/* of the threads */
	struct random random;
	int epoll;
	bool watched;		/* connections, by epoll */
	struct conn *conns;
	uint32_t oldest, newest, cursor;	/* of the busy ones */
	uint32_t nr_conns;
	uint32_t *idle;		/* indices of connections without a request */
	uint32_t nr_idle;
	uint64_t freed;		/* when the first of them became free */
	struct arrivals arrivals;
	uint64_t start, stop, last_answer;
	uint64_t offered, in_time;
	struct generator_result result;
	int err;
	char why[128];
	char in[CLIENT_READ_BYTES];
	char out[CLIENT_REQUEST_MAX];
};

/* Note what failed; returns @err. */
int client_fail(struct client *c, int err, const char *what);

/* Connect. client_free() also of one whose client_init() failed. */
int client_init(struct client *c, const struct generator_config *config, unsigned int index);
void client_free(struct client *c);

/* Watch all connections, or none. */
int conns_watch(struct client *c, bool watched);

/* Ask over a random one of the idle connections, of which there must be one. */
int request_begin(struct client *c, uint32_t key, bool is_set, uint64_t due);
/* The key at random, and a set or a get as the configuration has it. */
int request_random(struct client *c, uint64_t due);
/* Send what is not yet sent of the connection's request. */
int request_send(struct client *c, struct conn *conn);

/* Read all that there is, and take the answer when it is complete. */
int conn_readable(struct client *c, struct conn *conn);
/* Wait for connections that are watched, and take what came. */
int events_take(struct client *c, int timeout_ms);
/* The same until every request is answered. */
int events_drain(struct client *c, int timeout_ms);

bool all_answered(const struct client *c);
/* -ETIMEDOUT when there are requests, and the server has not answered any for long. */
int answers_overdue(struct client *c);

/* Let the other thread of this core, or what an emulator runs in turn, go on. */
static inline void cpu_relax(void)
{
#if defined(__aarch64__)
	__asm__ volatile("yield" : : : "memory");
#elif defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

/* The two loops, from client.start to client.stop and until all is answered. */
int client_closed(struct client *c);
int client_open(struct client *c);

#endif
