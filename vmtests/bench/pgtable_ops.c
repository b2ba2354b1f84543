// SPDX-License-Identifier: GPL-2.0
/*
 * lazymmu/pgtable: what page-table updates of user memory cost the kernel, per page.
 *
 * Each operation changes many neighbouring entries in one call: fork, exit, mprotect, mremap,
 * munmap and MADV_DONTNEED. These are the paths that batch their updates in lazy MMU mode, and
 * whose page tables the kernel reads and writes through the linear map.
 *
 * The region is base pages (MADV_NOHUGEPAGE): with transparent huge pages there would be 512 times
 * fewer entries to change. mremap moves to an address that is not aligned to a page-table page, so
 * that entries are moved one by one rather than whole tables at once.
 *
 * It cannot show how much of the time is the batching: compare two kernels that differ in it.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <kselftest.h>
#include <vmtests/bench.h>
#include <vmtests/bench_mapping.h>
#include <libmm/memory.h>
#include <libmm/sysfile.h>

#define QUICK_BYTES (64ul << 20)
/* Of the available memory, with -T full: parent and child share pages, so only tables double. */
#define FULL_SHARE 8

struct region {
	struct bench_mapping m;	/* the pages, in the reservation */
	char *base;		/* the reservation */
	size_t page;
};

static struct region region;

static size_t region_bytes(size_t page)
{
	uint64_t available;

	if (!bench_tier_full() || __memory_available(&available))
		return QUICK_BYTES;
	return available / FULL_SHARE / page * page;
}

/* Room for two regions and a misaligned start for the second. */
static size_t reservation_bytes(const struct region *r)
{
	return 2 * r->m.bytes + 2 * r->page;
}

/* Where else the process has run decides where flushes are sent. */
static int region_setup(struct bench_case *c)
{
	struct region *r = c->ctx;
	int err = __bench_pin(0);

	if (err)
		return bench_fail(c, err, "cannot pin to a CPU");
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	r->m.bytes = region_bytes(r->page);
	r->base = mmap(NULL, reservation_bytes(r), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (r->base == MAP_FAILED)
		return bench_fail(c, -errno, "cannot reserve %zu bytes", reservation_bytes(r));
	c->iterations = 1;
	c->units = r->m.bytes / r->page;
	return 0;
}

static int region_populate(struct bench_case *c)
{
	struct region *r = c->ctx;

	r->m.map = mmap(r->base, r->m.bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (r->m.map == MAP_FAILED)
		return bench_fail(c, -errno, "cannot map %zu bytes", r->m.bytes);
	if (madvise(r->m.map, r->m.bytes, MADV_NOHUGEPAGE) && errno != EINVAL)
		return bench_fail(c, -errno, "MADV_NOHUGEPAGE");
	for (size_t i = 0; i < r->m.bytes; i += r->page)
		r->m.map[i] = 1;
	return 0;
}

static int region_release(struct bench_case *c)
{
	struct region *r = c->ctx;
	void *gone = mmap(r->base, reservation_bytes(r), PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	return gone == MAP_FAILED ? bench_fail(c, -errno, "cannot unmap the region") : 0;
}

static void region_teardown(struct bench_case *c)
{
	struct region *r = c->ctx;

	bench_child_kill(&r->m.child);
	munmap(r->base, reservation_bytes(r));
}

static int op_mremap(struct bench_case *c, uint64_t i)
{
	struct region *r = c->ctx;
	char *to = r->base + r->m.bytes + r->page;

	(void)i;
	if (((uintptr_t)to - (uintptr_t)r->m.map) % (r->page * (r->page / sizeof(uint64_t))) == 0)
		to += r->page;
	to = mremap(r->m.map, r->m.bytes, r->m.bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (to == MAP_FAILED)
		return -errno;
	r->m.map = to;
	return 0;
}

static int op_dontneed(struct bench_case *c, uint64_t i)
{
	struct region *r = c->ctx;

	(void)i;
	return madvise(r->m.map, r->m.bytes, MADV_DONTNEED) ? -errno : 0;
}

static const struct bench_phase fork_phases[] = {
	{ .metric = "fork_ns_per_page", .unit = "ns/page", .op = bench_mapping_fork },
	{ .metric = "exit_ns_per_page", .unit = "ns/page", .op = bench_mapping_exit },
};

static const struct bench_phase mprotect_phases[] = {
	{ .metric = "protect_ns_per_page", .unit = "ns/page", .op = bench_mapping_protect },
	{ .metric = "unprotect_ns_per_page", .unit = "ns/page", .op = bench_mapping_unprotect },
};

static const struct bench_phase mremap_phases[] = {
	{ .metric = "move_ns_per_page", .unit = "ns/page", .op = op_mremap },
};

static const struct bench_phase dontneed_phases[] = {
	{ .metric = "zap_ns_per_page", .unit = "ns/page", .op = op_dontneed },
};

static const struct bench_phase munmap_phases[] = {
	{ .metric = "unmap_ns_per_page", .unit = "ns/page", .op = bench_mapping_unmap },
};

#define REGION_CASE(_name, _phases)					\
	{								\
		.name = _name, .ctx = &region, .setup = region_setup,	\
		.before = region_populate, .after = region_release,	\
		.teardown = region_teardown,				\
		.phases = _phases,					\
		.nr_phases = ARRAY_SIZE(_phases),	\
	}

static struct bench_case cases[] = {
	REGION_CASE("fork", fork_phases),
	REGION_CASE("mprotect", mprotect_phases),
	REGION_CASE("mremap", mremap_phases),
	REGION_CASE("dontneed", dontneed_phases),
	REGION_CASE("munmap", munmap_phases),
};

int main(int argc, char **argv)
{
	static const struct bench pgtable_ops = {
		.name = "lazymmu/pgtable",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return bench_main(argc, argv, &pgtable_ops);
}
