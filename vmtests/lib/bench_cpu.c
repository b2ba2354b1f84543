// SPDX-License-Identifier: GPL-2.0
/*
 * bench_cpu: which CPUs a benchmark may use, and pinning to them.
 */
#include <errno.h>
#include <pthread.h>

#include <numa.h>

#include <vmtests/bench.h>

static pthread_once_t allowed_once = PTHREAD_ONCE_INIT;
static struct bitmask *allowed;
static int allowed_err;

/* The affinity at the first call: after a pin it would be that one CPU. */
static void allowed_read(void)
{
	allowed = numa_allocate_cpumask();
	if (numa_sched_getaffinity(0, allowed) < 0)
		allowed_err = -errno;
}

static int allowed_init(void)
{
	int err = pthread_once(&allowed_once, allowed_read);

	return err ? -err : allowed_err;
}

static unsigned int allowed_nth(unsigned int index)
{
	unsigned int cpu = 0;

	for (;; cpu++) {
		if (!numa_bitmask_isbitset(allowed, cpu))
			continue;
		if (!index--)
			return cpu;
	}
}

static int affinity_set(struct bitmask *mask)
{
	return numa_sched_setaffinity(0, mask) < 0 ? -errno : 0;
}

unsigned int bench_cpus(void)
{
	unsigned int count = allowed_init() ? 0 : numa_bitmask_weight(allowed);

	return count ? count : 1;
}

int __bench_pin(unsigned int index)
{
	struct bitmask *one;
	int err;

	err = allowed_init();
	if (err)
		return err;
	one = numa_allocate_cpumask();
	numa_bitmask_setbit(one, allowed_nth(index % numa_bitmask_weight(allowed)));
	err = affinity_set(one);
	numa_free_cpumask(one);
	return err;
}

int __bench_unpin(void)
{
	int err = allowed_init();

	return err ? err : affinity_set(allowed);
}
