// SPDX-License-Identifier: GPL-2.0
/* The pool of the case that runs. */
#include <errno.h>
#include <numa.h>
#include <sched.h>
#include <stdio.h>

#include <libmm/restore.h>
#include <libmm/sysfile.h>
#include <vmtests/run_lock.h>

#include "pool.h"

/* A pool that got less than this part of what was asked for is another measurement. */
#define MIN_GOT 0.9

struct grown grown;

static uint64_t memmap_before;
static uint64_t memmap_up;
static bool memmap_counted;

static int pool_failed(struct bench_case *c, int err, const char *what)
{
	if (err == -EBUSY)
		return bench_fail(c, err, "cannot %s %s while pid %d may change settings", what,
				  grown.pool.path, (int)run_lock_owner());
	return bench_fail(c, err, "cannot %s %s", what, grown.pool.path);
}

int pool_grow(void)
{
	long now = __hugetlb_pool_resize(&grown.pool, grown.before + grown.asked);

	if (now < 0)
		return now;
	grown.got = now - grown.before;
	return 0;
}

int pool_shrink(void)
{
	long now = __hugetlb_pool_resize(&grown.pool, grown.before);

	if (now < 0)
		return now;
	/* The struct pages of what HVO optimized could not be brought back. */
	return now == grown.before ? 0 : -ENOMEM;
}

int got_check(struct bench_case *c)
{
	if (grown.got >= grown.asked * MIN_GOT)
		return 0;
	return bench_fail(c, -ENOMEM, "only %ld of %ld huge pages: free memory is fragmented",
			  grown.got, grown.asked);
}

/* The churn's node or another one, or -1 where only one has memory: then it is all nodes. */
static int node_choose(enum nodes nodes)
{
	int local = numa_node_of_cpu(sched_getcpu()), node;

	for (node = 0; node <= numa_max_node(); node++)
		if (node != local && numa_node_size64(node, NULL) > 0)
			return nodes == NODES_LOCAL ? local : node;
	return -1;
}

static int pool_open(struct bench_case *c, const struct churn *churn)
{
	int node = HUGETLB_ALL_NODES, err;

	if (churn->nodes != NODES_ALL) {
		if (numa_available() < 0)
			return bench_skip(c, "no NUMA policy: the kernel was built without CONFIG_NUMA");
		node = node_choose(churn->nodes);
		if (node < 0)
			return bench_skip(c, "only one node with memory: it is the same as all nodes");
	}
	err = hugetlb_pool_open(&grown.pool, churn->size, node);
	if (err)
		return pool_failed(c, err, "open");
	grown.before = __hugetlb_pool_count(&grown.pool, "nr");
	return grown.before < 0 ? pool_failed(c, grown.before, "read") : 0;
}

static int hvo_choose(struct bench_case *c, bool on)
{
	const struct probe probe = hugetlb_hvo_probe();
	int err;

	if (on && probe.answer != PROBE_YES)
		return bench_skip(c, "%s", probe.why);
	err = hugetlb_hvo_set(on);
	if (err == -ENOENT)
		return 0;
	if (err == -EROFS)
		return bench_skip(c, "vm.hugetlb_optimize_vmemmap is read-only, as in a container: run on the host");
	if (err == -EBUSY)
		return bench_fail(c, err, "cannot set vm.hugetlb_optimize_vmemmap while pid %d may change settings",
				  (int)run_lock_owner());
	return err ? bench_fail(c, err, "cannot set vm.hugetlb_optimize_vmemmap to %d", on) : 0;
}

static int pages_choose(struct bench_case *c, const struct churn *churn)
{
	uint64_t kib;
	int err = __sysfile_read_key("/proc/meminfo", "MemAvailable", &kib);

	if (err)
		return bench_fail(c, err, "cannot read MemAvailable of /proc/meminfo");
	grown.asked = kib * 1024 / 100 * churn->share / churn->size;
	if (grown.asked)
		return 0;
	return bench_skip(c, "%u %% of MemAvailable, %lu KiB, is less than one huge page of %lu KiB",
			  churn->share, (unsigned long)kib, (unsigned long)churn->size / 1024);
}

/* Grow once before anything is measured: what is not there now is no fault of this kernel. */
static int pool_try(struct bench_case *c)
{
	int err;

	/* A request, not a setting; without CONFIG_COMPACTION memory stays as it is. */
	err = __sysfile_write("/proc/sys/vm/compact_memory", "1");
	if (err && err != -ENOENT)
		return bench_fail(c, err, "cannot write /proc/sys/vm/compact_memory");
	err = pool_grow();
	if (!err)
		err = pool_shrink();
	if (err)
		return pool_failed(c, err, "resize");
	if (grown.got >= grown.asked * MIN_GOT)
		return 0;
	return bench_skip(c, "only %ld of %ld huge pages of %lu KiB could be had after compaction: free memory is fragmented",
			  grown.got, grown.asked, (unsigned long)grown.pool.size / 1024);
}

void churn_close(void)
{
	if (grown.pool.fd >= 0)
		__hugetlb_pool_resize(&grown.pool, grown.before);
	hugetlb_pool_close(&grown.pool);
}

int churn_setup(struct bench_case *c)
{
	const struct churn *churn = c->ctx;
	int err;

	grown.pool.fd = -1;
	err = __bench_pin(0);
	if (err)
		return bench_fail(c, err, "cannot pin to a CPU");
	err = hvo_choose(c, churn->hvo);
	if (!err)
		err = pages_choose(c, churn);
	if (!err)
		err = pool_open(c, churn);
	if (!err)
		err = pool_try(c);
	if (err) {
		churn_close();
		return err;
	}
	printf("# %s: %ld pages of %lu KiB, %ld in the pool before, vm.hugetlb_optimize_vmemmap %s\n",
	       c->name, grown.asked, (unsigned long)churn->size / 1024, grown.before,
	       hugetlb_hvo_probe().answer != PROBE_YES ? "absent" : churn->hvo ? "1" : "0");
	c->iterations = 1;
	c->units = grown.asked;
	return 0;
}

void churn_teardown(struct bench_case *c)
{
	(void)c;
	churn_close();
}

/* Growing and shrinking, timed apart */

int pool_before(struct bench_case *c)
{
	int err = hugetlb_memmap_bytes(&memmap_before);

	memmap_counted = !err;
	if (err && err != -ENOENT)
		return bench_fail(c, err, "cannot read nr_memmap_pages of /proc/vmstat");
	c->units = grown.asked;
	return 0;
}

/* What a page costs is the time over the pages that came, not those that were asked for. */
static int op_grow(struct bench_case *c, uint64_t i)
{
	int err = pool_grow();

	(void)i;
	c->units = grown.got > 0 ? grown.got : 1;
	return err;
}

static int op_shrink(struct bench_case *c, uint64_t i)
{
	(void)c;
	(void)i;
	return pool_shrink();
}

static int grown_check(struct bench_case *c)
{
	int err = got_check(c);

	if (!err && memmap_counted)
		err = hugetlb_memmap_bytes(&memmap_up);
	return err;
}

int pool_after(struct bench_case *c)
{
	double saved = (double)memmap_before - (double)memmap_up;
	int err;

	err = bench_value(c, "pages_got", "1", REPORT_HIGHER, (double)grown.got / grown.asked);
	if (!err && memmap_counted)
		err = bench_value(c, "memmap_bytes_saved", "bytes", REPORT_HIGHER, saved);
	if (!err && memmap_counted)
		err = bench_value(c, "memmap_bytes_saved_per_page", "bytes/page", REPORT_HIGHER,
				  saved / grown.got);
	return err ? bench_fail(c, err, "cannot write a sample") : 0;
}

const struct bench_phase pool_phases[NR_POOL_PHASES] = {
	{
		.metric = "alloc_ns_per_page", .unit = "ns/page", .better = REPORT_LOWER,
		.scale = BENCH_NS_PER_UNIT, .op = op_grow,
	},
	{
		.metric = "free_ns_per_page", .unit = "ns/page", .better = REPORT_LOWER,
		.scale = BENCH_NS_PER_UNIT, .prepare = grown_check, .op = op_shrink,
	},
};
