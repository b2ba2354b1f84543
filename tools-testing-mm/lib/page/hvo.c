// SPDX-License-Identifier: GPL-2.0
/* hvo: vm.hugetlb_optimize_vmemmap, and what the kernel counts of struct pages. */
#include <errno.h>
#include <string.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/hvo.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

#define HVO_SYSCTL "/proc/sys/vm/hugetlb_optimize_vmemmap"
/* No more than this is written to, or one huge page. */
#define WRITE_BYTES_MAX (UINT64_C(64) << 20)

struct probe hugetlb_hvo_probe(void)
{
	return sysfile_readable(HVO_SYSCTL) ? probe_yes() :
	       probe_no("no vm.hugetlb_optimize_vmemmap: the kernel was built without CONFIG_HUGETLB_PAGE_OPTIMIZE_VMEMMAP or can optimize no huge page size, or a container hides it");
}

int hugetlb_hvo_set(bool on)
{
	return __restore_set(HVO_SYSCTL, on ? "1" : "0", NULL);
}

int hugetlb_memmap_bytes(uint64_t *bytes)
{
	uint64_t boot, later;
	int err;

	err = __sysfile_read_key("/proc/vmstat", "nr_memmap_boot_pages", &boot);
	if (!err)
		err = __sysfile_read_key("/proc/vmstat", "nr_memmap_pages", &later);
	if (!err)
		*bytes = (boot + later) * page_size();
	return err;
}

uint64_t hugetlb_hvo_saving(uint64_t size, uint64_t page_size)
{
	uint64_t vmemmap = size / page_size * HVO_STRUCT_PAGE_SIZE;

	return vmemmap > page_size ? vmemmap / page_size - 1 : 0;
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

struct probe hvo_begin(struct hvo *h, const char *level, bool on)
{
	struct probe probe = on ? hugetlb_hvo_probe() : probe_yes();
	int err;

	*h = (struct hvo){ .on = on, .page_size = page_size() };
	if (probe.answer == PROBE_YES)
		probe = hugetlb_pool_take(&h->pool, level, &h->nr);
	if (probe.answer != PROBE_YES)
		return probe;
	h->counted = !hugetlb_memmap_bytes(&h->memmap);
	h->pages = h->pool.size / h->page_size;
	h->fake = h->page_size / HVO_STRUCT_PAGE_SIZE;
	h->nr_map = min(h->nr, WRITE_BYTES_MAX / h->pool.size ?: 1);
	h->saving = hugetlb_hvo_saving(h->pool.size, h->page_size);
	err = hugetlb_hvo_set(on);
	if (err && (on || err != -ENOENT))
		libmm_fail("hvo: switching to %d: %s", on, strerror(-err));
	return probe;
}

void hvo_end(struct hvo *h)
{
	hugetlb_pool_release(&h->pool);
}

struct probe hvo_fill(struct hvo *h, size_t want, size_t least)
{
	struct probe probe = hugetlb_pool_fill(&h->pool, &h->nr, want, least);

	h->nr_map = min(h->nr, h->nr_map);
	return probe;
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
