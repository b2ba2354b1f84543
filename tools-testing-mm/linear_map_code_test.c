// SPDX-License-Identifier: GPL-2.0
/*
 * Code that the kernel makes read-only where it runs is read-only through the linear map too, and
 * what is given back is writable again: BPF programs, modules, whatever executes.
 *
 * Method: the page tables of vmalloc and modules, through /proc/kcore, say which physical pages are
 * protected; the linear map's entries of the same pages must not be writable
 * (set_memory_ro() on arm64 with rodata=full semantics, cpa_process_alias() on x86; back through
 * vm_reset_perms() in mm/vmalloc.c). A program is a classic socket filter, which the kernel
 * interprets with net.core.bpf_jit_enable=0 and compiles with 1. A packet goes through each.
 *
 * Limits: needs /proc/kcore. Programs are freed by RCU and a workqueue: the test waits for the
 * result itself, for TIMEOUT_S at most. The module test changes what is loaded, so it must be
 * allowed (LIBMM_DESTRUCTIVE=1). It takes the first of a list of modules that only define
 * functions.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <libmm/bpfprog.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

#include <libmm/harness.h>

#include "linear_map.h"

#define NR_FILTERS	8
#define PACKET_BYTES	64
/* Long ones, of 12 KiB of machine code: three areas of 2 MiB, and fewer than 1024 open files. */
#define FILTERS_MAX	512
#define FILTERS_STEP	64
#define TIMEOUT_S	60
#define JIT_ENABLE	"/proc/sys/net/core/bpf_jit_enable"

/* Add the pages of RAM that @snap maps with @flags, of those in @mask. */
static void snap_pages(const struct linmap *lm, const struct linmap_snap *snap, unsigned int mask,
		       unsigned int flags, struct linmap_pages *pages)
{
	uint64_t image = 0, image_end = 0, at, va;
	size_t i;

	/* The image, which arm64 has in vmalloc, is linear_map_test's. */
	linmap_range(lm, "image", &image, &image_end);
	for (i = 0; i < snap->nr; i++) {
		const struct kpg_leaf *leaf = &snap->leaf[i];

		if ((leaf->flags & mask) != flags)
			continue;
		for (at = 0; at < leaf->size * leaf->nr; at += page_size())
			if ((leaf->va + at < image || leaf->va + at >= image_end) &&
			    kcore_pa_to_va(linmap_kcore(lm), leaf->pa + at, &va))
				linmap_pages_add(pages, (struct phys) { leaf->pa + at });
	}
}

/* Pages of RAM that vmalloc and modules map with @flags, of those in @mask. */
static struct linmap_pages pages_find(const struct linmap *lm, unsigned int mask,
				      unsigned int flags)
{
	static const char *const ranges[] = { "vmalloc", "modules" };
	struct linmap_pages pages = {};
	struct linmap_snap snap;
	uint64_t start, end;
	size_t r;

	for (r = 0; r < ARRAY_SIZE(ranges); r++) {
		if (linmap_range(lm, ranges[r], &start, &end).answer != PROBE_YES)
			continue;
		linmap_snap_between(lm, start, end, &snap);
		snap_pages(lm, &snap, mask | KPG_PRESENT, flags | KPG_PRESENT, &pages);
		linmap_snap_free(&snap);
	}
	linmap_pages_sort(&pages);
	return pages;
}

static struct linmap_pages executable_find(const struct linmap *lm)
{
	return pages_find(lm, KPG_NOEXEC, 0);
}

static struct linmap_pages readonly_find(const struct linmap *lm)
{
	return pages_find(lm, KPG_READONLY, KPG_READONLY);
}

static size_t aliases_writable(const struct linmap *lm, const struct linmap_pages *pages)
{
	return linmap_pages_count(pages, lm, KPG_PRESENT | KPG_READONLY, KPG_PRESENT);
}

static uint64_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/*
 * Wait until every page that vmalloc and modules no longer protect is writable through the linear
 * map. Returns how many are not after TIMEOUT_S. A page that they still protect belongs to a cache
 * of executable memory (x86), and must not be writable then.
 */
static size_t aliases_wait(const struct linmap *lm, const struct linmap_pages *pages)
{
	uint64_t deadline = now_s() + TIMEOUT_S;
	size_t i, wrong;

	do {
		struct linmap_pages kept = readonly_find(lm);

		wrong = 0;
		for (i = 0; i < pages->nr; i++) {
			struct linmap_pages one = { &pages->pa[i], 1, 0 };

			wrong += aliases_writable(lm, &one) ==
				 linmap_pages_any(&kept, pages->pa[i], page_size());
		}
		linmap_pages_free(&kept);
		sched_yield();
	} while (wrong && now_s() < deadline);
	return wrong;
}

/*
 * Whether all code can be seen, and aliases are expected to be protected: not in a kernel that was
 * told so (rodata=) and does so. One that was told nothing must protect them.
 */
static struct probe code_probe(const struct linmap *lm)
{
	struct linmap_pages code;
	char cmdline[4096] = "";
	uint64_t start, end;
	struct probe probe;
	bool unprotected;

	/* Modules may be part of vmalloc; without vmalloc, programs would be looked for in vain. */
	probe = linmap_range(lm, "vmalloc", &start, &end);
	if (probe.answer != PROBE_YES)
		return probe;
	code = executable_find(lm);
	unprotected = code.nr && aliases_writable(lm, &code) == code.nr;
	linmap_pages_free(&code);
	__sysfile_read("/proc/cmdline", cmdline, sizeof(cmdline));
	if (unprotected && strstr(cmdline, "rodata="))
		return probe_no("rodata= on the command line leaves aliases writable");
	return probe_yes();
}

FIXTURE(executable)
{
	struct linmap *lm;
};

FIXTURE_SETUP(executable)
{
	REQUIRE(probe_root());
	REQUIRE(linmap_open(&self->lm));
	REQUIRE(code_probe(self->lm));
}

FIXTURE_TEARDOWN(executable)
{
	linmap_close(self->lm);
}

TEST_F(executable, has_no_writable_alias)
{
	struct linmap_pages code = executable_find(self->lm);
	size_t writable = aliases_writable(self->lm, &code);

	if (!code.nr)
		SKIP(return, "nothing but the image is executable: load a module");
	EXPECT_EQ(0, writable)
		TH_LOG("%zu of %zu executable pages can be written through the linear map",
		       writable, code.nr);
	TH_LOG("%zu executable pages outside the image", code.nr);
	linmap_pages_free(&code);
}

FIXTURE(filter)
{
	struct linmap *lm;
	int socks[FILTERS_MAX];
	size_t nr;
};

FIXTURE_VARIANT(filter)
{
	const char *jit;
	unsigned int dead;	/* instructions that make a filter long */
	size_t least;		/* new protected pages that the filters must have */
};

/* A program of its own, and so pages of its own, for each filter. */
FIXTURE_VARIANT_ADD(filter, interpreted) { .jit = "0", .least = NR_FILTERS };
/* Compiled programs share areas. One that is there with room must be filled first. */
FIXTURE_VARIANT_ADD(filter, compiled) { .jit = "1", .dead = BPFPROG_DEAD_MAX };

/* Whether this kernel can have the JIT so. It has now, then. */
static struct probe jit_set(const char *value)
{
	int ret = __restore_set(JIT_ENABLE, value, NULL);

	switch (ret) {
	case 0:
		return probe_yes();
	case -ENOENT:
		return probe_no("the kernel has no net.core.bpf_jit_enable: CONFIG_BPF_JIT is not set");
	case -EINVAL:
		return probe_no("the kernel never interprets programs: CONFIG_BPF_JIT_ALWAYS_ON is set");
	default:
		libmm_fail("setting %s to %s: %s", JIT_ENABLE, value, strerror(-ret));
	}
}

FIXTURE_SETUP(filter)
{
	REQUIRE(probe_root());
	REQUIRE(bpfprog_probe());
	REQUIRE(linmap_open(&self->lm));
	REQUIRE(code_probe(self->lm));
	REQUIRE(jit_set(variant->jit));
}

static void filters_detach(struct _test_data_filter *self)
{
	while (self->nr)
		close(self->socks[--self->nr]);
}

FIXTURE_TEARDOWN(filter)
{
	filters_detach(self);
	linmap_close(self->lm);
	restore_all();
}

/* Attach one more filter, which cuts packets to a length of its own, and send one through. */
static void filter_attach(struct __test_metadata *_metadata, struct _test_data_filter *self,
			  unsigned int dead)
{
	unsigned int keep = 1 + self->nr % (PACKET_BYTES - 1);
	char packet[PACKET_BYTES] = {};
	int pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	self->socks[self->nr++] = pair[1];
	ASSERT_EQ(0, bpfprog_attach(pair[1], keep, dead));
	ASSERT_EQ(PACKET_BYTES, send(pair[0], packet, sizeof(packet), 0));
	EXPECT_EQ(keep, recv(pair[1], packet, sizeof(packet), 0))
		TH_LOG("the filter lets %u of %d bytes pass", keep, PACKET_BYTES);
	close(pair[0]);
}

/* Pages that are read-only now and were not @before. */
static struct linmap_pages readonly_added(const struct linmap *lm,
					  const struct linmap_pages *before)
{
	struct linmap_pages after = readonly_find(lm), added = {};
	size_t i;

	for (i = 0; i < after.nr; i++)
		if (!linmap_pages_any(before, after.pa[i], page_size()))
			linmap_pages_add(&added, after.pa[i]);
	linmap_pages_free(&after);
	return added;
}

TEST_F(filter, alias_is_read_only_while_attached)
{
	struct linmap_pages before = readonly_find(self->lm), added = {};
	size_t wrong, more = NR_FILTERS;

	do {
		linmap_pages_free(&added);
		while (more--)
			filter_attach(_metadata, self, variant->dead);
		added = readonly_added(self->lm, &before);
		more = FILTERS_STEP;
	} while (variant->dead && !added.nr && self->nr + more <= FILTERS_MAX);
	TH_LOG("%zu pages of %zu filters became read-only", added.nr, self->nr);
	if (variant->dead && !added.nr)
		SKIP(return, "%zu filters fit into memory that was read-only before", self->nr);
	EXPECT_LE(variant->least, added.nr);
	wrong = aliases_writable(self->lm, &added);
	EXPECT_EQ(0, wrong)
		TH_LOG("%zu of %zu can be written through the linear map", wrong, added.nr);

	filters_detach(self);
	wrong = aliases_wait(self->lm, &added);
	EXPECT_EQ(0, wrong)
		TH_LOG("%zu of %zu pages are not back %d s after release", wrong, added.nr,
		       TIMEOUT_S);
	linmap_pages_free(&before);
	linmap_pages_free(&added);
}

/* Modules that only offer functions: loading one does nothing else. */
static const char *const harmless[] = {
	"ts_kmp", "ts_fsm", "ts_bm", "reed_solomon", "lru_cache", "crc7",
};

static bool module_loaded(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}

static bool module_probe(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), "modprobe -q %s 2>/dev/null", name);
	return !system(command);
}

/* Load one that was not there. Returns its name, or NULL. */
static const char *module_load(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(harmless); i++)
		if (!module_loaded(harmless[i]) && module_probe(harmless[i]) &&
		    module_loaded(harmless[i]))
			return harmless[i];
	return NULL;
}

static int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/* Where the module's section begins, and the physical page of that. Returns 0 or -errno. */
static int section_find(const struct linmap *lm, const char *module, const char *section,
			uint64_t *va, struct phys *pa)
{
	struct kpg_leaf leaf;
	char path[256];
	int ret;

	snprintf(path, sizeof(path), "/sys/module/%s/sections/%s", module, section);
	ret = __sysfile_read_u64(path, va);
	if (ret)
		return ret;
	leaf = linmap_leaf_at(lm, *va);
	if (!(leaf.flags & KPG_PRESENT))
		return -EFAULT;
	pa->addr = (leaf.pa + (*va - leaf.va)) / page_size() * page_size();
	return 0;
}

FIXTURE(module)
{
	struct linmap *lm;
	const char *name;
};

FIXTURE_SETUP(module)
{
	REQUIRE(probe_root());
	REQUIRE(probe_destructive());
	REQUIRE(linmap_open(&self->lm));
	REQUIRE(code_probe(self->lm));
	self->name = module_load();
	if (!self->name)
		SKIP(return, "none of the modules ts_kmp, ts_fsm, ts_bm, reed_solomon... can be loaded");
}

FIXTURE_TEARDOWN(module)
{
	if (self->name)
		module_unload(self->name);
	linmap_close(self->lm);
}

TEST_F(module, alias_is_read_only_while_loaded)
{
	static const char *const sections[] = { ".text", ".rodata", ".rodata.str1.8" };
	uint64_t va[ARRAY_SIZE(sections)];
	struct linmap_pages pages = {};
	size_t i, nr = 0, wrong;
	struct phys pa;

	for (i = 0; i < ARRAY_SIZE(sections); i++) {
		if (section_find(self->lm, self->name, sections[i], &va[nr], &pa))
			continue;
		linmap_pages_add(&pages, pa);
		nr++;
	}
	ASSERT_LT(0, nr) TH_LOG("/sys/module/%s/sections shows nothing", self->name);
	linmap_pages_sort(&pages);
	wrong = aliases_writable(self->lm, &pages);
	EXPECT_EQ(0, wrong)
		TH_LOG("%zu of %zu pages of %s can be written through the linear map", wrong,
		       pages.nr, self->name);

	ASSERT_EQ(0, module_unload(self->name));
	self->name = NULL;
	/* x86 keeps its code's memory in a cache (EXECMEM_ROX_CACHE). */
	for (i = 0; i < nr && linear_map_is_arm64(self->lm); i++) {
		EXPECT_FALSE(linmap_leaf_at(self->lm, va[i]).flags & KPG_PRESENT)
			TH_LOG("what was unloaded is still mapped");
	}
	wrong = aliases_wait(self->lm, &pages);
	EXPECT_EQ(0, wrong)
		TH_LOG("%zu of %zu pages are not back %d s after unloading", wrong, pages.nr,
		       TIMEOUT_S);
	linmap_pages_free(&pages);
}

TEST_HARNESS_MAIN
