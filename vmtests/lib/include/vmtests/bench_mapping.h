/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bench_mapping: operations on a whole mapping, for the phases of benchmarks of page tables. The
 * context of the case must begin with a struct bench_mapping.
 */
#ifndef VMTESTS_BENCH_MAPPING_H
#define VMTESTS_BENCH_MAPPING_H

#include <stddef.h>
#include <stdint.h>
#include <vmtests/bench.h>
#include <vmtests/bench_child.h>

struct bench_mapping {
	char *map;
	size_t bytes;
	struct bench_child child;
};

/* fork(2), with a child that waits; and that child's exit, until it is reaped. 0 or -errno. */
int bench_mapping_fork(struct bench_case *c, uint64_t i);
int bench_mapping_exit(struct bench_case *c, uint64_t i);

/* Make it read-only, writable again, and gone. 0 or -errno. */
int bench_mapping_protect(struct bench_case *c, uint64_t i);
int bench_mapping_unprotect(struct bench_case *c, uint64_t i);
int bench_mapping_unmap(struct bench_case *c, uint64_t i);

#endif
