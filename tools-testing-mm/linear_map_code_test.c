// SPDX-License-Identifier: GPL-2.0
/*
 * Code that the kernel makes read-only where it runs is read-only through the linear map too, and
 * what is given back is writable again: BPF programs, modules, whatever executes.
 *
 * Method: the page tables of vmalloc and modules, through /proc/kcore, say which physical pages are
 * protected; the linear map's entries of the same pages must not be writable
 * (set_memory_ro() on arm64 with rodata=full semantics, cpa_process_alias() on x86; back through
 * vm_reset_perms() in mm/vmalloc.c). A program is a classic socket filter, which the kernel
 * interprets with net.core.bpf_jit_enable=0 and compiles with 1.
 *
 * Limits: needs /proc/kcore. Programs are freed by RCU and a workqueue: the test waits for the
 * result itself, for TIMEOUT_S at most. The module test changes what is loaded, so it must be
 * allowed (LIBMM_DESTRUCTIVE=1); it takes the first of a list of modules that only define functions.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libmm/bpfprog.h>
#include <libmm/census.h>
#include <libmm/fail.h>
#include <libmm/linmap.h>
#include <libmm/require.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

#include <libmm/harness.h>

#include "linear_map.h"

#define NR_FILTERS	8
#define TIMEOUT_S	60
#define JIT_ENABLE	"/proc/sys/net/core/bpf_jit_enable"

/* Physical pages, ascending. */
struct frames {
	uint64_t *pa;
	size_t nr;
	size_t room;
};

static void frames_add(struct frames *frames, uint64_t pa)
{
	if (frames->nr == frames->room) {
		frames->room = frames->room ? 2 * frames->room : 1024;
		frames->pa = reallocarray(frames->pa, frames->room, sizeof(*frames->pa));
		if (!frames->pa)
			libmm_fail("no memory for %zu page addresses", frames->room);
	}
	frames->pa[frames->nr++] = pa;
}

static void frames_free(struct frames *frames)
{
	free(frames->pa);
	*frames = (struct frames) {};
}

static int pa_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool frames_have(const struct frames *frames, uint64_t pa)
{
	return frames->nr &&
	       bsearch(&pa, frames->pa, frames->nr, sizeof(pa), pa_compare);
}

enum protection { READ_ONLY, EXECUTABLE };

static bool is_protected(const struct kpg_leaf *leaf, enum protection what)
{
	if (!(leaf->flags & KPG_PRESENT))
		return false;
	return what == READ_ONLY ? leaf->flags & KPG_READONLY : !(leaf->flags & KPG_NOEXEC);
}

static bool frame_is_ram(const struct linmap *lm, uint64_t pa)
{
	uint64_t va;

	return !__linmap_va(lm, pa / page_size(), &va);
}

/* Pages of RAM that vmalloc and modules map so; the image is linear_map_test's. */
static void frames_find(const struct linmap *lm, enum protection what, struct frames *frames)
{
	static const char *const ranges[] = { "vmalloc", "modules" };
	uint64_t start, end, image = 0, image_end = 0, va;
	const struct kcore *kc = kpgtable_kcore(linmap_tables(lm));
	char reason[KCORE_REASON_MAX];
	struct linmap_snap snap;
	size_t r, i;

	*frames = (struct frames) {};
	if (census_range(kc, "image", &image, &image_end, reason, sizeof(reason)))
		image_end = 0;
	for (r = 0; r < ARRAY_SIZE(ranges); r++) {
		if (census_range(kc, ranges[r], &start, &end, reason, sizeof(reason)))
			continue;
		linmap_snap(lm, ranges[r], &snap);
		for (i = 0; i < snap.nr; i++) {
			const struct kpg_leaf *leaf = &snap.leaf[i];
			uint64_t bytes = leaf->size * leaf->nr, at;

			if (!is_protected(leaf, what))
				continue;
			for (at = 0; at < bytes; at += page_size()) {
				va = leaf->va + at;
				if ((va < image || va >= image_end) &&
				    frame_is_ram(lm, leaf->pa + at))
					frames_add(frames, leaf->pa + at);
			}
		}
		linmap_snap_free(&snap);
	}
	if (frames->nr)
		qsort(frames->pa, frames->nr, sizeof(*frames->pa), pa_compare);
}

static bool alias_writable(const struct linmap *lm, uint64_t pa)
{
	struct kpg_leaf leaf;

	linmap_leaf(lm, pa / page_size(), &leaf);
	return leaf.flags & KPG_PRESENT && !(leaf.flags & KPG_READONLY);
}

static size_t aliases_writable(const struct linmap *lm, const struct frames *frames)
{
	size_t i, nr = 0;

	for (i = 0; i < frames->nr; i++)
		nr += alias_writable(lm, frames->pa[i]);
	return nr;
}

static uint64_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/*
 * Wait until every page of @frames that vmalloc and modules no longer protect is writable through
 * the linear map. Returns how many are not after TIMEOUT_S. A page that they still protect belongs
 * to a cache of executable memory (x86), and must not be writable then.
 */
static size_t aliases_wait(const struct linmap *lm, const struct frames *frames)
{
	uint64_t deadline = now_s() + TIMEOUT_S;
	size_t i, wrong;

	do {
		struct frames kept;

		frames_find(lm, READ_ONLY, &kept);
		wrong = 0;
		for (i = 0; i < frames->nr; i++)
			wrong += alias_writable(lm, frames->pa[i]) ==
				 frames_have(&kept, frames->pa[i]);
		frames_free(&kept);
		sched_yield();
	} while (wrong && now_s() < deadline);
	return wrong;
}

/*
 * NULL when aliases are expected to be protected. A kernel that was told not to (rodata=) and does
 * not is as told; one that was told nothing must.
 */
static const char *aliases_unprotected(const struct linmap *lm)
{
	struct frames code;
	char cmdline[4096];
	bool all_writable;

	frames_find(lm, EXECUTABLE, &code);
	all_writable = code.nr && aliases_writable(lm, &code) == code.nr;
	frames_free(&code);
	if (!all_writable || __sysfile_read("/proc/cmdline", cmdline, sizeof(cmdline)) < 0)
		return NULL;
	if (strstr(cmdline, "rodata="))
		return "rodata= on the command line leaves aliases writable";
	return NULL;
}

/* Why a test that needs @needs and a view of all code cannot run here; NULL when it can. */
static const char *code_missing(const struct linear_map *map, const char *needs)
{
	const char *reason = linear_map_missing(map, needs, true);
	static char text[KCORE_REASON_MAX];
	uint64_t start, end;

	if (reason)
		return reason;
	/* Modules may be part of vmalloc; without vmalloc, programs would be looked for in vain. */
	if (census_range(kpgtable_kcore(linmap_tables(map->lm)), "vmalloc", &start, &end, text,
			 sizeof(text)))
		return text;
	return aliases_unprotected(map->lm);
}

FIXTURE(executable)
{
	struct linear_map map;
};

FIXTURE_SETUP(executable)
{
	linear_map_open(&self->map);
}

FIXTURE_TEARDOWN(executable)
{
	linear_map_close(&self->map);
}

TEST_F(executable, has_no_writable_alias)
{
	const char *reason = code_missing(&self->map, "root");
	struct frames code;
	size_t writable;

	if (reason)
		SKIP(return, "%s", reason);

	frames_find(self->map.lm, EXECUTABLE, &code);
	writable = aliases_writable(self->map.lm, &code);
	EXPECT_EQ(0, writable)
		TH_LOG("%zu of %zu executable pages can be written through the linear map",
		       writable, code.nr);
	TH_LOG("%zu executable pages outside the image", code.nr);
	frames_free(&code);
}

FIXTURE(filter)
{
	struct linear_map map;
	int socks[NR_FILTERS];
	size_t nr;
};

FIXTURE_VARIANT(filter)
{
	const char *jit;
	size_t least;		/* new protected pages that the filters must have */
};

/* A program of its own, and so pages of its own, for each filter. */
FIXTURE_VARIANT_ADD(filter, interpreted) { .jit = "0", .least = NR_FILTERS };
/* Compiled programs share packs, of which one may be there with room. */
FIXTURE_VARIANT_ADD(filter, compiled) { .jit = "1" };

FIXTURE_SETUP(filter)
{
	linear_map_open(&self->map);
	self->nr = 0;
}

static void filters_detach(struct _test_data_filter *self)
{
	while (self->nr)
		close(self->socks[--self->nr]);
}

FIXTURE_TEARDOWN(filter)
{
	filters_detach(self);
	linear_map_close(&self->map);
	restore_all();
}

/* Why this kernel cannot have the JIT so; NULL when it has now. */
static const char *jit_set(const char *value)
{
	int ret = __restore_set(JIT_ENABLE, value, NULL);

	switch (ret) {
	case 0:
		return NULL;
	case -ENOENT:
		return "the kernel has no net.core.bpf_jit_enable: CONFIG_BPF_JIT is not set";
	case -EINVAL:
		return "the kernel never interprets programs: CONFIG_BPF_JIT_ALWAYS_ON is set";
	default:
		libmm_fail("setting %s to %s: %s", JIT_ENABLE, value, strerror(-ret));
	}
}

TEST_F(filter, alias_is_read_only_while_attached)
{
	const char *reason = code_missing(&self->map, "root,bpf-filter");
	struct frames before, after, added = {};
	size_t i, wrong;

	if (!reason)
		reason = jit_set(variant->jit);
	if (reason)
		SKIP(return, "%s", reason);

	frames_find(self->map.lm, READ_ONLY, &before);
	for (i = 0; i < NR_FILTERS; i++) {
		self->socks[i] = bpfprog_socket();
		ASSERT_LE(0, self->socks[i]);
		self->nr++;
		ASSERT_EQ(0, bpfprog_attach(self->socks[i]));
	}
	frames_find(self->map.lm, READ_ONLY, &after);
	for (i = 0; i < after.nr; i++)
		if (!frames_have(&before, after.pa[i]))
			frames_add(&added, after.pa[i]);
	TH_LOG("%zu pages of %d filters became read-only", added.nr, NR_FILTERS);
	EXPECT_LE(variant->least, added.nr);
	wrong = aliases_writable(self->map.lm, &added);
	EXPECT_EQ(0, wrong)
		TH_LOG("%zu of %zu can be written through the linear map", wrong, added.nr);

	filters_detach(self);
	wrong = aliases_wait(self->map.lm, &added);
	EXPECT_EQ(0, wrong)
		TH_LOG("%zu of %zu pages are not back %d s after release", wrong, added.nr,
		       TIMEOUT_S);
	frames_free(&before);
	frames_free(&after);
	frames_free(&added);
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

static int modprobe(const char *name)
{
	char *const argv[] = { "modprobe", "-q", (char *)name, NULL };
	pid_t pid;
	int status;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ))
		return -ENOENT;
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
		return -ENOENT;
	return 0;
}

/* Load one that was not there. Returns its name, or NULL. */
static const char *module_load(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(harmless); i++)
		if (!module_loaded(harmless[i]) && !modprobe(harmless[i]) &&
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
			uint64_t *va, uint64_t *pa)
{
	struct kpg_path at;
	char path[256];
	int ret;

	snprintf(path, sizeof(path), "/sys/module/%s/sections/%s", module, section);
	ret = __sysfile_read_u64(path, va);
	if (ret)
		return ret;
	kpgtable_lookup(linmap_tables(lm), *va, &at);
	if (!(at.leaf.flags & KPG_PRESENT))
		return -EFAULT;
	*pa = (at.leaf.pa + (*va - at.leaf.va)) / page_size() * page_size();
	return 0;
}

FIXTURE(module)
{
	struct linear_map map;
	const char *name;
};

FIXTURE_SETUP(module)
{
	linear_map_open(&self->map);
	self->name = NULL;
}

FIXTURE_TEARDOWN(module)
{
	if (self->name)
		module_unload(self->name);
	linear_map_close(&self->map);
}

/*
 * How many of the addresses still show what the module had there. x86 keeps its code's memory in a
 * cache (EXECMEM_ROX_CACHE), arm64 unmaps it before delete_module(2) returns.
 */
static size_t still_mapped(const struct linmap *lm, const uint64_t *va, size_t nr)
{
	struct kpg_path at;
	size_t i, mapped = 0;

	for (i = 0; i < nr; i++) {
		kpgtable_lookup(linmap_tables(lm), va[i], &at);
		mapped += !!(at.leaf.flags & KPG_PRESENT);
	}
	return mapped;
}

TEST_F(module, alias_is_read_only_while_loaded)
{
	static const char *const sections[] = { ".text", ".rodata", ".rodata.str1.8" };
	const char *reason = code_missing(&self->map, "root,destructive");
	uint64_t pa, va[ARRAY_SIZE(sections)];
	struct frames frames = {};
	size_t i, wrong;

	if (reason)
		SKIP(return, "%s", reason);
	self->name = module_load();
	if (!self->name)
		SKIP(return, "none of the modules ts_kmp, ts_fsm, ts_bm, reed_solomon... can be loaded");

	for (i = 0; i < ARRAY_SIZE(sections); i++)
		if (!section_find(self->map.lm, self->name, sections[i], &va[frames.nr], &pa))
			frames_add(&frames, pa);
	ASSERT_LT(0, frames.nr) TH_LOG("/sys/module/%s/sections shows nothing", self->name);
	wrong = aliases_writable(self->map.lm, &frames);
	EXPECT_EQ(0, wrong)
		TH_LOG("%zu of %zu pages of %s can be written through the linear map", wrong,
		       frames.nr, self->name);

	ASSERT_EQ(0, module_unload(self->name));
	self->name = NULL;
	if (linear_map_is_arm64(self->map.lm)) {
		EXPECT_EQ(0, still_mapped(self->map.lm, va, frames.nr))
			TH_LOG("what was unloaded is still mapped");
	}
	qsort(frames.pa, frames.nr, sizeof(*frames.pa), pa_compare);
	wrong = aliases_wait(self->map.lm, &frames);
	EXPECT_EQ(0, wrong)
		TH_LOG("%zu of %zu pages are not back %d s after unloading", wrong, frames.nr,
		       TIMEOUT_S);
	frames_free(&frames);
}

TEST_HARNESS_MAIN
