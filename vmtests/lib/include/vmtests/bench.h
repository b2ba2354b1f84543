/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bench: benchmarks as tables, and the only timing loop.
 *
 * A benchmark is a table of cases. Each repeat of a case runs its phases in order; a phase is one
 * timed step and gives one metric. Nothing but the phase's own operation is inside the clock.
 *
 *   in each of three passes (or as many as are asked for), for each case:
 *                   setup
 *                   warm-up repeats, then its share of the recorded repeats:
 *                       before; { prepare; clock; op x iterations; clock } per phase; after
 *                   teardown; settings and CPU affinity put back
 *
 * So what setup draws, and how fast the machine is for a while, are in the spread of the repeats.
 * The program prints KTAP, one subtest a case, in the last pass, and writes samples through report,
 * when the repeat that they belong to is over. A step that fails ends its case for good: what
 * remains of the repeat is left out, after() too, and teardown runs. Samples of earlier repeats
 * stay. Nothing is pinned unless setup calls __bench_pin(): threads and programs that a case starts
 * inherit its affinity.
 */
#ifndef VMTESTS_BENCH_H
#define VMTESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vmtests/hist.h>
#include <vmtests/report.h>

struct bench_case;

enum bench_scale {
	BENCH_NS_PER_UNIT,	/* elapsed ns / units */
	BENCH_UNITS_PER_SEC,	/* units / elapsed s */
};

struct bench_phase {
	const char *metric;	/* "alloc_ns_per_page" */
	const char *unit;	/* "ns/page" */
	enum report_better better;
	enum bench_scale scale;
	/*
	 * The measured operation, called bench_case.iterations times with i counting up. Returns 0
	 * or -errno; it must not print or allocate.
	 */
	int (*op)(struct bench_case *c, uint64_t i);
	int (*prepare)(struct bench_case *c);	/* before the clock, not timed; may be NULL */
};

struct bench_case {
	const char *name;	/* stable across machines: no sizes, nodes or counts that vary */
	const char *needs;	/* as vmtests/needs.h, or NULL */
	void *ctx;
	/*
	 * Once a pass, not timed. Sets iterations and units. Returns 0, -errno for a failure (after
	 * bench_fail() if words help), or bench_skip(c, "reason ..."), for which it must have
	 * cleaned up itself, as for a failure. May be NULL when the table has all values.
	 */
	int (*setup)(struct bench_case *c);
	/* A skip of before or after is the case's; the repeats that were recorded stay. */
	int (*before)(struct bench_case *c);	/* before each repeat, not timed; may be NULL */
	const struct bench_phase *phases;
	size_t nr_phases;
	int (*after)(struct bench_case *c);	/* after each repeat, not timed; may be NULL */
	void (*teardown)(struct bench_case *c);	/* always after a setup that returned 0 */
	bool once;		/* a state, no duration: one repeat in the last pass, no warm-up */

	/* set by setup, or by before or a phase's prepare where the amount varies */
	uint64_t iterations;	/* calls of op in a phase, at least 1 */
	uint64_t units;		/* what the time is divided by, over all iterations, at least 1 */

	/* set by bench while the case runs */
	unsigned int rep;
	bool warmup;
	char reason[256];	/* of a skip or a failure */
};

struct bench {
	const char *name;	/* "hvo/churn" */
	const char *needs;	/* of the whole program, or NULL */
	/*
	 * The cases. build, when set, makes them from what the machine has: it allocates *cases and
	 * returns how many, or -errno.
	 */
	struct bench_case *cases;
	size_t nr_cases;
	long (*build)(struct bench_case **cases);
};

/*
 * Options: -l list the cases, -c CASE (repeatable), -r REPEATS, -w WARMUPS, -p PASSES, -h. Repeats
 * default to $VMTESTS_REPEATS, else 10; warm-ups to 1; passes to $VMTESTS_PASSES, else 3, and they
 * begin $VMTESTS_PASS_SECONDS after each other at least, else at once. Returns KSFT_PASS, KSFT_SKIP
 * when no case could run, or KSFT_FAIL, also for a wrong option.
 */
int bench_main(int argc, char **argv, const struct bench *b);

/* Note why a case cannot run here; returns the value that setup must return. */
int bench_skip(struct bench_case *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Note what failed, in words; returns @err (negative). */
int bench_fail(struct bench_case *c, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * For setup, before it builds anything with vmtests/undo.h: __journal_guard(), with words when it
 * fails. Returns 0, in the child that goes on, or -errno (-EBUSY: another run holds this machine).
 */
int bench_guard(struct bench_case *c);

/*
 * A value that was not timed by a phase (memory saved, splits, a percentile); from after() only.
 * Dropped during warm-up. Returns 0 or -errno.
 */
int bench_value(struct bench_case *c, const char *metric, const char *unit,
		enum report_better better, double value);

/*
 * p50, p99, p999 and max of @h (in ns) as PREFIX_p50_ns ..., the histogram attached to the p99;
 * from after() only. Returns 0, -ENODATA for an empty histogram, or -errno.
 */
int bench_latency(struct bench_case *c, const char *prefix, const struct hist *h);

/* Monotonic time in ns that NTP does not slew (CLOCK_MONOTONIC_RAW). */
uint64_t bench_now_ns(void);

/*
 * Run @op @iterations times between two readings of the clock: the one timing loop. @elapsed gets
 * ns. Returns 0, or the first error of @op, which ends the loop.
 */
int bench_time(struct bench_case *c, int (*op)(struct bench_case *c, uint64_t i),
	       uint64_t iterations, uint64_t *elapsed);

/*
 * A window of an emulator's TLB model (vmtests/tlbmodel.h) around @ops operations that bench_time()
 * does not run, such as those of another program; from before() to after(). What is counted in all
 * windows of a repeat becomes its model_* samples. Anywhere else they do nothing.
 */
void bench_window_begin(void);
void bench_window_end(uint64_t ops);

/*
 * The CPUs that the program was started with: how many (at least 1), pin the calling thread to the
 * @index-th of them (modulo their number), and let it use all of them again. Return 0 or -errno.
 */
unsigned int bench_cpus(void);
int __bench_pin(unsigned int index);
int __bench_unpin(void);

/* "quick" is the default tier; true for -T full ($VMTESTS_TIER). */
bool bench_tier_full(void);

#endif
