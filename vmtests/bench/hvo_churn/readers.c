// SPDX-License-Identifier: GPL-2.0
/* Threads that read a file all the time while the pool grows and shrinks. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vmtests/hist.h>

#include "frames.h"
#include "pool.h"
#include "readers.h"

/* Both /proc/kpage* and pagemap have one u64 a page. */
#define ENTRY_SIZE 8
/* Bytes of a struct page where HVO exists; the reads need not match it, only be the same. */
#define STRUCT_PAGE_SIZE 64
#define MAX_ENTRIES (65536 / STRUCT_PAGE_SIZE)

#define MAX_READERS 4
/* Enough that the 99.9th percentile has 10 reads above it. */
#define MIN_READS 10000
/* Grow and shrink until every reader has MIN_READS; the bound is for readers that get no CPU. */
#define MAX_CYCLES 4096

/* Where the readers stand; only the main thread moves it forward. */
enum stage { STAGE_START, STAGE_IDLE, STAGE_CHURN, STAGE_STOP };

struct reader {
	pthread_t thread;
	unsigned int index;
	int fd;
	int err;
	enum stage done;	/* under stage_lock */
	atomic_uint_fast64_t reads;	/* during the churn */
	char *memory;		/* that the control reads the entries of */
	struct hist idle;
	struct hist busy;
};

static uint64_t cycles_pages;
static struct reader readers[MAX_READERS];
static unsigned int nr_readers;
static pthread_mutex_t stage_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stage_moved = PTHREAD_COND_INITIALIZER;
static enum stage stage;
static atomic_bool reading_stops;
static struct hist merged;

static void stage_reach(struct reader *r, enum stage reached)
{
	pthread_mutex_lock(&stage_lock);
	r->done = reached;
	pthread_cond_broadcast(&stage_moved);
	pthread_mutex_unlock(&stage_lock);
}

/* Wait until the main thread is at @wanted or later; says where it is. */
static enum stage stage_await(enum stage wanted)
{
	enum stage now;

	pthread_mutex_lock(&stage_lock);
	while (stage < wanted)
		pthread_cond_wait(&stage_moved, &stage_lock);
	now = stage;
	pthread_mutex_unlock(&stage_lock);
	return now;
}

static void stage_move(enum stage to)
{
	pthread_mutex_lock(&stage_lock);
	stage = to;
	pthread_cond_broadcast(&stage_moved);
	pthread_mutex_unlock(&stage_lock);
}

static void readers_await(enum stage wanted)
{
	unsigned int i;

	pthread_mutex_lock(&stage_lock);
	for (i = 0; i < nr_readers; i++)
		while (readers[i].done < wanted)
			pthread_cond_wait(&stage_moved, &stage_lock);
	pthread_mutex_unlock(&stage_lock);
}

/* Page frames in one read: a page of vmemmap's, or a whole huge page where that is smaller. */
static uint64_t read_entries(const struct reader *r)
{
	uint64_t page_size = sysconf(_SC_PAGESIZE), entries = page_size / STRUCT_PAGE_SIZE;
	uint64_t pages = grown.pool.size / page_size;

	return r->memory || entries < pages ? entries : pages;
}

/*
 * The @n-th read: the next huge page with each, and the next page of its vmemmap after a round, so
 * that the entries are not in the CPU's caches because of the read before.
 */
static off_t read_offset(const struct reader *r, uint64_t n, uint64_t entries)
{
	uint64_t parts = grown.pool.size / sysconf(_SC_PAGESIZE) / entries;

	if (r->memory)
		return (uintptr_t)r->memory / sysconf(_SC_PAGESIZE) * ENTRY_SIZE;
	return (frames[n % nr_frames] + n / nr_frames % parts * entries) * ENTRY_SIZE;
}

static int read_timed(struct reader *r, uint64_t n, struct hist *h)
{
	uint64_t entries = read_entries(r);
	char buf[MAX_ENTRIES * ENTRY_SIZE];
	ssize_t want = entries * ENTRY_SIZE, done;
	off_t offset = read_offset(r, n, entries);
	uint64_t start = bench_now_ns();

	done = pread(r->fd, buf, want, offset);
	hist_add(h, bench_now_ns() - start);
	if (done < 0)
		return -errno;
	return done == want ? 0 : -EIO;
}

static void *reader_run(void *arg)
{
	struct reader *r = arg;
	uint64_t n;

	r->err = __bench_pin(r->index + 1);
	for (n = 0; n < MIN_READS && !r->err; n++)
		r->err = read_timed(r, n, &r->idle);
	stage_reach(r, STAGE_IDLE);
	if (stage_await(STAGE_CHURN) == STAGE_STOP)
		return NULL;
	stage_reach(r, STAGE_CHURN);
	for (n = 0; !r->err && !atomic_load_explicit(&reading_stops, memory_order_relaxed); n++) {
		r->err = read_timed(r, n, &r->busy);
		atomic_store_explicit(&r->reads, n + 1, memory_order_relaxed);
	}
	/* One that failed must not keep the churn waiting for its reads. */
	if (r->err)
		atomic_store(&r->reads, MIN_READS);
	return NULL;
}

/* As much memory as has its struct pages in one page of vmemmap. */
static size_t control_bytes(void)
{
	size_t page_size = sysconf(_SC_PAGESIZE);

	return page_size / STRUCT_PAGE_SIZE * page_size;
}

static int reader_open(struct reader *r, const char *file)
{
	void *map;

	r->memory = NULL;
	r->fd = open(file, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return -errno;
	if (strcmp(file, "/proc/self/pagemap"))
		return 0;
	map = mmap(NULL, control_bytes(), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (map == MAP_FAILED)
		return -errno;
	r->memory = map;
	return 0;
}

static void readers_close(void)
{
	unsigned int i;

	for (i = 0; i < MAX_READERS; i++) {
		if (readers[i].fd >= 0)
			close(readers[i].fd);
		if (readers[i].memory)
			munmap(readers[i].memory, control_bytes());
		readers[i].fd = -1;
		readers[i].memory = NULL;
	}
	frames_close();
}

static void readers_stop(void)
{
	atomic_store(&reading_stops, true);
	stage_move(STAGE_STOP);
	while (nr_readers)
		pthread_join(readers[--nr_readers].thread, NULL);
}

static unsigned int readers_wanted(void)
{
	unsigned int others = bench_cpus() - 1;

	if (!others)
		return 1;
	return others < MAX_READERS ? others : MAX_READERS;
}

static int readers_open(struct bench_case *c, const struct churn *churn)
{
	unsigned int i;
	int err;

	for (i = 0; i < MAX_READERS; i++)
		readers[i].fd = -1;
	err = frames_open(c, churn->size);
	if (err)
		return err;
	for (i = 0; i < readers_wanted(); i++) {
		err = reader_open(&readers[i], churn->file);
		if (err)
			return bench_fail(c, err, "cannot open %s for reading", churn->file);
	}
	return 0;
}

int readers_setup(struct bench_case *c)
{
	int err = churn_setup(c);

	if (err)
		return err;
	err = readers_open(c, c->ctx);
	if (!err)
		err = frames_learn(c);
	if (err) {
		readers_close();
		churn_close();
		return err;
	}
	printf("# %s: %u readers\n", c->name, readers_wanted());
	return 0;
}

void readers_teardown(struct bench_case *c)
{
	(void)c;
	readers_stop();
	readers_close();
	churn_close();
}

static int reader_start(struct reader *r, unsigned int index)
{
	r->index = index;
	r->err = 0;
	r->done = STAGE_START;
	atomic_store(&r->reads, 0);
	hist_reset(&r->idle);
	hist_reset(&r->busy);
	return -pthread_create(&r->thread, NULL, reader_run, r);
}

int readers_before(struct bench_case *c)
{
	unsigned int wanted = readers_wanted();
	int err;

	stage = STAGE_START;
	atomic_store(&reading_stops, false);
	while (nr_readers < wanted) {
		err = reader_start(&readers[nr_readers], nr_readers);
		if (err)
			return bench_fail(c, err, "cannot start reader %u", nr_readers + 1);
		nr_readers++;
	}
	readers_await(STAGE_IDLE);
	cycles_pages = 0;
	c->iterations = 1;
	c->units = 1;
	return 0;
}

static int readers_prepare(struct bench_case *c)
{
	(void)c;
	stage_move(STAGE_CHURN);
	readers_await(STAGE_CHURN);
	return 0;
}

static bool readers_have_enough(void)
{
	unsigned int i;

	for (i = 0; i < nr_readers; i++)
		if (atomic_load_explicit(&readers[i].reads, memory_order_relaxed) < MIN_READS)
			return false;
	return true;
}

static int op_churn(struct bench_case *c, uint64_t i)
{
	unsigned int cycle;

	(void)i;
	for (cycle = 0; cycle < MAX_CYCLES && !(cycle && readers_have_enough()); cycle++) {
		int err = pool_grow();

		if (!err)
			err = pool_shrink();
		if (err)
			return err;
		cycles_pages += grown.got;
	}
	c->units = cycles_pages ? cycles_pages : 1;
	return 0;
}

static int readers_collect(struct bench_case *c, unsigned int nr)
{
	unsigned int i;
	int err;

	for (i = 0; i < nr; i++)
		if (readers[i].err)
			return bench_fail(c, readers[i].err, "reader %u could not read", i + 1);
	hist_reset(&merged);
	for (i = 0; i < nr; i++)
		hist_merge(&merged, &readers[i].idle);
	err = bench_latency(c, "idle", &merged);
	hist_reset(&merged);
	for (i = 0; i < nr; i++)
		hist_merge(&merged, &readers[i].busy);
	if (!err)
		err = bench_latency(c, "reader", &merged);
	return err ? bench_fail(c, err, "cannot write a sample of the readers") : 0;
}

int readers_after(struct bench_case *c)
{
	unsigned int nr = nr_readers;
	int err;

	readers_stop();
	err = got_check(c);
	if (!err)
		err = readers_collect(c, nr);
	return err ? err : frames_reused_report(c);
}

/* A page is allocated and freed; both are in the time. */
const struct bench_phase readers_phase = {
	.metric = "churn_ns_per_page", .unit = "ns/page", .better = REPORT_LOWER,
	.scale = BENCH_NS_PER_UNIT, .prepare = readers_prepare, .op = op_churn,
};
