// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: the latencies that the generator records are the true ones, to 1 % or 2 us.
 * Method: a server on a CPU of its own, that never sleeps, holds every answer back for a known
 * time, and notes how long it really did. What was recorded, less what was noted, is the way
 * through the kernel, there and back; it must be the same without a delay and with any. Delays take
 * turns, so that what disturbs one disturbs all. Disturbance only adds, so that the lowest tenth
 * of the requests of the calmest turn stands for the undisturbed machine.
 * Root takes real-time priority for a second, so that the machine need not be idle.
 * Limits: needs two CPUs; says nothing of the tail. That late requests are charged is
 * memcache_unit's to show.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libmm/base.h>
#include <vmtests/bench.h>

#include <kselftest.h>

#include "generator.h"
#include "protocol.h"

#define NS_PER_MS 1000000ull
#define TURNS 3
#define CALM 0.1
#define CONNS 32
#define RATE 500
#define PHASE_NS (100 * NS_PER_MS)
#define ALLOWED_SHARE 0.01
#define ALLOWED_NS 2000
#define STORE_BYTES (8ull << 20)
#define NR_KEYS 1000

static const uint64_t delays[] = { 0, 100000, 1000000, 10000000 };

/* Between the two processes. */
struct shared {
	uint64_t delay;		/* ns */
	struct hist held;	/* ns that answers were held back */
};

struct peer {
	int fd;
	struct session session;
};

/* Answers leave in the order in which they came: the delay is the same for all. */
struct waiting {
	struct peer *peer;
	struct buffer answer;
	uint64_t came;
	struct waiting *next;
};

static struct waiting *first, **last = &first;

__attribute__((noreturn))
static void server_fail(const char *what)
{
	fprintf(stderr, "memcache_accuracy: server: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void peer_readable(struct peer *peer, struct store *store)
{
	char in[4096];
	struct waiting *w;
	ssize_t len = recv(peer->fd, in, sizeof(in), MSG_DONTWAIT);

	if (len <= 0)
		_exit(0);
	w = calloc(1, sizeof(*w));
	if (!w)
		server_fail("memory");
	w->came = bench_now_ns();
	w->peer = peer;
	peer->session.store = store;
	if (__session_input(&peer->session, in, len, &w->answer))
		server_fail("a request");
	*last = w;
	last = &w->next;
}

static void due_answer(struct shared *shared)
{
	while (first && bench_now_ns() - first->came >= shared->delay) {
		struct waiting *w = first;

		hist_add(&shared->held, bench_now_ns() - w->came);
		if (send(w->peer->fd, w->answer.data, w->answer.len, MSG_NOSIGNAL) !=
		    (ssize_t)w->answer.len)
			server_fail("sending");
		first = w->next;
		if (!first)
			last = &first;
		buffer_free(&w->answer);
		free(w);
	}
}

__attribute__((noreturn))
static void server_run(int listener, struct shared *shared)
{
	const struct store_config config = { .bytes = STORE_BYTES };
	int epoll = epoll_create1(0), on = 1, i;
	struct epoll_event events[CONNS];
	struct store *store;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || __bench_pin(0) || epoll < 0 ||
	    __store_create(&store, &config))
		server_fail("preparing");
	for (i = 0; i < CONNS; i++) {
		struct peer *peer = calloc(1, sizeof(*peer));
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = peer };

		if (!peer)
			server_fail("memory");
		peer->fd = accept(listener, NULL, NULL);
		if (peer->fd < 0 ||
		    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
		    epoll_ctl(epoll, EPOLL_CTL_ADD, peer->fd, &event))
			server_fail("accepting");
	}
	for (;;) {
		int nr = epoll_wait(epoll, events, CONNS, 0);

		for (i = 0; i < nr; i++)
			peer_readable(events[i].data.ptr, store);
		due_answer(shared);
	}
}

static void judge(size_t i, double way, double true_way)
{
	double off = fabs(way - true_way);
	double allowed = fmax(ALLOWED_SHARE * (delays[i] + true_way), ALLOWED_NS);

	ksft_print_msg("held back %lu ns: recorded %.0f ns more, off by %.0f ns, allowed %.0f ns\n",
		       (unsigned long)delays[i], way, off, allowed);
	ksft_test_result(off <= allowed, "delay_%luus\n", (unsigned long)(delays[i] / 1000));
}

static void die(const char *what, const char *why)
{
	ksft_exit_fail_msg("%s: %s\n", what, why);
}

static struct generator *connect_all(struct shared *shared)
{
	struct generator_config config = {
		.server = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
		.threads = 1, .first_cpu = 1, .conns = CONNS, .gets_per_set = UINT_MAX, .seed = 1,
		.keys = { .nr = NR_KEYS, .key_bytes = 32, .value_bytes = 128 },
	};
	socklen_t len = sizeof(config.server);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct generator *g;
	char why[256];
	pid_t pid;

	if (listener < 0 || bind(listener, (struct sockaddr *)&config.server, len) ||
	    listen(listener, CONNS) ||
	    getsockname(listener, (struct sockaddr *)&config.server, &len))
		die("listening", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("starting the server", strerror(errno));
	if (!pid)
		server_run(listener, shared);
	if (__generator_start(&g, &config, why, sizeof(why)) ||
	    __generator_load(g, why, sizeof(why)))
		die("generator", why);
	return g;
}

int main(void)
{
	const struct sched_param first_priority = { .sched_priority = 1 };
	const struct generator_phase phase = { .ns = PHASE_NS, .rate = RATE };
	double ways[ARRAY_SIZE(delays)];
	static struct generator_result result;
	struct shared *shared;
	struct generator *g;
	char why[256];
	double way;
	size_t i, turn;

	ksft_print_header();
	if (sched_setscheduler(0, SCHED_FIFO, &first_priority))
		ksft_print_msg("no real-time priority: %s\n", strerror(errno));
	if (bench_cpus() < 2)
		ksft_exit_skip("needs two CPUs\n");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		die("memory", strerror(errno));
	ksft_set_plan(ARRAY_SIZE(delays) - 1);
	g = connect_all(shared);
	for (turn = 0; turn < TURNS; turn++) {
		for (i = 0; i < ARRAY_SIZE(delays); i++) {
			/* Nothing is on its way: no answer is held back meanwhile. */
			hist_reset(&shared->held);
			__atomic_store_n(&shared->delay, delays[i], __ATOMIC_SEQ_CST);
			if (__generator_run(g, &phase, &result, why, sizeof(why)))
				die("generator", why);
			way = hist_quantile(&result.latency, CALM) * 1.0 -
			      hist_quantile(&shared->held, CALM);
			if (!turn || way < ways[i])
				ways[i] = way;
		}
	}
	generator_stop(g);
	wait(NULL);
	ksft_print_msg("not held back: recorded %.0f ns more\n", ways[0]);
	for (i = 1; i < ARRAY_SIZE(delays); i++)
		judge(i, ways[i], ways[0]);
	ksft_finished();
}
