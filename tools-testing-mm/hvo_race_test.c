// SPDX-License-Identifier: GPL-2.0
/*
 * Readers of struct pages see the truth while HVO remaps the struct pages that they read.
 *
 * One thread grows and shrinks a pool of huge pages without a pause. Another reads, through one of
 * the kernel's interfaces that look at struct pages, pages that are held meanwhile and pages that
 * come and go. Held pages are checked on every read; the others when the pool was at rest from
 * before the read until after it, which a sequence number tells. A reader that never overlapped a
 * change proves nothing, so that is a failure too.
 *
 * The longest time of a read is printed, not judged: it bounds how long a change held up a reader,
 * together with everything else that kept it from running.
 *
 * LIBMM_THOROUGH=1 races each reader for 10 s instead of a fraction of a second.
 *
 * Limits: a reader that faults on a struct page takes the kernel down, which only the log and the
 * console can tell. Reads of the other pages that overlap a change are not judged.
 *
 * To see it fail: clear KPF_HUGE in what /proc/kpageflags says.
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

#include <libmm/fail.h>
#include <libmm/harness.h>
#include <libmm/hugemap.h>
#include <libmm/hvo.h>
#include <libmm/kcore.h>
#include <libmm/kpage.h>
#include <libmm/pagemap.h>

#define NS_PER_SEC UINT64_C(1000000000)
#define QUICK_NS (3 * NS_PER_SEC / 10)
#define FULL_NS (10 * NS_PER_SEC)
#define SLOW_NS 1000000

#define NR_HELD 2
#define SEED UINT64_C(0x72616365)
#define DIRECT_BYTES (256 << 10)
/* In the first struct pages of a folio are counters that change by being looked at. */
#define FIRST_CONSTANT_STRUCT_PAGE 4

/* Four steps of the pool; it changes in the odd ones. */
enum phase { PHASE_EMPTY, PHASE_GROWING, PHASE_FULL, PHASE_SHRINKING, NR_PHASES };

struct race {
	struct hvo hvo;
	struct hugemap held;
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
 * One kind of reader. read() looks at page @i and leaves what it saw in race->buf. check_held()
 * judges that of a held page, check_other() that of another one with the pool at rest in @phase.
 * All return 0, or -1 with race->wrong.
 */
struct reader {
	const char *path;
	int flags;				/* of open(2) */
	struct probe (*open)(struct race *race);	/* NULL: open @path */
	int (*read)(struct race *race, size_t i);
	int (*check_held)(struct race *race, size_t i);
	int (*check_other)(struct race *race, size_t i, enum phase phase);
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

static struct probe reader_open(struct race *race)
{
	const struct reader *reader = race->reader;
	struct probe probe;

	if (reader->open)
		return reader->open(race);
	probe = reader->flags == O_RDONLY ? probe_readable(reader->path) :
					    probe_writable(reader->path);
	if (probe.answer == PROBE_YES)
		race->fd = open(reader->path, reader->flags | O_CLOEXEC);
	return probe;
}

static int words_read(struct race *race, size_t i)
{
	kpage_read(race->fd, race->pfns[i], race->buf, race->hvo.pages);
	return 0;
}

static int flags_check_held(struct race *race, size_t i)
{
	const uint64_t *flags = race->buf;
	size_t wrong;

	if (kpage_flags_are_huge(flags, race->hvo.pages, race->hvo.fake, &wrong))
		return 0;
	return saw(race, "held page %zu, base page %zu: flags %#" PRIx64, i, wrong, flags[wrong]);
}

static int flags_check_other(struct race *race, size_t i, enum phase phase)
{
	size_t nr = race->hvo.pages, wrong;
	const uint64_t *flags = race->buf;

	if (phase == PHASE_FULL && kpage_flags_are_huge(flags, nr, race->hvo.fake, &wrong))
		return 0;
	if (kpage_flags_are_not_huge(flags, nr, &wrong))
		return 0;
	return saw(race, "page %zu in a%s pool, base page %zu: flags %#" PRIx64, i,
		   phase == PHASE_FULL ? " full" : "n empty", wrong, flags[wrong]);
}

static const struct reader kpageflags = {
	.path = KPAGE_FLAGS, .read = words_read, .check_held = flags_check_held,
	.check_other = flags_check_other, .needs_told = true,
};

/* A held page is mapped once, and so is each base page of it. */
static int count_check(struct race *race, size_t i)
{
	const uint64_t *counts = race->buf;
	size_t j;

	for (j = 0; j < race->hvo.pages; j++) {
		if (counts[j] != 1)
			return saw(race, "held page %zu, base page %zu: mapped %" PRIu64 " times",
				   i, j, counts[j]);
	}
	return 0;
}

static const struct reader kpagecount = {
	.path = KPAGE_COUNT, .read = words_read, .check_held = count_check, .needs_told = true,
};

/* For readers whose every read of a held page must give the same. */
static int constant_check(struct race *race, size_t i)
{
	const char *now = race->buf, *first = (char *)race->first + i * race->buf_size;
	size_t at;

	if (!memcmp(now, first, race->buf_size))
		return 0;
	for (at = 0; now[at] == first[at]; at++)
		;
	return saw(race, "held page %zu: byte %zu of what was read has changed", i, at);
}

static const struct reader kpagecgroup = {
	.path = KPAGE_CGROUP, .read = words_read, .check_held = constant_check, .needs_told = true,
};

static int entries_read(struct race *race, size_t i)
{
	pagemap_entries(race->held.addr + i % NR_HELD * race->held.page, race->hvo.pages,
			race->buf);
	return 0;
}

static const struct reader pagemap = {
	.path = "/proc/self/pagemap", .read = entries_read, .check_held = constant_check,
};

/* Mark all pages idle and ask which stayed so. */
static int idle_read(struct race *race, size_t i)
{
	ssize_t size = race->hvo.pages / 8;
	off_t offset = race->pfns[i] / 8;

	memset(race->buf, 0xff, size);
	if (pwrite(race->fd, race->buf, size, offset) != size ||
	    pread(race->fd, race->buf, size, offset) != size)
		return saw(race, "page_idle of page %zu: %s", i, strerror(errno));
	return 0;
}

/* Huge pages of a pool are on no LRU list, so none can be marked. */
static int idle_check(struct race *race, size_t i)
{
	const unsigned char *bits = race->buf;
	size_t j;

	for (j = 0; j < race->hvo.pages / 8; j++) {
		if (bits[j])
			return saw(race, "held page %zu: marked idle near base page %zu", i, j * 8);
	}
	return 0;
}

static const struct reader page_idle = {
	.path = "/sys/kernel/mm/page_idle/bitmap", .flags = O_RDWR, .read = idle_read,
	.check_held = idle_check,
};

static int compact_read(struct race *race, size_t i)
{
	if (pwrite(race->fd, "1", 1, 0) == 1)
		return 0;
	return saw(race, "compaction at page %zu: %s", i, strerror(errno));
}

static int data_check(struct race *race, size_t i)
{
	if (!hugemap_check(&race->held, i, 1, SEED))
		return 0;
	return saw(race, "held page %zu: its contents have changed", i);
}

static const struct reader compaction = {
	.path = "/proc/sys/vm/compact_memory", .flags = O_WRONLY, .read = compact_read,
	.check_held = data_check,
};

static struct probe direct_open(struct race *race)
{
	char path[] = "/var/tmp/hvo_race_XXXXXX";
	uint64_t words[DIRECT_BYTES / sizeof(uint64_t)];
	int err, fd = mkostemp(path, O_CLOEXEC);
	size_t i;

	for (i = 0; i < DIRECT_BYTES / sizeof(*words); i++)
		words[i] = SEED + i;
	if (fd < 0 || write(fd, words, DIRECT_BYTES) != DIRECT_BYTES || fsync(fd))
		libmm_fail("hvo_race: writing %s: %s", path, strerror(errno));
	race->fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	err = errno;
	unlink(path);
	close(fd);
	if (race->fd < 0 && err != EINVAL)
		libmm_fail("hvo_race: opening %s: %s", path, strerror(err));
	return race->fd >= 0 ? probe_yes() :
	       probe_no("the file system of /var/tmp has no direct I/O");
}

/*
 * Take a page out of the pool, have the device fill it, which takes references on its struct pages,
 * and give it back at once. An empty pool has none.
 */
static int direct_read(struct race *race, size_t i)
{
	struct hugemap map;
	const uint64_t *words;
	ssize_t n;
	int ret;

	ret = __hugemap_open(&map, race->hvo.pool.size, 1);
	if (ret)
		return ret == -ENOMEM ? 0 : saw(race, "mapping a page: %s", strerror(-ret));
	words = (uint64_t *)map.addr;
	n = pread(race->fd, map.addr, DIRECT_BYTES, 0);
	if (n != DIRECT_BYTES)
		ret = saw(race, "reading a file directly into a huge page: %s",
			  n < 0 ? strerror(errno) : "short");
	for (i = 0; !ret && i < DIRECT_BYTES / sizeof(*words); i++) {
		if (words[i] != SEED + i)
			ret = saw(race, "read directly into a huge page: word %zu is wrong", i);
	}
	hugemap_close(&map);
	return ret;
}

static const struct reader direct_io = {
	.open = direct_open, .read = direct_read, .check_held = data_check,
};

static struct probe vmemmap_open(struct race *race)
{
	struct probe no = { .answer = PROBE_NO };

	if (kcore_open(&race->kcore, no.why, sizeof(no.why)))
		return no;
	return !kcore_symbol(race->kcore, "vmemmap", &race->vmemmap) ? probe_yes() :
	       probe_no("VMCOREINFO has no vmemmap: no CONFIG_SPARSEMEM_VMEMMAP");
}

/* All struct pages of a huge page; those parts that must not change. */
static int structs_read(struct race *race, size_t i)
{
	uint64_t va = race->vmemmap + race->pfns[i] * HVO_STRUCT_PAGE_SIZE;
	char *buf = race->buf;
	size_t at;
	int ret;

	ret = __kcore_read(race->kcore, va, buf, race->hvo.pages * HVO_STRUCT_PAGE_SIZE);
	if (ret)
		return saw(race, "reading struct pages of page %zu: %s", i, strerror(-ret));
	for (at = 0; at < race->hvo.pages; at += race->hvo.fake)
		memset(buf + at * HVO_STRUCT_PAGE_SIZE, 0,
		       FIRST_CONSTANT_STRUCT_PAGE * HVO_STRUCT_PAGE_SIZE);
	return 0;
}

static const struct reader kcore = {
	.open = vmemmap_open, .read = structs_read, .check_held = constant_check,
};

FIXTURE(hvo_race)
{
	struct race race;
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
	self->race.reader = variant->reader;
	REQUIRE(probe_cpus(2));
	REQUIRE(pagemap_pfns_probe());
	REQUIRE(reader_open(&self->race));
	REQUIRE(hvo_begin(&self->race.hvo, "pmd", variant->on));
}

FIXTURE_TEARDOWN(hvo_race)
{
	hugemap_close(&self->race.held);
	if (self->race.fd >= 0)
		close(self->race.fd);
	kcore_close(self->race.kcore);
	free(self->race.buf);
	free(self->race.first);
	free(self->race.pfns);
	hvo_end(&self->race.hvo);
}

/* Read page @i and judge what was read. */
static int read_and_check(struct race *race, size_t i)
{
	uint64_t before = __atomic_load_n(&race->seq, __ATOMIC_ACQUIRE), start = now_ns(), ns;
	bool overlap;

	if (race->reader->read(race, i))
		return -1;
	ns = now_ns() - start;
	race->slow += ns > SLOW_NS;
	if (ns > race->longest_ns)
		race->longest_ns = ns;

	overlap = before & 1 || before != __atomic_load_n(&race->seq, __ATOMIC_ACQUIRE);
	race->overlaps += overlap;
	if (is_held(i))
		return race->reader->check_held(race, i);
	if (overlap || !race->reader->check_other)
		return 0;
	return race->reader->check_other(race, i, before % NR_PHASES);
}

static void *reader_run(void *arg)
{
	struct race *race = arg;
	size_t i = 0;

	while (!__atomic_load_n(&race->stop, __ATOMIC_ACQUIRE) && !read_and_check(race, i)) {
		__atomic_add_fetch(&race->reads, 1, __ATOMIC_RELEASE);
		i = (i + 1) % race->nr_pfns;
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

static void pool_change(struct race *race, size_t nr)
{
	__atomic_add_fetch(&race->seq, 1, __ATOMIC_RELEASE);
	hugetlb_pool_resize(&race->hvo.pool, nr);
	__atomic_add_fetch(&race->seq, 1, __ATOMIC_RELEASE);
	reader_await(race);
}

/* Grow and shrink. Returns the cycles. */
static long pool_churn(struct race *race)
{
	const char *thorough = getenv("LIBMM_THOROUGH");
	uint64_t until = now_ns() + (thorough && !strcmp(thorough, "1") ? FULL_NS : QUICK_NS);
	long cycles = 0;

	while (now_ns() < until && !__atomic_load_n(&race->stop, __ATOMIC_ACQUIRE)) {
		pool_change(race, race->nr_pfns);
		pool_change(race, NR_HELD);
		cycles++;
	}
	return cycles;
}

/* Take the pool's pages once to learn where they lie, and keep the held ones. */
static void pages_learn(struct race *race)
{
	size_t i, nr = race->hvo.nr;
	struct hugemap others;

	race->nr_pfns = nr;
	race->buf_size = race->hvo.pages * HVO_STRUCT_PAGE_SIZE;
	race->pfns = calloc(nr, sizeof(*race->pfns));
	race->buf = calloc(1, race->buf_size);
	race->first = calloc(NR_HELD, race->buf_size);
	if (!race->pfns || !race->buf || !race->first)
		libmm_fail("hvo_race: no memory for what is read");
	hugemap_open(&race->held, race->hvo.pool.size, NR_HELD);
	hugemap_open(&others, race->hvo.pool.size, nr - NR_HELD);
	hugemap_fill(&race->held, SEED);
	hugemap_pin(&race->held);
	hugemap_touch(&others);
	for (i = 0; i < nr; i++)
		race->pfns[i] = is_held(i) ? hugemap_pfn(&race->held, i) :
					     hugemap_pfn(&others, i - NR_HELD);
	hugemap_close(&others);
}

/* Whether /proc/kpageflags and its kin say anything about the held pages. */
static bool held_are_told(struct race *race)
{
	int fd = kpage_open(KPAGE_FLAGS);
	bool told = true;
	size_t i;

	for (i = 0; told && i < NR_HELD; i++) {
		kpage_read(fd, race->pfns[i], race->buf, race->hvo.pages);
		told = kpage_flags_are_told(race->buf, race->hvo.pages);
	}
	close(fd);
	return told;
}

static void stall_print(const struct race *race, long cycles)
{
	ksft_print_msg("HVO %s: %ld cycles of the pool, %" PRIu64 " reads, %" PRIu64
		       " of them during a change, %" PRIu64 " longer than %d us, longest %" PRIu64
		       " ns\n", race->hvo.on ? "on" : "off", cycles, race->reads, race->overlaps,
		       race->slow, SLOW_NS / 1000, race->longest_ns);
	fflush(stdout);		/* the framework leaves by _exit() */
}

TEST_F(hvo_race, churn)
{
	struct race *race = &self->race;
	pthread_t thread;
	long cycles;
	size_t i;

	REQUIRE(hvo_fill(&race->hvo, race->hvo.nr, NR_HELD + 1));
	pages_learn(race);
	if (race->reader->needs_told && !held_are_told(race))
		SKIP(return, KPAGE_NOT_TOLD);
	for (i = 0; i < NR_HELD; i++) {
		ASSERT_EQ(0, race->reader->read(race, i)) {
			TH_LOG("%s", race->wrong);
		}
		memcpy((char *)race->first + i * race->buf_size, race->buf, race->buf_size);
	}

	ASSERT_EQ(NR_HELD, hugetlb_pool_resize(&race->hvo.pool, NR_HELD));
	ASSERT_EQ(0, pthread_create(&thread, NULL, reader_run, race));
	cycles = pool_churn(race);
	__atomic_store_n(&race->stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, NULL));

	stall_print(race, cycles);
	EXPECT_STREQ("", race->wrong);
	EXPECT_LT(0, cycles);
	EXPECT_LT(0UL, race->overlaps);

	EXPECT_EQ(NULL, hugemap_check(&race->held, 0, NR_HELD, SEED));
	hugemap_close(&race->held);
	EXPECT_EQ(0, hugetlb_pool_resize(&race->hvo.pool, 0));
	EXPECT_EQ(0, hvo_memmap_excess(&race->hvo, 0));
}

TEST_HARNESS_MAIN
