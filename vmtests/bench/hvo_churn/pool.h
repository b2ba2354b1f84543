/* SPDX-License-Identifier: GPL-2.0 */
/* The pool of the case that runs: growing and shrinking it, and these two timed apart. */
#ifndef HVO_CHURN_POOL_H
#define HVO_CHURN_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include <libmm/hvo.h>
#include <vmtests/bench.h>

#define CHURN_NAME_MAX 64
#define NR_POOL_PHASES 2

enum nodes { NODES_ALL, NODES_LOCAL, NODES_REMOTE };

struct churn {
	char name[CHURN_NAME_MAX];
	uint64_t size;
	unsigned int share;	/* percent of MemAvailable */
	bool hvo;
	enum nodes nodes;
	const char *file;	/* that readers read, or NULL */
};

/* Pages that the pool had, that were asked for beyond those, and that came. */
struct grown {
	struct hugetlb_pool pool;
	long before;
	long asked;
	long got;
};

extern struct grown grown;
extern const struct bench_phase pool_phases[NR_POOL_PHASES];

/* Return 0 or -errno. */
int pool_grow(void);
int pool_shrink(void);

/* Whether about as many pages came as were asked for; with words when not. */
int got_check(struct bench_case *c);

/* Of the cases without readers, and for those with: c->ctx is a struct churn. */
int churn_setup(struct bench_case *c);
void churn_teardown(struct bench_case *c);
int pool_before(struct bench_case *c);
int pool_after(struct bench_case *c);
void churn_close(void);

#endif
