/* SPDX-License-Identifier: GPL-2.0 */
/*
 * options: what memcache_pressure takes besides the options of every benchmark.
 */
#ifndef MEMCACHE_OPTIONS_H
#define MEMCACHE_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>
#include <netinet/in.h>

struct memcache_options {
	double rate;		/* of the open loop, requests/s; 0: not given */
	const char *baseline;	/* a label whose ops_per_sec gives the rate, or NULL */
	double share;		/* of it */
	bool closed_only;	/* no open loop */
	bool external;		/* measure the server at @server instead of the built-in one */
	struct sockaddr_in server;
	pid_t external_pid;	/* for its CPU time; 0: not known */
	unsigned int gets_per_set;	/* UINT_MAX: no sets */
	bool serve;		/* no measurement: run the built-in server on @port */
	uint16_t port;
};

/*
 * Take the options out of @argv, and those not given from the environment. Returns the new argc,
 * or -EINVAL after a line on stderr.
 */
int __memcache_options_take(struct memcache_options *options, int argc, char **argv);

#endif
