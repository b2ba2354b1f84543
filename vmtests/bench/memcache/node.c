// SPDX-License-Identifier: GPL-2.0
/*
 * node: see node.h.
 */
#include <errno.h>

#include <numa.h>

#include "node.h"

/* The CPUs of @node that are in @allowed, into @both. Returns how many. */
static unsigned int node_allowed(int node, const struct bitmask *allowed, struct bitmask *both)
{
	unsigned int cpu;

	numa_bitmask_clearall(both);
	/* Numbers of nodes may have gaps. */
	if (!numa_bitmask_isbitset(numa_nodes_ptr, node) || numa_node_to_cpus(node, both))
		return 0;
	for (cpu = 0; cpu < both->size; cpu++)
		if (!numa_bitmask_isbitset(allowed, cpu))
			numa_bitmask_clearbit(both, cpu);
	return numa_bitmask_weight(both);
}

static int node_choose(const struct bitmask *allowed, struct bitmask *cpus)
{
	unsigned int count, most = 1;
	int node, chosen = -1;

	for (node = 0; node <= numa_max_node(); node++) {
		count = node_allowed(node, allowed, cpus);
		if (count > most) {
			most = count;
			chosen = node;
		}
	}
	return chosen;
}

int __node_confine(void)
{
	struct bitmask *allowed, *cpus;
	int node, err = 0;

	/* A kernel without NUMA has one node. */
	if (numa_available() < 0)
		return 0;
	allowed = numa_allocate_cpumask();
	cpus = numa_allocate_cpumask();
	if (numa_sched_getaffinity(0, allowed) < 0)
		err = -errno;
	node = err ? -1 : node_choose(allowed, cpus);
	if (node >= 0) {
		node_allowed(node, allowed, cpus);
		err = numa_sched_setaffinity(0, cpus) < 0 ? -errno : 0;
	}
	numa_free_cpumask(cpus);
	numa_free_cpumask(allowed);
	return err;
}
