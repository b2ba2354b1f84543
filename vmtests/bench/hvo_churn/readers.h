/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that read a file all the time while the pool grows and shrinks. */
#ifndef HVO_CHURN_READERS_H
#define HVO_CHURN_READERS_H

#include <vmtests/bench.h>

extern const struct bench_phase readers_phase;

/* Of the cases with readers: c->ctx is a struct churn that names the file. */
int readers_setup(struct bench_case *c);
void readers_teardown(struct bench_case *c);
int readers_before(struct bench_case *c);
int readers_after(struct bench_case *c);

#endif
