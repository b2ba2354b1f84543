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
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <libmm/census.h>
#include <libmm/directmap.h>
#include <libmm/fail.h>
#include <libmm/linmap.h>
#include <libmm/linmap_model.h>
#include <libmm/pagemap.h>
#include <libmm/require.h>
#include <libmm/secretmem.h>

#include <libmm/harness.h>

#include "linear_map.h"

#define MAX_THREADS	16
#define NR_CYCLES	16
#define CYCLE_PAGES	128
#define THREAD_PAGES	32
#define SPREAD_PAGES	4
#define READER_GROUPS	6
#define GROUP_PAGES	8

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

/*
 * Where @nr pages from @addr on lie in the linear map. Without page tables: their physical
 * addresses, which lie in the same blocks: the linear map keeps every alignment that blocks need.
 */
static void pages_find(const struct linear_map *map, const void *addr, size_t nr,
		       struct linmap_pages *pages)
{
	size_t i;

	if (map->lm) {
		linmap_pages_of(map->lm, addr, nr, pages);
		return;
	}
	pages->va = calloc(nr, sizeof(*pages->va));
	if (!pages->va)
		libmm_fail("no memory for the addresses of %zu pages", nr);
	pages->nr = nr;
	pagemap_pfns(addr, nr, pages->va);
	for (i = 0; i < nr; i++)
		pages->va[i] *= page_size();
	linmap_pages_sort(pages);
}

static void pages_add(struct linmap_pages *all, const struct linmap_pages *more)
{
	all->va = reallocarray(all->va, all->nr + more->nr, sizeof(*all->va));
	if (!all->va)
		libmm_fail("no memory for the addresses of %zu pages", all->nr + more->nr);
	memcpy(all->va + all->nr, more->va, more->nr * sizeof(*all->va));
	all->nr += more->nr;
	linmap_pages_sort(all);
}

/* Say once what is wrong; returns 1. */
__attribute__((format(printf, 2, 3)))
static size_t wrong(struct __test_metadata *_metadata, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	TH_LOG("%s", text);
	return 1;
}

static size_t tables_check(struct __test_metadata *_metadata, const struct linear_map *map,
			   const struct split_state *before, const struct split_state *after,
			   const struct linmap_pages *pages, bool held)
{
	const struct kpg_geometry *geo = linmap_geometry(map->lm);
	struct linmap_cost cost;
	char why[256] = "";
	enum kpg_level level;
	size_t bad = 0, entries;

	linmap_model_cost(geo, &before->snap, pages, &cost);
	for (level = KPG_PTE; level < KPG_LEVELS; level++) {
		int64_t new = after->snap.tables[level] - before->snap.tables[level];

		if (new != (int64_t)cost.tables[level])
			bad += wrong(_metadata, "%" PRId64 " new %s tables, expected %" PRIu64, new,
				     kpg_level_name(level), cost.tables[level]);
	}
	entries = linmap_model_check(geo, &before->snap, &after->snap, pages, held, why,
				     sizeof(why));
	if (entries)
		bad += wrong(_metadata, "%zu entries are wrong: %s", entries, why);
	TH_LOG("%zu pages: new tables %" PRIu64 " pte %" PRIu64 " pmd, contiguous groups broken %"
	       PRIu64 " pte %" PRIu64 " pmd", pages->nr, cost.tables[KPG_PTE], cost.tables[KPG_PMD],
	       cost.broken[KPG_PTE], cost.broken[KPG_PMD]);
	return bad;
}

/* A block that is split leaves its bytes to the next smaller size, and none get lost. */
static size_t conservation_check(struct __test_metadata *_metadata, const struct directmap *before,
				 const struct directmap *after)
{
	int64_t gained[DIRECTMAP_SIZES] = {};
	size_t bad = 0;
	int i;

	for (i = DIRECTMAP_2M; i < DIRECTMAP_SIZES; i++) {
		int64_t events = (after->splits[i] - before->splits[i]) -
				 (after->collapses[i] - before->collapses[i]);
		int64_t bytes = events * (int64_t)directmap_entry_bytes(i);

		gained[i] -= bytes;
		gained[i - 1] += bytes;
	}
	for (i = DIRECTMAP_4K; i < DIRECTMAP_SIZES; i++) {
		int64_t change = after->bytes[i] - before->bytes[i];

		if (change != gained[i])
			bad += wrong(_metadata, "DirectMap size %d changed by %" PRId64
				     " bytes, its splits account for %" PRId64, i, change,
				     gained[i]);
	}
	return bad;
}

/* One split a block at most: a 2M block is one unit of 2M, a 1G block one of 1G. */
static size_t counts_check(struct __test_metadata *_metadata, const struct linear_map *map,
			   const struct split_state *before, const struct split_state *after,
			   const struct linmap_pages *pages)
{
	uint64_t most[DIRECTMAP_SIZES] = {};
	size_t bad;
	int i;

	bad = conservation_check(_metadata, &before->dm, &after->dm);
	for (i = DIRECTMAP_2M; i < DIRECTMAP_SIZES; i++)
		most[i] = linmap_pages_units(pages, directmap_entry_bytes(i));
	if (map->lm) {
		struct linmap_cost cost;

		linmap_model_cost(linmap_geometry(map->lm), &before->snap, pages, &cost);
		most[DIRECTMAP_2M] = cost.tables[KPG_PTE];
		most[DIRECTMAP_1G] = cost.tables[KPG_PMD];
	}
	for (i = DIRECTMAP_2M; i < DIRECTMAP_SIZES; i++) {
		uint64_t splits = after->dm.splits[i] - before->dm.splits[i];

		if (splits > most[i] || (map->lm && splits != most[i]))
			bad += wrong(_metadata, "%" PRIu64 " splits of %" PRIu64
				     "M blocks, expected %s %" PRIu64, splits,
				     directmap_entry_bytes(i) >> 20,
				     map->lm ? "exactly" : "at most", most[i]);
	}
	return bad;
}

/* How many things are wrong between two states in which @pages changed and nothing else. */
static size_t split_check(struct __test_metadata *_metadata, const struct linear_map *map,
			  const struct split_state *before, const struct split_state *after,
			  const struct linmap_pages *pages, bool held)
{
	size_t bad = 0;

	if (map->lm)
		bad += tables_check(_metadata, map, before, after, pages, held);
	if (before->counted && after->counted)
		bad += counts_check(_metadata, map, before, after, pages);
	return bad;
}

/* Why splits cannot be seen here; NULL when they can. */
static const char *splits_hidden(const struct linear_map *map)
{
	const char *reason = linear_map_missing(map, "root,secretmem", false);
	static char text[2 * KCORE_REASON_MAX];
	struct directmap dm;

	if (reason)
		return reason;
	if (map->lm || !directmap_read(&dm))
		return NULL;
	snprintf(text, sizeof(text), "%s, and the kernel has no DirectMap counters", map->no_kcore);
	return text;
}

FIXTURE(split)
{
	struct linear_map map;
	struct secretmem secret;
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
	self->secret.map = NULL;
}

FIXTURE_TEARDOWN(split)
{
	if (self->secret.map)
		secretmem_close(&self->secret);
	linear_map_close(&self->map);
}

TEST_F(split, is_what_the_formula_says)
{
	const char *reason = splits_hidden(&self->map);
	struct split_state before, held, after;
	struct linmap_pages pages;

	if (reason)
		SKIP(return, "%s", reason);

	ASSERT_EQ(0, secretmem_open(&self->secret, variant->pages * page_size()));
	split_state_take(&self->map, &before);
	secretmem_fault(&self->secret);
	split_state_take(&self->map, &held);
	pages_find(&self->map, self->secret.map, variant->pages, &pages);
	EXPECT_EQ(0, split_check(_metadata, &self->map, &before, &held, &pages, true));

	/* Giving the pages back splits nothing more and merges nothing. */
	secretmem_close(&self->secret);
	split_state_take(&self->map, &after);
	EXPECT_EQ(0, split_check(_metadata, &self->map, &before, &after, &pages, false));

	linmap_pages_free(&pages);
	split_state_drop(&before);
	split_state_drop(&held);
	split_state_drop(&after);
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
}

FIXTURE_TEARDOWN(cycles)
{
	linear_map_close(&self->map);
}

/* Each block is split by the first cycle that reaches it: blocks are finite, so splits end. */
TEST_F(cycles, plateau)
{
	const char *reason = splits_hidden(&self->map);
	uint64_t block = directmap_entry_bytes(DIRECTMAP_2M);
	struct linmap_pages all = {}, pages;
	struct split_state first, last, now;
	size_t units = 0, i;

	if (reason)
		SKIP(return, "%s", reason);
	if (self->map.lm)
		block = kpg_level_size(linmap_geometry(self->map.lm), KPG_PMD);

	split_state_take(&self->map, &first);
	last = first;
	for (i = 0; i < NR_CYCLES; i++) {
		struct secretmem secret;
		size_t seen = units;

		ASSERT_EQ(0, secretmem_open(&secret, CYCLE_PAGES * page_size()));
		secretmem_fault(&secret);
		pages_find(&self->map, secret.map, CYCLE_PAGES, &pages);
		secretmem_close(&secret);
		pages_add(&all, &pages);
		linmap_pages_free(&pages);

		split_state_take(&self->map, &now);
		units = linmap_pages_units(&all, block);
		EXPECT_GE(units - seen, splits_between(&last, &now))
			TH_LOG("cycle %zu split blocks that an earlier one had split", i);
		if (i)
			split_state_drop(&last);
		last = now;
	}
	TH_LOG("%d cycles: %" PRIu64 " splits in %zu blocks", NR_CYCLES,
	       splits_between(&first, &last), units);
	EXPECT_EQ(0, split_check(_metadata, &self->map, &first, &last, &all, false));

	linmap_pages_free(&all);
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

/* What all CPUs do at once: thread t faults pages t, t + threads, t + 2 * threads... */
struct crowd {
	struct secretmem *secret;
	pthread_barrier_t barrier;
	size_t threads;
	size_t steps;
	size_t block;		/* bytes to fill between two pages of a thread; 0: none */
};

struct crowd_member {
	struct crowd *crowd;
	size_t index;
	int cpu;
	struct filler filler[SPREAD_PAGES];
};

static void cpu_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		libmm_fail("pinning to CPU %d: %s", cpu, strerror(errno));
}

static void *crowd_member_run(void *arg)
{
	struct crowd_member *member = arg;
	struct crowd *crowd = member->crowd;
	size_t step;

	cpu_pin(member->cpu);
	for (step = 0; step < crowd->steps; step++) {
		char *page = crowd->secret->map +
			     (step * crowd->threads + member->index) * page_size();

		if (crowd->block)
			filler_add(&member->filler[step], crowd->block);
		pthread_barrier_wait(&crowd->barrier);
		__atomic_store_n(page, (char)member->index, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* CPUs that the caller may run on, at most MAX_THREADS. */
static size_t cpus_list(int *cpus)
{
	cpu_set_t set;
	size_t nr = 0;
	int cpu;

	if (sched_getaffinity(0, sizeof(set), &set))
		libmm_fail("sched_getaffinity: %s", strerror(errno));
	for (cpu = 0; cpu < CPU_SETSIZE && nr < MAX_THREADS; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[nr++] = cpu;
	return nr;
}

static void crowd_run(struct crowd *crowd, const int *cpus, struct crowd_member *members)
{
	pthread_t threads[MAX_THREADS];
	size_t i;

	if (pthread_barrier_init(&crowd->barrier, NULL, crowd->threads))
		libmm_fail("pthread_barrier_init");
	for (i = 0; i < crowd->threads; i++) {
		members[i] = (struct crowd_member) { .crowd = crowd, .index = i, .cpu = cpus[i] };
		if (pthread_create(&threads[i], NULL, crowd_member_run, &members[i]))
			libmm_fail("pthread_create");
	}
	for (i = 0; i < crowd->threads; i++)
		if (pthread_join(threads[i], NULL))
			libmm_fail("pthread_join");
	pthread_barrier_destroy(&crowd->barrier);
}

FIXTURE(concurrent)
{
	struct linear_map map;
	struct secretmem secret;
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
	self->secret.map = NULL;
}

FIXTURE_TEARDOWN(concurrent)
{
	if (self->secret.map)
		secretmem_close(&self->secret);
	linear_map_close(&self->map);
}

TEST_F(concurrent, splits_agree)
{
	const char *reason = splits_hidden(&self->map);
	uint64_t block = directmap_entry_bytes(DIRECTMAP_2M);
	struct crowd_member members[MAX_THREADS];
	struct crowd crowd = { .secret = &self->secret, .steps = variant->steps };
	struct split_state before, held, after;
	int cpus[MAX_THREADS];
	struct linmap_pages pages;
	size_t i, j, nr;

	if (!reason)
		reason = require_need("cpus:2");
	if (reason)
		SKIP(return, "%s", reason);
	if (self->map.lm)
		block = kpg_level_size(linmap_geometry(self->map.lm), KPG_PMD);

	crowd.threads = cpus_list(cpus);
	crowd.block = variant->spread ? block : 0;
	nr = crowd.threads * crowd.steps;
	ASSERT_EQ(0, secretmem_open(&self->secret, nr * page_size()));
	split_state_take(&self->map, &before);
	crowd_run(&crowd, cpus, members);
	split_state_take(&self->map, &held);
	pages_find(&self->map, self->secret.map, nr, &pages);
	EXPECT_EQ(nr, pages.nr);
	TH_LOG("%zu pages by %zu threads at once in %zu blocks", nr, crowd.threads,
	       linmap_pages_units(&pages, block));
	EXPECT_EQ(0, split_check(_metadata, &self->map, &before, &held, &pages, true));

	secretmem_close(&self->secret);
	split_state_take(&self->map, &after);
	EXPECT_EQ(0, split_check(_metadata, &self->map, &before, &after, &pages, false));

	for (i = 0; i < crowd.threads; i++)
		for (j = 0; j < SPREAD_PAGES; j++)
			filler_free(&members[i].filler[j]);
	linmap_pages_free(&pages);
	split_state_drop(&before);
	split_state_drop(&held);
	split_state_drop(&after);
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

struct reading {
	int fd;
	size_t published;	/* pages that may be read */
	bool stop;
};

struct reader {
	struct reading *reading;
	int cpu;
	uint64_t *buf;
	size_t seen;		/* published pages that the last whole pass read */
	size_t pages;
	size_t bad;
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
	struct reading *reading = reader->reading;
	size_t i, nr;

	cpu_pin(reader->cpu);
	while (!__atomic_load_n(&reading->stop, __ATOMIC_ACQUIRE)) {
		nr = __atomic_load_n(&reading->published, __ATOMIC_ACQUIRE);
		for (i = 0; i < nr; i++) {
			ssize_t n = pread(reading->fd, reader->buf, page_size(), i * page_size());

			if (n != (ssize_t)page_size() || !page_good(reader->buf, i))
				reader->bad++;
			reader->pages++;
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
static size_t pages_beside(const struct linear_map *map, int fd, size_t nr,
			   const struct linmap_pages *changed, uint64_t block)
{
	struct linmap_pages pages;
	size_t i, beside = 0;
	char *view;

	view = mmap(NULL, nr * page_size(), PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (view == MAP_FAILED)
		libmm_fail("mapping the file: %s", strerror(errno));
	pages_find(map, view, nr, &pages);
	for (i = 0; i < pages.nr; i++)
		beside += linmap_pages_any(changed, pages.va[i] / block * block, block);
	linmap_pages_free(&pages);
	munmap(view, nr * page_size());
	return beside;
}

FIXTURE(readers)
{
	struct linear_map map;
	struct secretmem secret;
	struct filler filler[READER_GROUPS];
	int fd;
	uint64_t *buf;
};

FIXTURE_SETUP(readers)
{
	linear_map_open(&self->map);
	self->secret.map = NULL;
	memset(self->filler, 0, sizeof(self->filler));
	self->fd = ramfs_file_open();
	self->buf = calloc(2, page_size());
	ASSERT_NE(NULL, self->buf);
}

FIXTURE_TEARDOWN(readers)
{
	size_t i;

	for (i = 0; i < READER_GROUPS; i++)
		filler_free(&self->filler[i]);
	if (self->secret.map)
		secretmem_close(&self->secret);
	if (self->fd >= 0)
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
	const char *reason = splits_hidden(&self->map);
	const size_t nr = READER_GROUPS * GROUP_PAGES;
	uint64_t block = directmap_entry_bytes(DIRECTMAP_2M);
	struct reading reading = { .fd = self->fd };
	struct reader reader = { .reading = &reading };
	struct linmap_pages pages;
	struct split_state before, held;
	int cpus[MAX_THREADS];
	pthread_t thread;
	size_t i, beside, bad;

	if (!reason)
		reason = require_need("cpus:2");
	if (reason)
		SKIP(return, "%s", reason);
	if (self->fd < 0)
		SKIP(return, "ramfs cannot be mounted: %s", strerror(-self->fd));
	if (self->map.lm)
		block = kpg_level_size(linmap_geometry(self->map.lm), KPG_PMD);

	cpus_list(cpus);
	cpu_pin(cpus[0]);
	reader.cpu = cpus[1];
	reader.buf = self->buf + page_size() / sizeof(*self->buf);
	ASSERT_EQ(0, secretmem_open(&self->secret, nr * page_size()));
	split_state_take(&self->map, &before);
	ASSERT_EQ(0, pthread_create(&thread, NULL, reader_run, &reader));
	for (i = 0; i < nr; i++) {
		if (i % GROUP_PAGES == 0)
			filler_add(&self->filler[i / GROUP_PAGES], block);
		file_page_write(self->fd, i, self->buf);
		__atomic_store_n(&reading.published, i + 1, __ATOMIC_RELEASE);
		reader_wait(&reader, i + 1);
		__atomic_store_n(self->secret.map + i * page_size(), 1, __ATOMIC_RELAXED);
	}
	reader_wait(&reader, nr);
	__atomic_store_n(&reading.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	split_state_take(&self->map, &held);

	pages_find(&self->map, self->secret.map, nr, &pages);
	beside = pages_beside(&self->map, self->fd, nr, &pages, block);
	EXPECT_EQ(0, reader.bad)
		TH_LOG("%zu of %zu pages read were not what was written", reader.bad, reader.pages);
	bad = split_check(_metadata, &self->map, &before, &held, &pages, true);
	EXPECT_EQ(0, bad);
	TH_LOG("%zu pages read, %zu of %zu in blocks that were split", reader.pages, beside, nr);
	linmap_pages_free(&pages);
	split_state_drop(&before);
	split_state_drop(&held);
	if (!beside && !bad && !reader.bad)
		SKIP(return, "the allocator gave the file no page beside a secretmem page");
}

TEST_HARNESS_MAIN
