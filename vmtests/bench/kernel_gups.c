// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/gups: random 64-byte reads out of the page cache.
 *
 * pread(2) copies through the linear map, so each read of another page needs another translation of
 * it: a 4 KiB one where the map is made of PTEs, a shared 2 MiB or 1 GiB one where it is made of
 * blocks.
 *
 *   spread   one line of 64 bytes a page, over the whole file
 *   dense    as many lines, next to each other, in 1/64 of the pages (with 4 KiB pages)
 *   ratio    spread against dense, in turns, so that what disturbs one disturbs the other
 *
 * All visit the same number of cache lines in the same random order (a fixed-seed shuffle, laid out
 * before the clock starts). The file is anonymous shared memory (memfd): page cache that no disk,
 * write-back or file system feature disturbs. It is written in full, and checked to be resident.
 *
 * What it cannot show: spread also touches 64 times as many struct pages and 64 times as many slots
 * of the page cache's index, so the ratio is above 1 even where translation is free. It is the
 * change of the ratio between two kernels that is translation. Of a read, most is the system call.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libmm/bench.h>
#include <libmm/sysfile.h>

#define LINE 64ull
#define MIB (1ull << 20)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Share of MemAvailable that the file takes, and its bound in the quick tier. */
#define FILE_SHARE 4
#define QUICK_BYTES (1024 * MIB)
/* Reads of a repeat in the full tier, where the file has far more lines than time allows. */
#define MAX_READS (1ull << 21)
/* Turns of one repeat of the ratio: short against a scheduler tick's effect on the mean. */
#define TURNS 16

static int fd = -1;
static char line[LINE];
static uint64_t file_pages;
static uint64_t nr_reads;
static uint64_t *order;		/* 0 .. nr_reads - 1, shuffled */
static uint64_t *spread;	/* byte offsets */
static uint64_t *dense;
static uint64_t turn;		/* of the ratio */

/* xorshift64* (Vigna, 2014): the same sequence on every machine, unlike rand(3). */
static uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ull;
}

/* Fisher-Yates. The bias of the modulo is at most nr_reads / 2^64. */
static void order_shuffle(void)
{
	uint64_t seed = 1, i;

	for (i = 0; i < nr_reads; i++)
		order[i] = i;
	for (i = nr_reads - 1; i > 0; i--) {
		uint64_t other = random_next(&seed) % (i + 1);
		uint64_t swap = order[i];

		order[i] = order[other];
		order[other] = swap;
	}
}

/* Every page has its line at another place, so that the lines fall into all sets of the caches. */
static void offsets_layout(uint64_t page_size)
{
	uint64_t i, stride = file_pages / nr_reads, lines_per_page = page_size / LINE;

	for (i = 0; i < nr_reads; i++) {
		spread[i] = order[i] * stride * page_size + order[i] % lines_per_page * LINE;
		dense[i] = order[i] * LINE;
	}
}

static int offsets_make(struct bench_case *c, uint64_t page_size)
{
	order = malloc(nr_reads * sizeof(*order));
	spread = malloc(nr_reads * sizeof(*spread));
	dense = malloc(nr_reads * sizeof(*dense));
	if (!order || !spread || !dense)
		return bench_fail(c, -ENOMEM, "memory for %lu offsets", (unsigned long)nr_reads);
	order_shuffle();
	offsets_layout(page_size);
	return 0;
}

static int file_size(struct bench_case *c, uint64_t page_size)
{
	uint64_t kib, bytes;
	int err;

	err = __sysfile_read_key("/proc/meminfo", "MemAvailable", &kib);
	if (err)
		return bench_fail(c, err, "cannot read MemAvailable of /proc/meminfo");
	bytes = kib * 1024 / FILE_SHARE;
	if (!bench_tier_full() && bytes > QUICK_BYTES)
		bytes = QUICK_BYTES;
	file_pages = bytes / page_size;
	if (file_pages < page_size / LINE)
		return bench_fail(c, -ENOMEM, "only %lu KiB of memory are available",
				  (unsigned long)kib);
	nr_reads = file_pages < MAX_READS ? file_pages : MAX_READS;
	return 0;
}

static int file_fill(struct bench_case *c, uint64_t page_size)
{
	char *page = malloc(page_size);
	uint64_t i;
	int err = 0;

	if (!page)
		return bench_fail(c, -ENOMEM, "memory for one page");
	memset(page, 0x5a, page_size);
	for (i = 0; i < file_pages && !err; i++) {
		ssize_t done = pwrite(fd, page, page_size, i * page_size);

		if (done != (ssize_t)page_size)
			err = bench_fail(c, done < 0 ? -errno : -ENOSPC,
					 "cannot write page %lu of %lu of a memory file",
					 (unsigned long)i, (unsigned long)file_pages);
	}
	free(page);
	return err;
}

static int file_check_resident(struct bench_case *c, uint64_t page_size)
{
	unsigned char *resident = malloc(file_pages);
	uint64_t i, missing = 0;
	void *map;
	int err = 0;

	if (!resident)
		return bench_fail(c, -ENOMEM, "memory for the map of resident pages");
	map = mmap(NULL, file_pages * page_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED || mincore(map, file_pages * page_size, resident))
		err = bench_fail(c, -errno, "cannot tell which pages are resident");
	for (i = 0; i < file_pages && !err; i++)
		missing += !(resident[i] & 1);
	if (missing)
		err = bench_fail(c, -ENOMEM, "%lu of %lu pages are not resident",
				 (unsigned long)missing, (unsigned long)file_pages);
	if (map != MAP_FAILED)
		munmap(map, file_pages * page_size);
	free(resident);
	return err;
}

static void gups_teardown(struct bench_case *c)
{
	(void)c;
	if (fd >= 0)
		close(fd);
	fd = -1;
	free(order);
	free(spread);
	free(dense);
	order = NULL;
	spread = NULL;
	dense = NULL;
}

static int gups_make(struct bench_case *c)
{
	uint64_t page_size = sysconf(_SC_PAGESIZE);
	int err;

	err = __bench_pin(0);
	if (err)
		return bench_fail(c, err, "cannot pin to a CPU");
	err = file_size(c, page_size);
	if (err)
		return err;
	fd = memfd_create("kernel_gups", MFD_CLOEXEC);
	if (fd < 0)
		return bench_fail(c, -errno, "cannot make a memory file");
	err = file_fill(c, page_size);
	if (!err)
		err = file_check_resident(c, page_size);
	if (!err)
		err = offsets_make(c, page_size);
	return err;
}

static int gups_setup(struct bench_case *c)
{
	int err = gups_make(c);

	if (err)
		gups_teardown(c);
	c->iterations = nr_reads;
	c->units = nr_reads;
	return err;
}

static int op_spread(struct bench_case *c, uint64_t i)
{
	(void)c;
	return pread(fd, line, LINE, spread[i]) == (ssize_t)LINE ? 0 : -EIO;
}

static int op_dense(struct bench_case *c, uint64_t i)
{
	(void)c;
	return pread(fd, line, LINE, dense[i]) == (ssize_t)LINE ? 0 : -EIO;
}

/* A turn reads its share of the offsets, so that all turns together read each line once. */
static int op_spread_turn(struct bench_case *c, uint64_t i)
{
	return op_spread(c, turn * (nr_reads / TURNS) + i);
}

static int op_dense_turn(struct bench_case *c, uint64_t i)
{
	return op_dense(c, turn * (nr_reads / TURNS) + i);
}

static int ratio_measure(struct bench_case *c)
{
	uint64_t spread_ns = 0, dense_ns = 0, ns;
	int err;

	for (turn = 0; turn < TURNS; turn++) {
		err = bench_time(c, op_spread_turn, nr_reads / TURNS, &ns);
		if (err)
			return bench_fail(c, err, "reading one line per page");
		spread_ns += ns;
		err = bench_time(c, op_dense_turn, nr_reads / TURNS, &ns);
		if (err)
			return bench_fail(c, err, "reading packed lines");
		dense_ns += ns;
	}
	return bench_value(c, "spread_over_dense", "1", REPORT_LOWER,
			   (double)spread_ns / dense_ns);
}

static const struct bench_phase spread_phase = {
	"ns_per_read", "ns/read", REPORT_LOWER, BENCH_NS_PER_UNIT, op_spread, NULL
};

static const struct bench_phase dense_phase = {
	"ns_per_read", "ns/read", REPORT_LOWER, BENCH_NS_PER_UNIT, op_dense, NULL
};

static struct bench_case cases[] = {
	{
		.name = "spread", .setup = gups_setup, .teardown = gups_teardown,
		.phases = &spread_phase, .nr_phases = 1,
	},
	{
		.name = "dense", .setup = gups_setup, .teardown = gups_teardown,
		.phases = &dense_phase, .nr_phases = 1,
	},
	{
		.name = "ratio", .setup = gups_setup, .teardown = gups_teardown,
		.after = ratio_measure,
	},
};

int main(int argc, char **argv)
{
	static const struct bench kernel_gups = {
		.name = "tlb/gups", .cases = cases, .nr_cases = ARRAY_SIZE(cases),
	};

	return bench_main(argc, argv, &kernel_gups);
}
