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
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <libmm/census.h>
#include <libmm/directmap.h>
#include <libmm/kpgwalk.h>
#include <libmm/linmap.h>
#include <libmm/linmap_model.h>
#include <libmm/pagemap.h>
#include <libmm/require.h>
#include <libmm/secretmem.h>
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
	struct secretmem secret;
};

FIXTURE_SETUP(linear_map)
{
	linear_map_open(&self->map);
	self->secret.map = NULL;
}

FIXTURE_TEARDOWN(linear_map)
{
	if (self->secret.map)
		secretmem_close(&self->secret);
	linear_map_close(&self->map);
}

static size_t pages_not(const struct linmap *lm, const struct linmap_pages *pages,
			unsigned int flags)
{
	size_t i, wrong = 0;

	for (i = 0; i < pages->nr; i++) {
		struct kpg_path path;

		kpgtable_lookup(linmap_tables(lm), pages->va[i], &path);
		if (path.step[path.nr - 1].entry.kind != KPG_LEAF ||
		    (path.leaf.flags & (KPG_PRESENT | KPG_INVALID | KPG_READONLY)) != flags)
			wrong++;
	}
	return wrong;
}

TEST_F(linear_map, secretmem_invalid_while_held)
{
	const char *reason = linear_map_missing(&self->map, "root,secretmem", true);
	struct linmap_pages pages;
	size_t i, present = 0;

	if (reason)
		SKIP(return, "%s", reason);

	ASSERT_EQ(0, secretmem_open(&self->secret, NR_PAGES * page_size()));
	secretmem_fault(&self->secret);
	linmap_pages_of(self->map.lm, self->secret.map, NR_PAGES, &pages);
	EXPECT_EQ(NR_PAGES, pages.nr);
	for (i = 0; i < pages.nr; i++) {
		struct kpg_path path;

		kpgtable_lookup(linmap_tables(self->map.lm), pages.va[i], &path);
		present += !!(path.leaf.flags & KPG_PRESENT);
	}
	EXPECT_EQ(0, present)
		TH_LOG("%zu of %u held pages can be read through the linear map", present,
		       NR_PAGES);
	linmap_pages_free(&pages);
}

TEST_F(linear_map, secretmem_valid_after_close)
{
	const char *reason = linear_map_missing(&self->map, "root,secretmem", true);
	struct linmap_pages pages;
	size_t wrong;

	if (reason)
		SKIP(return, "%s", reason);

	ASSERT_EQ(0, secretmem_open(&self->secret, NR_PAGES * page_size()));
	secretmem_fault(&self->secret);
	linmap_pages_of(self->map.lm, self->secret.map, NR_PAGES, &pages);
	secretmem_close(&self->secret);

	/* Free pages: present and writable, or whoever gets one next faults. */
	wrong = pages_not(self->map.lm, &pages, KPG_PRESENT);
	EXPECT_EQ(0, wrong)
		TH_LOG("%zu of %u released pages are not back", wrong, NR_PAGES);
	linmap_pages_free(&pages);
}

TEST_F(linear_map, neighbours_keep_mapping_and_permissions)
{
	const char *reason = linear_map_missing(&self->map, "root,secretmem", true);
	struct linmap_snap before, held, after;
	const struct kpg_geometry *geo;
	struct linmap_pages pages;
	char why[256] = "";
	size_t wrong;

	if (reason)
		SKIP(return, "%s", reason);
	geo = linmap_geometry(self->map.lm);

	linmap_snap(self->map.lm, "linear", &before);
	ASSERT_EQ(0, secretmem_open(&self->secret, NR_PAGES * page_size()));
	secretmem_fault(&self->secret);
	linmap_pages_of(self->map.lm, self->secret.map, NR_PAGES, &pages);
	linmap_snap(self->map.lm, "linear", &held);
	secretmem_close(&self->secret);
	linmap_snap(self->map.lm, "linear", &after);

	wrong = linmap_model_check(geo, &before, &held, &pages, true, why, sizeof(why));
	EXPECT_EQ(0, wrong) TH_LOG("while held, %zu entries are wrong: %s", wrong, why);
	wrong = linmap_model_check(geo, &before, &after, &pages, false, why, sizeof(why));
	EXPECT_EQ(0, wrong) TH_LOG("after release, %zu entries are wrong: %s", wrong, why);

	linmap_pages_free(&pages);
	linmap_snap_free(&before);
	linmap_snap_free(&held);
	linmap_snap_free(&after);
}

/*
 * Ways into memory that go through the kernel. Each returns how many bytes came out or went in, or
 * -errno. The kernel must refuse all of them for a secretmem page: get_user_pages() does not
 * hand out its pages (check_vma_flags() in mm/gup.c), and the linear map does not have them.
 */
struct way {
	const char *name;
	ssize_t (*try)(char *page, char *buf, size_t len);
	int refusal;		/* what the kernel says for secretmem */
};

static ssize_t result(ssize_t n)
{
	return n < 0 ? -errno : n;
}

static ssize_t way_vm_readv(char *page, char *buf, size_t len)
{
	struct iovec local = { buf, len }, remote = { page, len };

	return result(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}

static ssize_t way_vm_writev(char *page, char *buf, size_t len)
{
	struct iovec local = { buf, len }, remote = { page, len };

	return result(process_vm_writev(getpid(), &local, 1, &remote, 1, 0));
}

static ssize_t way_mem(char *page, char *buf, size_t len, bool out)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (out)
		n = result(pread(fd, buf, len, (uintptr_t)page));
	else
		n = result(pwrite(fd, buf, len, (uintptr_t)page));
	close(fd);
	return n;
}

static ssize_t way_mem_read(char *page, char *buf, size_t len)
{
	return way_mem(page, buf, len, true);
}

static ssize_t way_mem_write(char *page, char *buf, size_t len)
{
	return way_mem(page, buf, len, false);
}

static ssize_t way_vmsplice(char *page, char *buf, size_t len)
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

static const struct way ways[] = {
	{ "process_vm_readv", way_vm_readv, EFAULT },
	{ "process_vm_writev", way_vm_writev, EFAULT },
	{ "vmsplice", way_vmsplice, EFAULT },
	{ "proc_self_mem_read", way_mem_read, EIO },
	{ "proc_self_mem_write", way_mem_write, EIO },
};

static void pattern_make(char *pattern)
{
	if (getrandom(pattern, PATTERN_SIZE, 0) != PATTERN_SIZE) {
		perror("getrandom");
		abort();
	}
}

FIXTURE(unreadable)
{
	struct secretmem secret;
	char pattern[PATTERN_SIZE];
	char *plain;		/* an ordinary page with the pattern: the control */
	char *buf;		/* a page that holds no pattern */
};

FIXTURE_VARIANT(unreadable)
{
	size_t way;
};

FIXTURE_VARIANT_ADD(unreadable, process_vm_readv) { .way = 0 };
FIXTURE_VARIANT_ADD(unreadable, process_vm_writev) { .way = 1 };
FIXTURE_VARIANT_ADD(unreadable, vmsplice) { .way = 2 };
FIXTURE_VARIANT_ADD(unreadable, proc_self_mem_read) { .way = 3 };
FIXTURE_VARIANT_ADD(unreadable, proc_self_mem_write) { .way = 4 };

FIXTURE_SETUP(unreadable)
{
	const int prot = PROT_READ | PROT_WRITE;

	pattern_make(self->pattern);
	self->secret.map = NULL;
	self->plain = mmap(NULL, 2 * page_size(), prot,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->plain);
	self->buf = self->plain + page_size();
	memcpy(self->plain, self->pattern, PATTERN_SIZE);
	if (require_need("secretmem"))
		return;
	ASSERT_EQ(0, secretmem_open(&self->secret, page_size()));
	secretmem_fault(&self->secret);
	memcpy(self->secret.map, self->pattern, PATTERN_SIZE);
}

FIXTURE_TEARDOWN(unreadable)
{
	if (self->secret.map)
		secretmem_close(&self->secret);
	munmap(self->plain, 2 * page_size());
}

TEST_F(unreadable, refused)
{
	const struct way *way = &ways[variant->way];
	const char *reason = require_need("secretmem");
	ssize_t n;

	if (reason)
		SKIP(return, "%s", reason);

	n = way->try(self->plain, self->buf, PATTERN_SIZE);
	ASSERT_EQ(PATTERN_SIZE, n)
		TH_LOG("%s on an ordinary page gave %zd, so its refusal would prove nothing",
		       way->name, n);

	memset(self->buf, 0, PATTERN_SIZE);
	n = way->try(self->secret.map, self->buf, PATTERN_SIZE);
	EXPECT_EQ(-way->refusal, n)
		TH_LOG("%s on a secretmem page gave %zd", way->name, n);
	EXPECT_NE(0, memcmp(self->buf, self->pattern, PATTERN_SIZE))
		TH_LOG("%s brought the secret out", way->name);
	EXPECT_EQ(0, memcmp(self->secret.map, self->pattern, PATTERN_SIZE))
		TH_LOG("%s changed the secret", way->name);
}

/* A file that is really read and written by DMA: some filesystems take O_DIRECT and copy. */
static int direct_file_open(const char *dir, size_t *align)
{
	struct statx st;
	int fd;

	fd = open(dir, O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) ||
	    !(st.stx_mask & STATX_DIOALIGN) || !st.stx_dio_mem_align ||
	    st.stx_dio_mem_align > page_size() || st.stx_dio_offset_align > page_size()) {
		close(fd);
		return -EOPNOTSUPP;
	}
	*align = page_size();
	return fd;
}

static int direct_file_find(size_t *align)
{
	const char *tmpdir = getenv("TMPDIR");
	const char *const dirs[] = { tmpdir ? tmpdir : "/tmp", "/var/tmp", ".", };
	int fd = -ENOENT;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		fd = direct_file_open(dirs[i], align);
		if (fd >= 0)
			return fd;
	}
	return fd;
}

FIXTURE(direct_io)
{
	struct secretmem secret;
	int fd;
	size_t len;
	char *plain;
};

FIXTURE_SETUP(direct_io)
{
	self->secret.map = NULL;
	self->fd = direct_file_find(&self->len);
	self->plain = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	ASSERT_NE(MAP_FAILED, self->plain);
	memset(self->plain, 0x5a, page_size());
	if (require_need("secretmem"))
		return;
	ASSERT_EQ(0, secretmem_open(&self->secret, page_size()));
	secretmem_fault(&self->secret);
}

FIXTURE_TEARDOWN(direct_io)
{
	if (self->secret.map)
		secretmem_close(&self->secret);
	if (self->fd >= 0)
		close(self->fd);
	munmap(self->plain, page_size());
}

TEST_F(direct_io, refused)
{
	const char *reason = require_need("secretmem");

	if (reason)
		SKIP(return, "%s", reason);
	if (self->fd < 0)
		SKIP(return, "no filesystem with direct I/O at $TMPDIR, /var/tmp or here");

	memset(self->secret.map, 0xa5, self->len);
	ASSERT_EQ((ssize_t)self->len, pwrite(self->fd, self->plain, self->len, 0));
	EXPECT_EQ(-1, pwrite(self->fd, self->secret.map, self->len, 0));
	EXPECT_EQ(EFAULT, errno);

	/* Out of the file into the secret: what is in the file must not arrive. */
	EXPECT_EQ(-1, pread(self->fd, self->secret.map, self->len, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0xa5, (unsigned char)self->secret.map[0]);

	memset(self->plain, 0, self->len);
	ASSERT_EQ((ssize_t)self->len, pread(self->fd, self->plain, self->len, 0));
	EXPECT_EQ(0x5a, (unsigned char)self->plain[0])
		TH_LOG("the secret reached the file");
}

/* Through the linear map itself: kcore reads what is mapped, and zeros where nothing is. */
TEST_F(linear_map, unreadable_through_kcore)
{
	const char *reason = linear_map_missing(&self->map, "root,secretmem", true);
	char pattern[PATTERN_SIZE], seen[PATTERN_SIZE];
	const struct kcore *kc;
	struct linmap_pages at;
	char *plain;

	if (reason)
		SKIP(return, "%s", reason);

	pattern_make(pattern);
	kc = kpgtable_kcore(linmap_tables(self->map.lm));
	plain = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	ASSERT_NE(MAP_FAILED, plain);
	memcpy(plain, pattern, PATTERN_SIZE);
	linmap_pages_of(self->map.lm, plain, 1, &at);
	kcore_read(kc, at.va[0], seen, PATTERN_SIZE);
	ASSERT_EQ(0, memcmp(seen, pattern, PATTERN_SIZE))
		TH_LOG("kcore does not show an ordinary page, so not showing a secret proves nothing");
	linmap_pages_free(&at);

	ASSERT_EQ(0, secretmem_open(&self->secret, page_size()));
	secretmem_fault(&self->secret);
	memcpy(self->secret.map, pattern, PATTERN_SIZE);
	linmap_pages_of(self->map.lm, self->secret.map, 1, &at);
	kcore_read(kc, at.va[0], seen, PATTERN_SIZE);
	EXPECT_NE(0, memcmp(seen, pattern, PATTERN_SIZE));

	/* The page goes back to the allocator without the secret in it. */
	secretmem_close(&self->secret);
	kcore_read(kc, at.va[0], seen, PATTERN_SIZE);
	EXPECT_NE(0, memcmp(seen, pattern, PATTERN_SIZE));
	linmap_pages_free(&at);
	munmap(plain, page_size());
}

struct race {
	pthread_barrier_t *barrier;
	char *map;
	unsigned int index;
	size_t bad;
};

/* Every thread writes its own word of a page that none has faulted, all at once. */
static void *race_run(void *arg)
{
	struct race *race = arg;
	size_t i;

	for (i = 0; i < NR_RACES; i++) {
		uint64_t *word = (uint64_t *)(race->map + i * page_size()) + race->index;

		pthread_barrier_wait(race->barrier);
		__atomic_store_n(word, race->index + 1, __ATOMIC_RELAXED);
		pthread_barrier_wait(race->barrier);
		word -= race->index;
		race->bad += __atomic_load_n(word, __ATOMIC_RELAXED) != 1;
	}
	return NULL;
}

static size_t races_run(struct secretmem *secret)
{
	struct race races[NR_THREADS];
	pthread_t threads[NR_THREADS];
	pthread_barrier_t barrier;
	size_t i, bad = 0;

	if (pthread_barrier_init(&barrier, NULL, NR_THREADS))
		abort();
	for (i = 0; i < NR_THREADS; i++) {
		races[i] = (struct race) { &barrier, secret->map, i, 0 };
		if (pthread_create(&threads[i], NULL, race_run, &races[i])) {
			perror("pthread_create");
			abort();
		}
	}
	for (i = 0; i < NR_THREADS; i++) {
		if (pthread_join(threads[i], NULL))
			abort();
		bad += races[i].bad;
	}
	pthread_barrier_destroy(&barrier);
	return bad;
}

static size_t words_lost(const struct secretmem *secret)
{
	size_t i, lost = 0;
	unsigned int t;

	for (i = 0; i < NR_RACES; i++) {
		const uint64_t *words = (const uint64_t *)(secret->map + i * page_size());

		for (t = 0; t < NR_THREADS; t++)
			lost += words[t] != t + 1;
	}
	return lost;
}

static uint64_t invalid_pages(const struct linmap *lm)
{
	struct census census;

	census_take(linmap_tables(lm), "linear", &census);
	return census_leaves(&census, CENSUS_INVALID);
}

/*
 * Threads that lose the race to insert the page give theirs back: filemap_add_folio() says
 * -EEXIST, and secretmem_fault() makes the loser's page valid again and retries.
 */
TEST_F(linear_map, many_threads_fault_one_page)
{
	const char *reason = linear_map_missing(&self->map, "secretmem", false);
	uint64_t before = 0;

	if (reason)
		SKIP(return, "%s", reason);
	if (self->map.lm)
		before = invalid_pages(self->map.lm);

	ASSERT_EQ(0, secretmem_open(&self->secret, NR_RACES * page_size()));
	EXPECT_EQ(0, races_run(&self->secret));
	EXPECT_EQ(0, words_lost(&self->secret))
		TH_LOG("threads that faulted one page together got different pages");

	if (!self->map.lm) {
		TH_LOG("invalid entries not counted: %s", self->map.no_kcore);
		return;
	}
	EXPECT_EQ(before + NR_RACES, invalid_pages(self->map.lm));
	secretmem_close(&self->secret);
	EXPECT_EQ(before, invalid_pages(self->map.lm));
}

/*
 * How the kernel maps its memory: what a comparison of two kernels must state first. Three modes
 * make sense, and the test fails on any other:
 *   pages     every entry maps one page, permissions change freely
 *   blocks    blocks, split where permissions change; on arm64 only with BBML2
 *   static    blocks, and permissions cannot change: the kernel refuses memfd_secret(2)
 */
struct mode {
	bool blocks;		/* larger entries than a page, or contiguous ones, exist */
	bool changes;		/* permissions of one page can change */
};

static const char *mode_name(const struct mode *mode)
{
	if (mode->changes)
		return mode->blocks ? "blocks, split on demand" : "pages";
	return mode->blocks ? "static blocks" : "static pages";
}

/* arm64 may keep the alias of the image in blocks where all else is pages: it never changes. */
static bool is_image_alias(const struct kcore *kc, const struct kpg_leaf *leaf)
{
	uint64_t start, end, first, last;
	char reason[KCORE_REASON_MAX];

	if (census_range(kc, "image", &start, &end, reason, sizeof(reason)))
		return false;
	if (!kcore_va_to_pa(kc, start, &first) || !kcore_va_to_pa(kc, end - 1, &last))
		return false;
	return leaf->pa <= last && leaf->pa + leaf->nr * leaf->size > first;
}

static bool blocks_exist(const struct linmap *lm)
{
	const struct kcore *kc = kpgtable_kcore(linmap_tables(lm));
	struct linmap_snap snap;
	bool found = false;
	size_t i;

	linmap_snap(lm, "linear", &snap);
	for (i = 0; i < snap.nr && !found; i++) {
		const struct kpg_leaf *leaf = &snap.leaf[i];

		found = (leaf->level > KPG_PTE || leaf->flags & KPG_CONTIGUOUS) &&
			!is_image_alias(kc, leaf);
	}
	linmap_snap_free(&snap);
	return found;
}

/* NULL when secretmem can tell the mode, else what hides it. */
static const char *secretmem_hidden(void)
{
	char enabled[8];

	if (require_kconfig("CONFIG_SECRETMEM") == 'n')
		return "the kernel has no CONFIG_SECRETMEM";
	if (__sysfile_read("/sys/module/secretmem/parameters/enable", enabled,
			   sizeof(enabled)) > 0 && enabled[0] == 'N')
		return "secretmem.enable=0 is on the kernel command line";
	return NULL;
}

TEST_F(linear_map, mode)
{
	const char *reason = linear_map_missing(&self->map, "root", false);
	struct directmap dm;
	struct mode mode;

	if (!reason)
		reason = secretmem_hidden();
	if (reason)
		SKIP(return, "%s", reason);
	if (!self->map.lm && directmap_read(&dm))
		SKIP(return, "%s, and the kernel has no DirectMap counters", self->map.no_kcore);

	mode.changes = !require_need("secretmem");
	mode.blocks = self->map.lm ? blocks_exist(self->map.lm) :
				 dm.bytes[DIRECTMAP_2M] || dm.bytes[DIRECTMAP_1G];
	TH_LOG("linear map: %s", mode_name(&mode));

	EXPECT_TRUE(mode.changes || mode.blocks)
		TH_LOG("the linear map pays for pages and cannot change them");
	if (!self->map.lm || !linear_map_is_arm64(self->map.lm))
		return;

	/* Splitting a live block is safe with BBML2 only. */
	reason = require_need("bbml2");
	if (mode.changes && mode.blocks && (!reason || strncmp(reason, "unknown", 7)))
		EXPECT_EQ(NULL, reason) TH_LOG("blocks that may be split, but %s", reason);
	/* With BBML2 there is no reason for pages but a debugging one. */
	if (!reason && !mode.blocks)
		EXPECT_NE(NULL, require_need("kconfig:CONFIG_DEBUG_PAGEALLOC"))
			TH_LOG("BBML2 is in use and the linear map is mapped by pages all the same");
}

/* Kernel symbols from /proc/kallsyms. Returns 0 or -ENOENT (also when addresses are hidden). */
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

struct alias_scan {
	size_t entries;
	size_t writable;
	uint64_t first;
};

static int alias_visit(const struct kpg_leaf *leaf, void *arg)
{
	struct alias_scan *scan = arg;

	scan->entries += leaf->nr;
	if (leaf->flags & KPG_PRESENT && !(leaf->flags & KPG_READONLY)) {
		if (!scan->writable)
			scan->first = leaf->va;
		scan->writable += leaf->nr;
	}
	return 0;
}

/* Scan the linear alias of the image's [@from, @to), cut to whole pages inside. */
static void alias_scan(const struct linmap *lm, uint64_t from, uint64_t to, struct alias_scan *scan)
{
	const struct kcore *kc = kpgtable_kcore(linmap_tables(lm));
	uint64_t first_pa, last_pa, first, last, page = page_size();
	struct kpg_walk walk;

	from = (from + page - 1) / page * page;
	to = to / page * page;
	*scan = (struct alias_scan) {};
	if (!kcore_va_to_pa(kc, from, &first_pa) || !kcore_va_to_pa(kc, to - 1, &last_pa) ||
	    !kcore_pa_to_va(kc, first_pa, &first) || !kcore_pa_to_va(kc, last_pa, &last))
		return;
	kpgtable_walk(linmap_tables(lm), first, last + 1, alias_visit, scan, &walk);
}

static bool image_is_writable(const struct linmap *lm, uint64_t text)
{
	struct kpg_path path;

	kpgtable_lookup(linmap_tables(lm), text, &path);
	return !(path.leaf.flags & KPG_READONLY);
}

FIXTURE(image_alias)
{
	struct linear_map map;
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
	linear_map_open(&self->map);
}

FIXTURE_TEARDOWN(image_alias)
{
	linear_map_close(&self->map);
}

/* The image is read-only where it runs; through its alias in the linear map it must be, too. */
TEST_F(image_alias, read_only)
{
	const char *reason = linear_map_missing(&self->map, "root", true);
	struct alias_scan scan;
	uint64_t from, to;

	if (reason)
		SKIP(return, "%s", reason);
	if (symbol_find(variant->from, &from) || symbol_find(variant->to, &to))
		SKIP(return, "/proc/kallsyms does not give %s and %s: set kernel.kptr_restrict below 2",
		     variant->from, variant->to);
	if (image_is_writable(self->map.lm, from))
		SKIP(return, "the kernel image itself is writable (rodata=off)");

	alias_scan(self->map.lm, from, to, &scan);
	ASSERT_LT(0, scan.entries) TH_LOG("the image has no alias in the linear map");
	EXPECT_EQ(0, scan.writable)
		TH_LOG("%zu of %zu entries of its alias can be written, the first at %#" PRIx64,
		       scan.writable, scan.entries, scan.first);
}

FIXTURE(write_xor_execute)
{
	struct linear_map map;
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
	linear_map_open(&self->map);
}

FIXTURE_TEARDOWN(write_xor_execute)
{
	linear_map_close(&self->map);
}

TEST_F(write_xor_execute, holds)
{
	const char *reason = linear_map_missing(&self->map, "root", true);
	char why[KCORE_REASON_MAX];
	uint64_t start, end, text;
	const struct kcore *kc;
	struct census census;

	if (reason)
		SKIP(return, "%s", reason);
	kc = kpgtable_kcore(linmap_tables(self->map.lm));
	if (!kcore_symbol(kc, "_stext", &text) && image_is_writable(self->map.lm, text))
		SKIP(return, "the kernel image itself is writable (rodata=off)");
	if (census_range(kc, variant->range, &start, &end, why, sizeof(why)))
		SKIP(return, "%s", why);

	census_take(linmap_tables(self->map.lm), variant->range, &census);
	EXPECT_EQ(0, census_leaves(&census, CENSUS_WX))
		TH_LOG("%" PRIu64 " bytes of %s can be written and executed",
		       census_bytes(&census, CENSUS_WX), variant->range);
}

TEST_HARNESS_MAIN
