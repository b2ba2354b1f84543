/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memcached: Debian's memcached as a child, the server of most cases.
 */
#ifndef MEMCACHE_MEMCACHED_H
#define MEMCACHE_MEMCACHED_H

#include <stddef.h>
#include <stdint.h>

#include "server.h"

struct memcached_config {
	uint64_t store_bytes;
	uint32_t keys;
	unsigned int conns;
	unsigned int threads;	/* one a CPU, on the first of the CPUs that the caller may use */
};

/* Its version into @version. Returns 0, -ENOENT when it is not installed, or -errno. */
int __memcached_version(char *version, size_t size);

/* Open files that it needs. */
unsigned int memcached_files(const struct memcached_config *config);

/*
 * Start it and wait until it listens on a free port of the loopback interface. It is in the
 * journal (vmtests/undo.h), so bench_guard() comes first, and dies with the caller; server_stop()
 * (server.h) ends it. Changes the caller's CPU affinity: __bench_unpin() afterwards. Returns 0, or
 * -errno with a sentence in @why.
 */
int __memcached_start(struct server *server, const struct memcached_config *config, char *why,
		      size_t size);

#endif
