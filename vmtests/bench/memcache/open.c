// SPDX-License-Identifier: GPL-2.0
/*
 * open: the open loop, in which requests are sent when they are due, whatever the server does.
 *
 * In the order in which they are due; when the server is slow the requests that found no free
 * connection keep the time at which they were due.
 */
#include <vmtests/bench.h>

#include "client.h"

#define SPIN 0

/* Send what is due, as far as there are free connections. */
static int due_send(struct client *c, uint64_t now)
{
	int err = 0;

	while (!err && c->nr_idle) {
		uint64_t due = arrivals_due(&c->arrivals), could = due;

		if (due > now || due >= c->stop)
			break;
		if (c->freed > could)
			could = c->freed;
		hist_add(&c->result.lateness, now > could ? now - could : 0);
		c->offered++;
		err = request_random(c, due);
		arrivals_advance(&c->arrivals, &c->random);
		now = bench_now_ns();
	}
	return err;
}

/* What is due and was not sent, because the server was slower than the rate, was offered too. */
static void unsent_count(struct client *c)
{
	while (arrivals_due(&c->arrivals) < c->stop) {
		c->offered++;
		arrivals_advance(&c->arrivals, &c->random);
	}
}

int client_open(struct client *c)
{
	/* An overloaded server gets as long again to work off what is queued. */
	uint64_t give_up = c->stop + c->phase->ns;
	int err = 0;

	arrivals_init(&c->arrivals, c->phase->rate / c->config->threads, c->start, &c->random);
	while (!err && arrivals_due(&c->arrivals) < c->stop) {
		uint64_t now = bench_now_ns();

		if (now >= give_up)
			break;
		err = due_send(c, now);
		if (!err)
			err = events_take(c, SPIN);
	}
	unsent_count(c);
	return err ? err : events_drain(c, SPIN);
}
