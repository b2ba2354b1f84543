// SPDX-License-Identifier: GPL-2.0
/*
 * linear/churn: what it costs to change the permissions of single pages of the linear map.
 *
 *   secretmem      fault: each page of a memfd_secret mapping leaves the linear map, with a flush
 *                  of its translation on all CPUs; close: they all come back (mm/secretmem.c)
 *   filter.nojit   attach: a classic socket filter's program, one page of vmalloc memory, becomes
 *                  read-only, in the linear map too; detach: see below
 *   filter.jit     the same system calls where the machine code lies in a large shared area, so
 *                  that no single page changes; the part of filter.nojit that is not permissions
 *
 * Where the linear map is made of blocks, the first change inside a block splits it: a page table
 * is allocated and filled. No block is ever put together again, so the first run after a boot
 * splits and later ones mostly find the blocks split. "secretmem.first" is the first touch, once
 * and with no warm-up; the other cases are the steady state. All report how much was really split,
 * per operation (a page, or a filter), where the kernel counts it: a "first" with no splits was not
 * the first in its boot, and belongs in no comparison with one that was.
 *
 * What it cannot show: the free of a detached filter, which a kernel thread does after an RCU grace
 * period; detach is the system call alone, and the repeats wait for the free untimed. Page
 * allocation and clearing are part of a fault, and the same on every kind of map.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmm/base.h>
#include <vmtests/bench.h>
#include <libmm/bpfprog.h>
#include <libmm/kconfig.h>
#include <libmm/secretmem.h>
#include <libmm/restore.h>
#include <vmtests/run_lock.h>
#include <libmm/sysfile.h>

#define MIB (1ull << 20)
#define NS_PER_SEC 1000000000ull
#define JIT_SYSCTL "/proc/sys/net/core/bpf_jit_enable"

/* A few blocks of 2 MiB: what is split stays split until the machine boots again. */
#define QUICK_BYTES (8 * MIB)
#define FULL_BYTES (64 * MIB)
/* Below the usual limit of 1024 open files. */
#define NR_FILTERS 256
/* A grace period and a work item; past this something else holds programs, which is no failure. */
#define DRAIN_NS NS_PER_SEC

/*
 * Splits that the kernel has counted since boot. level2 is PMD, level3 PUD (arch/x86/mm/pat/
 * set_memory.c); x86 alone has them.
 */
struct splits {
	bool counted;
	uint64_t pmd;
	uint64_t pud;
	bool directmap;
	uint64_t small_kib;	/* DirectMap4k of /proc/meminfo */
};

static struct secretmem memory;
static int sockets[NR_FILTERS];
static size_t nr_sockets;
static long programs_before;
static struct splits splits_before;

static struct splits splits_now(void)
{
	struct splits s;

	s.counted = !__sysfile_read_key("/proc/vmstat", "direct_map_level2_splits", &s.pmd) &&
		    !__sysfile_read_key("/proc/vmstat", "direct_map_level3_splits", &s.pud);
	s.directmap = !__sysfile_read_key("/proc/meminfo", "DirectMap4k", &s.small_kib);
	return s;
}

static int repeat_begin(struct bench_case *c)
{
	(void)c;
	splits_before = splits_now();
	return 0;
}

static int repeat_end(struct bench_case *c)
{
	struct splits now = splits_now();
	double ops = c->units;
	int err = 0;

	if (now.counted) {
		double pmd = now.pmd - splits_before.pmd, pud = now.pud - splits_before.pud;

		err = bench_value(c, "splits_per_op", "splits/op", REPORT_LOWER, (pmd + pud) / ops);
		if (!err)
			err = bench_value(c, "pmd_splits", "splits", REPORT_LOWER, pmd);
		if (!err)
			err = bench_value(c, "pud_splits", "splits", REPORT_LOWER, pud);
	}
	if (!err && now.directmap) {
		double kib = (double)now.small_kib - (double)splits_before.small_kib;

		err = bench_value(c, "directmap_4k_growth_bytes", "bytes", REPORT_LOWER,
				  kib * 1024);
	}
	return err ? bench_fail(c, err, "cannot write a sample of the splits") : 0;
}

static int secretmem_setup(struct bench_case *c)
{
	size_t bytes = bench_tier_full() ? FULL_BYTES : QUICK_BYTES;
	int err = __bench_pin(0);

	if (err)
		return bench_fail(c, err, "cannot pin to a CPU");
	c->iterations = 1;
	c->units = bytes / sysconf(_SC_PAGESIZE);
	return 0;
}

static int secretmem_prepare(struct bench_case *c)
{
	size_t bytes = c->units * sysconf(_SC_PAGESIZE);
	int err = secretmem_open(&memory, bytes);

	return err ? bench_fail(c, err, "cannot map %zu bytes of secret memory", bytes) : 0;
}

static int op_fault(struct bench_case *c, uint64_t i)
{
	(void)c;
	(void)i;
	secretmem_fault(&memory);
	return 0;
}

static int op_close(struct bench_case *c, uint64_t i)
{
	(void)c;
	(void)i;
	secretmem_close(&memory);
	return 0;
}

static void secretmem_teardown(struct bench_case *c)
{
	(void)c;
	if (memory.map)
		secretmem_close(&memory);
}

static const struct bench_phase secretmem_phases[] = {
	{
		.metric = "fault_ns_per_page", .unit = "ns/page", .better = REPORT_LOWER,
		.scale = BENCH_NS_PER_UNIT, .prepare = secretmem_prepare, .op = op_fault,
	},
	{
		.metric = "close_ns_per_page", .unit = "ns/page", .better = REPORT_LOWER,
		.scale = BENCH_NS_PER_UNIT, .op = op_close,
	},
};

static void filter_teardown(struct bench_case *c)
{
	(void)c;
	while (nr_sockets)
		close(sockets[--nr_sockets]);
}

static int sockets_open(struct bench_case *c)
{
	while (nr_sockets < NR_FILTERS) {
		int fd = bpfprog_socket();

		if (fd < 0) {
			filter_teardown(c);
			return bench_fail(c, fd, "cannot open socket %zu of %d", nr_sockets + 1,
					  NR_FILTERS);
		}
		sockets[nr_sockets++] = fd;
	}
	return 0;
}

/* With BPF_JIT_ALWAYS_ON the kernel has no interpreter, and takes no other value than 1. */
static int jit_switch(struct bench_case *c, bool on)
{
	int err;

	if (!sysfile_readable(JIT_SYSCTL)) {
		if (!on)
			return 0;
		return bench_skip(c, "no net.core.bpf_jit_enable: the kernel was built without CONFIG_BPF_JIT, or a container hides it");
	}
	err = __restore_set(JIT_SYSCTL, on ? "1" : "0", NULL);
	if (!err)
		return 0;
	if (!on && kconfig_value("CONFIG_BPF_JIT_ALWAYS_ON") == 'y')
		return bench_skip(c, "net.core.bpf_jit_enable cannot be 0: the kernel was built with CONFIG_BPF_JIT_ALWAYS_ON");
	if (err == -EROFS)
		return bench_skip(c, "net.core.bpf_jit_enable is read-only, as in a container: run on the host");
	if (err == -EBUSY)
		return bench_fail(c, err, "cannot set net.core.bpf_jit_enable while pid %d may change settings",
				  (int)run_lock_owner());
	return bench_fail(c, err, "cannot set net.core.bpf_jit_enable to %d", on);
}

static int filter_setup(struct bench_case *c, bool jit)
{
	int err = jit_switch(c, jit);

	if (!err)
		err = sockets_open(c);
	if (err)
		return err;
	err = __bench_pin(0);
	if (err) {
		filter_teardown(c);
		return bench_fail(c, err, "cannot pin to a CPU");
	}
	c->iterations = nr_sockets;
	c->units = nr_sockets;
	return 0;
}

static int filter_setup_jit(struct bench_case *c)
{
	return filter_setup(c, true);
}

static int filter_setup_nojit(struct bench_case *c)
{
	return filter_setup(c, false);
}

/*
 * Programs that have memory now, detached ones that are not freed yet among them. The areas are
 * named after the function that asked for them, bpf_prog_alloc_no_stats(). Returns the number or
 * -errno.
 */
static long programs_live(void)
{
	FILE *file = fopen("/proc/vmallocinfo", "re");
	char *line = NULL;
	size_t size = 0;
	long live = 0;
	int err;

	if (!file)
		return -errno;
	errno = 0;
	while (getline(&line, &size, file) > 0)
		live += !!strstr(line, "bpf_prog_alloc");
	err = ferror(file) ? -errno : 0;
	free(line);
	fclose(file);
	return err ? err : live;
}

static int filter_before(struct bench_case *c)
{
	programs_before = programs_live();
	if (programs_before < 0)
		return bench_fail(c, programs_before, "cannot count programs in /proc/vmallocinfo");
	return repeat_begin(c);
}

/* The programs of this repeat are gone before the next one attaches its own. */
static int programs_drain(struct bench_case *c)
{
	uint64_t start = bench_now_ns();
	long live;

	do {
		live = programs_live();
		if (live < 0)
			return bench_fail(c, live, "cannot count programs in /proc/vmallocinfo");
	} while (live > programs_before && bench_now_ns() - start < DRAIN_NS);
	return 0;
}

static int filter_after(struct bench_case *c)
{
	int err = programs_drain(c);

	return err ? err : repeat_end(c);
}

static int op_attach(struct bench_case *c, uint64_t i)
{
	(void)c;
	return bpfprog_attach(sockets[i], ~0U, 0);
}

/* The kernel frees the program later, from a work item after an RCU grace period. */
static int op_detach(struct bench_case *c, uint64_t i)
{
	int unused = 0;

	(void)c;
	if (setsockopt(sockets[i], SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)))
		return -errno;
	return 0;
}

/* A one-instruction program is one page, so a filter is a page. */
static const struct bench_phase filter_phases[] = {
	{
		.metric = "attach_ns_per_page", .unit = "ns/page", .better = REPORT_LOWER,
		.scale = BENCH_NS_PER_UNIT, .op = op_attach,
	},
	{
		.metric = "detach_ns_per_page", .unit = "ns/page", .better = REPORT_LOWER,
		.scale = BENCH_NS_PER_UNIT, .op = op_detach,
	},
};

static struct bench_case cases[] = {
	{
		.name = "secretmem.first", .needs = "root,secretmem", .once = true,
		.setup = secretmem_setup, .before = repeat_begin, .after = repeat_end,
		.teardown = secretmem_teardown,
		.phases = secretmem_phases, .nr_phases = ARRAY_SIZE(secretmem_phases),
	},
	{
		.name = "secretmem", .needs = "root,secretmem",
		.setup = secretmem_setup, .before = repeat_begin, .after = repeat_end,
		.teardown = secretmem_teardown,
		.phases = secretmem_phases, .nr_phases = ARRAY_SIZE(secretmem_phases),
	},
	{
		.name = "filter.nojit", .needs = "root,bpf-filter",
		.setup = filter_setup_nojit, .before = filter_before, .after = filter_after,
		.teardown = filter_teardown,
		.phases = filter_phases, .nr_phases = ARRAY_SIZE(filter_phases),
	},
	{
		.name = "filter.jit", .needs = "root,bpf-filter",
		.setup = filter_setup_jit, .before = filter_before, .after = filter_after,
		.teardown = filter_teardown,
		.phases = filter_phases, .nr_phases = ARRAY_SIZE(filter_phases),
	},
};

int main(int argc, char **argv)
{
	static const struct bench linear_map_churn = {
		.name = "linear/churn", .cases = cases, .nr_cases = ARRAY_SIZE(cases),
	};

	return bench_main(argc, argv, &linear_map_churn);
}
