// SPDX-License-Identifier: GPL-2.0
/*
 * client: see client.h.
 *
 * Connections are watched edge-triggered: of a level-triggered one epoll asks once more whether
 * there is something to read after all was read, for each answer.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vmtests/bench.h>
#include <libmm/fail.h>

#include "client.h"

#define EVENTS 256
/* No answer for so long: the server hangs. Far beyond any scheduling delay of a busy machine. */
#define ANSWER_TIMEOUT_NS (30ull * 1000000000)

int client_fail(struct client *c, int err, const char *what)
{
	return libmm_refuse(err, c->why, sizeof(c->why), "%s: %s", what, strerror(-err));
}

/* The connection's request into c->out. Returns its bytes. */
static size_t request_make(struct client *c, const struct conn *conn)
{
	const struct keys *keys = &c->config->keys;
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

int conns_watch(struct client *c, bool watched)
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

int request_send(struct client *c, struct conn *conn)
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

int request_begin(struct client *c, uint32_t key, bool is_set, uint64_t due)
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

int request_random(struct client *c, uint64_t due)
{
	const struct generator_config *config = c->config;
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
	    keys_value_bytes(&c->config->keys, conn->key))
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

/* To the end: the next event comes with the next bytes. */
int conn_readable(struct client *c, struct conn *conn)
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

int events_take(struct client *c, int timeout_ms)
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
	}
	return err;
}

bool all_answered(const struct client *c)
{
	return c->nr_idle == c->nr_conns;
}

int answers_overdue(struct client *c)
{
	if (all_answered(c) || bench_now_ns() - c->last_answer < ANSWER_TIMEOUT_NS)
		return 0;
	return client_fail(c, -ETIMEDOUT, "no answer");
}

int events_drain(struct client *c, int timeout_ms)
{
	int err = 0;

	while (!err && !all_answered(c)) {
		err = events_take(c, timeout_ms);
		if (!err)
			err = answers_overdue(c);
	}
	return err;
}

static int conn_open(struct client *c, struct conn *conn)
{
	/* Closing resets the connection: nothing stays behind in TIME_WAIT. */
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	const struct sockaddr_in *server = &c->config->server;
	int on = 1;

	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (conn->fd < 0)
		return client_fail(c, -errno, "making a socket");
	if (setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) ||
	    connect(conn->fd, (const struct sockaddr *)server, sizeof(*server)))
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

int client_init(struct client *c, const struct generator_config *config, unsigned int index)
{
	const uint64_t conns = config->conns;

	c->config = config;
	c->index = index;
	c->epoll = -1;
	c->oldest = NO_CONN;
	c->newest = NO_CONN;
	c->cursor = NO_CONN;
	c->nr_conns = conns * (index + 1) / config->threads - conns * index / config->threads;
	random_seed(&c->random, config->seed + index);
	return client_open_conns(c);
}

void client_free(struct client *c)
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
