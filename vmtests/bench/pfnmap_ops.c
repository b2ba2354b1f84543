// SPDX-License-Identifier: GPL-2.0
/*
 * pfnmap/ops: what operations on mapped device memory cost, by the level of the entries that map
 * it.
 *
 * A BAR is mapped through VFIO at addresses that allow pages, PMDs or PUDs, and populated, forked,
 * protected, mapped for DMA and unmapped. The first touch of each entry is a fault; each further
 * operation walks the entries, so its price per MiB falls with their size as far as the kernel
 * handles the level as a whole. MAP_DMA looks up each frame of the mapping and enters it into the
 * IOMMU's page table: that is where giving a device of many GiB to a virtual machine spends its
 * time. That the area is mapped by the level in question is told by the faults, one an entry; where
 * it is not, the case is a skip.
 *
 * Nothing of this reaches the linear map: device memory has no place in it, and no struct pages.
 *
 * It cannot show what accesses cost: one word of each entry is read, and the device answers at its
 * own speed. An IOMMU that is emulated takes its time for each entry; compare kernels, not levels.
 */
#include <errno.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <kselftest.h>
#include <vmtests/bench.h>
#include <vmtests/bench_mapping.h>
#include <libmm/devmem.h>

#define MIB		(1ul << 20)
#define QUICK_PAGES	(64 * MIB)	/* of pages: a fault each */
#define IOVA		(4ul << 30)	/* above what platforms reserve for interrupts */

struct region {
	struct bench_mapping m;	/* of the BAR, in the reservation */
	enum { PTE, PMD, PUD } level;
	struct devmem mem;
	size_t entry;		/* bytes that one maps */
	size_t align;		/* what addresses have to fit modulo, and for pages must not */
	char *base;		/* the reservation */
	size_t reserved;
};

static void region_sizes(struct region *r)
{
	struct devmem_levels levels;

	devmem_levels(&levels);
	r->entry = r->level == PTE ? levels.page : r->level == PMD ? levels.pmd : levels.pud;
	r->align = r->level == PTE ? levels.pmd : r->entry;
}

/* Whole entries, and whole MiB, from the BAR's start. */
static size_t region_bytes(const struct region *r)
{
	size_t step = r->entry > MIB ? r->entry : MIB, bytes = r->mem.bar.size;

	if (r->level == PTE && !bench_tier_full() && bytes > QUICK_PAGES)
		bytes = QUICK_PAGES;
	return r->mem.bar.start % r->entry ? 0 : bytes / step * step;
}

/*
 * Where the BAR is mapped: aligned as its frames are, for entries of this size; for pages a page
 * off, so that nothing larger fits.
 */
static char *region_address(const struct region *r)
{
	size_t wanted = (r->mem.bar.start + (r->level == PTE ? r->entry : 0)) % r->align;
	uintptr_t start = (uintptr_t)r->base;

	return (char *)(start + (wanted + r->align - start % r->align) % r->align);
}

static uint64_t faults_now(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? 0 : usage.ru_minflt;
}

static int region_map(struct bench_case *c)
{
	struct region *r = c->ctx;

	r->m.map = mmap(region_address(r), r->m.bytes, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_FIXED, r->mem.vfio.fd, r->mem.offset);
	if (r->m.map == MAP_FAILED)
		return bench_fail(c, -errno, "mapping BAR %u of %s", r->mem.bar_index,
				  r->mem.device);
	return 0;
}

static int op_populate(struct bench_case *c, uint64_t i)
{
	const struct region *r = c->ctx;

	(void)*(volatile uint64_t *)(r->m.map + i * r->entry);
	return 0;
}

static int region_populate(struct bench_case *c)
{
	struct region *r = c->ctx;
	int ret = region_map(c);

	for (size_t i = 0; !ret && i < r->m.bytes / r->entry; i++)
		ret = op_populate(c, i);
	return ret;
}

static int region_release(struct bench_case *c)
{
	struct region *r = c->ctx;
	void *gone = mmap(r->base, r->reserved, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);

	return gone == MAP_FAILED ? bench_fail(c, -errno, "cannot unmap the BAR") : 0;
}

/*
 * Whether reading a word of each entry takes one fault an entry: larger ones would take fewer. That
 * there are no smaller ones is told by the end of the first, which takes none. All of it is done
 * before, so that no fault is the program's own.
 */
static int level_check(struct bench_case *c, bool *is)
{
	struct region *r = c->ctx;
	uint64_t before;
	int ret;

	ret = region_populate(c);
	if (!ret)
		ret = region_release(c);
	if (!ret)
		ret = region_map(c);
	if (ret)
		return ret;
	faults_now();
	before = faults_now();
	for (size_t i = 0; i < r->m.bytes / r->entry; i++)
		op_populate(c, i);
	(void)*(volatile uint64_t *)(r->m.map + r->entry - sizeof(uint64_t));
	*is = faults_now() - before == r->m.bytes / r->entry;
	return region_release(c);
}

static void region_teardown(struct bench_case *c)
{
	struct region *r = c->ctx;

	bench_child_kill(&r->m.child);
	munmap(r->base, r->reserved);
	devmem_close(&r->mem);
}

static int region_reserve(struct bench_case *c)
{
	struct region *r = c->ctx;

	r->reserved = r->m.bytes + r->align;
	r->base = mmap(NULL, r->reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0);
	return r->base == MAP_FAILED ?
	       bench_fail(c, -errno, "reserving %zu bytes of addresses", r->reserved) : 0;
}

static int region_setup(struct bench_case *c)
{
	struct region *r = c->ctx;
	struct probe found = devmem_find(&r->mem);
	bool is = false;
	int ret;

	if (found.answer != PROBE_YES)
		return bench_skip(c, "%s", found.why);
	region_sizes(r);
	r->m.bytes = region_bytes(r);
	if (!r->m.bytes)
		return bench_skip(c, "BAR %u of %s is smaller than one such entry, or not aligned",
				  r->mem.bar_index, r->mem.device);
	found = devmem_open(&r->mem);
	if (found.answer != PROBE_YES) {
		devmem_close(&r->mem);
		return bench_skip(c, "%s", found.why);
	}
	ret = region_reserve(c);
	if (ret) {
		devmem_close(&r->mem);
		return ret;
	}
	ret = level_check(c, &is);
	if (!ret && !is)
		ret = bench_skip(c, "this kernel or CPU maps device memory by other entries");
	if (ret)
		region_teardown(c);
	c->iterations = 1;
	c->units = r->m.bytes / MIB;
	return ret;
}

static int populate_prepare(struct bench_case *c)
{
	const struct region *r = c->ctx;

	c->iterations = r->m.bytes / r->entry;
	return 0;
}

static int once_prepare(struct bench_case *c)
{
	c->iterations = 1;
	return 0;
}

static int op_dma_map(struct bench_case *c, uint64_t i)
{
	const struct region *r = c->ctx;
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)r->m.map, .iova = IOVA, .size = r->m.bytes,
	};

	(void)i;
	return ioctl(r->mem.vfio.container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

static int op_dma_unmap(struct bench_case *c, uint64_t i)
{
	const struct region *r = c->ctx;
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = IOVA, .size = r->m.bytes,
	};

	(void)i;
	if (ioctl(r->mem.vfio.container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		return -errno;
	return unmap.size == r->m.bytes ? 0 : -EIO;
}

static const struct bench_phase populate_phases[] = {
	{ .metric = "populate_ns_per_mib", .unit = "ns/MiB", .op = op_populate,
	  .prepare = populate_prepare },
	{ .metric = "unmap_ns_per_mib", .unit = "ns/MiB", .op = bench_mapping_unmap,
	  .prepare = once_prepare },
};

static const struct bench_phase fork_phases[] = {
	{ .metric = "fork_ns_per_mib", .unit = "ns/MiB", .op = bench_mapping_fork },
	{ .metric = "exit_ns_per_mib", .unit = "ns/MiB", .op = bench_mapping_exit },
};

static const struct bench_phase mprotect_phases[] = {
	{ .metric = "protect_ns_per_mib", .unit = "ns/MiB", .op = bench_mapping_protect },
	{ .metric = "unprotect_ns_per_mib", .unit = "ns/MiB", .op = bench_mapping_unprotect },
};

static const struct bench_phase dma_phases[] = {
	{ .metric = "dma_map_ns_per_mib", .unit = "ns/MiB", .op = op_dma_map },
	{ .metric = "dma_unmap_ns_per_mib", .unit = "ns/MiB", .op = op_dma_unmap },
};

static struct region by_pte = { .level = PTE };
static struct region by_pmd = { .level = PMD };
static struct region by_pud = { .level = PUD };

#define REGION_CASE(_name, _region, _before, _phases)			\
	{								\
		.name = _name, .ctx = _region, .setup = region_setup,	\
		.before = _before, .after = region_release,		\
		.teardown = region_teardown,				\
		.phases = _phases, .nr_phases = ARRAY_SIZE(_phases),	\
	}

static struct bench_case cases[] = {
	REGION_CASE("populate.pte", &by_pte, region_map, populate_phases),
	REGION_CASE("fork.pte", &by_pte, region_populate, fork_phases),
	REGION_CASE("mprotect.pte", &by_pte, region_populate, mprotect_phases),
	REGION_CASE("dma.pte", &by_pte, region_populate, dma_phases),
	REGION_CASE("populate.pmd", &by_pmd, region_map, populate_phases),
	REGION_CASE("fork.pmd", &by_pmd, region_populate, fork_phases),
	REGION_CASE("mprotect.pmd", &by_pmd, region_populate, mprotect_phases),
	REGION_CASE("dma.pmd", &by_pmd, region_populate, dma_phases),
	REGION_CASE("populate.pud", &by_pud, region_map, populate_phases),
	REGION_CASE("fork.pud", &by_pud, region_populate, fork_phases),
	REGION_CASE("mprotect.pud", &by_pud, region_populate, mprotect_phases),
	REGION_CASE("dma.pud", &by_pud, region_populate, dma_phases),
};

int main(int argc, char **argv)
{
	static const struct bench pfnmap_ops = {
		.name = "pfnmap/ops",
		.needs = "root",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return bench_main(argc, argv, &pfnmap_ops);
}
