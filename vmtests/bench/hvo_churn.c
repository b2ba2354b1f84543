// SPDX-License-Identifier: GPL-2.0
/*
 * hvo/churn: allocating and freeing hugetlb pages while their struct pages are remapped.
 *
 * With HVO (vm.hugetlb_optimize_vmemmap) the kernel frees most struct pages of each huge page that
 * it adds to a pool: it splits the vmemmap's block and lets all but the first PTE point at one
 * read-only page. Freeing the huge page undoes that. Both rewrite live kernel mappings and flush
 * TLBs on all CPUs, and whoever reads a struct page at that moment may have to wait.
 *
 *   LEVEL.HVO.NODES.shareN   pool grown by N % of MemAvailable and shrunk again by nr_hugepages
 *   LEVEL.HVO.FILE.shareN    the same over and over, with threads that read FILE all the time
 *
 * LEVEL is the page-table level that maps a huge page (pmd, pud, contpte...). HVO is off or on; a
 * kernel without HVO runs "off", which is what it does, and skips "on". NODES is all, local (the
 * node that the churn runs on) or remote (another one). Sizes and nodes are in the diagnostics
 * only, so that the names are the same on every machine.
 *
 * Readers: each is pinned to a CPU other than the churn's as long as there are others, and times
 * single reads of the entries whose struct pages fill one page of vmemmap. kpageflags and
 * kpagecount read the page frames that the pool has just had, found by the HUGE flag in
 * /proc/kpageflags; frames_reused is the part of the pool after the churn that they had been.
 * pagemap reads the reader's own memory, which is not churned: it is the control that shows what
 * TLB flushes and contention alone do to a reader. Percentiles are of all readers and of one
 * repeat, "idle" just before the churn and "reader" during it.
 *
 * Pages that were in the pool before stay in it, but the kernel may free one of them in place of
 * one of ours. What it cannot show: a wait shorter than the read itself, or who took the CPU away:
 * on a busy machine, and in a virtual one, the idle percentiles tell how much that is.
 */
#include <errno.h>
#include <fcntl.h>
#include <numa.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libmm/base.h>
#include <vmtests/bench.h>
#include <vmtests/hist.h>
#include <libmm/hugetlb.h>
#include <vmtests/hugetlb_heads.h>
#include <libmm/require.h>
#include <vmtests/sysconf.h>
#include <libmm/sysfile.h>

#define MAX_CASES 512
#define NAME_MAX_LEN 64

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
/* A pool that got less than this part of what was asked for is another measurement. */
#define MIN_GOT 0.9

static const unsigned int quick_shares[] = { 1, 5 };
static const unsigned int full_shares[] = { 1, 5, 12, 25, 50 };
/* Of both tables: the share for single nodes and for readers. */
#define ONE_SHARE 1

static const char *const read_files[] = {
	"/proc/kpageflags",
	"/proc/kpagecount",
	"/proc/self/pagemap",
};

enum nodes { NODES_ALL, NODES_LOCAL, NODES_REMOTE };

static const char *const node_names[] = { "all", "local", "remote" };

struct churn {
	char name[NAME_MAX_LEN];
	uint64_t size;
	unsigned int share;	/* percent of MemAvailable */
	bool hvo;
	enum nodes nodes;
	const char *file;	/* that readers read, or NULL */
};

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

static struct churn churns[MAX_CASES];

/* The case that runs. */
static struct hugetlb_pool pool;
static long pages_before;
static long pages_asked;
static long pages_got;
static uint64_t memmap_before;
static uint64_t memmap_up;
static bool memmap_counted;
static uint64_t cycles_pages;

static struct reader readers[MAX_READERS];
static unsigned int nr_readers;
static pthread_mutex_t stage_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stage_moved = PTHREAD_COND_INITIALIZER;
static enum stage stage;
static atomic_bool reading_stops;
static uint64_t *frames;	/* heads of what the pool got, without those from before */
static long nr_frames;
static uint64_t *heads;		/* room for a scan */
static uint64_t *heads_before;
static long nr_heads_before;
static struct hist merged;

/* The pool */

static int pool_failed(struct bench_case *c, int err, const char *what)
{
	if (err == -EBUSY)
		return bench_fail(c, err, "cannot %s %s while pid %d may change settings", what,
				  pool.path, (int)sysconf_owner());
	return bench_fail(c, err, "cannot %s %s", what, pool.path);
}

static int pool_grow(void)
{
	long now = __hugetlb_pool_resize(&pool, pages_before + pages_asked);

	if (now < 0)
		return now;
	pages_got = now - pages_before;
	return 0;
}

static int pool_shrink(void)
{
	long now = __hugetlb_pool_resize(&pool, pages_before);

	if (now < 0)
		return now;
	/* The struct pages of what HVO optimized could not be brought back. */
	return now == pages_before ? 0 : -ENOMEM;
}

static int got_check(struct bench_case *c)
{
	if (pages_got >= pages_asked * MIN_GOT)
		return 0;
	return bench_fail(c, -ENOMEM, "only %ld of %ld huge pages: free memory is fragmented",
			  pages_got, pages_asked);
}

/* The churn's node or another one, or -1 where only one has memory: then it is all nodes. */
static int node_choose(enum nodes nodes)
{
	int local = numa_node_of_cpu(sched_getcpu()), node;

	for (node = 0; node <= numa_max_node(); node++)
		if (node != local && numa_node_size64(node, NULL) > 0)
			return nodes == NODES_LOCAL ? local : node;
	return -1;
}

static int pool_open(struct bench_case *c, const struct churn *churn)
{
	int node = HUGETLB_ALL_NODES, err;

	if (churn->nodes != NODES_ALL) {
		if (numa_available() < 0)
			return bench_skip(c, "no NUMA policy: the kernel was built without CONFIG_NUMA");
		node = node_choose(churn->nodes);
		if (node < 0)
			return bench_skip(c, "only one node with memory: it is the same as all nodes");
	}
	err = hugetlb_pool_open(&pool, churn->size, node);
	if (err)
		return pool_failed(c, err, "open");
	pages_before = __hugetlb_pool_count(&pool, "nr");
	return pages_before < 0 ? pool_failed(c, pages_before, "read") : 0;
}

static int hvo_choose(struct bench_case *c, bool on)
{
	const char *missing = on ? require_need("hvo") : NULL;
	int err;

	if (missing)
		return bench_skip(c, "%s", missing);
	err = hugetlb_hvo_set(on);
	if (err == -ENOENT)
		return 0;
	if (err == -EROFS)
		return bench_skip(c, "vm.hugetlb_optimize_vmemmap is read-only, as in a container: run on the host");
	if (err == -EBUSY)
		return bench_fail(c, err, "cannot set vm.hugetlb_optimize_vmemmap while pid %d may change settings",
				  (int)sysconf_owner());
	return err ? bench_fail(c, err, "cannot set vm.hugetlb_optimize_vmemmap to %d", on) : 0;
}

static int pages_choose(struct bench_case *c, const struct churn *churn)
{
	uint64_t kib;
	int err = __sysfile_read_key("/proc/meminfo", "MemAvailable", &kib);

	if (err)
		return bench_fail(c, err, "cannot read MemAvailable of /proc/meminfo");
	pages_asked = kib * 1024 / 100 * churn->share / churn->size;
	if (pages_asked)
		return 0;
	return bench_skip(c, "%u %% of MemAvailable, %lu KiB, is less than one huge page of %lu KiB",
			  churn->share, (unsigned long)kib, (unsigned long)churn->size / 1024);
}

/* Grow once before anything is measured: what is not there now is no fault of this kernel. */
static int pool_try(struct bench_case *c)
{
	int err;

	/* A request, not a setting; without CONFIG_COMPACTION memory stays as it is. */
	err = __sysfile_write("/proc/sys/vm/compact_memory", "1");
	if (err && err != -ENOENT)
		return bench_fail(c, err, "cannot write /proc/sys/vm/compact_memory");
	err = pool_grow();
	if (!err)
		err = pool_shrink();
	if (err)
		return pool_failed(c, err, "resize");
	if (pages_got >= pages_asked * MIN_GOT)
		return 0;
	return bench_skip(c, "only %ld of %ld huge pages of %lu KiB could be had after compaction: free memory is fragmented",
			  pages_got, pages_asked, (unsigned long)pool.size / 1024);
}

static void churn_close(void)
{
	if (pool.fd >= 0)
		__hugetlb_pool_resize(&pool, pages_before);
	hugetlb_pool_close(&pool);
}

static int churn_setup(struct bench_case *c)
{
	const struct churn *churn = c->ctx;
	int err;

	pool.fd = -1;
	err = __bench_pin(0);
	if (err)
		return bench_fail(c, err, "cannot pin to a CPU");
	err = hvo_choose(c, churn->hvo);
	if (!err)
		err = pages_choose(c, churn);
	if (!err)
		err = pool_open(c, churn);
	if (!err)
		err = pool_try(c);
	if (err) {
		churn_close();
		return err;
	}
	printf("# %s: %ld pages of %lu KiB, %ld in the pool before, vm.hugetlb_optimize_vmemmap %s\n",
	       c->name, pages_asked, (unsigned long)churn->size / 1024, pages_before,
	       hugetlb_hvo_probe().answer != PROBE_YES ? "absent" : churn->hvo ? "1" : "0");
	c->iterations = 1;
	c->units = pages_asked;
	return 0;
}

static void churn_teardown(struct bench_case *c)
{
	(void)c;
	churn_close();
}

/* Growing and shrinking, timed apart */

static int pool_before(struct bench_case *c)
{
	int err = hugetlb_memmap_bytes(&memmap_before);

	memmap_counted = !err;
	if (err && err != -ENOENT)
		return bench_fail(c, err, "cannot read nr_memmap_pages of /proc/vmstat");
	c->units = pages_asked;
	return 0;
}

/* What a page costs is the time over the pages that came, not those that were asked for. */
static int op_grow(struct bench_case *c, uint64_t i)
{
	int err = pool_grow();

	(void)i;
	c->units = pages_got > 0 ? pages_got : 1;
	return err;
}

static int op_shrink(struct bench_case *c, uint64_t i)
{
	(void)c;
	(void)i;
	return pool_shrink();
}

static int grown_check(struct bench_case *c)
{
	int err = got_check(c);

	if (!err && memmap_counted)
		err = hugetlb_memmap_bytes(&memmap_up);
	return err;
}

static int pool_after(struct bench_case *c)
{
	double saved = (double)memmap_before - (double)memmap_up;
	int err;

	err = bench_value(c, "pages_got", "1", REPORT_HIGHER, (double)pages_got / pages_asked);
	if (!err && memmap_counted)
		err = bench_value(c, "memmap_bytes_saved", "bytes", REPORT_HIGHER, saved);
	if (!err && memmap_counted)
		err = bench_value(c, "memmap_bytes_saved_per_page", "bytes/page", REPORT_HIGHER,
				  saved / pages_got);
	return err ? bench_fail(c, err, "cannot write a sample") : 0;
}

static const struct bench_phase pool_phases[] = {
	{
		.metric = "alloc_ns_per_page", .unit = "ns/page", .better = REPORT_LOWER,
		.scale = BENCH_NS_PER_UNIT, .op = op_grow,
	},
	{
		.metric = "free_ns_per_page", .unit = "ns/page", .better = REPORT_LOWER,
		.scale = BENCH_NS_PER_UNIT, .prepare = grown_check, .op = op_shrink,
	},
};

/* The page frames that readers read */

static int frame_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool frames_have(const uint64_t *sorted, long nr, uint64_t frame)
{
	return bsearch(&frame, sorted, nr, sizeof(frame), frame_compare);
}

/* Grow, note which page frames came, shrink. Returns how many, in heads[], or -errno. */
static long frames_scan(void)
{
	long found, i, nr = 0;
	int err;

	err = pool_grow();
	found = err ? err : hugetlb_heads(pool.size, heads, nr_heads_before + pages_asked);
	if (!err)
		err = pool_shrink();
	if (err || found < 0)
		return err ? err : found;
	if (found > nr_heads_before + pages_asked)
		found = nr_heads_before + pages_asked;
	for (i = 0; i < found; i++)
		if (!frames_have(heads_before, nr_heads_before, heads[i]))
			heads[nr++] = heads[i];
	return nr;
}

static void frames_keep(long nr)
{
	memcpy(frames, heads, nr * sizeof(*frames));
	nr_frames = nr;
}

static int frames_learn(struct bench_case *c)
{
	long nr = frames_scan();

	if (nr < 0)
		return bench_fail(c, nr, "cannot find the pool's pages in /proc/kpageflags");
	if (!nr)
		return bench_fail(c, -ENOENT, "/proc/kpageflags shows no huge page in the pool");
	frames_keep(nr);
	return 0;
}

/* Compare what the pool gets now with what was read, and read that from now on. */
static int frames_reused_report(struct bench_case *c)
{
	long nr = frames_scan(), i, again = 0;
	int err;

	if (nr <= 0)
		return bench_fail(c, nr ? nr : -ENOENT,
				  "cannot find the pool's pages in /proc/kpageflags");
	for (i = 0; i < nr; i++)
		again += frames_have(frames, nr_frames, heads[i]);
	err = bench_value(c, "frames_reused", "1", REPORT_HIGHER, (double)again / nr);
	frames_keep(nr);
	return err ? bench_fail(c, err, "cannot write a sample of frames_reused") : 0;
}

/* Readers */

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

	return r->memory || entries < pool.size / page_size ? entries : pool.size / page_size;
}

/*
 * The @n-th read: the next huge page with each, and the next page of its vmemmap after a round, so
 * that the entries are not in the CPU's caches because of the read before.
 */
static off_t read_offset(const struct reader *r, uint64_t n, uint64_t entries)
{
	uint64_t parts = pool.size / sysconf(_SC_PAGESIZE) / entries;

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
	free(frames);
	free(heads);
	free(heads_before);
	frames = NULL;
	heads = NULL;
	heads_before = NULL;
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
	size_t room;

	for (i = 0; i < MAX_READERS; i++)
		readers[i].fd = -1;
	nr_heads_before = hugetlb_heads(churn->size, NULL, 0);
	if (nr_heads_before < 0)
		return bench_fail(c, nr_heads_before, "cannot read /proc/kpageflags");
	room = (nr_heads_before + pages_asked) * sizeof(*heads);
	heads_before = malloc(room);
	heads = malloc(room);
	frames = malloc(room);
	if (!heads_before || !heads || !frames)
		return bench_fail(c, -ENOMEM, "memory for the page frames of the pool");
	nr_heads_before = hugetlb_heads(churn->size, heads_before, nr_heads_before);
	for (i = 0; i < readers_wanted(); i++) {
		int err = reader_open(&readers[i], churn->file);

		if (err)
			return bench_fail(c, err, "cannot open %s for reading", churn->file);
	}
	return 0;
}

static int readers_setup(struct bench_case *c)
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

static void readers_teardown(struct bench_case *c)
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

static int readers_before(struct bench_case *c)
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
		cycles_pages += pages_got;
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

static int readers_after(struct bench_case *c)
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
static const struct bench_phase readers_phase = {
	.metric = "churn_ns_per_page", .unit = "ns/page", .better = REPORT_LOWER,
	.scale = BENCH_NS_PER_UNIT, .prepare = readers_prepare, .op = op_churn,
};

/* The table of cases, from the sizes that this kernel has */

static struct churn *churn_add(long *nr, uint64_t size, bool hvo, unsigned int share)
{
	struct churn *churn = &churns[*nr];

	if (*nr == MAX_CASES) {
		fprintf(stderr, "hvo_churn: more than %d cases\n", MAX_CASES);
		abort();
	}
	churn->size = size;
	churn->hvo = hvo;
	churn->share = share;
	(*nr)++;
	return churn;
}

/* A gigantic page takes a tenth of a second, so the quick tier has one kind of reader for it. */
static size_t read_files_of(uint64_t size)
{
	bool few = !bench_tier_full() && !strcmp(hugetlb_level(size, page_size()), "pud");

	return few ? 1 : ARRAY_SIZE(read_files);
}

static void churn_name(struct churn *churn, const char *what)
{
	snprintf(churn->name, sizeof(churn->name), "%s.%s.%s.share%u",
		 hugetlb_level(churn->size, page_size()), churn->hvo ? "on" : "off", what,
		 churn->share);
}

static void churns_add(long *nr, uint64_t size, bool hvo)
{
	bool full = bench_tier_full();
	const unsigned int *shares = full ? full_shares : quick_shares;
	size_t i, nr_shares = full ? ARRAY_SIZE(full_shares) : ARRAY_SIZE(quick_shares);
	struct churn *churn;

	for (i = 0; i < nr_shares; i++)
		churn_name(churn_add(nr, size, hvo, shares[i]), node_names[NODES_ALL]);
	for (i = NODES_LOCAL; i <= NODES_REMOTE; i++) {
		churn = churn_add(nr, size, hvo, shares[ONE_SHARE]);
		churn->nodes = i;
		churn_name(churn, node_names[i]);
	}
	for (i = 0; i < read_files_of(size); i++) {
		churn = churn_add(nr, size, hvo, shares[ONE_SHARE]);
		churn->file = read_files[i];
		churn_name(churn, strrchr(read_files[i], '/') + 1);
	}
}

static long cases_build(struct bench_case **cases)
{
	uint64_t sizes[HUGETLB_MAX_SIZES];
	size_t i, nr_sizes = hugetlb_sizes(sizes, ARRAY_SIZE(sizes));
	long nr = 0, n;

	for (i = 0; i < nr_sizes; i++) {
		churns_add(&nr, sizes[i], false);
		churns_add(&nr, sizes[i], true);
	}
	*cases = calloc(nr + 1, sizeof(**cases));
	if (!*cases)
		return -ENOMEM;
	for (n = 0; n < nr; n++) {
		bool reads = churns[n].file;

		(*cases)[n] = (struct bench_case) {
			.name = churns[n].name, .needs = "root,hugetlb", .ctx = &churns[n],
			.setup = reads ? readers_setup : churn_setup,
			.before = reads ? readers_before : pool_before,
			.phases = reads ? &readers_phase : pool_phases,
			.nr_phases = reads ? 1 : ARRAY_SIZE(pool_phases),
			.after = reads ? readers_after : pool_after,
			.teardown = reads ? readers_teardown : churn_teardown,
		};
	}
	return nr;
}

int main(int argc, char **argv)
{
	static const struct bench hvo_churn = {
		.name = "hvo/churn", .needs = "root,hugetlb", .build = cases_build,
	};

	return bench_main(argc, argv, &hvo_churn);
}
