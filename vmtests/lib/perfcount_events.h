/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which hardware events count kernel TLB walks on this CPU; apart from perfcount itself so that it
 * can be tested below a replaceable root.
 */
#ifndef LIBMM_PERFCOUNT_EVENTS_H
#define LIBMM_PERFCOUNT_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#define PERFCOUNT_MAX_WALK_EVENTS 2

struct perfcount_hw_event {
	uint32_t type;		/* perf_event_attr.type */
	uint64_t config;	/* perf_event_attr.config */
};

struct perfcount_choice {
	char source[128];	/* as perfcount_source() gives it */
	struct perfcount_hw_event instructions;
	struct perfcount_hw_event walks[PERFCOUNT_MAX_WALK_EVENTS];	/* their sum is the walks */
	size_t nr_walks;
};

/* Returns 0, or -errno with the reason as a sentence in @why (static storage). */
int perfcount_choose(struct perfcount_choice *choice, const char **why);

#endif
