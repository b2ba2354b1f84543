// SPDX-License-Identifier: GPL-2.0
/*
 * bench: what an emulator's TLB model counted, as samples. docs/tlb-model.md explains each.
 */
#include <stdio.h>
#include <string.h>

#include <libmm/base.h>
#include <vmtests/bench.h>
#include <vmtests/tlbmodel.h>

#include "bench_model.h"

#define KILO		1000
#define METRIC_MAX	64

/* Of one repeat: all its windows together. */
static struct tlbmodel_counts counts;
static uint64_t ops;

void bench_window_begin(void)
{
	tlbmodel_begin();
}

void bench_window_end(uint64_t window_ops)
{
	tlbmodel_end(&counts);
	ops += window_ops;
}

void bench_model_reset(void)
{
	memset(&counts, 0, sizeof(counts));
	ops = 0;
}

static double sum(const uint64_t *values, size_t nr)
{
	double total = 0;

	while (nr--)
		total += values[nr];
	return total;
}

/* A handful of instructions of a tick says nothing about the case. */
static bool mode_matters(enum tlbmodel_mode mode)
{
	return counts.insns[mode] && counts.insns[mode] >= ops;
}

static double per_kinsn(enum tlbmodel_mode mode)
{
	return sum(counts.walks[mode], TLBMODEL_CLASSES) * KILO / counts.insns[mode];
}

/* In the kernel, where these addresses can be accessed. */
static double misses_per_op(enum tlbmodel_class class)
{
	return (double)counts.walks[TLBMODEL_IN_KERNEL][class] / ops;
}

/* Of the linear map, with other sizes of the second level: where the model was asked for them. */
static int reaches_report(struct bench_case *c)
{
	char metric[METRIC_MAX];
	unsigned int nr, entries;
	int err = 0;

	for (nr = 0; !err && (entries = tlbmodel_reach_entries(nr)); nr++) {
		snprintf(metric, sizeof(metric), "model_linear_misses_per_op_l2_%u", entries);
		err = bench_value(c, metric, "misses/op", REPORT_LOWER,
				  (double)counts.reach_walks[nr] / ops);
	}
	return err;
}

int bench_model_report(struct bench_case *c)
{
	const struct {
		const char *metric, *unit;
		double value;
	} values[] = {
		{ "model_kernel_insns_per_op", "insns/op",
		  (double)counts.insns[TLBMODEL_IN_KERNEL] / ops },
		{ "model_linear_misses_per_op", "misses/op", misses_per_op(TLBMODEL_LINEAR) },
		{ "model_vmemmap_misses_per_op", "misses/op", misses_per_op(TLBMODEL_VMEMMAP) },
		{ "model_otherkernel_misses_per_op", "misses/op", misses_per_op(TLBMODEL_KERNEL) },
		{ "model_linear_reads_per_op", "reads/op",
		  (double)counts.reads[TLBMODEL_IN_KERNEL][TLBMODEL_LINEAR] / ops },
		{ "model_walk_reads_per_op", "reads/op",
		  sum(counts.reads_by_level, TLBMODEL_LEVELS) / ops },
		{ "model_unseen_per_op", "insns/op", (double)counts.unseen / ops },
		{ "model_untranslated", "accesses", (double)counts.untranslated },
		{ "model_disagreed", "walks", (double)counts.disagreed },
	};
	int err = 0;

	if (!tlbmodel_present() || !ops)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(values) && !err; i++)
		err = bench_value(c, values[i].metric, values[i].unit, REPORT_LOWER,
				  values[i].value);
	if (!err && mode_matters(TLBMODEL_IN_KERNEL))
		err = bench_value(c, "model_kernel_dtlb_mpki", "misses/kinsn", REPORT_LOWER,
				  per_kinsn(TLBMODEL_IN_KERNEL));
	if (!err && mode_matters(TLBMODEL_IN_USER))
		err = bench_value(c, "model_user_dtlb_mpki", "misses/kinsn", REPORT_LOWER,
				  per_kinsn(TLBMODEL_IN_USER));
	return err ? err : reaches_report(c);
}
