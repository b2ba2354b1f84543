// SPDX-License-Identifier: GPL-2.0
/*
 * hvo: one pool of huge pages under test.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/hvo.h>
#include <libmm/probe.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

/* Enough for an optimization in bulk and for neighbours in one vmemmap page table. */
#define NR_PAGES_MAX 16
/* A test takes at most this share of the memory that is available. */
#define MEMORY_SHARE 8
/* More than this of it is not written to, when one huge page is less. */
#define WRITE_BYTES_MAX (UINT64_C(64) << 20)

uint64_t hvo_level_size(const char *level)
{
	uint64_t sizes[HUGETLB_MAX_SIZES];
	size_t i, nr = hugetlb_sizes(sizes, HUGETLB_MAX_SIZES);

	for (i = 0; i < nr; i++) {
		if (!strcmp(hugetlb_level(sizes[i], page_size()), level))
			return sizes[i];
	}
	return 0;
}

/* How many huge pages a test may take: 0 when even one would be half of what there is. */
static size_t pages_affordable(uint64_t size)
{
	uint64_t kib, share;

	if (__sysfile_read_key("/proc/meminfo", "MemAvailable", &kib))
		return 0;
	share = kib * 1024 / MEMORY_SHARE / size;
	if (share)
		return share < NR_PAGES_MAX ? share : NR_PAGES_MAX;
	return kib * 1024 / 2 >= size;
}

static bool __printf(2, 3) miss(struct hvo *h, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(h->missing, sizeof(h->missing), fmt, ap);
	va_end(ap);
	return false;
}

static bool needs_met(struct hvo *h, bool on)
{
	struct probe probe = probe_root();

	if (probe.answer == PROBE_YES)
		probe = hugetlb_probe();
	if (on && probe.answer == PROBE_YES)
		probe = hugetlb_hvo_probe();
	return probe.answer == PROBE_YES || miss(h, "%s", probe.why);
}

static bool changes_allowed(struct hvo *h)
{
	int ret = __restore_begin(h->missing, sizeof(h->missing));

	if (ret && ret != -EBUSY)
		libmm_fail("hvo: %s", h->missing);
	return !ret;
}

static bool pool_taken(struct hvo *h, const char *level)
{
	uint64_t size = hvo_level_size(level);
	long there;
	int ret;

	if (!size)
		return miss(h, "this kernel has no huge page mapped at the level %s", level);
	h->nr = pages_affordable(size);
	if (!h->nr)
		return miss(h, "two huge pages of %" PRIu64 " MiB must be available as memory",
			    size >> 20);

	ret = hugetlb_pool_open(&h->pool, size, HUGETLB_ALL_NODES);
	if (ret)
		libmm_fail("hvo: opening the pool of %" PRIu64 " kB pages: %s", size >> 10,
			   strerror(-ret));
	h->pool_open = true;
	there = __hugetlb_pool_count(&h->pool, "nr");
	if (there)
		return miss(h, "%s is %ld: the tests count struct pages and need an empty pool",
			    h->pool.path, there);
	return true;
}

static void pool_measure(struct hvo *h)
{
	int ret = hugetlb_memmap_bytes(&h->memmap);

	if (ret && ret != -ENOENT)
		libmm_fail("hvo: counting struct pages: %s", strerror(-ret));
	h->counted = !ret;
	h->page_size = sysconf(_SC_PAGESIZE);
	h->pages = h->pool.size / h->page_size;
	h->fake = h->page_size / HVO_STRUCT_PAGE_SIZE;
	h->nr_map = WRITE_BYTES_MAX / h->pool.size;
	h->nr_map = !h->nr_map ? 1 : h->nr_map < h->nr ? h->nr_map : h->nr;
	h->saving = hugetlb_hvo_saving(h->pool.size, HVO_STRUCT_PAGE_SIZE, h->page_size);
}

void hvo_begin(struct hvo *h, const char *level, bool on)
{
	int ret;

	memset(h, 0, sizeof(*h));
	h->on = on;
	if (!needs_met(h, on) || !changes_allowed(h) || !pool_taken(h, level)) {
		hvo_end(h);
		return;
	}
	pool_measure(h);

	/* A kernel without HVO is one whose HVO is off. */
	ret = hugetlb_hvo_set(on);
	if (ret && (on || ret != -ENOENT))
		libmm_fail("hvo: setting vm.hugetlb_optimize_vmemmap to %d: %s", on,
			   strerror(-ret));
}

void hvo_end(struct hvo *h)
{
	restore_all();
	if (h->pool_open)
		hugetlb_pool_close(&h->pool);
	h->pool_open = false;
}

int64_t hvo_memmap_delta(const struct hvo *h)
{
	uint64_t now;
	int ret = hugetlb_memmap_bytes(&now);

	if (ret)
		libmm_fail("hvo: counting struct pages: %s", strerror(-ret));
	return now - h->memmap;
}

int64_t hvo_memmap_expected(const struct hvo *h, size_t optimized)
{
	return -(int64_t)(optimized * h->saving * h->page_size);
}
