// SPDX-License-Identifier: GPL-2.0
/*
 * bench_workers: a process on each CPU, which waits for its orders at a socket.
 *
 * An order names a function by its address, which fork() keeps. The kernel kills workers whose
 * parent dies (PR_SET_PDEATHSIG), so none is left behind however this ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmtests/bench_workers.h>
#include <vmtests/tlbmodel.h>

#define NS_PER_SEC 1e9

struct order {
	int (*op)(struct bench_case *c, uint64_t i);
};

/* Of the setup: its return value and reason; of an order: what it took as well. */
struct reply {
	int ret;
	char reason[sizeof(((struct bench_case *)0)->reason)];
	uint64_t ops;
	uint64_t ns;
};

struct worker {
	pid_t pid;
	int socket;
};

struct bench_workers {
	unsigned int nr;
	struct worker worker[];
};

static ssize_t message_get(int socket, void *message, size_t size)
{
	ssize_t len;

	do {
		len = recv(socket, message, size, 0);
	} while (len < 0 && errno == EINTR);
	return len;
}

static void reply_send(int socket, const struct bench_case *c, struct reply *reply)
{
	memcpy(reply->reason, c->reason, sizeof(reply->reason));
	if (send(socket, reply, sizeof(*reply), MSG_NOSIGNAL) != sizeof(*reply))
		_exit(1);
}

static void __attribute__((noreturn))
worker_main(struct bench_case *c, unsigned int index, int socket,
	    int (*setup)(struct bench_case *c))
{
	struct reply reply = {};
	struct order order;

	/* The model has one window at a time, and that is the parent's. */
	tlbmodel_close();
	reply.ret = __bench_pin(index);
	if (reply.ret)
		bench_fail(c, reply.ret, "cannot pin a worker to a CPU");
	else
		reply.ret = setup(c);
	reply_send(socket, c, &reply);
	while (message_get(socket, &order, sizeof(order)) == sizeof(order)) {
		reply = (struct reply) { .ops = c->iterations };
		reply.ret = bench_time(c, order.op, c->iterations, &reply.ns);
		reply_send(socket, c, &reply);
	}
	_exit(0);
}

static int worker_fork(struct worker *w, struct bench_case *c, unsigned int index,
		       int (*setup)(struct bench_case *c))
{
	pid_t parent = getpid();
	int ends[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	w->pid = fork();
	if (!w->pid) {
		close(ends[0]);
		/* The parent may have died before the first call came to be. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
			_exit(1);
		worker_main(c, index, ends[1], setup);
	}
	err = errno;
	close(ends[1]);
	w->socket = ends[0];
	if (w->pid > 0)
		return 0;
	close(ends[0]);
	return -err;
}

/* Returns what the worker does, with its words, or -ECHILD when it says nothing any more. */
static int reply_get(const struct worker *w, struct bench_case *c, struct reply *reply)
{
	if (message_get(w->socket, reply, sizeof(*reply)) != sizeof(*reply))
		return bench_fail(c, -ECHILD, "a worker has died");
	if (reply->ret)
		memcpy(c->reason, reply->reason, sizeof(c->reason));
	return reply->ret;
}

int __bench_workers_start(struct bench_workers **workers, struct bench_case *c,
			  int (*setup)(struct bench_case *c))
{
	unsigned int nr = bench_cpus(), i;
	struct bench_workers *all = calloc(1, sizeof(*all) + nr * sizeof(*all->worker));
	struct reply reply;
	int ret = 0;

	if (!all)
		return bench_fail(c, -ENOMEM, "memory for %u workers", nr);
	for (; !ret && all->nr < nr; all->nr += !ret) {
		ret = worker_fork(&all->worker[all->nr], c, all->nr, setup);
		if (ret)
			bench_fail(c, ret, "cannot start worker %u of %u", all->nr + 1, nr);
	}
	for (i = 0; !ret && i < nr; i++)
		ret = reply_get(&all->worker[i], c, &reply);
	if (ret)
		bench_workers_stop(all);
	else
		*workers = all;
	return ret;
}

static int orders_give(const struct bench_workers *all, struct bench_case *c,
		       const struct order *order)
{
	unsigned int i;

	for (i = 0; i < all->nr; i++)
		if (send(all->worker[i].socket, order, sizeof(*order), MSG_NOSIGNAL) !=
		    sizeof(*order))
			return bench_fail(c, -ECHILD, "a worker has died");
	return 0;
}

int __bench_workers_run(struct bench_workers *all, struct bench_case *c,
			int (*op)(struct bench_case *c, uint64_t i), double *per_sec)
{
	const struct order order = { op };
	struct reply reply;
	int ret = orders_give(all, c, &order);
	unsigned int i;

	*per_sec = 0;
	for (i = 0; !ret && i < all->nr; i++) {
		ret = reply_get(&all->worker[i], c, &reply);
		if (!ret && !reply.ns)
			ret = bench_fail(c, -ERANGE, "over before the clock moved");
		if (!ret)
			*per_sec += reply.ops * NS_PER_SEC / reply.ns;
	}
	return ret;
}

void bench_workers_stop(struct bench_workers *all)
{
	unsigned int i;

	if (!all)
		return;
	for (i = 0; i < all->nr; i++)
		kill(all->worker[i].pid, SIGKILL);
	for (i = 0; i < all->nr; i++) {
		while (waitpid(all->worker[i].pid, NULL, 0) < 0 && errno == EINTR)
			;
		close(all->worker[i].socket);
	}
	free(all);
}
