/* SPDX-License-Identifier: GPL-2.0 */
/*
 * server: a process that serves a store over loopback TCP, for what memcached cannot be: values in
 * a file.
 */
#ifndef MEMCACHE_SERVER_H
#define MEMCACHE_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "store.h"

struct server_config {
	struct store_config store;
	unsigned int workers;		/* threads, one a CPU */
	unsigned int first_cpu;		/* of the CPUs that the program may use, as __bench_pin() */
	uint16_t port;			/* 0: any that is free */
	/*
	 * Values in a file go out by sendfile() when a get came alone. What is on its way are then
	 * pages of the file: a client must have read an answer before it sends its next request.
	 */
	bool sends_file;
};

struct server {
	pid_t pid;			/* 0: there is none */
	uint16_t port;
};

/*
 * Fork the server and wait until it listens. It dies with the caller, whatever kills that. Returns
 * 0, or the -errno with which the server could not be set up. The caller has one thread.
 */
int __server_start(struct server *server, const struct server_config *config);

/*
 * Whether the server, whose connections break, has ended; waits a moment for that. If so @how says
 * in which way ("was killed by signal 9"), and server.pid is 0.
 */
bool server_ended(struct server *server, char *how, size_t size);

/*
 * End the server and wait for it. Returns 0, or -ECHILD when it had ended already; server.pid is 0
 * afterwards.
 */
int __server_stop(struct server *server);

#endif
