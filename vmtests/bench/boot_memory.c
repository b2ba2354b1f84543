// SPDX-License-Identifier: GPL-2.0
/*
 * boot/memory: how much memory this kernel left for everybody else.
 *
 * A linear map of small pages needs a page table for every PMD of memory, 1/512 of it with 4 KiB
 * pages, taken before MemTotal is counted. The struct pages that the vmemmap maps are 1/64. So two
 * kernels that map themselves differently differ here, with no timing involved.
 *
 * Case "boot" is settled when the kernel has booted (unless memory is plugged); case "now" also
 * depends on what ran before, so compare it between machines that did the same since their boot.
 *
 * It cannot tell who took memory that is missing from MemTotal. Metrics that this kernel does not
 * count are left out, not reported as 0.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <libmm/base.h>
#include <vmtests/bench.h>
#include <vmtests/census_kernel.h>
#include <libmm/kcore.h>
#include <libmm/sysfile.h>

#define MEMINFO "/proc/meminfo"
#define VMSTAT "/proc/vmstat"

struct quantity {
	const char *metric;
	enum report_better better;
	const char *path;
	const char *key;
	enum { KIB, PAGES } unit;
};

/* Source of the meanings: Documentation/filesystems/proc.rst, fs/proc/meminfo.c, mm/vmstat.c. */
static const struct quantity settled_at_boot[] = {
	{ "mem_total", REPORT_HIGHER, MEMINFO, "MemTotal", KIB },
	{ "memmap_boot_bytes", REPORT_LOWER, VMSTAT, "nr_memmap_boot_pages", PAGES },
	{ .metric = NULL },
};

static const struct quantity of_the_moment[] = {
	{ "mem_free", REPORT_HIGHER, MEMINFO, "MemFree", KIB },
	{ "mem_available", REPORT_HIGHER, MEMINFO, "MemAvailable", KIB },
	{ "memmap_later_bytes", REPORT_LOWER, VMSTAT, "nr_memmap_pages", PAGES },
	/* Of processes, and of the kernel's those that came after boot: pagetable_pte_ctor(). */
	{ "pagetables_bytes", REPORT_LOWER, MEMINFO, "PageTables", KIB },
	{ "secondary_pgtable_bytes", REPORT_LOWER, MEMINFO, "SecPageTables", KIB },
	{ "percpu_bytes", REPORT_LOWER, MEMINFO, "Percpu", KIB },
	{ "kernel_stack_bytes", REPORT_LOWER, MEMINFO, "KernelStack", KIB },
	{ "vmalloc_bytes", REPORT_LOWER, MEMINFO, "VmallocUsed", KIB },
	{ "slab_unreclaimable_bytes", REPORT_LOWER, MEMINFO, "SUnreclaim", KIB },
	{ "directmap_4k_bytes", REPORT_LOWER, MEMINFO, "DirectMap4k", KIB },
	{ "directmap_2M_bytes", REPORT_HIGHER, MEMINFO, "DirectMap2M", KIB },
	{ "directmap_1G_bytes", REPORT_HIGHER, MEMINFO, "DirectMap1G", KIB },
	{ .metric = NULL },
};

static uint64_t unit_bytes(const struct quantity *q)
{
	return q->unit == KIB ? 1024 : sysconf(_SC_PAGESIZE);
}

static int quantities_report(struct bench_case *c)
{
	const struct quantity *q;

	for (q = c->ctx; q->metric; q++) {
		uint64_t count;
		int err = __sysfile_read_key(q->path, q->key, &count);

		if (err == -ENOENT)
			continue;
		if (err)
			return bench_fail(c, err, "cannot read %s of %s", q->key, q->path);
		err = bench_value(c, q->metric, "bytes", q->better, count * unit_bytes(q));
		if (err)
			return bench_fail(c, err, "cannot write a sample of %s", q->metric);
	}
	return 0;
}

/* What the kernel maps its own memory with: the cost of a linear map that is made of PTEs. */
static int pgtables_report(struct bench_case *c)
{
	struct census all[CENSUS_RANGES_MAX];
	char reason[KCORE_REASON_MAX];
	int nr = census_kernel(all, reason, sizeof(reason));
	int err;

	if (nr < 0)
		return bench_fail(c, nr, "%s", reason);
	err = bench_value(c, "kernel_pgtable_bytes", "bytes", REPORT_LOWER,
			  census_kernel_pgtable_bytes(all, nr));
	if (!err && nr)
		err = bench_value(c, "linear_pgtable_bytes", "bytes", REPORT_LOWER,
				  census_pgtable_bytes(&all[0]));
	return err ? bench_fail(c, err, "cannot write a sample of the page tables") : 0;
}

static struct bench_case cases[] = {
	{
		.name = "boot", .needs = "file:" MEMINFO ",file:" VMSTAT, .once = true,
		.ctx = (void *)settled_at_boot, .after = quantities_report,
	},
	{
		.name = "now", .needs = "file:" MEMINFO ",file:" VMSTAT, .once = true,
		.ctx = (void *)of_the_moment, .after = quantities_report,
	},
	{
		.name = "pgtable", .needs = "kcore", .once = true, .after = pgtables_report,
	},
};

int main(int argc, char **argv)
{
	static const struct bench boot_memory = {
		.name = "boot/memory", .cases = cases, .nr_cases = ARRAY_SIZE(cases),
	};

	return bench_main(argc, argv, &boot_memory);
}
