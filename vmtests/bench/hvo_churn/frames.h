/* SPDX-License-Identifier: GPL-2.0 */
/* The page frames that the pool has just had, which readers read the struct pages of. */
#ifndef HVO_CHURN_FRAMES_H
#define HVO_CHURN_FRAMES_H

#include <stdint.h>

#include <vmtests/bench.h>

/* Heads of what the pool got, without those from before. */
extern uint64_t *frames;
extern long nr_frames;

/* Room for the frames of pages of @size bytes. Returns 0, or -errno with words. */
int frames_open(struct bench_case *c, uint64_t size);
void frames_close(void);

/* Find them. Returns 0, or -errno with words. */
int frames_learn(struct bench_case *c);

/* Compare what the pool gets now with what was read, and read that from now on. */
int frames_reused_report(struct bench_case *c);

#endif
