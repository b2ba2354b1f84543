// SPDX-License-Identifier: GPL-2.0
/*
 * Who reads struct pages while HVO remaps them sees what is true of them, all the time.
 *
 * One thread grows and shrinks a pool of huge pages without a pause. Another reads, through one of
 * the kernel's interfaces that look at struct pages, pages that are held meanwhile and pages that
 * come and go. What must hold of a held page is checked on every read; what must hold of the
 * others when the pool was at rest from before the read until after it, which a sequence number
 * tells. A reader that never once overlapped a change proves nothing, so that is a failure too.
 *
 * How long a single read took at most is printed, not judged: it bounds how long a reader was held
 * up by a change, together with everything else that kept it from running.
 *
 * LIBMM_THOROUGH=1 races each reader for 10 s instead of a fraction of a second.
 *
 * Limits: a reader that faults on a struct page takes the kernel down, which is for the log and
 * the console to tell. Reads of the churned pages that overlap a change are made, not judged.
 *
 * To see it fail: put a file of zeros in the place of /proc/kpageflags, as the library in
 * mutants/ does.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <libmm/harness.h>
#include <libmm/hugemap.h>
#include <libmm/hvo.h>
#include <libmm/kcore.h>
#include <libmm/kpage.h>
#include <libmm/require.h>

#define QUICK_NS UINT64_C(300000000)
#define SLOW_NS 1000000
#define FULL_NS UINT64_C(10000000000)
#define NS_PER_SEC UINT64_C(1000000000)

#define PAGE_IDLE_BITMAP "/sys/kernel/mm/page_idle/bitmap"
#define COMPACT_MEMORY "/proc/sys/vm/compact_memory"
#define NR_HELD 2
#define SEED UINT64_C(0x72616365)
#define DIRECT_BYTES (256 << 10)
/* In the first struct pages of a folio are counters that change by being looked at. */
#define FIRST_CONSTANT_STRUCT_PAGE 4

/* Four steps of the pool; it changes in the odd ones. */
enum phase { PHASE_EMPTY, PHASE_GROWING, PHASE_FULL, PHASE_SHRINKING, NR_PHASES };

struct race {
	struct hvo *hvo;
	struct hugemap held;
	int pins[2];			/* a pipe with references to the held pages */
	uint64_t *pfns;			/* heads: the held ones first, then where the others were */
	size_t nr_pfns;
	const struct reader *reader;
	int fd;
	struct kcore *kcore;
	uint64_t vmemmap;
	void *buf;			/* of one read */
	void *first;			/* what the first read of each held page gave */
	size_t buf_size;
	uint64_t longest_ns;		/* of all reads */
	uint64_t slow;			/* reads of more than SLOW_NS */
	uint64_t overlaps;		/* reads during which the pool changed */
	uint64_t reads;			/* for the churner: it waits at rest until one is through */
	uint64_t seq;			/* step of the pool; % NR_PHASES is the phase */
	bool stop;
	char wrong[256];		/* what the reader saw that must not be */
};

/*
 * One kind of reader. read() looks at page @i and leaves what it saw in race->buf; check() judges
 * it, with the pool known to be at rest in @phase, or PHASE_GROWING when it may have changed. Both
 * return 0, or -1 with race->wrong.
 */
struct reader {
	const char *needs;
	int (*open)(struct race *race);		/* 0 or -errno */
	int (*read)(struct race *race, size_t i);
	int (*check)(struct race *race, size_t i, enum phase phase);
	bool needs_told;			/* kpageflags must know the held pages */
};

static int __attribute__((format(printf, 2, 3))) saw(struct race *race, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(race->wrong, sizeof(race->wrong), fmt, ap);
	va_end(ap);
	return -1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

static bool is_held(size_t i)
{
	return i < NR_HELD;
}

static int file_open(struct race *race, const char *path, int flags)
{
	race->fd = open(path, flags | O_CLOEXEC);
	return race->fd < 0 ? -errno : 0;
}

static int words_read(struct race *race, size_t i)
{
	kpage_read(race->fd, race->pfns[i], race->buf, race->hvo->pages);
	return 0;
}

static int flags_open(struct race *race)
{
	race->fd = kpage_open(KPAGE_FLAGS);
	return 0;
}

static int flags_check(struct race *race, size_t i, enum phase phase)
{
	size_t nr = race->hvo->pages, fake = race->hvo->fake, wrong = 0;
	const uint64_t *flags = race->buf;

	if (is_held(i)) {
		if (kpage_flags_are_huge(flags, nr, fake, &wrong))
			return 0;
		return saw(race, "held page %zu, base page %zu: flags %#" PRIx64, i, wrong,
			   flags[wrong]);
	}
	if (phase == PHASE_FULL && kpage_flags_are_huge(flags, nr, fake, &wrong))
		return 0;
	if (phase & 1 || kpage_flags_are_not_huge(flags, nr, &wrong))
		return 0;
	return saw(race, "page %zu in a%s pool, base page %zu: flags %#" PRIx64, i,
		   phase == PHASE_FULL ? " full" : "n empty", wrong, flags[wrong]);
}

static int count_open(struct race *race)
{
	race->fd = kpage_open(KPAGE_COUNT);
	return 0;
}

/* A held page is mapped once, and so is each page of it. */
static int count_check(struct race *race, size_t i, enum phase phase)
{
	const uint64_t *counts = race->buf;
	size_t j;

	(void)phase;
	for (j = 0; is_held(i) && j < race->hvo->pages; j++) {
		if (counts[j] != 1)
			return saw(race, "held page %zu, base page %zu: mapped %" PRIu64 " times",
				   i, j, counts[j]);
	}
	return 0;
}

static int cgroup_open(struct race *race)
{
	race->fd = kpage_open(KPAGE_CGROUP);
	return 0;
}

/* For readers whose every read of a held page must give the same. */
static int constant_check(struct race *race, size_t i, enum phase phase)
{
	void *first = (char *)race->first + i * race->buf_size;
	size_t at;

	(void)phase;
	if (!is_held(i) || !memcmp(race->buf, first, race->buf_size))
		return 0;
	for (at = 0; ((char *)race->buf)[at] == ((char *)first)[at]; at++)
		;
	return saw(race, "held page %zu: byte %zu of what was read has changed", i, at);
}

static int pagemap_open(struct race *race)
{
	return file_open(race, "/proc/self/pagemap", O_RDONLY);
}

static int pagemap_read(struct race *race, size_t i)
{
	const char *addr = race->held.addr + i % NR_HELD * race->held.page;
	size_t size = race->hvo->pages * sizeof(uint64_t);
	off_t offset = (uintptr_t)addr / race->hvo->page_size * sizeof(uint64_t);
	ssize_t n = pread(race->fd, race->buf, size, offset);

	return n == (ssize_t)size ? 0 : saw(race, "reading pagemap: %s", strerror(errno));
}

static int idle_open(struct race *race)
{
	return file_open(race, PAGE_IDLE_BITMAP, O_RDWR);
}

/* Mark all pages idle and ask which stayed so. */
static int idle_read(struct race *race, size_t i)
{
	size_t size = race->hvo->pages / 8;
	off_t offset = race->pfns[i] / 8;

	memset(race->buf, 0xff, size);
	if (pwrite(race->fd, race->buf, size, offset) != (ssize_t)size ||
	    pread(race->fd, race->buf, size, offset) != (ssize_t)size)
		return saw(race, "page_idle of page %zu: %s", i, strerror(errno));
	return 0;
}

/* Huge pages of a pool are on no LRU list, so none can be marked. */
static int idle_check(struct race *race, size_t i, enum phase phase)
{
	const unsigned char *bits = race->buf;
	size_t j;

	(void)phase;
	for (j = 0; is_held(i) && j < race->hvo->pages / 8; j++) {
		if (bits[j])
			return saw(race, "held page %zu: marked idle near base page %zu", i, j * 8);
	}
	return 0;
}

static int compact_open(struct race *race)
{
	return file_open(race, COMPACT_MEMORY, O_WRONLY);
}

static int compact_read(struct race *race, size_t i)
{
	(void)i;
	if (pwrite(race->fd, "1", 1, 0) != 1)
		return saw(race, "writing " COMPACT_MEMORY ": %s", strerror(errno));
	return 0;
}

static int data_check(struct race *race, size_t i, enum phase phase)
{
	(void)phase;
	if (is_held(i) && hugemap_check(&race->held, i, 1, SEED))
		return saw(race, "held page %zu: its contents have changed", i);
	return 0;
}

static int direct_open(struct race *race)
{
	char path[] = "/var/tmp/hvo_race_XXXXXX";
	size_t i, nr = DIRECT_BYTES / sizeof(uint64_t);
	int ret, fd = mkostemp(path, O_CLOEXEC);
	uint64_t *words;

	if (fd < 0)
		return -errno;
	words = calloc(nr, sizeof(*words));
	for (i = 0; words && i < nr; i++)
		words[i] = SEED + i;
	ret = !words ? -ENOMEM : write(fd, words, DIRECT_BYTES) != DIRECT_BYTES ? -EIO : 0;
	free(words);
	if (!ret && fsync(fd))
		ret = -errno;
	if (!ret)
		ret = file_open(race, path, O_RDONLY | O_DIRECT);
	unlink(path);
	close(fd);
	return ret;
}

/*
 * A page out of the pool, filled by the device (which takes references on its struct pages), and
 * given back at once. An empty pool has none, which is no mistake.
 */
static int direct_read(struct race *race, size_t i)
{
	size_t j, nr = DIRECT_BYTES / sizeof(uint64_t);
	struct hugemap map;
	ssize_t n;
	int ret;

	(void)i;
	ret = __hugemap_open(&map, race->hvo->pool.size, 1, MAP_PRIVATE, -1);
	if (ret)
		return ret == -ENOMEM ? 0 : saw(race, "mapping a page: %s", strerror(-ret));
	n = pread(race->fd, map.addr, DIRECT_BYTES, 0);
	if (n != DIRECT_BYTES)
		ret = saw(race, "reading a file directly into a huge page: %s",
			  n < 0 ? strerror(errno) : "short");
	for (j = 0; !ret && j < nr; j++) {
		if (((uint64_t *)map.addr)[j] != SEED + j)
			ret = saw(race, "read directly into a huge page: word %zu is wrong", j);
	}
	hugemap_close(&map);
	return ret;
}

static int kcore_open(struct race *race)
{
	char reason[KCORE_REASON_MAX];
	int ret = __kcore_open(&race->kcore, reason, sizeof(reason));

	return ret ? ret : __kcore_symbol(race->kcore, "vmemmap", &race->vmemmap);
}

/* All struct pages of a huge page; those parts that must stay as they are. */
static int kcore_read_page(struct race *race, size_t i)
{
	uint64_t va = race->vmemmap + race->pfns[i] * HVO_STRUCT_PAGE_SIZE;
	char *buf = race->buf;
	size_t at;
	int ret;

	ret = __kcore_read(race->kcore, va, buf, race->hvo->pages * HVO_STRUCT_PAGE_SIZE);
	if (ret)
		return saw(race, "reading struct pages of page %zu: %s", i, strerror(-ret));
	for (at = 0; at < race->hvo->pages; at += race->hvo->fake)
		memset(buf + at * HVO_STRUCT_PAGE_SIZE, 0,
		       FIRST_CONSTANT_STRUCT_PAGE * HVO_STRUCT_PAGE_SIZE);
	return 0;
}

static const struct reader kpageflags = {
	"file:" KPAGE_FLAGS, flags_open, words_read, flags_check, true
};

static const struct reader kpagecount = {
	"file:" KPAGE_COUNT, count_open, words_read, count_check, true
};

static const struct reader kpagecgroup = {
	"file:" KPAGE_CGROUP, cgroup_open, words_read, constant_check, true
};

static const struct reader pagemap = { NULL, pagemap_open, pagemap_read, constant_check, false };
static const struct reader page_idle = {
	"file:" PAGE_IDLE_BITMAP, idle_open, idle_read, idle_check, false
};

static const struct reader compaction = {
	"writable:" COMPACT_MEMORY, compact_open, compact_read, data_check, false
};

static const struct reader direct_io = { NULL, direct_open, direct_read, data_check, false };
static const struct reader kcore = {
	"kcore", kcore_open, kcore_read_page, constant_check, false
};

FIXTURE(hvo_race)
{
	struct hvo hvo;
	struct race race;
	struct hugemap others;
};

FIXTURE_VARIANT(hvo_race)
{
	const struct reader *reader;
	bool on;
};

FIXTURE_VARIANT_ADD(hvo_race, kpageflags_on) { .reader = &kpageflags, .on = true };
FIXTURE_VARIANT_ADD(hvo_race, kpageflags_off) { .reader = &kpageflags, .on = false };
FIXTURE_VARIANT_ADD(hvo_race, kpagecount_on) { .reader = &kpagecount, .on = true };
FIXTURE_VARIANT_ADD(hvo_race, kpagecount_off) { .reader = &kpagecount, .on = false };
FIXTURE_VARIANT_ADD(hvo_race, kpagecgroup_on) { .reader = &kpagecgroup, .on = true };
FIXTURE_VARIANT_ADD(hvo_race, kpagecgroup_off) { .reader = &kpagecgroup, .on = false };
FIXTURE_VARIANT_ADD(hvo_race, pagemap_on) { .reader = &pagemap, .on = true };
FIXTURE_VARIANT_ADD(hvo_race, pagemap_off) { .reader = &pagemap, .on = false };
FIXTURE_VARIANT_ADD(hvo_race, page_idle_on) { .reader = &page_idle, .on = true };
FIXTURE_VARIANT_ADD(hvo_race, page_idle_off) { .reader = &page_idle, .on = false };
FIXTURE_VARIANT_ADD(hvo_race, compaction_on) { .reader = &compaction, .on = true };
FIXTURE_VARIANT_ADD(hvo_race, compaction_off) { .reader = &compaction, .on = false };
FIXTURE_VARIANT_ADD(hvo_race, direct_io_on) { .reader = &direct_io, .on = true };
FIXTURE_VARIANT_ADD(hvo_race, direct_io_off) { .reader = &direct_io, .on = false };
FIXTURE_VARIANT_ADD(hvo_race, kcore_on) { .reader = &kcore, .on = true };
FIXTURE_VARIANT_ADD(hvo_race, kcore_off) { .reader = &kcore, .on = false };

FIXTURE_SETUP(hvo_race)
{
	self->race.fd = -1;
	self->race.pins[0] = -1;
	self->race.pins[1] = -1;
	self->race.hvo = &self->hvo;
	self->race.reader = variant->reader;
	hvo_begin(&self->hvo, "pmd", variant->on);
}

static void held_release(struct race *race)
{
	hugemap_close(&race->held);
	hugemap_unpin(race->pins);
}

FIXTURE_TEARDOWN(hvo_race)
{
	held_release(&self->race);
	hugemap_close(&self->others);
	if (self->race.fd >= 0)
		close(self->race.fd);
	if (self->race.kcore)
		kcore_close(self->race.kcore);
	free(self->race.buf);
	free(self->race.first);
	free(self->race.pfns);
	hvo_end(&self->hvo);
}

static void took_note(struct race *race, uint64_t ns)
{
	race->slow += ns > SLOW_NS;
	if (ns > race->longest_ns)
		race->longest_ns = ns;
}

static void *reader_run(void *arg)
{
	struct race *race = arg;
	uint64_t before, after, start;
	bool overlap;
	size_t i;

	for (i = 0; !__atomic_load_n(&race->stop, __ATOMIC_ACQUIRE); i = (i + 1) % race->nr_pfns) {
		before = __atomic_load_n(&race->seq, __ATOMIC_ACQUIRE);
		start = now_ns();
		if (race->reader->read(race, i))
			break;
		took_note(race, now_ns() - start);
		after = __atomic_load_n(&race->seq, __ATOMIC_ACQUIRE);

		overlap = before & 1 || before != after;
		race->overlaps += overlap;
		if (race->reader->check(race, i, overlap ? PHASE_GROWING : before % NR_PHASES))
			break;
		__atomic_add_fetch(&race->reads, 1, __ATOMIC_RELEASE);
	}
	/* The churner need not wait for a reader that has ended. */
	__atomic_store_n(&race->stop, true, __ATOMIC_RELEASE);
	return NULL;
}

/* At rest, until the reader has begun and ended a read that no change overlapped. */
static void reader_await(struct race *race)
{
	uint64_t reads = __atomic_load_n(&race->reads, __ATOMIC_ACQUIRE);

	while (__atomic_load_n(&race->reads, __ATOMIC_ACQUIRE) < reads + 2 &&
	       !__atomic_load_n(&race->stop, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void step(struct race *race)
{
	__atomic_add_fetch(&race->seq, 1, __ATOMIC_RELEASE);
}

/* Grow and shrink until @until. Returns the cycles, or -errno. */
static long pool_churn(struct race *race, uint64_t until)
{
	long cycles = 0, got;

	while (now_ns() < until && !__atomic_load_n(&race->stop, __ATOMIC_ACQUIRE)) {
		step(race);
		got = __hugetlb_pool_resize(&race->hvo->pool, race->nr_pfns);
		if (got < 0)
			return got;
		step(race);
		reader_await(race);
		step(race);
		got = __hugetlb_pool_resize(&race->hvo->pool, NR_HELD);
		if (got < 0)
			return got;
		step(race);
		reader_await(race);
		cycles++;
	}
	return cycles;
}

/* Take the pool's pages once to learn where they lie, and keep the held ones. */
static int pages_learn(struct race *race, struct hugemap *others)
{
	size_t i, nr = race->nr_pfns;
	int ret;

	race->pfns = calloc(nr, sizeof(*race->pfns));
	if (!race->pfns)
		return -ENOMEM;
	ret = __hugemap_open(&race->held, race->hvo->pool.size, NR_HELD, MAP_PRIVATE, -1);
	if (!ret)
		ret = __hugemap_open(others, race->hvo->pool.size, nr - NR_HELD, MAP_PRIVATE, -1);
	if (ret)
		return ret;
	hugemap_fill(&race->held, 0, NR_HELD, SEED);
	ret = __hugemap_pin(&race->held, NR_HELD, race->pins);
	if (ret)
		return ret;
	hugemap_touch(others);
	for (i = 0; i < nr; i++)
		race->pfns[i] = is_held(i) ? hugemap_pfn(&race->held, i) :
					     hugemap_pfn(others, i - NR_HELD);
	hugemap_close(others);
	return 0;
}

/* Whether /proc/kpageflags and its kin can be asked about the held pages. */
static bool held_are_told(const struct race *race)
{
	uint64_t *flags = calloc(race->hvo->pages, sizeof(*flags));
	int fd = kpage_open(KPAGE_FLAGS);
	bool told = flags;
	size_t i;

	for (i = 0; told && i < NR_HELD; i++) {
		kpage_read(fd, race->pfns[i], flags, race->hvo->pages);
		told = kpage_flags_are_told(flags, race->hvo->pages);
	}
	free(flags);
	close(fd);
	return told;
}

/* What the first read of each held page gives, while nothing changes. */
static int reads_first(struct race *race)
{
	size_t i;
	int ret;

	race->buf_size = race->hvo->pages * HVO_STRUCT_PAGE_SIZE;
	race->buf = calloc(1, race->buf_size);
	race->first = calloc(NR_HELD, race->buf_size);
	if (!race->buf || !race->first)
		return saw(race, "no memory for what is read");
	for (i = 0; i < NR_HELD; i++) {
		ret = race->reader->read(race, i);
		if (ret)
			return ret;
		memcpy((char *)race->first + i * race->buf_size, race->buf, race->buf_size);
	}
	return 0;
}

static uint64_t race_ns(void)
{
	const char *thorough = getenv("LIBMM_THOROUGH");

	return thorough && !strcmp(thorough, "1") ? FULL_NS : QUICK_NS;
}

static void stall_print(const struct race *race, const char *state, long cycles)
{
	ksft_print_msg("HVO %s: %ld cycles of the pool, %" PRIu64 " reads, %" PRIu64
		       " of them during a change, %" PRIu64 " longer than %d us, longest %" PRIu64
		       " ns\n", state, cycles, race->reads, race->overlaps, race->slow,
		       SLOW_NS / 1000, race->longest_ns);
	fflush(stdout);		/* the framework leaves by _exit() */
}

TEST_F(hvo_race, churn)
{
	struct race *race = &self->race;
	const char *why = require_needs(variant->reader->needs ?: "root");
	pthread_t thread;
	long cycles, got;
	int ret;

	if (self->hvo.missing[0] || why)
		SKIP(return, "%s", self->hvo.missing[0] ? self->hvo.missing : why);
	why = require_need("cpus:2");
	if (why)
		SKIP(return, "%s", why);
	ret = variant->reader->open(race);
	if (ret == -EINVAL)
		SKIP(return, "the file system of /var/tmp has no direct I/O");
	ASSERT_EQ(0, ret);

	got = __hugetlb_pool_resize(&self->hvo.pool, self->hvo.nr);
	ASSERT_LE(0, got);
	if (got <= NR_HELD)
		SKIP(return, "memory is too fragmented for more than %d huge pages", NR_HELD);
	race->nr_pfns = got;
	ASSERT_EQ(0, pages_learn(race, &self->others));
	if (race->reader->needs_told && !held_are_told(race))
		SKIP(return, KPAGE_NOT_TOLD);
	ASSERT_EQ(0, reads_first(race)) {
		TH_LOG("%s", race->wrong);
	}

	ASSERT_EQ(NR_HELD, __hugetlb_pool_resize(&self->hvo.pool, NR_HELD));
	ASSERT_EQ(0, pthread_create(&thread, NULL, reader_run, race));
	cycles = pool_churn(race, now_ns() + race_ns());
	__atomic_store_n(&race->stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, NULL));

	stall_print(race, variant->on ? "on" : "off", cycles);
	EXPECT_STREQ("", race->wrong);
	EXPECT_LT(0, cycles) {
		TH_LOG("resizing the pool: %s", strerror(cycles < 0 ? -cycles : 0));
	}
	EXPECT_LT(0UL, race->overlaps);

	EXPECT_EQ(NULL, hugemap_check(&race->held, 0, NR_HELD, SEED));
	held_release(race);
	EXPECT_EQ(0, __hugetlb_pool_resize(&self->hvo.pool, 0));
	if (self->hvo.counted)
		EXPECT_EQ(0, hvo_memmap_delta(&self->hvo));
}

TEST_HARNESS_MAIN
