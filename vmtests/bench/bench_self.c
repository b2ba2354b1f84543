// SPDX-License-Identifier: GPL-2.0
/*
 * bench_self: what this suite's own code costs around a measured operation.
 *
 * Claim: bench_time() costs at most 2 % over a minimal loop written by hand around the same calls,
 * for an operation of some 20 ns (a vDSO clock) and one of some 200 ns (64 bytes from the page
 * cache); resizing a hugetlb pool through libmm costs at most 5 % over writing nr_hugepages by
 * hand.
 *
 * Method: short rounds, each run once by libmm and once by hand, back to back and in alternating
 * order, so that whatever else the machine does meets both alike. Each round gives one ratio. The
 * verdict is on their median, with its distribution-free 95 % interval (order statistics; the rank
 * of the median is binomial with p = 1/2): a pass when the interval lies at or below the limit, a
 * failure when it lies above. Rounds are added while the limit is inside; what is still open after
 * the last one is a failure, as not shown.
 *
 * Limits: the times are this machine's; under emulation they are nobody's.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <kselftest.h>

#include <vmtests/bench.h>
#include <libmm/hugetlb.h>
#include <vmtests/needs.h>
#include <libmm/restore.h>
#include <vmtests/run_lock.h>

#define MAX_ROUNDS 6000
#define READ_BYTES 64
#define FILE_BYTES 65536
#define CHURN_SIZE (2ull << 20)

/* Half the width of a median's 95 % interval in ranks: 1.96 standard deviations of B(n, 1/2). */
#define INTERVAL_RANKS(n) (0.98 * sqrt(n))

struct self_case {
	const char *name;
	const char *needs;
	double limit;		/* of libmm / hand */
	size_t batch;		/* rounds between two looks at the interval */
	uint64_t iterations;	/* of the operation in a round; pages of a pool */
	int (*setup)(const struct self_case *self);
	int (*libmm)(const struct self_case *self, uint64_t *elapsed);
	int (*hand)(const struct self_case *self, uint64_t *elapsed);
	void (*teardown)(const struct self_case *self);
};

struct result {
	double ratio;
	double lower;
	double upper;
	double libmm_ns;
	double hand_ns;
	size_t rounds;
};

static double ratios[MAX_ROUNDS], libmm_times[MAX_ROUNDS], hand_times[MAX_ROUNDS];

static struct timespec clock_result;
static char read_buffer[READ_BYTES];
static FILE *read_file;
static int read_fd;
static struct hugetlb_pool pool;
static unsigned long pool_base;
static unsigned long pool_pages;

static int clock_op(struct bench_case *c, uint64_t i)
{
	(void)c;
	(void)i;
	return clock_gettime(CLOCK_MONOTONIC, &clock_result);
}

static int clock_libmm(const struct self_case *self, uint64_t *elapsed)
{
	return bench_time(NULL, clock_op, self->iterations, elapsed);
}

static int clock_hand(const struct self_case *self, uint64_t *elapsed)
{
	uint64_t start = bench_now_ns();

	for (uint64_t i = 0; i < self->iterations; i++)
		if (clock_gettime(CLOCK_MONOTONIC, &clock_result))
			return -errno;
	*elapsed = bench_now_ns() - start;
	return 0;
}

static int read_setup(const struct self_case *self)
{
	static const char zeros[FILE_BYTES];

	(void)self;
	read_file = tmpfile();
	if (!read_file)
		return -errno;
	read_fd = fileno(read_file);
	return write(read_fd, zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros) ? 0 : -EIO;
}

static void read_teardown(const struct self_case *self)
{
	(void)self;
	if (read_file)
		fclose(read_file);
	read_file = NULL;
}

static int read_op(struct bench_case *c, uint64_t i)
{
	off_t at = i * READ_BYTES % FILE_BYTES;

	(void)c;
	return pread(read_fd, read_buffer, READ_BYTES, at) == READ_BYTES ? 0 : -EIO;
}

static int read_libmm(const struct self_case *self, uint64_t *elapsed)
{
	return bench_time(NULL, read_op, self->iterations, elapsed);
}

static int read_hand(const struct self_case *self, uint64_t *elapsed)
{
	uint64_t start = bench_now_ns();

	for (uint64_t i = 0; i < self->iterations; i++) {
		off_t at = i * READ_BYTES % FILE_BYTES;

		if (pread(read_fd, read_buffer, READ_BYTES, at) != READ_BYTES)
			return -EIO;
	}
	*elapsed = bench_now_ns() - start;
	return 0;
}

static int churn_setup(const struct self_case *self)
{
	long base;
	int err = hugetlb_pool_open(&pool, CHURN_SIZE, HUGETLB_ALL_NODES);

	if (err)
		return err;
	base = __hugetlb_pool_count(&pool, "nr");
	if (base < 0)
		return base;
	pool_base = base;
	pool_pages = base + self->iterations;
	return 0;
}

static void churn_teardown(const struct self_case *self)
{
	(void)self;
	hugetlb_pool_close(&pool);
}

/* Up, then down again: what hvo_churn times, in one. */
static int churn_op(struct bench_case *c, uint64_t i)
{
	unsigned long want = i ? pool_base : pool_pages;
	long got = __hugetlb_pool_resize(&pool, want);

	(void)c;
	if (got < 0)
		return got;
	return (unsigned long)got == want ? 0 : -ENOMEM;
}

static int churn_libmm(const struct self_case *self, uint64_t *elapsed)
{
	(void)self;
	return bench_time(NULL, churn_op, 2, elapsed);
}

static int pool_write(const char *number, size_t len)
{
	return pwrite(pool.fd, number, len, 0) == (ssize_t)len ? 0 : -EIO;
}

static int churn_hand(const struct self_case *self, uint64_t *elapsed)
{
	char up[24], down[24];
	int up_len = snprintf(up, sizeof(up), "%lu\n", pool_pages);
	int down_len = snprintf(down, sizeof(down), "%lu\n", pool_base);
	uint64_t start = bench_now_ns();
	int err;

	(void)self;
	err = pool_write(up, up_len);
	if (!err)
		err = pool_write(down, down_len);
	*elapsed = bench_now_ns() - start;
	return err;
}

static const struct self_case cases[] = {
	{ "loop.clock", NULL, 1.02, 300, 10000, NULL, clock_libmm, clock_hand, NULL },
	{ "loop.pread", NULL, 1.02, 300, 1000, read_setup, read_libmm, read_hand, read_teardown },
	{ "churn.small", "root,hugetlb,memory:1G", 1.05, 50, 64,
	  churn_setup, churn_libmm, churn_hand, churn_teardown },
	{ "churn.large", "root,hugetlb,memory:3G", 1.05, 25, 512,
	  churn_setup, churn_libmm, churn_hand, churn_teardown },
};

static int double_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double sorted_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), double_compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static int round_run(const struct self_case *self, size_t round)
{
	uint64_t libmm, hand;
	int err;

	if (round % 2) {
		err = self->libmm(self, &libmm);
		if (!err)
			err = self->hand(self, &hand);
	} else {
		err = self->hand(self, &hand);
		if (!err)
			err = self->libmm(self, &libmm);
	}
	if (err)
		return err;
	if (!hand || !libmm)
		return -ERANGE;
	ratios[round] = (double)libmm / hand;
	libmm_times[round] = (double)libmm / self->iterations;
	hand_times[round] = (double)hand / self->iterations;
	return 0;
}

/* Sorts in place: the order of the rounds has served its purpose. */
static void result_get(struct result *r, size_t rounds)
{
	size_t half = rounds / 2, spread = ceil(INTERVAL_RANKS(rounds));

	r->rounds = rounds;
	r->ratio = sorted_median(ratios, rounds);
	r->lower = ratios[half - spread];
	r->upper = ratios[half + spread];
	r->libmm_ns = sorted_median(libmm_times, rounds);
	r->hand_ns = sorted_median(hand_times, rounds);
}

static int rounds_run(const struct self_case *self, struct result *r)
{
	/* One round that does not count: the first pays for faults and cold caches. */
	int err = round_run(self, 0);

	for (size_t round = 0; !err && round < MAX_ROUNDS;) {
		for (size_t i = 0; !err && i < self->batch; i++)
			err = round_run(self, round++);
		if (err)
			break;
		result_get(r, round);
		if (r->upper <= self->limit || r->lower > self->limit)
			break;
	}
	return err;
}

static void result_print(const struct self_case *self, const struct result *r)
{
	ksft_print_msg("%-12s %10.2f %10.2f %+7.2f%% %+7.2f%% %+7.2f%% %6.0f%% %6zu\n", self->name,
		       r->hand_ns, r->libmm_ns, 100 * (r->ratio - 1), 100 * (r->lower - 1),
		       100 * (r->upper - 1), 100 * (self->limit - 1), r->rounds);
}

static int self_measure(const struct self_case *self, struct result *r)
{
	int err = self->setup ? self->setup(self) : 0;
	int undo;

	if (!err)
		err = rounds_run(self, r);
	undo = __restore_all();
	if (self->teardown)
		self->teardown(self);
	return err ? err : undo;
}

static void failure_print(const struct self_case *self, int err)
{
	if (err == -EBUSY && run_lock_owner())
		ksft_print_msg("%s: process %d is changing settings of this machine\n", self->name,
			       (int)run_lock_owner());
	else
		ksft_print_msg("%s: %s\n", self->name, strerror(-err));
}

static void self_run(const struct self_case *self)
{
	const struct probe probe = needs_probe(self->needs ? self->needs : "");
	struct result r = { 0 };
	int err;

	if (probe.answer != PROBE_YES) {
		ksft_print_msg("%s\n", probe.why);
		ksft_inc_xskip_cnt();
		printf("ok %u %s # SKIP\n", ksft_test_num(), self->name);
		return;
	}
	err = self_measure(self, &r);
	if (err) {
		failure_print(self, err);
		ksft_test_result_fail("%s\n", self->name);
		return;
	}
	result_print(self, &r);
	if (r.upper > self->limit)
		ksft_print_msg(r.lower > self->limit ? "over the limit\n" :
						       "not shown to be within the limit\n");
	ksft_test_result(r.upper <= self->limit, "%s\n", self->name);
}

int main(void)
{
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(cases));
	err = __bench_pin(bench_cpus() - 1);
	if (err)
		ksft_print_msg("not pinned to a CPU (%s): the spread will be larger\n",
			       strerror(-err));
	ksft_print_msg("%-12s %10s %10s %8s %8s %8s %7s %6s\n", "ns a unit", "by hand", "libmm",
		       "cost", "95 %", "interval", "limit", "rounds");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		self_run(&cases[i]);
	ksft_print_cnts();
	return ksft_get_fail_cnt() ? KSFT_FAIL : KSFT_PASS;
}
