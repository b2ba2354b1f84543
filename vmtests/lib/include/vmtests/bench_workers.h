/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bench_workers: the same operation on every CPU at once.
 *
 * Workers are processes, not threads: they share no memory, no table of open files and no reference
 * count, so that what they contend for is the kernel's. Each has one CPU for itself, and the memory
 * that its setup touches comes from that CPU's node.
 */
#ifndef VMTESTS_BENCH_WORKERS_H
#define VMTESTS_BENCH_WORKERS_H

#include <vmtests/bench.h>

struct bench_workers;

/*
 * Fork a worker for each CPU that bench_cpus() counts, pinned to it, and let all of them run @setup
 * on their copies of @c, at once. A setup does what a case's does: it sets c->iterations, and
 * returns 0, -errno or bench_skip(). Returns 0, or the first of their failures with its words in
 * @c; then there are no workers.
 */
int __bench_workers_start(struct bench_workers **workers, struct bench_case *c,
			  int (*setup)(struct bench_case *c));

/*
 * Let every worker call @op as often as its setup said, all beginning at once. @per_sec gets the
 * sum of their rates in operations a second: a worker that is behind does not leave the others idle
 * in the result. Returns 0 or -errno (-ECHILD: a worker died), with words in @c.
 */
int __bench_workers_run(struct bench_workers *workers, struct bench_case *c,
			int (*op)(struct bench_case *c, uint64_t i), double *per_sec);

/* End them; NULL is nothing. */
void bench_workers_stop(struct bench_workers *workers);

#endif
