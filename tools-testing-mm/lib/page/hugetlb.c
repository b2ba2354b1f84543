// SPDX-License-Identifier: GPL-2.0
/* hugetlb: pools through nr_hugepages in sysfs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <numa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/hugetlb.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

#define POOLS_DIR "/sys/kernel/mm/hugepages"
#define NODES_DIR "/sys/devices/system/node"
#define HVO_SYSCTL "/proc/sys/vm/hugetlb_optimize_vmemmap"
#define NUMBER_MAX 32

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
	return sysfile_readable(HVO_SYSCTL) ? probe_yes() :
	       probe_no("no vm.hugetlb_optimize_vmemmap: the kernel was built without CONFIG_HUGETLB_PAGE_OPTIMIZE_VMEMMAP or can optimize no huge page size, or a container hides it");
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

/* Put the path of nr_hugepages into @pool. */
static void pool_name(struct hugetlb_pool *pool, int node)
{
	unsigned long long kib = pool->size / 1024;
	char dir[64] = POOLS_DIR;

	if (node != HUGETLB_ALL_NODES)
		snprintf(dir, sizeof(dir), NODES_DIR "/node%d/hugepages", node);
	snprintf(pool->path, sizeof(pool->path), "%s/hugepages-%llukB/nr_hugepages", dir, kib);
}

/*
 * Writing a pool of all nodes moves pages between nodes, and writing the old total back spreads
 * them evenly. So the nodes' own pools are saved first: restore puts the oldest change back last.
 */
static int pool_save(struct hugetlb_pool *pool)
{
	struct hugetlb_pool part = { .size = pool->size };
	int node, err = 0;

	for (node = 0; !err && node <= numa_max_node(); node++) {
		pool_name(&part, node);
		if (sysfile_readable(part.path))
			err = __restore_save(part.path);
	}
	return err ? err : __restore_save(pool->path);
}

int hugetlb_pool_open(struct hugetlb_pool *pool, uint64_t size, int node)
{
	char path[SYSFILE_PATH_MAX];
	int err;

	*pool = (struct hugetlb_pool){ .size = size, .fd = -1 };
	pool_name(pool, node);
	err = __sysfile_path(path, sizeof(path), pool->path);
	if (err)
		return err;
	pool->fd = open(path, O_RDWR | O_CLOEXEC);
	if (pool->fd < 0)
		return -errno;
	err = node == HUGETLB_ALL_NODES ? pool_save(pool) : __restore_save(pool->path);
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

size_t hugetlb_pool_resize(struct hugetlb_pool *pool, unsigned long pages)
{
	long now = __hugetlb_pool_resize(pool, pages);

	if (now < 0)
		libmm_fail("hugetlb: writing %lu to %s: %s", pages, pool->path, strerror(-now));
	return now;
}

void hugetlb_pool_file(const struct hugetlb_pool *pool, const char *file,
		       char path[HUGETLB_PATH_MAX])
{
	int dir = strrchr(pool->path, '/') - pool->path;

	snprintf(path, HUGETLB_PATH_MAX, "%.*s/%s", dir, pool->path, file);
}

long __hugetlb_pool_count(const struct hugetlb_pool *pool, const char *which)
{
	char file[64], path[HUGETLB_PATH_MAX];
	uint64_t count;
	int err;

	snprintf(file, sizeof(file), "%s_hugepages", which);
	hugetlb_pool_file(pool, file, path);
	err = __sysfile_read_u64(path, &count);
	return err ? err : (long)count;
}

size_t hugetlb_pool_count(const struct hugetlb_pool *pool, const char *which)
{
	long count = __hugetlb_pool_count(pool, which);

	if (count < 0)
		libmm_fail("hugetlb: reading %s of %s: %s", which, pool->path, strerror(-count));
	return count;
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

uint64_t hugetlb_hvo_saving(uint64_t size, uint64_t struct_page_size, uint64_t page_size)
{
	uint64_t vmemmap = size / page_size * struct_page_size;

	if (struct_page_size & (struct_page_size - 1) || vmemmap <= page_size)
		return 0;
	return vmemmap / page_size - 1;
}
