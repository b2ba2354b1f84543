// SPDX-License-Identifier: GPL-2.0
/*
 * Changing one page of the linear map splits the blocks around this page, once, and nothing else:
 * also when every CPU does it at once, and under the eyes of readers.
 *
 * Method: the page tables before (through /proc/kcore) and the changed page frames give, by the
 * rule in libmm/linmap_model.h, the page tables after: how many tables must be new, and every entry
 * of every block that was touched. x86 also counts splits in /proc/vmstat and /proc/meminfo: these
 * counts must agree, and alone they still bound the splits by the blocks that the pages lie in.
 *
 * Limits: which frames memfd_secret gets is the allocator's choice, so a test looks where they lay
 * instead of asking for a place. Splits are not undone: a block that an earlier run split cannot be
 * split again, and the tests then see that it is not. The counts are of the whole machine: whoever
 * loads BPF programs or modules, or uses memfd_secret, meanwhile may split what a test then counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <numa.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <libmm/harness.h>

#include "linear_map.h"

#define NR_CYCLES	16
#define CYCLE_PAGES	128
#define THREAD_PAGES	32
#define SPREAD_PAGES	4
#define READER_GROUPS	6
#define GROUP_PAGES	8
/* No case takes more. */
#define PAGES_MAX	(LINEAR_MAP_THREADS * THREAD_PAGES)

/* The state of the linear map at one moment, from every source that this kernel has. */
struct split_state {
	bool counted;			/* dm is valid */
	struct directmap dm;
	struct linmap_snap snap;	/* with page tables */
};

static void split_state_take(const struct linear_map *map, struct split_state *state)
{
	*state = (struct split_state) {};
	if (map->lm)
		linmap_snap(map->lm, "linear", &state->snap);
	state->counted = !directmap_read(&state->dm);
}

static void split_state_drop(struct split_state *state)
{
	linmap_snap_free(&state->snap);
}

static void tables_check(struct __test_metadata *_metadata, const struct linear_map *map,
			 const struct linmap_snap *before, const struct linmap_snap *now, bool held)
{
	const struct kpg_geometry *geo = linmap_geometry(map->lm);
	struct linmap_cost cost = linmap_model_cost(geo, before, &map->pages);
	char why[256] = "";
	enum kpg_level level;

	for (level = KPG_PTE; level < KPG_LEVELS; level++) {
		EXPECT_EQ(cost.tables[level], now->tables[level] - before->tables[level])
			TH_LOG("new %s tables", kpg_level_name(level));
	}
	EXPECT_EQ(0, linmap_model_check(geo, before, now, &map->pages, held, why, sizeof(why)))
		TH_LOG("wrong entries: %s", why);
	TH_LOG("%zu pages: new tables %" PRIu64 " pte %" PRIu64 " pmd, contiguous groups broken %"
	       PRIu64 " pte %" PRIu64 " pmd", map->pages.nr, cost.tables[KPG_PTE],
	       cost.tables[KPG_PMD], cost.broken[KPG_PTE], cost.broken[KPG_PMD]);
}

/* A block that is split leaves its bytes to the next smaller size, and none get lost. */
static void conservation_check(struct __test_metadata *_metadata, const struct directmap *before,
			       const struct directmap *after)
{
	int64_t gained[DIRECTMAP_SIZES] = {};
	int i;

	for (i = DIRECTMAP_2M; i < DIRECTMAP_SIZES; i++) {
		int64_t events = (after->splits[i] - before->splits[i]) -
				 (after->collapses[i] - before->collapses[i]);
		int64_t bytes = events * (int64_t)directmap_entry_bytes(i);

		gained[i] -= bytes;
		gained[i - 1] += bytes;
	}
	for (i = DIRECTMAP_4K; i < DIRECTMAP_SIZES; i++) {
		EXPECT_EQ(gained[i], (int64_t)(after->bytes[i] - before->bytes[i]))
			TH_LOG("bytes of DirectMap size %d: by its splits, and by its line", i);
	}
}

/* One split a block at most: a 2M block is one unit of 2M, a 1G block one of 1G. */
static void counts_check(struct __test_metadata *_metadata, const struct linear_map *map,
			 const struct split_state *before, const struct split_state *now)
{
	struct linmap_cost cost = {};
	int i;

	conservation_check(_metadata, &before->dm, &now->dm);
	if (map->lm)
		cost = linmap_model_cost(linmap_geometry(map->lm), &before->snap, &map->pages);
	for (i = DIRECTMAP_2M; i < DIRECTMAP_SIZES; i++) {
		uint64_t splits = now->dm.splits[i] - before->dm.splits[i];
		/* A table one level down takes the place of each. */
		uint64_t tables = cost.tables[KPG_PTE + i - DIRECTMAP_2M];

		EXPECT_GE(linmap_pages_units(&map->pages, directmap_entry_bytes(i)), splits)
			TH_LOG("splits of DirectMap size %d", i);
		EXPECT_TRUE(!map->lm || tables == splits)
			TH_LOG("%" PRIu64 " splits of DirectMap size %d, expected %" PRIu64, splits,
			       i, tables);
	}
}

/* That between @before and now the pages that were taken changed, and nothing else. */
static void split_check(struct __test_metadata *_metadata, const struct linear_map *map,
			const struct split_state *before, bool held)
{
	struct split_state now;

	split_state_take(map, &now);
	if (map->lm)
		tables_check(_metadata, map, &before->snap, &now.snap, held);
	if (before->counted && now.counted)
		counts_check(_metadata, map, before, &now);
	split_state_drop(&now);
}

/* Whether splits can be seen, and made. */
static struct probe splits_probe(const struct linear_map *map)
{
	struct probe probe = probe_root();
	struct directmap dm;

	if (probe.answer == PROBE_YES)
		probe = secretmem_room_probe(PAGES_MAX * page_size());
	if (probe.answer == PROBE_YES)
		probe = pagemap_pfns_probe();
	if (probe.answer == PROBE_YES && !map->lm && directmap_read(&dm))
		probe = probe_no("%.200s, and the kernel has no DirectMap counters",
				 map->tables.why);
	return probe;
}

FIXTURE(split)
{
	struct linear_map map;
};

FIXTURE_VARIANT(split)
{
	size_t pages;
};

FIXTURE_VARIANT_ADD(split, one_page) { .pages = 1 };
FIXTURE_VARIANT_ADD(split, many_pages) { .pages = 256 };

FIXTURE_SETUP(split)
{
	linear_map_open(&self->map);
	REQUIRE(splits_probe(&self->map));
}

FIXTURE_TEARDOWN(split)
{
	linear_map_close(&self->map);
}

TEST_F(split, is_what_the_formula_says)
{
	struct split_state before;

	split_state_take(&self->map, &before);
	linear_map_take(&self->map, variant->pages);
	EXPECT_EQ(variant->pages, self->map.pages.nr);
	split_check(_metadata, &self->map, &before, true);

	/* Giving the pages back splits nothing more and merges nothing. */
	secretmem_close(&self->map.secret);
	split_check(_metadata, &self->map, &before, false);
	split_state_drop(&before);
}

static uint64_t splits_between(const struct split_state *a, const struct split_state *b)
{
	if (a->counted)
		return b->dm.splits[DIRECTMAP_2M] - a->dm.splits[DIRECTMAP_2M];
	return b->snap.tables[KPG_PTE] - a->snap.tables[KPG_PTE];
}

FIXTURE(cycles)
{
	struct linear_map map;
};

FIXTURE_SETUP(cycles)
{
	linear_map_open(&self->map);
	REQUIRE(splits_probe(&self->map));
}

FIXTURE_TEARDOWN(cycles)
{
	linear_map_close(&self->map);
}

/* Each block is split by the first cycle that reaches it: blocks are finite, so splits end. */
TEST_F(cycles, plateau)
{
	const uint64_t block = linear_map_block(&self->map);
	struct split_state first, last, now;
	size_t i, seen, units = 0;

	split_state_take(&self->map, &first);
	last = first;
	for (i = 0; i < NR_CYCLES; i++) {
		linear_map_take(&self->map, CYCLE_PAGES);
		if (!i && self->map.lm) {
			EXPECT_LE(CYCLE_PAGES, linear_map_invalid(&self->map))
				TH_LOG("what leaves the linear map whole splits nothing");
		}
		secretmem_close(&self->map.secret);
		split_state_take(&self->map, &now);
		seen = units;
		units = linmap_pages_units(&self->map.pages, block);
		EXPECT_GE(units - seen, splits_between(&last, &now))
			TH_LOG("cycle %zu split blocks that an earlier one had split", i);
		if (i)
			split_state_drop(&last);
		last = now;
	}
	TH_LOG("%d cycles: %" PRIu64 " splits in %zu blocks", NR_CYCLES,
	       splits_between(&first, &last), units);
	split_check(_metadata, &self->map, &first, false);
	split_state_drop(&first);
	split_state_drop(&last);
}

/*
 * Memory of the kernel's that comes from where secretmem pages come from, a block of it: the next
 * secretmem page then is of another block. Pipe buffers are such memory: unmovable, too. Where a
 * block is larger than FILLER_PIPES hold, pages spread less.
 */
#define FILLER_PIPES	8
#define PIPE_BYTES	(1 << 20)

struct filler {
	int fds[FILLER_PIPES][2];
	size_t nr;
};

static void filler_add(struct filler *filler, size_t bytes)
{
	static const char page[1 << 16];
	size_t done;

	for (done = 0; done < bytes && filler->nr < FILLER_PIPES; filler->nr++) {
		int *fds = filler->fds[filler->nr];
		ssize_t n;

		if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
			libmm_fail("pipe2: %s", strerror(errno));
		if (fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES) < 0)
			libmm_fail("F_SETPIPE_SZ %d: %s", PIPE_BYTES, strerror(errno));
		while ((n = write(fds[1], page, sizeof(page))) > 0)
			done += n;
	}
}

static void filler_free(struct filler *filler)
{
	while (filler->nr) {
		filler->nr--;
		close(filler->fds[filler->nr][0]);
		close(filler->fds[filler->nr][1]);
	}
}

static struct probe cpus_probe(void)
{
	unsigned int nr = numa_bitmask_weight(numa_all_cpus_ptr);

	return nr > 1 ? probe_yes() : probe_no("2 CPUs are needed and this process has %u", nr);
}

/* Pin the calling thread to the CPU with this index of those that the process may run on. */
static void cpu_pin(size_t index)
{
	struct bitmask *one = numa_allocate_cpumask();
	unsigned int cpu = 0;

	while (!numa_bitmask_isbitset(numa_all_cpus_ptr, cpu) || index--)
		cpu++;
	numa_bitmask_setbit(one, cpu);
	if (numa_sched_setaffinity(0, one) < 0)
		libmm_fail("pinning to CPU %u: %s", cpu, strerror(errno));
	numa_free_cpumask(one);
}

/* What all CPUs do at once: thread t faults pages t, t + threads, t + 2 * threads... */
struct crowd {
	char *pages;
	pthread_barrier_t barrier;
	size_t threads;
	size_t steps;
	size_t block;		/* bytes to fill between two pages of a thread; 0: none */
};

struct crowd_member {
	struct crowd *crowd;
	size_t index;
	struct filler filler[SPREAD_PAGES];
};

static void *crowd_member_run(void *arg)
{
	struct crowd_member *member = arg;
	struct crowd *crowd = member->crowd;
	size_t step;

	cpu_pin(member->index);
	for (step = 0; step < crowd->steps; step++) {
		char *page = crowd->pages + (step * crowd->threads + member->index) * page_size();

		if (crowd->block)
			filler_add(&member->filler[step], crowd->block);
		pthread_barrier_wait(&crowd->barrier);
		__atomic_store_n(page, (char)member->index, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void crowd_run(struct crowd *crowd, struct crowd_member *members)
{
	size_t i;

	if (pthread_barrier_init(&crowd->barrier, NULL, crowd->threads))
		libmm_fail("pthread_barrier_init");
	for (i = 0; i < crowd->threads; i++)
		members[i] = (struct crowd_member) { .crowd = crowd, .index = i };
	linear_map_crowd(crowd_member_run, members, sizeof(*members), crowd->threads);
	pthread_barrier_destroy(&crowd->barrier);
}

FIXTURE(concurrent)
{
	struct linear_map map;
	struct crowd_member members[LINEAR_MAP_THREADS];
};

FIXTURE_VARIANT(concurrent)
{
	size_t steps;
	bool spread;
};

/* Pages that follow one another: mostly of one block, which all CPUs split at once. */
FIXTURE_VARIANT_ADD(concurrent, one_block) { .steps = THREAD_PAGES };
/* A block's worth of other memory between any two: every page splits a block of its own. */
FIXTURE_VARIANT_ADD(concurrent, many_blocks) { .steps = SPREAD_PAGES, .spread = true };

FIXTURE_SETUP(concurrent)
{
	linear_map_open(&self->map);
	REQUIRE(splits_probe(&self->map));
	REQUIRE(cpus_probe());
}

FIXTURE_TEARDOWN(concurrent)
{
	size_t i, j;

	for (i = 0; i < LINEAR_MAP_THREADS; i++)
		for (j = 0; j < SPREAD_PAGES; j++)
			filler_free(&self->members[i].filler[j]);
	linear_map_close(&self->map);
}

TEST_F(concurrent, splits_agree)
{
	const uint64_t block = linear_map_block(&self->map);
	struct crowd crowd = { .steps = variant->steps, .block = variant->spread ? block : 0 };
	struct split_state before;
	size_t nr;

	crowd.threads = numa_bitmask_weight(numa_all_cpus_ptr);
	if (crowd.threads > LINEAR_MAP_THREADS)
		crowd.threads = LINEAR_MAP_THREADS;
	nr = crowd.threads * crowd.steps;
	linear_map_secret(&self->map, nr);
	crowd.pages = self->map.secret.map;
	split_state_take(&self->map, &before);
	crowd_run(&crowd, self->members);
	linmap_pages_of(crowd.pages, nr, &self->map.pages);
	EXPECT_EQ(nr, self->map.pages.nr);
	TH_LOG("%zu pages by %zu threads at once in %zu blocks", nr, crowd.threads,
	       linmap_pages_units(&self->map.pages, block));
	split_check(_metadata, &self->map, &before, true);

	secretmem_close(&self->map.secret);
	split_check(_metadata, &self->map, &before, false);
	split_state_drop(&before);
}

/*
 * A file whose page cache comes from the same blocks as secretmem: ramfs pages are unmovable too,
 * those of other filesystems lie in blocks of their own. The mount has no place in the tree and
 * goes with its last descriptor.
 */
static int ramfs_file_open(void)
{
	int fs, mnt, fd;

	fs = syscall(SYS_fsopen, "ramfs", 1 /* FSOPEN_CLOEXEC */);
	if (fs < 0)
		return -errno;
	if (syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0)) {
		close(fs);
		return -errno;
	}
	mnt = syscall(SYS_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, 0);
	close(fs);
	if (mnt < 0)
		return -errno;
	fd = openat(mnt, "data", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = -errno;
	close(mnt);
	return fd;
}

/* What page @index of the file holds, in every word: different pages are told apart. */
static uint64_t page_word(size_t index)
{
	return (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static void file_page_write(int fd, size_t index, uint64_t *buf)
{
	size_t i;

	for (i = 0; i < page_size() / sizeof(*buf); i++)
		buf[i] = page_word(index);
	if (pwrite(fd, buf, page_size(), index * page_size()) != (ssize_t)page_size())
		libmm_fail("writing a page of ramfs: %s", strerror(errno));
}

struct reader {
	int fd;
	uint64_t *buf;
	size_t published;	/* pages that may be read */
	size_t seen;		/* of these, how many the last whole pass read */
	size_t pages;
	size_t bad;
	bool stop;
};

static bool page_good(const uint64_t *buf, size_t index)
{
	size_t i;

	for (i = 0; i < page_size() / sizeof(*buf); i++)
		if (buf[i] != page_word(index))
			return false;
	return true;
}

static void *reader_run(void *arg)
{
	struct reader *reader = arg;
	size_t i, nr;

	cpu_pin(1);
	while (!__atomic_load_n(&reader->stop, __ATOMIC_ACQUIRE)) {
		nr = __atomic_load_n(&reader->published, __ATOMIC_ACQUIRE);
		for (i = 0; i < nr; i++, reader->pages++) {
			ssize_t n = pread(reader->fd, reader->buf, page_size(), i * page_size());

			reader->bad += n != (ssize_t)page_size() || !page_good(reader->buf, i);
		}
		__atomic_store_n(&reader->seen, nr, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void reader_wait(const struct reader *reader, size_t pages)
{
	while (__atomic_load_n(&reader->seen, __ATOMIC_ACQUIRE) < pages)
		sched_yield();
}

/* Pages of the file that lie in a block with a changed page. */
static size_t pages_beside(int fd, size_t nr, const struct linmap_pages *changed, uint64_t block)
{
	struct linmap_pages pages = {};
	size_t i, beside = 0;
	char *view;

	view = mmap(NULL, nr * page_size(), PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (view == MAP_FAILED)
		libmm_fail("mapping the file: %s", strerror(errno));
	linmap_pages_of(view, nr, &pages);
	for (i = 0; i < pages.nr; i++) {
		struct phys start = { pages.pa[i].addr / block * block };

		beside += linmap_pages_any(changed, start, block);
	}
	linmap_pages_free(&pages);
	munmap(view, nr * page_size());
	return beside;
}

FIXTURE(readers)
{
	struct linear_map map;
	struct filler filler[READER_GROUPS];
	int fd;
	uint64_t *buf;		/* the writer's page, and the reader's */
};

FIXTURE_SETUP(readers)
{
	linear_map_open(&self->map);
	REQUIRE(splits_probe(&self->map));
	REQUIRE(cpus_probe());
	self->fd = ramfs_file_open();
	if (self->fd < 0)
		SKIP(return, "ramfs cannot be mounted: %s", strerror(-self->fd));
	self->buf = calloc(2, page_size());
	ASSERT_NE(NULL, self->buf);
}

FIXTURE_TEARDOWN(readers)
{
	size_t i;

	for (i = 0; i < READER_GROUPS; i++)
		filler_free(&self->filler[i]);
	close(self->fd);
	free(self->buf);
	linear_map_close(&self->map);
}

/*
 * A reader copies pages of a file through the linear map, over and over, while the blocks that they
 * lie in are split beside them: each page is in use, its translation cached, when the split comes.
 */
TEST_F(readers, see_their_data_during_splits)
{
	const size_t nr = READER_GROUPS * GROUP_PAGES;
	const uint64_t block = linear_map_block(&self->map);
	struct reader reader = { .fd = self->fd };
	struct split_state before;
	pthread_t thread;
	size_t i, beside;

	cpu_pin(0);
	reader.buf = self->buf + page_size() / sizeof(*self->buf);
	linear_map_secret(&self->map, nr);
	split_state_take(&self->map, &before);
	ASSERT_EQ(0, pthread_create(&thread, NULL, reader_run, &reader));
	for (i = 0; i < nr; i++) {
		if (i % GROUP_PAGES == 0)
			filler_add(&self->filler[i / GROUP_PAGES], block);
		file_page_write(self->fd, i, self->buf);
		__atomic_store_n(&reader.published, i + 1, __ATOMIC_RELEASE);
		reader_wait(&reader, i + 1);
		__atomic_store_n(self->map.secret.map + i * page_size(), 1, __ATOMIC_RELAXED);
	}
	reader_wait(&reader, nr);
	__atomic_store_n(&reader.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, NULL));

	linmap_pages_of(self->map.secret.map, nr, &self->map.pages);
	beside = pages_beside(self->fd, nr, &self->map.pages, block);
	TH_LOG("%zu pages read, %zu of %zu in blocks with a secretmem page", reader.pages, beside,
	       nr);
	ASSERT_EQ(0, reader.bad)
		TH_LOG("%zu of %zu pages read were not what was written", reader.bad, reader.pages);
	if (!beside)
		SKIP(return, "the allocator gave the file no page beside a secretmem page");
	split_check(_metadata, &self->map, &before, true);
	split_state_drop(&before);
}

TEST_HARNESS_MAIN
