// SPDX-License-Identifier: GPL-2.0
/*
 * generator: see generator.h.
 *
 * A thread has its connections, epoll instance, random numbers and histograms for itself; between
 * phases all wait at a barrier. While it measures, a thread does not sleep: being woken takes
 * longer than what is measured, and the server's CPU would have to do it. It tells its own CPU that
 * it waits: an emulator that runs all CPUs in turn then goes on with the server.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <vmtests/bench.h>
#include <libmm/fail.h>

#include "client.h"
#include "generator.h"

#define POLL_MS 1000

enum work { WORK_RUN, WORK_LOAD, WORK_END };

struct worker {
	struct generator *generator;
	pthread_t thread;
	struct client client;
};

struct generator {
	struct generator_config config;
	pthread_barrier_t barrier;
	struct worker *workers;
	unsigned int nr_started;
	enum work work;
	struct generator_phase phase;
};

/* The thread's share of the keys. */
static int client_load(struct client *c)
{
	const uint64_t nr = c->config->keys.nr;
	uint32_t key = nr * c->index / c->config->threads;
	const uint32_t end = nr * (c->index + 1) / c->config->threads;
	int err = 0;

	while (!err && key < end) {
		while (!err && c->nr_idle && key < end)
			err = request_begin(c, key++, true, bench_now_ns());
		if (!err)
			err = events_take(c, POLL_MS);
		if (!err)
			err = answers_overdue(c);
	}
	return err ? err : events_drain(c, POLL_MS);
}

static void client_reset(struct client *c)
{
	hist_reset(&c->result.latency);
	hist_reset(&c->result.lateness);
	c->result.answers = 0;
	c->result.misses = 0;
	c->offered = 0;
	c->in_time = 0;
	c->start = bench_now_ns();
	c->stop = c->start + c->phase->ns;
	c->last_answer = c->start;
	c->freed = c->start;
}

static int client_work(struct client *c, enum work work)
{
	bool closed = work == WORK_RUN && c->phase->rate <= 0;

	if (!c->err)
		c->err = conns_watch(c, !closed);
	if (c->err)
		return c->err;
	client_reset(c);
	if (work == WORK_LOAD)
		return client_load(c);
	return closed ? client_closed(c) : client_open(c);
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct generator *g = worker->generator;
	struct client *c = &worker->client;

	c->err = __bench_pin(g->config.first_cpu + c->index);
	if (c->err)
		client_fail(c, c->err, "pinning a thread of the generator");
	for (;;) {
		pthread_barrier_wait(&g->barrier);
		if (g->work == WORK_END)
			return NULL;
		c->err = client_work(c, g->work);
		pthread_barrier_wait(&g->barrier);
	}
}

static void generator_free(struct generator *g)
{
	unsigned int i;

	for (i = 0; g->workers && i < g->config.threads; i++)
		client_free(&g->workers[i].client);
	free(g->workers);
	free(g);
}

static int threads_start(struct generator *g, char *why, size_t size)
{
	unsigned int i;
	int err;

	for (i = 0; i < g->config.threads; i++) {
		err = -pthread_create(&g->workers[i].thread, NULL, worker_main, &g->workers[i]);
		if (err)
			return libmm_refuse(err, why, size, "starting a thread: %s",
					    strerror(-err));
		g->nr_started++;
	}
	return 0;
}

static int generator_init(struct generator *g, char *why, size_t size)
{
	unsigned int i;
	int err;

	g->workers = calloc(g->config.threads, sizeof(*g->workers));
	if (!g->workers)
		return libmm_refuse(-ENOMEM, why, size, "memory for %u threads", g->config.threads);
	for (i = 0; i < g->config.threads; i++) {
		struct worker *worker = &g->workers[i];

		worker->generator = g;
		worker->client.phase = &g->phase;
		err = client_init(&worker->client, &g->config, i);
		if (err)
			return libmm_refuse(err, why, size, "%s", worker->client.why);
	}
	return 0;
}

int __generator_start(struct generator **generator, const struct generator_config *config,
		      char *why, size_t size)
{
	struct generator *g = calloc(1, sizeof(*g));
	int err;

	*generator = NULL;
	if (!g)
		return libmm_refuse(-ENOMEM, why, size, "memory for the generator");
	g->config = *config;
	err = generator_init(g, why, size);
	if (err) {
		generator_free(g);
		return err;
	}
	pthread_barrier_init(&g->barrier, NULL, config->threads + 1);
	err = threads_start(g, why, size);
	if (!err)
		*generator = g;
	/* Else threads wait at a barrier that never opens: the program ends with the case. */
	return err;
}

static void results_add(struct generator *g, struct generator_result *result)
{
	const double seconds = g->phase.ns / 1e9;
	uint64_t offered = 0, in_time = 0;
	unsigned int i;

	memset(result, 0, sizeof(*result));
	hist_reset(&result->latency);
	hist_reset(&result->lateness);
	for (i = 0; i < g->config.threads; i++) {
		const struct client *c = &g->workers[i].client;

		hist_merge(&result->latency, &c->result.latency);
		hist_merge(&result->lateness, &c->result.lateness);
		result->answers += c->result.answers;
		result->misses += c->result.misses;
		offered += c->offered;
		in_time += c->in_time;
	}
	result->offered_per_sec = offered / seconds;
	result->achieved_per_sec = in_time / seconds;
}

/* Let the threads do it, and wait for all of them. */
static int generator_work(struct generator *g, enum work what, char *why, size_t size)
{
	unsigned int i;

	g->work = what;
	pthread_barrier_wait(&g->barrier);
	pthread_barrier_wait(&g->barrier);
	for (i = 0; i < g->config.threads; i++)
		if (g->workers[i].client.err)
			return libmm_refuse(g->workers[i].client.err, why, size, "%s",
					    g->workers[i].client.why);
	return 0;
}

int __generator_load(struct generator *g, char *why, size_t size)
{
	return generator_work(g, WORK_LOAD, why, size);
}

int __generator_run(struct generator *g, const struct generator_phase *phase,
		    struct generator_result *result, char *why, size_t size)
{
	int err;

	g->phase = *phase;
	err = generator_work(g, WORK_RUN, why, size);
	if (!err)
		results_add(g, result);
	return err;
}

void generator_stop(struct generator *g)
{
	unsigned int i;

	g->work = WORK_END;
	pthread_barrier_wait(&g->barrier);
	for (i = 0; i < g->nr_started; i++)
		pthread_join(g->workers[i].thread, NULL);
	pthread_barrier_destroy(&g->barrier);
	generator_free(g);
}
