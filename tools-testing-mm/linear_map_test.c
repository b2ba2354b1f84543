// SPDX-License-Identifier: GPL-2.0
/*
 * The linear map obeys: a page that memfd_secret(2) takes is gone from it and unreadable, comes
 * back on release, its neighbours never notice, and no alias of kernel text is writable.
 *
 * Method: memfd_secret makes the linear-map entry of each of its pages invalid
 * (set_direct_map_invalid_noflush() in mm/secretmem.c); /proc/self/pagemap says which page frames
 * these are; /proc/kcore shows the kernel's own page tables, so each frame's entry is read, not
 * guessed. Where a way into the page is tried, the same way into an ordinary page is tried too:
 * it must work, or the refusal proves nothing.
 *
 * Limits: without /proc/kcore no test here can see an entry, so what needs one is skipped, and what
 * remains is behaviour and the DirectMap counters of x86. The tests see entries, not TLBs:
 * a missing TLB flush would pass. linear_map_split_test counts splits.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <libmm/bbml2.h>
#include <libmm/kconfig.h>
#include <libmm/sysfile.h>

#include <libmm/harness.h>

#include "linear_map.h"

/* Enough pages to leave one list of the page allocator, few enough to split next to nothing. */
#define NR_PAGES	64
#define NR_THREADS	8
#define NR_RACES	32
#define PATTERN_SIZE	64

FIXTURE(linear_map)
{
	struct linear_map map;
};

FIXTURE_SETUP(linear_map)
{
	linear_map_open(&self->map);
}

FIXTURE_TEARDOWN(linear_map)
{
	linear_map_close(&self->map);
}

/* For cases that look at the entries of secretmem pages. */
static struct probe entries_probe(const struct linear_map *map)
{
	struct probe probe = probe_root();

	if (probe.answer == PROBE_YES)
		probe = secretmem_room_probe(NR_PAGES * page_size());
	if (probe.answer == PROBE_YES)
		probe = pagemap_pfns_probe();
	return probe.answer == PROBE_YES ? map->tables : probe;
}

static size_t pages_present(const struct linear_map *map)
{
	return linmap_pages_count(&map->pages, map->lm, KPG_PRESENT, KPG_PRESENT);
}

TEST_F(linear_map, secretmem_invalid_while_held)
{
	REQUIRE(entries_probe(&self->map));

	linear_map_take(&self->map, NR_PAGES);
	EXPECT_EQ(NR_PAGES, self->map.pages.nr);
	EXPECT_EQ(0, pages_present(&self->map))
		TH_LOG("held pages can be read through the linear map");
}

TEST_F(linear_map, secretmem_valid_after_close)
{
	const unsigned int mask = KPG_PRESENT | KPG_INVALID | KPG_READONLY;

	REQUIRE(entries_probe(&self->map));

	linear_map_take(&self->map, NR_PAGES);
	ASSERT_EQ(0, pages_present(&self->map))
		TH_LOG("what did not leave the linear map cannot come back");
	secretmem_close(&self->map.secret);

	/* Free pages: present and writable, or the next owner of one faults. */
	EXPECT_EQ(NR_PAGES, linmap_pages_count(&self->map.pages, self->map.lm, mask, KPG_PRESENT));
}

TEST_F(linear_map, neighbours_keep_mapping_and_permissions)
{
	struct linmap_snap before, held, after;
	const struct kpg_geometry *geo;
	char why[256] = "";

	REQUIRE(entries_probe(&self->map));

	linmap_snap(self->map.lm, "linear", &before);
	linear_map_take(&self->map, NR_PAGES);
	linmap_snap(self->map.lm, "linear", &held);
	secretmem_close(&self->map.secret);
	linmap_snap(self->map.lm, "linear", &after);

	geo = linmap_geometry(self->map.lm);
	EXPECT_EQ(0, linmap_model_check(geo, &before, &held, &self->map.pages, true, why,
					sizeof(why)))
		TH_LOG("wrong entries while held: %s", why);
	EXPECT_EQ(0, linmap_model_check(geo, &before, &after, &self->map.pages, false, why,
					sizeof(why)))
		TH_LOG("wrong entries after release: %s", why);

	linmap_snap_free(&before);
	linmap_snap_free(&held);
	linmap_snap_free(&after);
}

/*
 * Ways into memory that go through the kernel, from @page into @buf or back. Each returns how many
 * bytes were copied, or -errno. The kernel must refuse all of them for a secretmem page:
 * get_user_pages() does not hand out its pages (check_vma_flags() in mm/gup.c), and the linear map
 * does not have them.
 */
static ssize_t result(ssize_t n)
{
	return n < 0 ? -errno : n;
}

static ssize_t way_vm(char *page, char *buf, size_t len, bool back)
{
	struct iovec local = { buf, len }, remote = { page, len };

	return result(back ? process_vm_writev(getpid(), &local, 1, &remote, 1, 0) :
			     process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}

static ssize_t way_mem(char *page, char *buf, size_t len, bool back)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = result(back ? pwrite(fd, buf, len, (uintptr_t)page) :
			  pread(fd, buf, len, (uintptr_t)page));
	close(fd);
	return n;
}

static ssize_t way_vmsplice(char *page, char *buf, size_t len, bool back)
{
	struct iovec iov = { page, len };
	int pipefd[2];
	ssize_t n;

	if (pipe2(pipefd, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	n = result(vmsplice(pipefd[1], &iov, 1, 0));
	if (n > 0)
		n = result(read(pipefd[0], buf, n));
	close(pipefd[0]);
	close(pipefd[1]);
	return n;
}

static void pattern_make(char *pattern)
{
	if (getrandom(pattern, PATTERN_SIZE, 0) != PATTERN_SIZE)
		libmm_fail("getrandom: %s", strerror(errno));
}

/* Ordinary memory: the control. */
static char *plain_open(size_t pages)
{
	char *plain = mmap(NULL, pages * page_size(), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (plain == MAP_FAILED)
		libmm_fail("mmap: %s", strerror(errno));
	return plain;
}

FIXTURE(unreadable)
{
	struct secretmem secret;
	char pattern[PATTERN_SIZE];
	char *plain;		/* has the pattern, too */
	char *buf;		/* a page without it */
};

FIXTURE_VARIANT(unreadable)
{
	ssize_t (*try)(char *page, char *buf, size_t len, bool back);
	bool back;
	int refusal;		/* what the kernel says for secretmem */
};

FIXTURE_VARIANT_ADD(unreadable, process_vm_readv) { way_vm, false, EFAULT };
FIXTURE_VARIANT_ADD(unreadable, process_vm_writev) { way_vm, true, EFAULT };
FIXTURE_VARIANT_ADD(unreadable, vmsplice) { way_vmsplice, false, EFAULT };
FIXTURE_VARIANT_ADD(unreadable, proc_self_mem_read) { way_mem, false, EIO };
FIXTURE_VARIANT_ADD(unreadable, proc_self_mem_write) { way_mem, true, EIO };

FIXTURE_SETUP(unreadable)
{
	REQUIRE(secretmem_probe());
	pattern_make(self->pattern);
	self->plain = plain_open(2);
	self->buf = self->plain + page_size();
	memcpy(self->plain, self->pattern, PATTERN_SIZE);
	ASSERT_EQ(0, secretmem_open(&self->secret, page_size()));
	memcpy(self->secret.map, self->pattern, PATTERN_SIZE);
}

FIXTURE_TEARDOWN(unreadable)
{
	secretmem_close(&self->secret);
	munmap(self->plain, 2 * page_size());
}

TEST_F(unreadable, refused)
{
	ssize_t n = variant->try(self->plain, self->buf, PATTERN_SIZE, variant->back);

	ASSERT_EQ(PATTERN_SIZE, n)
		TH_LOG("an ordinary page gave %zd, so a refusal would prove nothing", n);

	memset(self->buf, 0, PATTERN_SIZE);
	n = variant->try(self->secret.map, self->buf, PATTERN_SIZE, variant->back);
	EXPECT_EQ(-variant->refusal, n)
		TH_LOG("a secretmem page gave %zd", n);
	EXPECT_NE(0, memcmp(self->buf, self->pattern, PATTERN_SIZE))
		TH_LOG("the secret came out");
	EXPECT_EQ(0, memcmp(self->secret.map, self->pattern, PATTERN_SIZE))
		TH_LOG("the secret changed");
}

/* A file that is read and written by DMA: some filesystems take O_DIRECT and copy. */
static int direct_file_open(const char *dir)
{
	struct statx st;
	int fd;

	fd = open(dir, O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (!statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) && st.stx_mask & STATX_DIOALIGN &&
	    st.stx_dio_mem_align && st.stx_dio_mem_align <= page_size() &&
	    st.stx_dio_offset_align <= page_size())
		return fd;
	close(fd);
	return -1;
}

static int direct_file_find(void)
{
	const char *tmpdir = getenv("TMPDIR");
	const char *const dirs[] = { tmpdir ? tmpdir : "/tmp", "/var/tmp", ".", };
	int fd = -1;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dirs) && fd < 0; i++)
		fd = direct_file_open(dirs[i]);
	return fd;
}

FIXTURE(direct_io)
{
	struct secretmem secret;
	int fd;
	char *plain;
};

FIXTURE_SETUP(direct_io)
{
	REQUIRE(secretmem_probe());
	self->fd = direct_file_find();
	if (self->fd < 0)
		SKIP(return, "no filesystem with direct I/O at $TMPDIR, /var/tmp or here");
	self->plain = plain_open(1);
	ASSERT_EQ(0, secretmem_open(&self->secret, page_size()));
}

FIXTURE_TEARDOWN(direct_io)
{
	secretmem_close(&self->secret);
	close(self->fd);
	munmap(self->plain, page_size());
}

TEST_F(direct_io, refused)
{
	ssize_t len = page_size();

	memset(self->plain, 0x5a, len);
	memset(self->secret.map, 0xa5, len);
	ASSERT_EQ(len, pwrite(self->fd, self->plain, len, 0));
	EXPECT_EQ(-1, pwrite(self->fd, self->secret.map, len, 0));
	EXPECT_EQ(EFAULT, errno);

	/* Out of the file into the secret: what is in the file must not arrive. */
	EXPECT_EQ(-1, pread(self->fd, self->secret.map, len, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0xa5, (unsigned char)self->secret.map[0]);

	memset(self->plain, 0, len);
	ASSERT_EQ(len, pread(self->fd, self->plain, len, 0));
	EXPECT_EQ(0x5a, (unsigned char)self->plain[0])
		TH_LOG("the secret reached the file");
}

/* The beginning of a page of this process, as kcore shows it. Returns its linear address. */
static uint64_t page_read(const struct linmap *lm, const char *page, char *seen)
{
	struct linmap_pages at = {};
	uint64_t va = 0;

	linmap_pages_of(page, 1, &at);
	if (!kcore_pa_to_va(linmap_kcore(lm), at.pa[0].addr, &va))
		libmm_fail("%#" PRIx64 " is not RAM to /proc/kcore", at.pa[0].addr);
	kcore_read(linmap_kcore(lm), va, seen, PATTERN_SIZE);
	linmap_pages_free(&at);
	return va;
}

TEST_F(linear_map, unreadable_through_kcore)
{
	char pattern[PATTERN_SIZE], seen[PATTERN_SIZE];
	char *plain = plain_open(1);
	uint64_t va;

	REQUIRE(entries_probe(&self->map));

	pattern_make(pattern);
	memcpy(plain, pattern, PATTERN_SIZE);
	ASSERT_EQ(0, mlock(plain, page_size()));
	page_read(self->map.lm, plain, seen);
	ASSERT_EQ(0, memcmp(seen, pattern, PATTERN_SIZE))
		TH_LOG("kcore does not show an ordinary page, so not showing a secret proves nothing");

	linear_map_secret(&self->map, 1);
	memcpy(self->map.secret.map, pattern, PATTERN_SIZE);
	va = page_read(self->map.lm, self->map.secret.map, seen);
	EXPECT_NE(0, memcmp(seen, pattern, PATTERN_SIZE));

	/* The page goes back to the allocator without the secret in it. */
	secretmem_close(&self->map.secret);
	EXPECT_TRUE(linmap_leaf_at(self->map.lm, va).flags & KPG_PRESENT);
	kcore_read(linmap_kcore(self->map.lm), va, seen, PATTERN_SIZE);
	EXPECT_NE(0, memcmp(seen, pattern, PATTERN_SIZE));
	munmap(plain, page_size());
}

struct race {
	pthread_barrier_t *barrier;
	char *map;
	unsigned int index;
};

/* Every thread writes its own word of a page that none has faulted, all at once. */
static void *race_run(void *arg)
{
	struct race *race = arg;
	size_t i;

	for (i = 0; i < NR_RACES; i++) {
		uint64_t *words = (uint64_t *)(race->map + i * page_size());

		pthread_barrier_wait(race->barrier);
		__atomic_store_n(&words[race->index], race->index + 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void races_run(char *map)
{
	struct race races[NR_THREADS];
	pthread_barrier_t barrier;
	size_t i;

	if (pthread_barrier_init(&barrier, NULL, NR_THREADS))
		libmm_fail("pthread_barrier_init");
	for (i = 0; i < NR_THREADS; i++)
		races[i] = (struct race) { &barrier, map, i };
	linear_map_crowd(race_run, races, sizeof(*races), NR_THREADS);
	pthread_barrier_destroy(&barrier);
}

static size_t words_lost(const char *map)
{
	size_t i, t, lost = 0;

	for (i = 0; i < NR_RACES; i++)
		for (t = 0; t < NR_THREADS; t++)
			lost += ((const uint64_t *)(map + i * page_size()))[t] != t + 1;
	return lost;
}

/*
 * Threads that lose the race to insert the page give theirs back: filemap_add_folio() says
 * -EEXIST, and secretmem_fault() makes the loser's page valid again and retries.
 */
TEST_F(linear_map, many_threads_fault_one_page)
{
	uint64_t before;

	REQUIRE(secretmem_room_probe(NR_RACES * page_size()));
	before = linear_map_invalid(&self->map);

	linear_map_secret(&self->map, NR_RACES);
	races_run(self->map.secret.map);
	EXPECT_EQ(0, words_lost(self->map.secret.map))
		TH_LOG("threads that faulted one page together got different pages");

	if (!self->map.lm) {
		TH_LOG("invalid entries not counted: %s", self->map.tables.why);
		return;
	}
	EXPECT_EQ(before + NR_RACES, linear_map_invalid(&self->map));
	secretmem_close(&self->map.secret);
	EXPECT_EQ(before, linear_map_invalid(&self->map));
}

/*
 * How the kernel maps its memory: what a comparison of two kernels must state first. Three modes
 * make sense, and the test fails on any other:
 *   pages     every entry maps one page, permissions change freely
 *   blocks    blocks, split where permissions change; on arm64 only with BBML2
 *   static    blocks, and permissions cannot change: the kernel refuses memfd_secret(2)
 */
static const char *mode_name(bool blocks, bool changes)
{
	if (changes)
		return blocks ? "blocks, split on demand" : "pages";
	return blocks ? "static blocks" : "static pages";
}

/* arm64 may keep the alias of the image in blocks where all else is pages: it never changes. */
static bool is_image_alias(const struct linmap *lm, const struct kpg_leaf *leaf)
{
	const struct kcore *kc = linmap_kcore(lm);
	uint64_t start, end, first, last;

	return linmap_range(lm, "image", &start, &end).answer == PROBE_YES &&
	       kcore_va_to_pa(kc, start, &first) && kcore_va_to_pa(kc, end - 1, &last) &&
	       leaf->pa <= last && leaf->pa + leaf->nr * leaf->size > first;
}

static bool blocks_exist(const struct linmap *lm)
{
	struct linmap_snap snap;
	bool found = false;
	size_t i;

	linmap_snap(lm, "linear", &snap);
	for (i = 0; i < snap.nr && !found; i++) {
		const struct kpg_leaf *leaf = &snap.leaf[i];

		found = (leaf->level > KPG_PTE || leaf->flags & KPG_CONTIGUOUS) &&
			!is_image_alias(lm, leaf);
	}
	linmap_snap_free(&snap);
	return found;
}

/* Whether memfd_secret(2) tells the mode: it is refused where permissions cannot change, too. */
static struct probe secretmem_tells(int err)
{
	char enabled[8] = "";

	if (err && err != -ENOSYS)
		return secretmem_probe();
	if (kconfig_value("CONFIG_SECRETMEM") == 'n')
		return probe_no("the kernel has no CONFIG_SECRETMEM");
	__sysfile_read("/sys/module/secretmem/parameters/enable", enabled, sizeof(enabled));
	if (enabled[0] == 'N')
		return probe_no("secretmem.enable=0 is on the kernel command line");
	return probe_yes();
}

TEST_F(linear_map, mode)
{
	int err = secretmem_open(&self->map.secret, page_size());
	bool blocks, changes = !err;
	struct directmap dm;
	struct probe bbml2;

	REQUIRE(probe_root());
	REQUIRE(secretmem_tells(err));
	if (!self->map.lm && directmap_read(&dm))
		SKIP(return, "%s, and the kernel has no DirectMap counters", self->map.tables.why);

	blocks = self->map.lm ? blocks_exist(self->map.lm) :
				dm.bytes[DIRECTMAP_2M] || dm.bytes[DIRECTMAP_1G];
	TH_LOG("linear map: %s", mode_name(blocks, changes));

	EXPECT_TRUE(changes || blocks)
		TH_LOG("the linear map pays for pages and cannot change them");
	if (!self->map.lm || !linear_map_is_arm64(self->map.lm))
		return;

	/* Splitting a live block is safe with BBML2 only. */
	bbml2 = bbml2_probe();
	if (changes && blocks) {
		EXPECT_NE(PROBE_NO, bbml2.answer)
			TH_LOG("blocks that may be split, but %s", bbml2.why);
	}
	/* With BBML2 there is no reason for pages but debugging. */
	if (bbml2.answer == PROBE_YES && !blocks) {
		EXPECT_NE('n', kconfig_value("CONFIG_DEBUG_PAGEALLOC"))
			TH_LOG("BBML2 is in use and the linear map is mapped by pages all the same");
	}
}

/* From /proc/kallsyms. Returns 0 or -errno; -ENOENT also when addresses are hidden. */
static int symbol_find(const char *name, uint64_t *value)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], symbol[256];
	int ret = -ENOENT;

	if (!f)
		return -errno;
	while (ret && fgets(line, sizeof(line), f))
		if (sscanf(line, "%" SCNx64 " %*c %255s", value, symbol) == 2 &&
		    !strcmp(symbol, name) && *value)
			ret = 0;
	fclose(f);
	return ret;
}

/* Read the linear alias of the image's [@from, @to), cut to whole pages inside. */
static void alias_snap(const struct linmap *lm, uint64_t from, uint64_t to,
		       struct linmap_snap *snap)
{
	const struct kcore *kc = linmap_kcore(lm);
	uint64_t first_pa, last_pa, first, last, page = page_size();

	from = (from + page - 1) / page * page;
	to = to / page * page;
	*snap = (struct linmap_snap) {};
	if (kcore_va_to_pa(kc, from, &first_pa) && kcore_va_to_pa(kc, to - 1, &last_pa) &&
	    kcore_pa_to_va(kc, first_pa, &first) && kcore_pa_to_va(kc, last_pa, &last))
		linmap_snap_between(lm, first, last + 1, snap);
}

/* No where rodata=off made the image writable. */
static struct probe image_protected(const struct linmap *lm)
{
	uint64_t text;

	if (!kcore_symbol(linmap_kcore(lm), "_stext", &text) &&
	    !(linmap_leaf_at(lm, text).flags & KPG_READONLY))
		return probe_no("the kernel image itself is writable (rodata=off)");
	return probe_yes();
}

FIXTURE(image_alias)
{
	struct linmap *lm;
};

FIXTURE_VARIANT(image_alias)
{
	const char *from;
	const char *to;
};

FIXTURE_VARIANT_ADD(image_alias, text) { .from = "_stext", .to = "_etext" };
FIXTURE_VARIANT_ADD(image_alias, rodata) { .from = "__start_rodata", .to = "__end_rodata" };

FIXTURE_SETUP(image_alias)
{
	REQUIRE(probe_root());
	REQUIRE(linmap_open(&self->lm));
	REQUIRE(image_protected(self->lm));
}

FIXTURE_TEARDOWN(image_alias)
{
	linmap_close(self->lm);
}

/* The image is read-only where it runs; through its alias in the linear map it must be, too. */
TEST_F(image_alias, read_only)
{
	uint64_t from, to, entries, writable;
	struct linmap_snap snap;

	if (symbol_find(variant->from, &from) || symbol_find(variant->to, &to))
		SKIP(return, "/proc/kallsyms does not give %s and %s: set kernel.kptr_restrict below 2",
		     variant->from, variant->to);

	alias_snap(self->lm, from, to, &snap);
	entries = linmap_snap_count(&snap, 0, 0);
	ASSERT_LT(0, entries) TH_LOG("the image has no alias in the linear map");
	writable = linmap_snap_count(&snap, KPG_PRESENT | KPG_READONLY, KPG_PRESENT);
	EXPECT_EQ(0, writable)
		TH_LOG("%" PRIu64 " of %" PRIu64 " entries of its alias can be written", writable,
		       entries);
	linmap_snap_free(&snap);
}

FIXTURE(write_xor_execute)
{
	struct linmap *lm;
};

FIXTURE_VARIANT(write_xor_execute)
{
	const char *range;
};

FIXTURE_VARIANT_ADD(write_xor_execute, linear) { .range = "linear" };
FIXTURE_VARIANT_ADD(write_xor_execute, image) { .range = "image" };
FIXTURE_VARIANT_ADD(write_xor_execute, modules) { .range = "modules" };
FIXTURE_VARIANT_ADD(write_xor_execute, vmalloc) { .range = "vmalloc" };

FIXTURE_SETUP(write_xor_execute)
{
	uint64_t start, end;

	REQUIRE(probe_root());
	REQUIRE(linmap_open(&self->lm));
	REQUIRE(image_protected(self->lm));
	REQUIRE(linmap_range(self->lm, variant->range, &start, &end));
}

FIXTURE_TEARDOWN(write_xor_execute)
{
	linmap_close(self->lm);
}

TEST_F(write_xor_execute, holds)
{
	const unsigned int mask = KPG_PRESENT | KPG_READONLY | KPG_NOEXEC;
	struct linmap_snap snap;
	uint64_t both;

	linmap_snap(self->lm, variant->range, &snap);
	if (!snap.nr)
		SKIP(return, "nothing is mapped in %s", variant->range);
	both = linmap_snap_count(&snap, mask, KPG_PRESENT);
	EXPECT_EQ(0, both)
		TH_LOG("%" PRIu64 " entries of %s can be written and executed", both,
		       variant->range);
	linmap_snap_free(&snap);
}

TEST_HARNESS_MAIN
