// SPDX-License-Identifier: GPL-2.0
/* hugetlb: pools through nr_hugepages in sysfs. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <numa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/hugetlb.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

#define POOLS_DIR "/sys/kernel/mm/hugepages"
#define NODES_DIR "/sys/devices/system/node"
#define NUMBER_MAX 32
/* Enough for an optimization in bulk and for neighbours in one vmemmap page table. */
#define NR_PAGES_MAX 16
/* A test takes at most this share of the memory that is available. */
#define MEMORY_SHARE 8

/* Put the path of nr_hugepages into @pool. */
static void pool_name(struct hugetlb_pool *pool, int node)
{
	char dir[64] = POOLS_DIR;

	if (node != HUGETLB_ALL_NODES)
		snprintf(dir, sizeof(dir), NODES_DIR "/node%d/hugepages", node);
	snprintf(pool->path, sizeof(pool->path), "%s/hugepages-%" PRIu64 "kB/nr_hugepages", dir,
		 pool->size / 1024);
}

size_t hugetlb_sizes(uint64_t *sizes, size_t max)
{
	struct hugetlb_pool pool;
	size_t nr = 0;

	for (pool.size = page_size(); pool.size && nr < max; pool.size <<= 1) {
		pool_name(&pool, HUGETLB_ALL_NODES);
		if (sysfile_readable(pool.path))
			sizes[nr++] = pool.size;
	}
	return nr;
}

struct probe hugetlb_probe(void)
{
	uint64_t size;

	return hugetlb_sizes(&size, 1) ? probe_yes() :
	       probe_no("no huge page size in " POOLS_DIR ": the kernel was built without CONFIG_HUGETLBFS, or a container hides it");
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
	int err;

	*pool = (struct hugetlb_pool) { .size = size };
	pool_name(pool, node);
	pool->fd = sysfile_open(pool->path, O_RDWR);
	if (pool->fd < 0)
		return pool->fd;
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

static const char *const count_names[HUGETLB_COUNTS] = { "nr", "free", "resv", "surplus" };

static size_t others_of(const struct hugetlb_pool *pool, const char *which)
{
	size_t i;

	for (i = 0; i < HUGETLB_COUNTS; i++)
		if (!strcmp(which, count_names[i]))
			return pool->others[i];
	return 0;
}

long __hugetlb_pool_resize(struct hugetlb_pool *pool, unsigned long pages)
{
	unsigned long others = others_of(pool, "nr");
	char number[NUMBER_MAX];
	ssize_t len = snprintf(number, sizeof(number), "%lu\n", others + pages);
	ssize_t done;

	done = pwrite(pool->fd, number, len, 0);
	if (done == len)
		done = pread(pool->fd, number, sizeof(number) - 1, 0);
	if (done <= 0)
		return done < 0 ? -errno : -EIO;
	number[done] = '\0';
	return strtol(number, NULL, 10) - others;
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
	return err ? err : (long)(count - others_of(pool, which));
}

void hugetlb_pool_beside(struct hugetlb_pool *pool)
{
	long count;
	size_t i;

	memset(pool->others, 0, sizeof(pool->others));
	for (i = 0; i < HUGETLB_COUNTS; i++) {
		count = __hugetlb_pool_count(pool, count_names[i]);
		if (count > 0)
			pool->others[i] = count;
	}
}

size_t hugetlb_pool_count(const struct hugetlb_pool *pool, const char *which)
{
	long count = __hugetlb_pool_count(pool, which);

	if (count < 0)
		libmm_fail("hugetlb: reading %s of %s: %s", which, pool->path, strerror(-count));
	return count;
}

/* The huge page size that this kernel maps at @level, or 0. */
static uint64_t level_size(const char *level)
{
	uint64_t sizes[HUGETLB_MAX_SIZES];
	size_t i, nr = hugetlb_sizes(sizes, HUGETLB_MAX_SIZES);

	for (i = 0; i < nr; i++) {
		if (!strcmp(hugetlb_level(sizes[i], page_size()), level))
			return sizes[i];
	}
	return 0;
}

/* How many huge pages a test may have: 0 when even one would be half of what there is. */
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

/* The caller may change settings, and knows huge pages. */
static struct probe machine_probe(void)
{
	struct probe probe = probe_root();
	int err;

	if (probe.answer == PROBE_YES)
		probe = hugetlb_probe();
	if (probe.answer != PROBE_YES)
		return probe;
	err = __restore_begin(probe.why, sizeof(probe.why));
	if (err && err != -EBUSY)
		libmm_fail("hugetlb: %s", probe.why);
	probe.answer = err ? PROBE_NO : PROBE_YES;
	return probe;
}

/*
 * Reserve the pages that nobody uses. Of several nodes a test could still be given one of them, for
 * faults take pages of the nearest node; on one, the pages that came last go first.
 */
static struct probe idle_hold(struct hugetlb_pool *pool)
{
	size_t idle = hugetlb_pool_count(pool, "free") - hugetlb_pool_count(pool, "resv");

	if (!idle)
		return probe_yes();
	if (numa_max_node())
		return probe_no("%zu pages of %s are idle, on several nodes: the tests would take them for their own; empty the pool",
				idle, pool->path);
	pool->held_size = idle * pool->size;
	pool->held = mmap(NULL, pool->held_size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | hugetlb_size_flags(pool->size),
			  -1, 0);
	if (pool->held != MAP_FAILED)
		return probe_yes();
	pool->held = NULL;
	return probe_no("%zu idle pages of %s cannot be reserved (%s): empty the pool", idle,
			pool->path, strerror(errno));
}

static struct probe pool_probe(struct hugetlb_pool *pool)
{
	struct probe probe = idle_hold(pool);

	if (probe.answer != PROBE_YES)
		return probe;
	hugetlb_pool_beside(pool);
	if (__hugetlb_pool_resize(pool, 0) == -EINVAL)
		return probe_no("%s cannot be written: gigantic pages need CONFIG_CONTIG_ALLOC",
				pool->path);
	return probe_yes();
}

struct probe hugetlb_pool_take(struct hugetlb_pool *pool, const char *level, size_t *nr)
{
	struct probe probe = machine_probe();
	uint64_t room, size = level_size(level);
	int err;

	if (probe.answer != PROBE_YES)
		return probe;
	if (!size)
		return probe_no("this kernel has no huge page mapped at the level %s", level);
	room = hugetlb_cgroup_room(size) / size;
	if (!room)
		return probe_no("a hugetlb cgroup leaves this process no huge page of %" PRIu64 " MiB: raise hugetlb.*.max",
				size >> 20);
	*nr = pages_affordable(size);
	*nr = room < *nr ? room : *nr;
	if (!*nr)
		return probe_no("two huge pages of %" PRIu64 " MiB must be available as memory",
				size >> 20);
	err = hugetlb_pool_open(pool, size, HUGETLB_ALL_NODES);
	if (err)
		libmm_fail("hugetlb: opening %s: %s", pool->path, strerror(-err));
	probe = pool_probe(pool);
	if (probe.answer != PROBE_YES)
		hugetlb_pool_release(pool);
	return probe;
}

struct probe hugetlb_pool_fill(struct hugetlb_pool *pool, size_t *nr, size_t want, size_t least)
{
	if (*nr < least)
		return probe_no("memory for %zu huge pages of this size is missing", least);
	*nr = hugetlb_pool_resize(pool, want);
	return *nr >= least ? probe_yes() :
	       probe_no("memory is too fragmented for huge pages: %zu, and the test needs %zu",
			*nr, least);
}

void hugetlb_pool_release(struct hugetlb_pool *pool)
{
	if (pool->held)
		munmap(pool->held, pool->held_size);
	pool->held = NULL;
	restore_all();
	hugetlb_pool_close(pool);
}
