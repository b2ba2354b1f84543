// SPDX-License-Identifier: GPL-2.0
/*
 * server: see server.h.
 *
 * The first thread accepts and hands connections to the workers in turn; a worker has an epoll
 * instance and buffers of its own, so that the only thing that workers share is the store. Sockets
 * are read into the worker's buffer, and a connection keeps memory of its own only for what did
 * not come, or could not be sent, as a whole.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmtests/bench.h>

#include "protocol.h"
#include "server.h"

#define EVENTS 64
#define READ_BYTES (16u << 10)
#define BACKLOG 4096
/* Connections break before a process has ended: exit_files() comes before exit_notify(). */
#define ENDED_WAIT_MS 1000

struct worker {
	pthread_t thread;
	int epoll;
	unsigned int cpu;
	struct buffer out;
	char in[READ_BYTES];
};

struct conn {
	int fd;
	bool waits;		/* for room to send: nothing is read meanwhile */
	bool closing;		/* once all is sent */
	struct session session;
	struct buffer unsent;
	struct file_part part;	/* held until the client asks again, having read the answer */
};

/* What the server tells its parent once it listens, or cannot. */
struct hello {
	int err;
	uint16_t port;
};

static void conn_close(struct conn *conn)
{
	store_release(&conn->part.hold);
	close(conn->fd);
	session_free(&conn->session);
	buffer_free(&conn->unsent);
	free(conn);
}

/* Send what can be sent of @data. Returns the bytes that were taken, or -errno. */
static ssize_t conn_send(struct conn *conn, const char *data, size_t len, int flags)
{
	size_t done = 0;

	while (done < len) {
		ssize_t sent = send(conn->fd, data + done, len - done,
				    MSG_NOSIGNAL | flags);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN ? (ssize_t)done : -errno;
		done += sent;
	}
	return done;
}

static int conn_wait_for(struct worker *worker, struct conn *conn, bool to_send)
{
	struct epoll_event event = {
		.events = to_send ? EPOLLOUT : EPOLLIN,
		.data.ptr = conn,
	};

	if (conn->waits == to_send)
		return 0;
	conn->waits = to_send;
	return epoll_ctl(worker->epoll, EPOLL_CTL_MOD, conn->fd, &event) ? -errno : 0;
}

/* The value from the file, as far as it goes. Returns the bytes that were taken, or -errno. */
static ssize_t part_send(struct conn *conn, const struct file_part *part)
{
	off_t at = part->offset, end = at + part->bytes;

	while (at < end) {
		ssize_t sent = sendfile(conn->fd, part->fd, &at, end - at);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno != EAGAIN)
			return -errno;
		if (sent <= 0)
			break;
	}
	return at - part->offset;
}

/*
 * Keep for later what did not go: @header bytes of the answers and @value bytes of the value did.
 * The value is copied, which cannot change either.
 */
static int part_keep(struct worker *worker, struct conn *conn, size_t header, size_t value)
{
	const struct file_part *part = &conn->part;
	uint32_t rest = part->bytes - value;
	char *copy = malloc(rest + 1);
	int err;

	if (!copy)
		return -ENOMEM;
	err = pread(part->fd, copy, rest, part->offset + value) == (ssize_t)rest ? 0 : -EIO;
	if (!err)
		err = __buffer_add(&conn->unsent, worker->out.data + header, part->at - header);
	if (!err)
		err = __buffer_add(&conn->unsent, copy, rest);
	if (!err)
		err = __buffer_add(&conn->unsent, worker->out.data + part->at,
				   worker->out.len - part->at);
	free(copy);
	return err ? err : conn_wait_for(worker, conn, true);
}

/* Answers with a value in a file: header, value, end. */
static int part_answer(struct worker *worker, struct conn *conn)
{
	ssize_t header, value = 0, end;

	header = conn_send(conn, worker->out.data, conn->part.at, MSG_MORE);
	if (header == (ssize_t)conn->part.at)
		value = part_send(conn, &conn->part);
	if (header < 0 || value < 0)
		return header < 0 ? header : value;
	if (value < conn->part.bytes)
		return part_keep(worker, conn, header, value);
	end = conn_send(conn, worker->out.data + header, worker->out.len - header, 0);
	if (end < 0)
		return end;
	if (header + end == (ssize_t)worker->out.len)
		return 0;
	return __buffer_add(&conn->unsent, worker->out.data + header + end,
			    worker->out.len - header - end) ?: conn_wait_for(worker, conn, true);
}

/* Send the worker's answers; keep for later what does not go. */
static int answers_send(struct worker *worker, struct conn *conn)
{
	ssize_t sent;
	int err;

	if (conn->part.hold.shard)
		return part_answer(worker, conn);
	sent = conn_send(conn, worker->out.data, worker->out.len, 0);
	if (sent < 0)
		return sent;
	if ((size_t)sent == worker->out.len)
		return conn_wait_for(worker, conn, false);
	err = __buffer_add(&conn->unsent, worker->out.data + sent, worker->out.len - sent);
	return err ? err : conn_wait_for(worker, conn, true);
}

static int conn_input(struct worker *worker, struct conn *conn, const char *data, size_t len)
{
	int err;

	do {
		worker->out.len = 0;
		err = __session_input(&conn->session, data, len, &worker->out);
		if (err == -EPIPE)
			conn->closing = true;
		else if (err)
			return err;
		err = answers_send(worker, conn);
		len = 0;
	} while (!err && !conn->closing && conn->session.stopped && !conn->waits);
	if (!err && conn->closing && !conn->waits)
		return -EPIPE;
	return err;
}

static int conn_readable(struct worker *worker, struct conn *conn)
{
	ssize_t len = recv(conn->fd, worker->in, sizeof(worker->in), 0);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!len)
		return -EPIPE;
	store_release(&conn->part.hold);
	return conn_input(worker, conn, worker->in, len);
}

static int conn_writable(struct worker *worker, struct conn *conn)
{
	ssize_t sent = conn_send(conn, conn->unsent.data, conn->unsent.len, 0);
	int err;

	if (sent < 0)
		return sent;
	buffer_drop(&conn->unsent, sent);
	if (conn->unsent.len)
		return 0;
	buffer_free(&conn->unsent);
	if (conn->closing)
		return -EPIPE;
	err = conn_wait_for(worker, conn, false);
	return err || !conn->session.stopped ? err : conn_input(worker, conn, NULL, 0);
}

static void conn_event(struct worker *worker, struct conn *conn)
{
	int err = conn->waits ? conn_writable(worker, conn) : conn_readable(worker, conn);

	/* However a connection ends, it concerns its client alone. */
	if (err)
		conn_close(conn);
}

static void *worker_run(void *arg)
{
	struct epoll_event events[EVENTS];
	struct worker *worker = arg;
	int i, nr;

	for (;;) {
		nr = epoll_wait(worker->epoll, events, EVENTS, -1);
		if (nr < 0 && errno != EINTR)
			break;
		for (i = 0; i < nr; i++)
			conn_event(worker, events[i].data.ptr);
	}
	fprintf(stderr, "memcache server: waiting for requests: %s\n", strerror(errno));
	return NULL;
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	int err = __bench_pin(worker->cpu);

	if (err)
		fprintf(stderr, "memcache server: cannot pin a worker to its CPU: %s\n",
			strerror(-err));
	return worker_run(worker);
}

static int workers_start(struct worker **workers, const struct server_config *config)
{
	unsigned int i;
	int err = 0;

	*workers = calloc(config->workers, sizeof(**workers));
	if (!*workers)
		return -ENOMEM;
	for (i = 0; i < config->workers && !err; i++) {
		struct worker *worker = &(*workers)[i];

		worker->cpu = config->first_cpu + i;
		worker->epoll = epoll_create1(EPOLL_CLOEXEC);
		if (worker->epoll < 0)
			return -errno;
		err = -pthread_create(&worker->thread, NULL, worker_main, worker);
	}
	return err;
}

static int listener_open(uint16_t *port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(*port),
	};
	socklen_t len = sizeof(addr);
	int fd, on = 1;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, BACKLOG) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len)) {
		int err = -errno;

		close(fd);
		return err;
	}
	*port = ntohs(addr.sin_port);
	return fd;
}

static int conn_add(struct worker *worker, struct store *store, int fd, bool sends_file)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct conn *conn;
	int on = 1;

	conn = calloc(1, sizeof(*conn));
	if (!conn)
		return -ENOMEM;
	conn->fd = fd;
	conn->session.store = store;
	conn->session.part = sends_file ? &conn->part : NULL;
	event.data.ptr = conn;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event)) {
		int err = -errno;

		free(conn);
		return err;
	}
	return 0;
}

static int accept_all(int listener, struct worker *workers, const struct server_config *config,
		      struct store *store)
{
	unsigned int turn = 0;

	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		int err;

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return -errno;
		err = conn_add(&workers[turn++ % config->workers], store, fd,
			       config->sends_file);
		if (err) {
			close(fd);
			return err;
		}
	}
}

static int server_prepare(const struct server_config *config, struct hello *hello,
			  struct store **store, struct worker **workers)
{
	int listener, err;

	err = __store_create(store, &config->store);
	if (err)
		return err;
	hello->port = config->port;
	listener = listener_open(&hello->port);
	if (listener < 0)
		return listener;
	err = workers_start(workers, config);
	return err ? err : listener;
}

/* The server's process: whatever it has is the kernel's to take back when it ends. */
__attribute__((noreturn))
static void server_main(const struct server_config *config, int to_parent)
{
	struct hello hello = { 0 };
	struct worker *workers = NULL;
	struct store *store = NULL;
	int listener, err;

	/* sendfile() has no MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	listener = server_prepare(config, &hello, &store, &workers);
	if (listener < 0)
		hello.err = listener;
	if (write(to_parent, &hello, sizeof(hello)) != sizeof(hello) || listener < 0)
		_exit(1);
	close(to_parent);
	err = accept_all(listener, workers, config, store);
	fprintf(stderr, "memcache server: accepting a connection: %s\n", strerror(-err));
	_exit(1);
}

static int server_fork(struct server *server, const struct server_config *config, int pipe[2])
{
	pid_t parent = getpid();

	server->pid = fork();
	if (server->pid < 0)
		return -errno;
	if (server->pid)
		return 0;
	close(pipe[0]);
	/* The parent may have died before the first call came to be. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	server_main(config, pipe[1]);
}

int __server_start(struct server *server, const struct server_config *config)
{
	struct hello hello;
	int fds[2], err;
	ssize_t len;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	err = server_fork(server, config, fds);
	close(fds[1]);
	if (err) {
		close(fds[0]);
		return err;
	}
	do {
		len = read(fds[0], &hello, sizeof(hello));
	} while (len < 0 && errno == EINTR);
	close(fds[0]);
	if (len != sizeof(hello))
		hello.err = -ECHILD;
	if (hello.err) {
		__server_stop(server);
		return hello.err;
	}
	server->port = hello.port;
	return 0;
}

/* As waitpid(2), with -errno. */
static int server_reap(struct server *server, int flags, int *status)
{
	pid_t pid;

	do {
		pid = waitpid(server->pid, status, flags);
	} while (pid < 0 && errno == EINTR);
	if (pid > 0)
		server->pid = 0;
	return pid < 0 ? -errno : pid;
}

bool server_ended(struct server *server, char *how, size_t size)
{
	struct pollfd fd = {
		.fd = syscall(SYS_pidfd_open, server->pid, 0), .events = POLLIN,
	};
	int status;

	if (fd.fd >= 0) {
		poll(&fd, 1, ENDED_WAIT_MS);
		close(fd.fd);
	}
	if (server_reap(server, WNOHANG, &status) <= 0)
		return false;
	if (WIFSIGNALED(status))
		snprintf(how, size, "was killed by signal %d", WTERMSIG(status));
	else
		snprintf(how, size, "exited with %d", WEXITSTATUS(status));
	return true;
}

int __server_stop(struct server *server)
{
	int status, ret;

	if (kill(server->pid, SIGKILL))
		return -errno;
	ret = server_reap(server, 0, &status);
	if (ret < 0)
		return ret;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : -ECHILD;
}
