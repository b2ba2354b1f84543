/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between bench.c and bench_model.c.
 */
#ifndef LIBMM_BENCH_MODEL_H
#define LIBMM_BENCH_MODEL_H

struct bench_case;

/* A repeat begins. */
void bench_model_reset(void);

/* It is over: write what its windows counted, if there is a model. Returns 0 or -errno. */
int bench_model_report(struct bench_case *c);

#endif
