// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/gups: random 64-byte reads out of memory that the kernel keeps.
 *
 * pread(2) copies through the linear map, so each read of another page needs another translation of
 * it: a 4 KiB one where the map is made of PTEs, a shared 2 MiB or 1 GiB one where it is made of
 * blocks.
 *
 *   spread      one line of 64 bytes a page, over the whole file
 *   dense       as many lines, next to each other, in 1/64 of the pages (with 4 KiB pages)
 *   ratio       spread against dense, in turns, so that what disturbs one disturbs the other
 *   sweep.2eN   spread over 2^N pages only: the knee is where translations no longer fit the TLB
 *   huge.2eN    the sweep over a file of huge pages (hugetlb, of the size of a PMD): all base pages
 *               of one share its struct page and its slot of the index, so that little but the
 *               translation of the line itself is left to miss
 *   cpus.*      spread and dense on every CPU at once, by a process each with a file of its own in
 *               its share of the memory, on its node: translations compete for caches and memory
 *   tmpfs.*, cache.*  the same over a file of /dev/shm and of a disk's file system
 *   user-pages, user-huge  the negative control: spread in memory of this process, with base pages
 *               and with huge ones, read without the kernel, each read after the one before: how
 *               the kernel maps its own memory must not move it
 *
 * All visit the same number of cache lines in the same random order (a fixed-seed shuffle, laid out
 * before the clock starts). The file is anonymous shared memory (memfd) where nothing else is said:
 * page cache that no disk, write-back or file system feature disturbs. It is written in full,
 * locked and checked to be resident; cache.* lies in $VMTESTS_CACHE_DIR, by default the folder of
 * the results, is synced before it is read, and never has a name, so that nothing is left of it.
 *
 * What it cannot show: spread also touches 64 times as many struct pages and 64 times as many slots
 * of the page cache's index, so the ratio is above 1 even where translation is free. It is the
 * change of the ratio between two kernels that is translation. Of a read, most is the system call.
 * A page cache of large folios, as XFS and ext4 have them, has fewer of both; huge.* has fewest.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <libmm/base.h>
#include <vmtests/bench.h>
#include <vmtests/bench_workers.h>
#include <libmm/hugetlb.h>
#include <libmm/hugemap.h>
#include <libmm/memory.h>
#include <vmtests/pagecache.h>
#include <vmtests/random.h>
#include <libmm/sysfile.h>

#define LINE UINT64_C(64)
#define MIB (UINT64_C(1) << 20)

/*
 * Share of the available memory that the file takes, and its bound in the quick tier. Page tables
 * are 1/512 of what they map by pages: those of 1 GiB are in a CPU's own cache, those of half a
 * machine are not.
 */
#define FULL_SHARE 2
#define QUICK_SHARE 4
#define QUICK_BYTES (1024 * MIB)
/* The same of backings that only repeat the comparison. */
#define SHARE_BESIDE 4
#define QUICK_BYTES_BESIDE (256 * MIB)
/* Reads of a repeat in the full tier, where the file has far more lines than time allows. */
#define MAX_READS (UINT64_C(1) << 21)
/* Of each CPU when all read at once. */
#define MAX_READS_EACH (UINT64_C(1) << 18)
/* At least so many in a repeat of the sweep, over and over where there are fewer pages. */
#define SWEEP_READS (UINT64_C(1) << 17)
/* Turns of one repeat of the ratio: short against a scheduler tick's effect on the mean. */
#define TURNS 16

enum backing { BACKING_MEMFD, BACKING_HUGETLB, BACKING_TMPFS, BACKING_CACHE, BACKING_USER };

/* Of a case: where its lines are, and how many pages they lie in. */
struct place {
	enum backing backing;
	unsigned int sweep_bits;	/* log2 of the pages; 0: as many as memory allows */
	bool huge;			/* BACKING_USER: huge pages */
	bool every_cpu;			/* shared out among all CPUs */
};

static struct {
	int fd;
	struct pagecache held;
	char *map;			/* BACKING_USER */
	uint64_t map_bytes;
	uint64_t pages;
	uint64_t lines;			/* distinct ones that a repeat reads */
	uint64_t *order;		/* 0 .. lines - 1, shuffled */
	uint64_t *spread;		/* byte offsets */
	uint64_t *dense;
	uint64_t turn;			/* of the ratio */
	struct hugetlb_pool pool;	/* BACKING_HUGETLB */
	bool pool_open;
	long pool_before;		/* pages; -1 not known */
	struct bench_workers *workers;
} gups = { .fd = -1, .map = MAP_FAILED, .pool_before = -1 };

static char line[LINE];

/* Fisher-Yates. The bias of the modulo is at most lines / 2^64. */
static void order_shuffle(void)
{
	struct random random = { 1 };	/* the same order on every machine */
	uint64_t i;

	for (i = 0; i < gups.lines; i++)
		gups.order[i] = i;
	for (i = gups.lines - 1; i > 0; i--) {
		uint64_t other = random_next(&random) % (i + 1);
		uint64_t swap = gups.order[i];

		gups.order[i] = gups.order[other];
		gups.order[other] = swap;
	}
}

/* Every page has its line at another place, so that the lines fall into all sets of the caches. */
static void offsets_layout(uint64_t page_size)
{
	uint64_t i, lines_per_page = page_size / LINE;

	for (i = 0; i < gups.lines; i++) {
		uint64_t nr = gups.order[i];

		gups.spread[i] = nr * gups.pages / gups.lines * page_size +
				 nr % lines_per_page * LINE;
		gups.dense[i] = nr * LINE;
	}
}

static int offsets_make(struct bench_case *c, uint64_t page_size)
{
	gups.order = malloc(gups.lines * sizeof(*gups.order));
	gups.spread = malloc(gups.lines * sizeof(*gups.spread));
	gups.dense = malloc(gups.lines * sizeof(*gups.dense));
	if (!gups.order || !gups.spread || !gups.dense)
		return bench_fail(c, -ENOMEM, "memory for %" PRIu64 " offsets", gups.lines);
	order_shuffle();
	offsets_layout(page_size);
	return 0;
}

/* So many that their lines, packed, fill a page. */
static uint64_t least_pages(uint64_t page_size)
{
	return page_size / LINE;
}

static uint64_t bytes_wanted(const struct place *place, uint64_t page_size, uint64_t available)
{
	uint64_t least = place->every_cpu ? bench_cpus() * least_pages(page_size) * page_size : 0;
	bool beside = place->backing != BACKING_MEMFD;
	uint64_t most = beside ? QUICK_BYTES_BESIDE : QUICK_BYTES;

	if (most < least)
		most = least;
	if (bench_tier_full())
		return available / (beside ? SHARE_BESIDE : FULL_SHARE);
	available /= beside ? SHARE_BESIDE : QUICK_SHARE;
	return available < most ? available : most;
}

static int pages_available(const struct place *place, uint64_t page_size, uint64_t *pages)
{
	uint64_t bytes;
	int err = __memory_available(&bytes);

	if (!err)
		*pages = bytes_wanted(place, page_size, bytes) / page_size;
	return err;
}

static int size_choose(struct bench_case *c, uint64_t page_size)
{
	const struct place *place = c->ctx;
	uint64_t most = place->every_cpu ? MAX_READS_EACH : MAX_READS;
	int err = pages_available(place, page_size, &gups.pages);

	if (err)
		return bench_fail(c, err, "cannot tell how much memory is available");
	if (place->every_cpu)
		gups.pages /= bench_cpus();
	if (gups.pages < least_pages(page_size))
		return bench_skip(c, "%" PRIu64 " pages of memory are needed, and %" PRIu64 " available",
				  least_pages(page_size), gups.pages);
	if (place->sweep_bits)
		gups.pages = UINT64_C(1) << place->sweep_bits;
	gups.lines = gups.pages < most ? gups.pages : most;
	return 0;
}

static const char *cache_dir(void)
{
	const char *dir = getenv("VMTESTS_CACHE_DIR");

	if (!dir)
		dir = getenv("VMTESTS_OUT");
	return dir ? dir : "/var/tmp";
}

/* A file without a name, so that whatever ends this process leaves none. */
static int file_without_name(struct bench_case *c, const char *dir, uint64_t page_size)
{
	uint64_t bytes = gups.pages * page_size;
	struct statvfs fs;

	if (statvfs(dir, &fs))
		return bench_skip(c, "no folder %s", dir);
	if ((uint64_t)fs.f_bavail * fs.f_frsize < bytes + bytes / 8)
		return bench_skip(c, "%s has no room for %" PRIu64 " MiB", dir, bytes / MIB);
	gups.fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (gups.fd < 0)
		return bench_skip(c, "no file without a name in %s: %s", dir, strerror(errno));
	return 0;
}

static int file_open(struct bench_case *c, enum backing backing, uint64_t page_size)
{
	if (backing == BACKING_TMPFS)
		return file_without_name(c, "/dev/shm", page_size);
	if (backing == BACKING_CACHE)
		return file_without_name(c, cache_dir(), page_size);
	gups.fd = memfd_create("kernel_gups", MFD_CLOEXEC);
	return gups.fd < 0 ? bench_fail(c, -errno, "cannot make a memory file") : 0;
}

static int file_fill(struct bench_case *c, uint64_t page_size)
{
	char *page = malloc(page_size);
	uint64_t i;
	int err = 0;

	if (!page)
		return bench_fail(c, -ENOMEM, "memory for one page");
	memset(page, 0x5a, page_size);
	for (i = 0; i < gups.pages && !err; i++) {
		ssize_t done = pwrite(gups.fd, page, page_size, i * page_size);

		if (done != (ssize_t)page_size)
			err = bench_fail(c, done < 0 ? -errno : -ENOSPC,
					 "cannot write page %" PRIu64 " of %" PRIu64, i,
					 gups.pages);
	}
	free(page);
	/* Dirty pages would be written back, and locked, during the measurement. */
	if (!err && fsync(gups.fd))
		err = bench_fail(c, -errno, "cannot sync the file");
	return err;
}

/* From here on nothing may take a page of it, where this process may lock it. */
static int file_hold(struct bench_case *c, uint64_t page_size)
{
	uint64_t missing;
	int err = __pagecache_hold(&gups.held, gups.fd, gups.pages * page_size);

	if (!err)
		err = __pagecache_missing(&gups.held, &missing);
	if (err)
		return bench_fail(c, err, "cannot tell which pages are resident");
	if (!missing)
		return 0;
	if (!gups.held.locked && memory_damon_on())
		return bench_skip(c, "%" PRIu64 " of %" PRIu64 " pages were paged out: DAMON is on, and the limit of locked memory (ulimit -l) is too low",
				  missing, gups.pages);
	return bench_fail(c, -ENOMEM, "%" PRIu64 " of %" PRIu64 " pages are not resident",
			  missing, gups.pages);
}

/* Bytes that an entry of the page tables' second level maps. */
static uint64_t pmd_bytes(uint64_t page_size)
{
	return page_size * (page_size / sizeof(uint64_t));
}

static int pool_fail(struct bench_case *c, int err, const char *what)
{
	return bench_fail(c, err, "cannot %s %s", what, gups.pool.path);
}

static int pool_grow(struct bench_case *c, uint64_t huge, uint64_t pages)
{
	int err = hugetlb_pool_open(&gups.pool, huge, HUGETLB_ALL_NODES);
	long before, now;

	if (err == -ENOENT)
		return bench_skip(c, "no huge pages of %" PRIu64 " MiB", huge / MIB);
	if (err)
		return pool_fail(c, err, "open");
	gups.pool_open = true;
	before = __hugetlb_pool_count(&gups.pool, "nr");
	if (before < 0)
		return pool_fail(c, before, "read");
	gups.pool_before = before;
	now = __hugetlb_pool_resize(&gups.pool, before + pages);
	if (now < 0)
		return pool_fail(c, now, "grow");
	if ((uint64_t)now < before + pages)
		return bench_skip(c, "only %ld of %" PRIu64 " huge pages: free memory is fragmented",
				  now - before, pages);
	return 0;
}

/* Through a mapping: hugetlbfs has no write(2), and reads of what is not there as zeros. */
static int huge_fill(struct bench_case *c, uint64_t huge, uint64_t bytes)
{
	volatile char *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, gups.fd, 0);
	uint64_t at;

	if (map == MAP_FAILED)
		return bench_fail(c, -errno, "cannot map %" PRIu64 " MiB of huge pages",
				  bytes / MIB);
	for (at = 0; at < bytes; at += huge)
		map[at] = 1;
	munmap((void *)map, bytes);
	return 0;
}

static int huge_make(struct bench_case *c, uint64_t page_size)
{
	uint64_t huge = pmd_bytes(page_size);
	uint64_t bytes = (gups.pages * page_size + huge - 1) / huge * huge;
	int err = pool_grow(c, huge, bytes / huge);

	if (err)
		return err;
	gups.fd = memfd_create("kernel_gups",
			       MFD_CLOEXEC | MFD_HUGETLB | hugetlb_size_flags(huge));
	if (gups.fd < 0 || ftruncate(gups.fd, bytes))
		return bench_fail(c, -errno, "cannot make a file of huge pages");
	return huge_fill(c, huge, bytes);
}

/* Also on the way out of a case that failed. */
static void pool_shrink(void)
{
	if (!gups.pool_open)
		return;
	if (gups.pool_before >= 0)
		__hugetlb_pool_resize(&gups.pool, gups.pool_before);
	hugetlb_pool_close(&gups.pool);
	gups.pool_open = false;
	gups.pool_before = -1;
}

static int file_make(struct bench_case *c, uint64_t page_size)
{
	const struct place *place = c->ctx;
	int err;

	if (place->backing == BACKING_HUGETLB)
		return huge_make(c, page_size);
	err = file_open(c, place->backing, page_size);
	if (!err)
		err = file_fill(c, page_size);
	if (!err)
		err = file_hold(c, page_size);
	return err;
}

/* Bytes of huge pages of the mapping that begins at @start, from /proc/self/smaps. */
static uint64_t huge_bytes(const char *start)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	uint64_t kb = 0;
	bool ours = false;
	char text[512];

	while (smaps && fgets(text, sizeof(text), smaps)) {
		uint64_t from, to;

		if (sscanf(text, "%" SCNx64 "-%" SCNx64 " ", &from, &to) == 2)
			ours = from <= (uintptr_t)start && (uintptr_t)start < to;
		else if (ours && sscanf(text, "AnonHugePages: %" SCNu64, &kb) == 1)
			break;
	}
	if (smaps)
		fclose(smaps);
	return kb * 1024;
}

/* Aligned to the largest a huge page of the page tables' second level can be. */
static int user_make(struct bench_case *c, uint64_t page_size)
{
	const struct place *place = c->ctx;
	uint64_t huge = pmd_bytes(page_size), bytes, at;
	uintptr_t aligned;

	bytes = (gups.pages * page_size + huge - 1) / huge * huge;
	gups.map_bytes = bytes + huge;
	gups.map = mmap(NULL, gups.map_bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (gups.map == MAP_FAILED)
		return bench_fail(c, -errno, "cannot map %" PRIu64 " MiB", bytes / MIB);
	aligned = ((uintptr_t)gups.map + huge - 1) / huge * huge;
	if (madvise((void *)aligned, bytes, place->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE)) {
		/* Without huge pages in the kernel there is nothing to forbid. */
		if (place->huge)
			return bench_skip(c, "no transparent huge pages: %s", strerror(errno));
	}
	for (at = 0; at < bytes; at += page_size)
		((volatile char *)aligned)[at] = 1;
	if (place->huge && huge_bytes((char *)aligned) < bytes)
		return bench_skip(c, "not all of %" PRIu64 " MiB became huge pages", bytes / MIB);
	for (at = 0; at < gups.lines; at++)
		gups.spread[at] += aligned - (uintptr_t)gups.map;
	memset(line, 0, sizeof(line));
	return 0;
}

static void gups_teardown(struct bench_case *c)
{
	(void)c;
	bench_workers_stop(gups.workers);
	gups.workers = NULL;
	pagecache_release(&gups.held);
	if (gups.fd >= 0)
		close(gups.fd);
	gups.fd = -1;
	pool_shrink();
	if (gups.map != MAP_FAILED)
		munmap(gups.map, gups.map_bytes);
	gups.map = MAP_FAILED;
	free(gups.order);
	free(gups.spread);
	free(gups.dense);
	gups.order = NULL;
	gups.spread = NULL;
	gups.dense = NULL;
}

/* The offsets, and what they are offsets of. */
static int memory_make(struct bench_case *c)
{
	const struct place *place = c->ctx;
	uint64_t page_size = sysconf(_SC_PAGESIZE);
	int err = offsets_make(c, page_size);

	if (err)
		return err;
	return place->backing == BACKING_USER ? user_make(c, page_size) : file_make(c, page_size);
}

static int gups_make(struct bench_case *c)
{
	int err = __bench_pin(0);

	if (err)
		return bench_fail(c, err, "cannot pin to a CPU");
	err = size_choose(c, sysconf(_SC_PAGESIZE));
	return err ? err : memory_make(c);
}

static int gups_setup(struct bench_case *c)
{
	const struct place *place = c->ctx;
	int err = gups_make(c);

	if (err)
		gups_teardown(c);
	c->iterations = gups.lines;
	if ((place->sweep_bits || place->backing == BACKING_USER) && c->iterations < SWEEP_READS)
		c->iterations = SWEEP_READS;
	c->units = c->iterations;
	return err;
}

/* Of one of the workers. */
static int worker_setup(struct bench_case *c)
{
	c->iterations = gups.lines;
	return memory_make(c);
}

/* The sizes are known before the workers begin to take memory. */
static int cpus_setup(struct bench_case *c)
{
	int err = size_choose(c, sysconf(_SC_PAGESIZE));

	return err ? err : __bench_workers_start(&gups.workers, c, worker_setup);
}

static int op_spread(struct bench_case *c, uint64_t i)
{
	(void)c;
	return pread(gups.fd, line, LINE, gups.spread[i]) == (ssize_t)LINE ? 0 : -EIO;
}

static int op_dense(struct bench_case *c, uint64_t i)
{
	(void)c;
	return pread(gups.fd, line, LINE, gups.dense[i]) == (ssize_t)LINE ? 0 : -EIO;
}

/* The number of lines is a power of two here. */
static int op_sweep(struct bench_case *c, uint64_t i)
{
	return op_spread(c, i & (gups.lines - 1));
}

/*
 * The copy is 64 bytes, as the kernel's is, and must not be optimized away. Where it is taken from
 * depends on what the last one brought, a word that nobody wrote to and that is 0: reads that
 * overlap would be bounded by the memory's bandwidth, which other guests of a host use as well.
 */
static int op_user(struct bench_case *c, uint64_t i)
{
	uint64_t zero;

	(void)c;
	memcpy(&zero, line + LINE - sizeof(zero), sizeof(zero));
	memcpy(line, gups.map + gups.spread[i % gups.lines] + zero, LINE);
	__asm__ volatile("" : : "r"(line) : "memory");
	return 0;
}

/* A turn reads its share of the offsets, so that all turns together read each line once. */
static int op_spread_turn(struct bench_case *c, uint64_t i)
{
	return op_spread(c, gups.turn * (gups.lines / TURNS) + i);
}

static int op_dense_turn(struct bench_case *c, uint64_t i)
{
	return op_dense(c, gups.turn * (gups.lines / TURNS) + i);
}

static int ratio_measure(struct bench_case *c)
{
	uint64_t spread_ns = 0, dense_ns = 0, ns;
	int err;

	for (gups.turn = 0; gups.turn < TURNS; gups.turn++) {
		err = bench_time(c, op_spread_turn, gups.lines / TURNS, &ns);
		if (err)
			return bench_fail(c, err, "reading one line per page");
		spread_ns += ns;
		err = bench_time(c, op_dense_turn, gups.lines / TURNS, &ns);
		if (err)
			return bench_fail(c, err, "reading packed lines");
		dense_ns += ns;
	}
	return bench_value(c, "spread_over_dense", "1", REPORT_LOWER,
			   (double)spread_ns / dense_ns);
}

static int cpus_measure(struct bench_case *c, int (*op)(struct bench_case *c, uint64_t i))
{
	double per_sec;
	int err = __bench_workers_run(gups.workers, c, op, &per_sec);

	return err ? err : bench_value(c, "reads_per_sec", "reads/s", REPORT_HIGHER, per_sec);
}

static int cpus_spread(struct bench_case *c)
{
	return cpus_measure(c, op_spread);
}

static int cpus_dense(struct bench_case *c)
{
	return cpus_measure(c, op_dense);
}

static const struct bench_phase spread_phase = {
	"ns_per_read", "ns/read", REPORT_LOWER, BENCH_NS_PER_UNIT, op_spread, NULL
};

static const struct bench_phase dense_phase = {
	"ns_per_read", "ns/read", REPORT_LOWER, BENCH_NS_PER_UNIT, op_dense, NULL
};

static const struct bench_phase sweep_phase = {
	"ns_per_read", "ns/read", REPORT_LOWER, BENCH_NS_PER_UNIT, op_sweep, NULL
};

static const struct bench_phase user_phase = {
	"ns_per_read", "ns/read", REPORT_LOWER, BENCH_NS_PER_UNIT, op_user, NULL
};

#define READS(_name, _place, _phase)						\
	{									\
		.name = _name, .ctx = _place, .setup = gups_setup,		\
		.teardown = gups_teardown, .phases = _phase, .nr_phases = 1,	\
	}

#define RATIO(_name, _place)							\
	{									\
		.name = _name, .ctx = _place, .setup = gups_setup,		\
		.teardown = gups_teardown, .after = ratio_measure,		\
	}

#define CPUS(_name, _after)							\
	{									\
		.name = _name, .ctx = &every_cpu, .setup = cpus_setup,		\
		.teardown = gups_teardown, .after = _after,			\
	}

static struct place memfd = { .backing = BACKING_MEMFD };
static struct place every_cpu = { .backing = BACKING_MEMFD, .every_cpu = true };
static struct place tmpfs = { .backing = BACKING_TMPFS };
static struct place cache = { .backing = BACKING_CACHE };
static struct place user_pages = { .backing = BACKING_USER };
static struct place user_huge = { .backing = BACKING_USER, .huge = true };

static const struct bench_case fixed[] = {
	READS("spread", &memfd, &spread_phase),
	READS("dense", &memfd, &dense_phase),
	RATIO("ratio", &memfd),
	CPUS("cpus.spread", cpus_spread),
	CPUS("cpus.dense", cpus_dense),
	RATIO("tmpfs.ratio", &tmpfs),
	RATIO("cache.ratio", &cache),
	READS("user-pages", &user_pages, &user_phase),
	READS("user-huge", &user_huge, &user_phase),
};

/* From what any TLB holds. The quick tier takes every other power of two, and fewer of them. */
#define SWEEP_FIRST_BITS 10
#define SWEEP_CASES 32

static struct place sweep_places[2 * SWEEP_CASES];
static char sweep_names[2 * SWEEP_CASES][16];
static size_t nr_sweeps;

static size_t sweep_build(struct bench_case *cases, enum backing backing, uint64_t most_pages)
{
	unsigned int step = bench_tier_full() ? 1 : 2, bits = SWEEP_FIRST_BITS;
	bool huge = backing == BACKING_HUGETLB;
	size_t nr = 0;

	for (; nr < SWEEP_CASES && (UINT64_C(1) << bits) <= most_pages; bits += step, nr++) {
		struct place *place = &sweep_places[nr_sweeps];
		char *name = sweep_names[nr_sweeps++];
		struct bench_case sweep = READS(name, place, &sweep_phase);

		*place = (struct place){ .backing = backing, .sweep_bits = bits };
		snprintf(name, sizeof(*sweep_names), "%s.2e%u", huge ? "huge" : "sweep", bits);
		if (huge)
			sweep.needs = "root,hugetlb,writable:/proc/sys/vm/nr_hugepages";
		cases[nr] = sweep;
	}
	return nr;
}

static long cases_build(struct bench_case **cases)
{
	uint64_t most_pages;
	int err = pages_available(&memfd, sysconf(_SC_PAGESIZE), &most_pages);
	long nr = ARRAY_SIZE(fixed);

	if (err)
		return err;
	*cases = calloc(ARRAY_SIZE(fixed) + ARRAY_SIZE(sweep_places), sizeof(**cases));
	if (!*cases)
		return -ENOMEM;
	memcpy(*cases, fixed, sizeof(fixed));
	nr += sweep_build(*cases + nr, BACKING_MEMFD, most_pages);
	nr += sweep_build(*cases + nr, BACKING_HUGETLB, most_pages);
	return nr;
}

int main(int argc, char **argv)
{
	static const struct bench kernel_gups = { .name = "tlb/gups", .build = cases_build };

	return bench_main(argc, argv, &kernel_gups);
}
