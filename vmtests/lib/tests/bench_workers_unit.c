// SPDX-License-Identifier: GPL-2.0
/*
 * A worker on each CPU, all at once, whose rates add up; failures and deaths are told, and nothing
 * is left.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vmtests/bench_workers.h>
#include <vmtests/procstat.h>

#include "kselftest_harness.h"

#define OPS 7
#define CPUS_MOST 4096

/* What workers leave for the test to see. */
static struct shared {
	atomic_uint setups, inside;
	atomic_uint calls[CPUS_MOST];
	atomic_int pid;
} *shared;

FIXTURE(workers)
{
	struct bench_workers *all;
	struct bench_case c;
};

FIXTURE_SETUP(workers)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
}

FIXTURE_TEARDOWN(workers)
{
	bench_workers_stop(self->all);
	munmap(shared, sizeof(*shared));
}

static int setup(struct bench_case *c)
{
	c->iterations = OPS;
	shared->setups++;
	shared->pid = getpid();
	return 0;
}

static int op_count(struct bench_case *c, uint64_t i)
{
	(void)c;
	(void)i;
	shared->calls[sched_getcpu()]++;
	return 0;
}

static void spin_until(atomic_uint *value, unsigned int wanted)
{
	while (*value < wanted)
		sched_yield();
}

/* Ends only when all workers are in it. */
static int op_meet(struct bench_case *c, uint64_t i)
{
	(void)c;
	shared->inside++;
	spin_until(&shared->inside, (i + 1) * bench_cpus());
	return 0;
}

/* A tenth of a second for all operations together. */
static int op_slow(struct bench_case *c, uint64_t i)
{
	uint64_t until = bench_now_ns() + 100000000 / OPS;

	(void)c;
	(void)i;
	while (bench_now_ns() < until)
		;
	return 0;
}

TEST_F(workers, each_cpu_does_all)
{
	unsigned int cpu, busy = 0;
	double per_sec;

	ASSERT_EQ(0, __bench_workers_start(&self->all, &self->c, setup));
	EXPECT_EQ(bench_cpus(), atomic_load(&shared->setups));
	EXPECT_EQ(0, self->c.iterations);
	ASSERT_EQ(0, __bench_workers_run(self->all, &self->c, op_count, &per_sec));
	for (cpu = 0; cpu < CPUS_MOST; cpu++) {
		if (!shared->calls[cpu])
			continue;
		busy++;
		EXPECT_EQ(OPS, atomic_load(&shared->calls[cpu]));
	}
	EXPECT_EQ(bench_cpus(), busy);
}

TEST_F(workers, at_once)
{
	double per_sec;

	ASSERT_EQ(0, __bench_workers_start(&self->all, &self->c, setup));
	ASSERT_EQ(0, __bench_workers_run(self->all, &self->c, op_meet, &per_sec));
	EXPECT_EQ(OPS * bench_cpus(), atomic_load(&shared->inside));
}

/* None can be faster than its operations are long. */
TEST_F(workers, rates_add_up)
{
	double per_sec;

	ASSERT_EQ(0, __bench_workers_start(&self->all, &self->c, setup));
	ASSERT_EQ(0, __bench_workers_run(self->all, &self->c, op_slow, &per_sec));
	EXPECT_LE(per_sec, OPS * 10.001 * bench_cpus());
	EXPECT_GT(per_sec, 0);
}

static int setup_fails(struct bench_case *c)
{
	return bench_fail(c, -ENOMEM, "no room");
}

static int setup_skips(struct bench_case *c)
{
	return bench_skip(c, "not here");
}

TEST_F(workers, a_setup_that_fails)
{
	EXPECT_EQ(-ENOMEM, __bench_workers_start(&self->all, &self->c, setup_fails));
	EXPECT_STREQ("no room: Cannot allocate memory", self->c.reason);
	EXPECT_EQ(NULL, self->all);
	EXPECT_LT(0, __bench_workers_start(&self->all, &self->c, setup_skips));
	EXPECT_STREQ("not here", self->c.reason);
	EXPECT_EQ(NULL, self->all);
}

static int op_fails(struct bench_case *c, uint64_t i)
{
	(void)c;
	return i == OPS - 1 ? -EIO : 0;
}

static int op_dies(struct bench_case *c, uint64_t i)
{
	(void)c;
	(void)i;
	raise(SIGKILL);
	return 0;
}

TEST_F(workers, an_operation_that_fails)
{
	double per_sec;

	ASSERT_EQ(0, __bench_workers_start(&self->all, &self->c, setup));
	EXPECT_EQ(-EIO, __bench_workers_run(self->all, &self->c, op_fails, &per_sec));
}

TEST_F(workers, a_death)
{
	double per_sec;

	ASSERT_EQ(0, __bench_workers_start(&self->all, &self->c, setup));
	EXPECT_EQ(-ECHILD, __bench_workers_run(self->all, &self->c, op_dies, &per_sec));
	EXPECT_STREQ("a worker has died: No child processes", self->c.reason);
}

TEST_F(workers, none_is_left)
{
	ASSERT_EQ(0, __bench_workers_start(&self->all, &self->c, setup));
	EXPECT_EQ(0, kill(shared->pid, 0));
	bench_workers_stop(self->all);
	self->all = NULL;
	EXPECT_EQ(-1, kill(shared->pid, 0));
}

TEST_HARNESS_MAIN
