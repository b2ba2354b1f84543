// SPDX-License-Identifier: GPL-2.0
/* hvo: one pool of huge pages under test. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/hvo.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

/* Enough for an optimization in bulk and for neighbours in one vmemmap page table. */
#define NR_PAGES_MAX 16
/* A test takes at most this share of the memory that is available. */
#define MEMORY_SHARE 8
/* No more than this is written to, or one huge page. */
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

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many huge pages a test may take: 0 when even one would be half of what there is. */
static size_t pages_affordable(uint64_t size)
{
	uint64_t kib, share;

	if (__sysfile_read_key("/proc/meminfo", "MemAvailable", &kib))
		return 0;
	share = kib * 1024 / MEMORY_SHARE / size;
	return share ? min(share, NR_PAGES_MAX) : kib * 1024 / 2 >= size;
}

static struct probe machine_probe(bool on)
{
	struct probe probe = probe_root();
	int ret;

	if (probe.answer == PROBE_YES)
		probe = hugetlb_probe();
	if (on && probe.answer == PROBE_YES)
		probe = hugetlb_hvo_probe();
	if (probe.answer != PROBE_YES)
		return probe;
	ret = __restore_begin(probe.why, sizeof(probe.why));
	if (ret && ret != -EBUSY)
		libmm_fail("hvo: %s", probe.why);
	probe.answer = ret ? PROBE_NO : PROBE_YES;
	return probe;
}

static struct probe pool_take(struct hvo *h, const char *level)
{
	uint64_t size = hvo_level_size(level);
	size_t there;
	int ret;

	if (!size)
		return probe_no("this kernel has no huge page mapped at the level %s", level);
	h->nr = pages_affordable(size);
	if (!h->nr)
		return probe_no("two huge pages of %" PRIu64 " MiB must be available as memory",
				size >> 20);

	ret = hugetlb_pool_open(&h->pool, size, HUGETLB_ALL_NODES);
	if (ret)
		libmm_fail("hvo: opening the pool of %" PRIu64 " kB pages: %s", size >> 10,
			   strerror(-ret));
	there = hugetlb_pool_count(&h->pool, "nr");
	if (there)
		return probe_no("%s is %zu: the tests count struct pages and need an empty pool",
				h->pool.path, there);
	if (__hugetlb_pool_resize(&h->pool, 0) == -EINVAL)
		return probe_no("%s cannot be written: gigantic pages need CONFIG_CONTIG_ALLOC",
				h->pool.path);
	return probe_yes();
}

static void pool_measure(struct hvo *h)
{
	h->counted = !hugetlb_memmap_bytes(&h->memmap);
	h->page_size = page_size();
	h->pages = h->pool.size / h->page_size;
	h->fake = h->page_size / HVO_STRUCT_PAGE_SIZE;
	h->nr_map = min(h->nr, WRITE_BYTES_MAX / h->pool.size ?: 1);
	h->saving = hugetlb_hvo_saving(h->pool.size, HVO_STRUCT_PAGE_SIZE, h->page_size);
}

struct probe hvo_begin(struct hvo *h, const char *level, bool on)
{
	struct probe probe = machine_probe(on);
	int ret;

	*h = (struct hvo){ .on = on, .pool.fd = -1 };
	if (probe.answer == PROBE_YES)
		probe = pool_take(h, level);
	if (probe.answer != PROBE_YES) {
		hvo_end(h);
		return probe;
	}
	pool_measure(h);
	ret = hugetlb_hvo_set(on);
	if (ret && (on || ret != -ENOENT))
		libmm_fail("hvo: switching to %d: %s", on, strerror(-ret));
	return probe;
}

void hvo_end(struct hvo *h)
{
	restore_all();
	hugetlb_pool_close(&h->pool);
}

struct probe hvo_fill(struct hvo *h, size_t want, size_t least)
{
	if (h->nr < least)
		return probe_no("memory for %zu huge pages of this size is missing", least);
	h->nr = hugetlb_pool_resize(&h->pool, want);
	h->nr_map = min(h->nr, h->nr_map);
	return h->nr >= least ? probe_yes() :
	       probe_no("memory is too fragmented for huge pages: %zu, and the test needs %zu",
			h->nr, least);
}

int64_t hvo_memmap_excess(const struct hvo *h, size_t optimized)
{
	uint64_t now;

	if (!h->counted)
		return 0;
	if (hugetlb_memmap_bytes(&now))
		libmm_fail("hvo: the kernel has stopped counting struct pages");
	return now - h->memmap + optimized * h->saving * h->page_size;
}
