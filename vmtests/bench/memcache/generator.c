// SPDX-License-Identifier: GPL-2.0
/*
 * generator: see generator.h.
 *
 * A thread has its connections, epoll instance, random numbers and histograms for itself; between
 * phases all wait at a barrier. While it measures, a thread does not sleep: being woken takes
 * longer than what is measured, and the server's CPU would have to do it. It tells its own CPU that
 * it waits: an emulator that runs all CPUs in turn then goes on with the server. In the open loop
 * it sends what is due, in the order in which it was due, and when the server is slow the requests
 * that found no free connection keep the time at which they were due. In the closed loop an answer
 * is followed by the next request before the next answer is looked at, so that the server does not
 * run out of requests while a batch of answers is read.
 *
 * Connections are watched edge-triggered: of a level-triggered one epoll asks once more whether
 * there is something to read after all was read, for each answer. In the closed loop they are not
 * watched at all: it is the server's CPU that puts each answer into epoll's list, and to find how
 * much a server can do nothing else should be asked of it. Answers come in about the order of their
 * requests, so the oldest are looked at; as many workers need not keep that order, every other look
 * goes on where the last such one ended, instead.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmm/bench.h>
#include <libmm/fail.h>

#include "arrivals.h"
#include "generator.h"
#include "reply.h"

#define EVENTS 256
#define READ_BYTES (64u << 10)
/* "set KEY 0 0 65536\r\nVALUE\r\n" */
#define REQUEST_MAX (KEYS_TEXT_MAX + 32 + KEYS_VALUE_MAX + 2)
/* No answer for so long: the server hangs. Far beyond any scheduling delay of a busy machine. */
#define ANSWER_TIMEOUT_NS (30ull * 1000000000)
#define POLL_MS 1000
#define SPIN 0
/*
 * Closed loop: between two looks at the answers, for each request on its way. Looking takes the
 * lines of a socket from the server's CPU, which is writing to it. A request takes any server
 * several times as long, so that it does not run out of them meanwhile.
 */
#define LOOK_NS 150
/* A look ends after as many connections in a row without an answer. */
#define MISSES_MOST 2
#define NO_CONN UINT32_MAX

enum work { WORK_RUN, WORK_LOAD, WORK_END };

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
	struct generator *generator;
	pthread_t thread;
	unsigned int index;
	struct random random;
	int epoll;
	bool watched;		/* connections, by epoll */
	struct conn *conns;
	uint32_t oldest, newest, cursor;	/* of the busy ones */
	uint32_t nr_conns;
	uint32_t *idle;		/* indices of connections without a request */
	uint32_t nr_idle;
	uint64_t freed;		/* when the first of them became free */
	uint32_t window;	/* requests to keep on their way until stop; 0: not a closed loop */
	struct arrivals arrivals;
	uint32_t next_key, end_key;	/* of the load */
	uint64_t start, stop, last_answer;
	uint64_t offered, in_time;
	struct generator_result result;
	int err;
	char why[128];
	char in[READ_BYTES];
	char out[REQUEST_MAX];
};

struct generator {
	struct generator_config config;
	pthread_barrier_t barrier;
	struct client *clients;
	unsigned int nr_started;
	enum work work;
	struct generator_phase phase;
};

static int client_fail(struct client *c, int err, const char *what)
{
	return libmm_refuse(err, c->why, sizeof(c->why), "%s: %s", what, strerror(-err));
}

/* The connection's request into c->out. Returns its bytes. */
static size_t request_make(struct client *c, const struct conn *conn)
{
	const struct keys *keys = &c->generator->config.keys;
	uint32_t value_bytes;
	size_t len;

	memcpy(c->out, conn->is_set ? "set " : "get ", 4);
	len = 4 + keys_text(keys, conn->key, c->out + 4);
	if (conn->is_set) {
		value_bytes = keys_value_bytes(keys, conn->key);
		len += sprintf(c->out + len, " 0 0 %u\r\n", value_bytes);
		memset(c->out + len, 'v', value_bytes);
		len += value_bytes;
	}
	memcpy(c->out + len, "\r\n", 2);
	return len + 2;
}

static struct epoll_event conn_event(struct conn *conn)
{
	return (struct epoll_event) {
		.events = conn->waits ? EPOLLIN | EPOLLOUT : EPOLLIN | EPOLLET,
		.data.ptr = conn,
	};
}

static int conn_wait_for(struct client *c, struct conn *conn, bool to_send)
{
	struct epoll_event event;

	if (conn->waits == to_send)
		return 0;
	conn->waits = to_send;
	event = conn_event(conn);
	if (c->watched && epoll_ctl(c->epoll, EPOLL_CTL_MOD, conn->fd, &event))
		return -errno;
	return 0;
}

/* Watch all connections, or none. */
static int conns_watch(struct client *c, bool watched)
{
	uint32_t i;

	if (c->watched == watched)
		return 0;
	c->watched = watched;
	for (i = 0; i < c->nr_conns; i++) {
		struct epoll_event event = conn_event(&c->conns[i]);

		if (epoll_ctl(c->epoll, watched ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, c->conns[i].fd,
			      &event))
			return client_fail(c, -errno, "watching a connection");
	}
	return 0;
}

static void busy_add(struct client *c, struct conn *conn)
{
	uint32_t i = conn - c->conns;

	conn->busy = true;
	conn->older = c->newest;
	conn->newer = NO_CONN;
	if (c->newest == NO_CONN)
		c->oldest = i;
	else
		c->conns[c->newest].newer = i;
	c->newest = i;
}

static void busy_remove(struct client *c, struct conn *conn)
{
	uint32_t i = conn - c->conns;

	conn->busy = false;
	if (c->cursor == i)
		c->cursor = conn->newer;
	if (conn->older == NO_CONN)
		c->oldest = conn->newer;
	else
		c->conns[conn->older].newer = conn->newer;
	if (conn->newer == NO_CONN)
		c->newest = conn->older;
	else
		c->conns[conn->newer].older = conn->older;
}

/* Send what is not yet sent of the connection's request. */
static int request_send(struct client *c, struct conn *conn)
{
	size_t total = request_make(c, conn);
	ssize_t sent;

	sent = send(conn->fd, c->out + conn->sent, total - conn->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return client_fail(c, -errno, "sending a request");
	if (sent > 0)
		conn->sent += sent;
	return conn_wait_for(c, conn, conn->sent < total);
}

static int request_begin(struct client *c, uint32_t key, bool is_set, uint64_t due)
{
	uint32_t at = random_below(&c->random, c->nr_idle);
	struct conn *conn = &c->conns[c->idle[at]];

	c->idle[at] = c->idle[--c->nr_idle];
	busy_add(c, conn);
	conn->is_set = is_set;
	conn->key = key;
	conn->sent = 0;
	conn->due = due;
	reply_reset(&conn->reply);
	return request_send(c, conn);
}

static int request_random(struct client *c, uint64_t due)
{
	const struct generator_config *config = &c->generator->config;
	bool is_set = config->gets_per_set != UINT_MAX &&
		      !random_below(&c->random, config->gets_per_set + 1);

	return request_begin(c, keys_next(&config->keys, &c->random), is_set, due);
}

static int answer_check(struct client *c, const struct conn *conn, enum reply_kind kind)
{
	if (conn->is_set && kind == REPLY_STORED)
		return 0;
	if (!conn->is_set && kind == REPLY_MISS) {
		c->result.misses++;
		return 0;
	}
	if (!conn->is_set && kind == REPLY_HIT && conn->reply.value_bytes ==
	    keys_value_bytes(&c->generator->config.keys, conn->key))
		return 0;
	return client_fail(c, -EPROTO, conn->is_set ? "a set was not answered with STORED" :
			   "a get was answered with no value of the right length");
}

static int answer_take(struct client *c, struct conn *conn, enum reply_kind kind)
{
	uint64_t now = bench_now_ns();
	int err;

	err = answer_check(c, conn, kind);
	if (err)
		return err;
	hist_add(&c->result.latency, now - conn->due);
	c->result.answers++;
	c->in_time += now <= c->stop;
	c->last_answer = now;
	if (!c->nr_idle)
		c->freed = now;
	busy_remove(c, conn);
	c->idle[c->nr_idle++] = conn - c->conns;
	return 0;
}

static int conn_input(struct client *c, struct conn *conn, size_t len)
{
	enum reply_kind kind;
	size_t used;

	if (!conn->busy)
		return client_fail(c, -EPROTO, "an answer without a request");
	kind = reply_input(&conn->reply, c->in, len, &used);
	if (used != len)
		return client_fail(c, -EPROTO, "more than one answer to one request");
	return kind == REPLY_PARTIAL ? 0 : answer_take(c, conn, kind);
}

/* All that there is: the next event comes with the next bytes. */
static int conn_readable(struct client *c, struct conn *conn)
{
	ssize_t len;
	int err;

	do {
		len = recv(conn->fd, c->in, sizeof(c->in), MSG_DONTWAIT);
		if (len < 0 && errno == EAGAIN)
			return 0;
		if (len < 0 && errno != EINTR)
			return client_fail(c, -errno, "reading an answer");
		if (!len)
			return client_fail(c, -EPIPE, "the server closed a connection");
		err = len < 0 ? 0 : conn_input(c, conn, len);
	} while (!err && (len < 0 || (size_t)len == sizeof(c->in)));
	return err;
}

/* As many requests as the window has room for. */
static int window_fill(struct client *c, uint64_t now)
{
	int err = 0;

	while (!err && now < c->stop && c->nr_conns - c->nr_idle < c->window)
		err = request_random(c, now);
	return err;
}

static void cpu_relax(void)
{
#if defined(__aarch64__)
	__asm__ volatile("yield" : : : "memory");
#elif defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

static int events_take(struct client *c, int timeout_ms)
{
	struct epoll_event events[EVENTS];
	int i, nr, err = 0;

	nr = epoll_wait(c->epoll, events, EVENTS, timeout_ms);
	if (nr < 0 && errno != EINTR)
		return client_fail(c, -errno, "waiting for answers");
	if (!nr)
		cpu_relax();
	for (i = 0; i < nr && !err; i++) {
		struct conn *conn = events[i].data.ptr;

		if (conn->waits && events[i].events & EPOLLOUT)
			err = request_send(c, conn);
		if (!err && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			err = conn_readable(c, conn);
		if (!err)
			err = window_fill(c, c->last_answer);
	}
	return err;
}

/* Look at busy connections from @at on. Returns the first that it did not look at, or NO_CONN. */
static uint32_t answers_look_from(struct client *c, uint32_t at, int *err)
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
			*err = window_fill(c, c->last_answer);
	}
	return at;
}

static int answers_look(struct client *c)
{
	int err = 0;

	answers_look_from(c, c->oldest, &err);
	c->cursor = answers_look_from(c, c->cursor == NO_CONN ? c->oldest : c->cursor, &err);
	return err;
}

static bool all_answered(const struct client *c)
{
	return c->nr_idle == c->nr_conns;
}

static int answers_overdue(struct client *c)
{
	if (all_answered(c) || bench_now_ns() - c->last_answer < ANSWER_TIMEOUT_NS)
		return 0;
	return client_fail(c, -ETIMEDOUT, "no answer");
}

static int events_drain(struct client *c, int timeout_ms)
{
	int err = 0;

	c->window = 0;
	while (!err && !all_answered(c)) {
		err = c->watched ? events_take(c, timeout_ms) : answers_look(c);
		if (!err)
			err = answers_overdue(c);
	}
	return err;
}

/* Of the window, the share of this thread's connections; at least one request. */
static uint32_t client_window(const struct client *c)
{
	const struct generator *g = c->generator;
	uint32_t window = g->phase.window / g->config.threads;

	if (!g->phase.window || window > c->nr_conns)
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

static int client_closed(struct client *c)
{
	uint64_t now = c->start;
	int err = 0;

	c->window = client_window(c);
	while (!err && now < c->stop) {
		err = window_fill(c, now);
		if (!err)
			err = answers_look(c);
		if (!err)
			err = answers_overdue(c);
		now = clock_pass(now + (uint64_t)c->window * LOOK_NS);
	}
	return err ? err : events_drain(c, SPIN);
}

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

static int client_open(struct client *c)
{
	const struct generator *g = c->generator;
	/* An overloaded server gets as long again to work off what is queued. */
	uint64_t give_up = c->stop + g->phase.ns;
	int err = 0;

	arrivals_init(&c->arrivals, g->phase.rate / g->config.threads, c->start, &c->random);
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

static int client_load(struct client *c)
{
	int err = 0;

	while (!err && c->next_key < c->end_key) {
		while (!err && c->nr_idle && c->next_key < c->end_key)
			err = request_begin(c, c->next_key++, true, bench_now_ns());
		if (!err)
			err = events_take(c, POLL_MS);
		if (!err)
			err = answers_overdue(c);
	}
	return err ? err : events_drain(c, POLL_MS);
}

static void client_reset(struct client *c)
{
	const struct generator *g = c->generator;
	const uint64_t nr = g->config.keys.nr;

	hist_reset(&c->result.latency);
	hist_reset(&c->result.lateness);
	c->result.answers = 0;
	c->result.misses = 0;
	c->offered = 0;
	c->in_time = 0;
	c->start = bench_now_ns();
	c->stop = c->start + g->phase.ns;
	c->last_answer = c->start;
	c->freed = c->start;
	c->window = 0;
	c->next_key = nr * c->index / g->config.threads;
	c->end_key = nr * (c->index + 1) / g->config.threads;
}

static int client_work(struct client *c)
{
	bool load = c->generator->work == WORK_LOAD;
	bool closed = !load && c->generator->phase.rate <= 0;

	if (!c->err)
		c->err = conns_watch(c, !closed);
	if (c->err)
		return c->err;
	client_reset(c);
	if (load)
		return client_load(c);
	return closed ? client_closed(c) : client_open(c);
}

static void *client_main(void *arg)
{
	struct client *c = arg;

	c->err = __bench_pin(c->generator->config.first_cpu + c->index);
	if (c->err)
		client_fail(c, c->err, "pinning a thread of the generator");
	for (;;) {
		pthread_barrier_wait(&c->generator->barrier);
		if (c->generator->work == WORK_END)
			return NULL;
		c->err = client_work(c);
		pthread_barrier_wait(&c->generator->barrier);
	}
}

static int conn_open(struct client *c, struct conn *conn)
{
	/* Closing resets the connection: nothing stays behind in TIME_WAIT. */
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int on = 1;

	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (conn->fd < 0)
		return client_fail(c, -errno, "making a socket");
	if (setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) ||
	    connect(conn->fd, (const struct sockaddr *)&c->generator->config.server,
		    sizeof(c->generator->config.server)))
		return client_fail(c, -errno, "connecting to the server");
	return 0;
}

static int client_open_conns(struct client *c)
{
	uint32_t i;
	int err = 0;

	c->conns = calloc(c->nr_conns, sizeof(*c->conns));
	c->idle = calloc(c->nr_conns, sizeof(*c->idle));
	if (!c->conns || !c->idle)
		return client_fail(c, -ENOMEM, "memory for connections");
	for (i = 0; i < c->nr_conns; i++)
		c->conns[i].fd = -1;
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c->epoll < 0)
		return client_fail(c, -errno, "making an epoll instance");
	for (i = 0; i < c->nr_conns && !err; i++) {
		err = conn_open(c, &c->conns[i]);
		c->idle[c->nr_idle++] = i;
	}
	return err;
}

static int client_init(struct generator *g, unsigned int index)
{
	struct client *c = &g->clients[index];
	const uint64_t conns = g->config.conns;

	c->generator = g;
	c->index = index;
	c->epoll = -1;
	c->oldest = NO_CONN;
	c->newest = NO_CONN;
	c->cursor = NO_CONN;
	c->nr_conns = conns * (index + 1) / g->config.threads - conns * index / g->config.threads;
	random_seed(&c->random, g->config.seed + index);
	return client_open_conns(c);
}

static void client_free(struct client *c)
{
	uint32_t i;

	for (i = 0; c->conns && i < c->nr_conns; i++)
		if (c->conns[i].fd >= 0)
			close(c->conns[i].fd);
	if (c->epoll > 0)
		close(c->epoll);
	free(c->conns);
	free(c->idle);
}

static void generator_free(struct generator *g)
{
	unsigned int i;

	for (i = 0; g->clients && i < g->config.threads; i++)
		client_free(&g->clients[i]);
	free(g->clients);
	free(g);
}

static int threads_start(struct generator *g, char *why, size_t size)
{
	unsigned int i;
	int err;

	for (i = 0; i < g->config.threads; i++) {
		err = -pthread_create(&g->clients[i].thread, NULL, client_main, &g->clients[i]);
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

	g->clients = calloc(g->config.threads, sizeof(*g->clients));
	if (!g->clients)
		return libmm_refuse(-ENOMEM, why, size, "memory for %u threads", g->config.threads);
	for (i = 0; i < g->config.threads; i++) {
		err = client_init(g, i);
		if (err)
			return libmm_refuse(err, why, size, "%s", g->clients[i].why);
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
		const struct client *c = &g->clients[i];

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
		if (g->clients[i].err)
			return libmm_refuse(g->clients[i].err, why, size, "%s", g->clients[i].why);
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
		pthread_join(g->clients[i].thread, NULL);
	pthread_barrier_destroy(&g->barrier);
	generator_free(g);
}
