// SPDX-License-Identifier: GPL-2.0
/*
 * closed: the closed loop, in which an answer is followed by the next request.
 *
 * The next request goes out before the next answer is looked at, so that the server does not run
 * out of requests while a batch of answers is read. Connections are not watched by epoll: it is the
 * server's CPU that puts each answer into epoll's list, and to find how much a server can do
 * nothing else should be asked of it. Answers come in about the order of their requests, so the
 * oldest are looked at; as many workers need not keep that order, every other look goes on where
 * the last such one ended, instead.
 */
#include <vmtests/bench.h>

#include "client.h"

/*
 * Between two looks at the answers, for each request on its way. Looking takes the lines of a
 * socket from the server's CPU, which is writing to it. A request takes any server several times
 * as long, so that it does not run out of them meanwhile.
 */
#define LOOK_NS 150
/* A look ends after as many connections in a row without an answer. */
#define MISSES_MOST 2

/* As many requests as the window has room for. */
static int window_fill(struct client *c, uint32_t window, uint64_t now)
{
	int err = 0;

	while (!err && now < c->stop && c->nr_conns - c->nr_idle < window)
		err = request_random(c, now);
	return err;
}

/* Look at busy connections from @at on. Returns the first that it did not look at, or NO_CONN. */
static uint32_t answers_look_from(struct client *c, uint32_t at, uint32_t window, int *err)
{
	unsigned int misses = 0;

	while (at != NO_CONN && misses < MISSES_MOST && !*err) {
		struct conn *conn = &c->conns[at];
		uint64_t answers = c->result.answers;

		at = conn->newer;
		if (conn->waits)
			*err = request_send(c, conn);
		if (!*err)
			*err = conn_readable(c, conn);
		if (c->result.answers == answers) {
			misses++;
			continue;
		}
		misses = 0;
		if (!*err)
			*err = window_fill(c, window, c->last_answer);
	}
	return at;
}

static int answers_look(struct client *c, uint32_t window)
{
	int err = 0;

	answers_look_from(c, c->oldest, window, &err);
	c->cursor = answers_look_from(c, c->cursor == NO_CONN ? c->oldest : c->cursor, window,
				      &err);
	return err ? err : answers_overdue(c);
}

/* Of the window, the share of this thread's connections; at least one request. */
static uint32_t client_window(const struct client *c)
{
	uint32_t window = c->phase->window / c->config->threads;

	if (!c->phase->window || window > c->nr_conns)
		return c->nr_conns;
	return window ? window : 1;
}

static uint64_t clock_pass(uint64_t until)
{
	uint64_t now = bench_now_ns();

	while (now < until) {
		cpu_relax();
		now = bench_now_ns();
	}
	return now;
}

int client_closed(struct client *c)
{
	const uint32_t window = client_window(c);
	uint64_t now = c->start;
	int err = 0;

	while (!err && now < c->stop) {
		err = window_fill(c, window, now);
		if (!err)
			err = answers_look(c, window);
		now = clock_pass(now + (uint64_t)window * LOOK_NS);
	}
	while (!err && !all_answered(c))
		err = answers_look(c, 0);
	return err;
}
