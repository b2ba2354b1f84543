// SPDX-License-Identifier: GPL-2.0
/*
 * hugetlb: see libmm/hugetlb.h.
 *
 * Pools are driven through nr_hugepages in sysfs. Opening a pool journals it; resizing then goes
 * through a descriptor that is already open, with one write and one read, so that the timed path
 * has nothing of this library in it but the formatting of a number.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/hugetlb.h>
#include <libmm/kconfig.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

#define POOLS_DIR "/sys/kernel/mm/hugepages"
#define NODES_DIR "/sys/devices/system/node"
#define HVO_SYSCTL "/proc/sys/vm/hugetlb_optimize_vmemmap"
#define NUMBER_MAX 32

static const struct {
	const char *which;
	const char *file;
} pool_counts[] = {
	{ "nr", "nr_hugepages" },
	{ "free", "free_hugepages" },
	{ "resv", "resv_hugepages" },
	{ "surplus", "surplus_hugepages" },
	{ "overcommit", "nr_overcommit_hugepages" },
};

/* Ascending, for qsort(). */
static int size_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

size_t hugetlb_sizes(uint64_t *sizes, size_t max)
{
	char path[SYSFILE_PATH_MAX];
	struct dirent *entry;
	size_t nr = 0;
	DIR *dir;

	if (__sysfile_path(path, sizeof(path), POOLS_DIR))
		return 0;
	dir = opendir(path);
	if (!dir)
		return 0;
	while (nr < max && (entry = readdir(dir))) {
		unsigned long long kib;
		int end = 0;

		if (sscanf(entry->d_name, "hugepages-%llukB%n", &kib, &end) != 1 || !end ||
		    entry->d_name[end])
			continue;
		sizes[nr++] = kib * 1024;
	}
	closedir(dir);
	qsort(sizes, nr, sizeof(*sizes), size_compare);
	return nr;
}

struct probe hugetlb_probe(void)
{
	uint64_t size;

	return hugetlb_sizes(&size, 1) ? probe_yes() :
	       probe_no("no huge page size in " POOLS_DIR ": the kernel was built without CONFIG_HUGETLBFS, or a container hides it");
}

struct probe hugetlb_hvo_probe(void)
{
	static const char option[] = "CONFIG_HUGETLB_PAGE_OPTIMIZE_VMEMMAP";

	if (sysfile_readable(HVO_SYSCTL))
		return probe_yes();
	if (kconfig_value(option) == 'y')
		return probe_no("no vm.hugetlb_optimize_vmemmap in spite of %s: no huge page size can be optimized, or a container hides it",
				option);
	return probe_no("no vm.hugetlb_optimize_vmemmap: the kernel was built without %s, or its architecture has no such option",
			option);
}

const char *hugetlb_level(uint64_t size, uint64_t page_size)
{
	uint64_t entries = page_size / sizeof(uint64_t);
	uint64_t pmd = page_size * entries;

	if (!size || size & (size - 1) || size < page_size)
		return "other";
	if (size == page_size)
		return "pte";
	if (size < pmd)
		return "contpte";
	if (size == pmd)
		return "pmd";
	if (size / entries < pmd)
		return "contpmd";
	return size / entries == pmd ? "pud" : "other";
}

/* The folder of a pool's files; @file is appended. */
static int pool_path(char *buf, size_t len, uint64_t size, int node, const char *file)
{
	unsigned long long kib = size / 1024;
	int n;

	if (node == HUGETLB_ALL_NODES)
		n = snprintf(buf, len, POOLS_DIR "/hugepages-%llukB/%s", kib, file);
	else
		n = snprintf(buf, len, NODES_DIR "/node%d/hugepages/hugepages-%llukB/%s", node, kib,
			     file);
	return n < 0 || (size_t)n >= len ? -ENAMETOOLONG : 0;
}

/*
 * Writing a pool of all nodes moves pages between nodes, and writing the old total back spreads
 * them evenly. So the nodes' own pools are journalled first: restoring goes from the newest to the
 * oldest record, and they have the last word.
 */
static int pool_save_nodes(uint64_t size)
{
	char path[sizeof(((struct hugetlb_pool *)0)->path)], root[SYSFILE_PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int err;

	err = __sysfile_path(root, sizeof(root), NODES_DIR);
	if (err)
		return err;
	dir = opendir(root);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;	/* no NUMA: no node folders */
	while (!err && (entry = readdir(dir))) {
		int node, end = 0;

		if (sscanf(entry->d_name, "node%d%n", &node, &end) != 1 || !end ||
		    entry->d_name[end])
			continue;
		err = pool_path(path, sizeof(path), size, node, "nr_hugepages");
		if (!err && sysfile_readable(path))
			err = __restore_save(path);
	}
	closedir(dir);
	return err;
}

int hugetlb_pool_open(struct hugetlb_pool *pool, uint64_t size, int node)
{
	char path[SYSFILE_PATH_MAX];
	int err;

	pool->size = size;
	pool->node = node;
	pool->fd = -1;
	err = pool_path(pool->path, sizeof(pool->path), size, node, "nr_hugepages");
	if (!err)
		err = __sysfile_path(path, sizeof(path), pool->path);
	if (err)
		return err;
	pool->fd = open(path, O_RDWR | O_CLOEXEC);
	if (pool->fd < 0)
		return -errno;
	if (node == HUGETLB_ALL_NODES)
		err = pool_save_nodes(size);
	if (!err)
		err = __restore_save(pool->path);
	if (err)
		hugetlb_pool_close(pool);
	return err;
}

void hugetlb_pool_close(struct hugetlb_pool *pool)
{
	if (pool->fd >= 0)
		close(pool->fd);
	pool->fd = -1;
}

long __hugetlb_pool_resize(struct hugetlb_pool *pool, unsigned long pages)
{
	char number[NUMBER_MAX];
	ssize_t len = snprintf(number, sizeof(number), "%lu\n", pages);
	ssize_t done;

	done = pwrite(pool->fd, number, len, 0);
	if (done != len)
		return done < 0 ? -errno : -EIO;
	done = pread(pool->fd, number, sizeof(number) - 1, 0);
	if (done <= 0)
		return done < 0 ? -errno : -EIO;
	number[done] = '\0';
	return strtol(number, NULL, 10);
}

long __hugetlb_pool_count(const struct hugetlb_pool *pool, const char *which)
{
	char path[sizeof(pool->path)];
	uint64_t count;
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(pool_counts); i++) {
		if (strcmp(which, pool_counts[i].which))
			continue;
		err = pool_path(path, sizeof(path), pool->size, pool->node, pool_counts[i].file);
		if (!err)
			err = __sysfile_read_u64(path, &count);
		return err ? err : (long)count;
	}
	return -EINVAL;
}

enum hugetlb_hvo hugetlb_hvo_get(void)
{
	uint64_t on;

	if (__sysfile_read_u64(HVO_SYSCTL, &on))
		return HVO_ABSENT;
	return on ? HVO_ON : HVO_OFF;
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
		*bytes = (boot + later) * sysconf(_SC_PAGESIZE);
	return err;
}

uint64_t hugetlb_hvo_saving(uint64_t size, uint64_t struct_page_size, uint64_t page_size)
{
	uint64_t vmemmap = size / page_size * struct_page_size;

	if (struct_page_size & (struct_page_size - 1) || vmemmap <= page_size)
		return 0;
	return vmemmap / page_size - 1;
}
