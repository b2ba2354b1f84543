/* SPDX-License-Identifier: GPL-2.0 */
/*
 * perfcount: hardware counters of kernel-mode TLB misses, on every CPU, user mode excluded:
 * softirqs and kernel threads do much of the work. Counters are grouped; a sample that was
 * multiplexed (time_running < time_enabled) is refused rather than scaled.
 */
#ifndef VMTESTS_PERFCOUNT_H
#define VMTESTS_PERFCOUNT_H

#include <stddef.h>
#include <stdint.h>

enum perfcount_event {
	PERFCOUNT_KERNEL_INSTRUCTIONS,
	PERFCOUNT_KERNEL_DTLB_WALKS,
	PERFCOUNT_ALL_INSTRUCTIONS,
	PERFCOUNT_NR
};

struct perfcount;

/*
 * Open the events on all online CPUs. Returns 0, or -errno with the reason as a sentence in @why
 * (static storage): no PMU, perf_event_paranoid, an unknown CPU model.
 */
int __perfcount_open(struct perfcount **pc, const char **why);
int __perfcount_start(struct perfcount *pc);

/* Stop and add up all CPUs into @counts. Returns 0, or -EAGAIN for a multiplexed sample. */
int __perfcount_stop(struct perfcount *pc, uint64_t counts[PERFCOUNT_NR]);
void perfcount_close(struct perfcount *pc);

/* How the walks are counted here ("arm64 DTLB_WALK 0x34", "generic dTLB-load-misses"). */
const char *perfcount_source(const struct perfcount *pc);

#endif
