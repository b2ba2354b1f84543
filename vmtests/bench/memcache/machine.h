/* SPDX-License-Identifier: GPL-2.0 */
/*
 * machine: whether this machine has what a case takes of it.
 */
#ifndef MEMCACHE_MACHINE_H
#define MEMCACHE_MACHINE_H

#include <stdint.h>

#include <vmtests/bench.h>

/*
 * For setup: the caller may have @nr open files, and what it starts too. Returns 0, or as setup
 * does.
 */
int machine_allows_files(struct bench_case *c, unsigned int nr);

/* @needed is at most half of the @available memory. Returns as above. */
int machine_allows_memory(struct bench_case *c, uint64_t needed, uint64_t available);

/* There is a CPU for either side, and what they say to each other arrives. Returns as above. */
int machine_allows_loopback(struct bench_case *c);

#endif
