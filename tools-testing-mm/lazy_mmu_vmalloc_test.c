// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the kernel maps into its vmalloc area, in batches (lazy MMU mode), holds what was put
 * into it while other such memory comes and goes around it.
 *
 * BPF array maps are vmalloc memory that a program can see twice: through the bpf() call the kernel
 * uses its own mapping, through mmap() the program uses the same pages under its own. An entry that
 * was not written, or is still in a TLB after its page went elsewhere, makes the two differ. Kernel
 * stacks of threads are vmalloc memory too: what a thread does in system calls must come out right.
 * The kernel's own test of vmalloc is a module, and its verdict is a line in the log.
 *
 * Limits: contents only; which entries the tables have is for kmap.
 *
 * To see it fail: the library in mutants/ drops one write to a map.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/harness.h>
#include <libmm/kmsg.h>
#include <libmm/probe.h>
#include <libmm/sysfile.h>

#define NR_MAPS 8
#define PAGES_MAX 24
#define MAP_ROUNDS 200
#define NR_THREADS 16
#define THREAD_ROUNDS 25
#define MODULE_TESTS "0x7f"	/* those that end within seconds */
#define TAINTED "/proc/sys/kernel/tainted"
/* Bad page, oops, warning: Documentation/admin-guide/tainted-kernels.rst. */
#define TAINT_COMPLAINTS (UINT64_C(1) << 5 | UINT64_C(1) << 7 | UINT64_C(1) << 9)

struct array_map {
	int fd;
	uint64_t *seen;		/* the program's own mapping */
	size_t pages;
	uint64_t seed;
};

FIXTURE(vmalloc)
{
	uint64_t *words;	/* one page of them */
};

FIXTURE_SETUP(vmalloc)
{
	self->words = malloc(page_size());
	ASSERT_NE(NULL, self->words);
}

FIXTURE_TEARDOWN(vmalloc)
{
	free(self->words);
}

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(__NR_bpf, command, attr, sizeof(*attr));
}

static uint64_t map_word(const struct array_map *map, size_t page, size_t i)
{
	return map->seed ^ (page << 32 | i);
}

/* One map entry a page. Returns 0 or -errno. */
static int map_create(struct array_map *map, size_t pages, uint64_t seed)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(uint32_t);
	attr.value_size = page_size();
	attr.max_entries = pages;
	attr.map_flags = BPF_F_MMAPABLE;
	map->fd = bpf(BPF_MAP_CREATE, &attr);
	if (map->fd < 0)
		return -errno;
	map->pages = pages;
	map->seed = seed;
	map->seen = mmap(NULL, pages * page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, map->fd, 0);
	if (map->seen != MAP_FAILED)
		return 0;
	map->seen = NULL;
	close(map->fd);
	return -errno;
}

static int map_destroy(struct array_map *map)
{
	if (map->seen && (munmap(map->seen, map->pages * page_size()) || close(map->fd)))
		return -errno;
	map->seen = NULL;
	return 0;
}

/* bpf() on the entry of one page: @command stores @words there or fetches them. */
static int map_entry(const struct array_map *map, int command, size_t page, uint64_t *words)
{
	union bpf_attr attr;
	uint32_t key = page;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map->fd;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)words;
	return bpf(command, &attr) ? -errno : 0;
}

/* A process may make maps. Containers, seccomp and kernel.unprivileged_bpf_disabled forbid it. */
static struct probe map_probe(void)
{
	struct array_map map;
	int err = map_create(&map, 1, 0);

	if (err)
		return probe_no("bpf(2) makes no array map for this process, or is not built in: %s",
				strerror(-err));
	map_destroy(&map);
	return probe_yes();
}

/* Through the kernel's mapping. */
static int map_fill(struct array_map *map, uint64_t *words)
{
	size_t page, i;
	int ret = 0;

	for (page = 0; !ret && page < map->pages; page++) {
		for (i = 0; i < page_size() / sizeof(*words); i++)
			words[i] = map_word(map, page, i);
		ret = map_entry(map, BPF_MAP_UPDATE_ELEM, page, words);
	}
	return ret;
}

/* Whether both mappings show what map_fill() wrote. */
static bool map_is_right(const struct array_map *map, uint64_t *words)
{
	const size_t per_page = page_size() / sizeof(*words);
	size_t page, i;

	for (page = 0; page < map->pages; page++) {
		if (map_entry(map, BPF_MAP_LOOKUP_ELEM, page, words))
			return false;
		for (i = 0; i < per_page; i++) {
			if (words[i] != map_word(map, page, i) ||
			    map->seen[page * per_page + i] != words[i])
				return false;
		}
	}
	return true;
}

/* Maps of changing sizes are replaced one after the other; all that are left stay right. */
TEST_F(vmalloc, bpf_maps)
{
	struct array_map maps[NR_MAPS] = { { 0 } };
	unsigned int round;
	size_t i;

	REQUIRE(map_probe());
	for (round = 0; round < MAP_ROUNDS; round++) {
		struct array_map *map = &maps[round % NR_MAPS];

		ASSERT_EQ(0, map_destroy(map));
		ASSERT_EQ(0, map_create(map, 1 + round * 7 % PAGES_MAX, (uint64_t)round << 48));
		ASSERT_EQ(0, map_fill(map, self->words));
		ASSERT_TRUE(map_is_right(map, self->words));
		if (round % NR_MAPS != NR_MAPS - 1)
			continue;
		for (i = 0; i < NR_MAPS; i++)
			ASSERT_TRUE(map_is_right(&maps[i], self->words));
	}
	for (i = 0; i < NR_MAPS; i++)
		ASSERT_EQ(0, map_destroy(&maps[i]));
}

/* What the program writes under its own mapping is what the kernel reads under its. */
TEST_F(vmalloc, bpf_map_aliases)
{
	struct array_map map;
	size_t page, i, per_page = page_size() / sizeof(*map.seen);

	REQUIRE(map_probe());
	ASSERT_EQ(0, map_create(&map, PAGES_MAX, 1));
	ASSERT_EQ(0, map_fill(&map, self->words));
	map.seed = 2;
	for (page = 0; page < map.pages; page++) {
		for (i = 0; i < per_page; i++)
			map.seen[page * per_page + i] = map_word(&map, page, i);
	}
	EXPECT_TRUE(map_is_right(&map, self->words));
	EXPECT_EQ(0, map_destroy(&map));
}

/* Deep enough in the kernel to use its stack: a word through a pipe, there and back. */
static void *thread_run(void *arg)
{
	uintptr_t sent = (uintptr_t)arg, got = 0;
	int ends[2], i;

	if (pipe(ends))
		return (void *)1;
	for (i = 0; i < 8; i++) {
		if (write(ends[1], &sent, sizeof(sent)) != sizeof(sent) ||
		    read(ends[0], &got, sizeof(got)) != sizeof(got) || got != sent)
			return (void *)1;
		sent += NR_THREADS;
	}
	close(ends[0]);
	close(ends[1]);
	return NULL;
}

/* Each thread is a kernel stack mapped, used and unmapped; a few are kept back for reuse. */
TEST_F(vmalloc, thread_stacks)
{
	pthread_t threads[NR_THREADS];
	unsigned int round, i;
	void *wrong;

	for (round = 0; round < THREAD_ROUNDS; round++) {
		for (i = 0; i < NR_THREADS; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, thread_run,
						    (void *)(uintptr_t)(i + 1)));
		for (i = 0; i < NR_THREADS; i++) {
			ASSERT_EQ(0, pthread_join(threads[i], &wrong));
			EXPECT_EQ(NULL, wrong);
		}
	}
}

struct verdict {
	unsigned int tests;
	unsigned int failed;
	char first_failed[128];
};

/* "Summary: NAME passed: N failed: N ..." of lib/test_vmalloc.c. */
static void summary_read(const char *text, bool kernel, void *arg)
{
	struct verdict *verdict = arg;
	int passed, failed;
	char name[64];

	if (!kernel ||
	    sscanf(text, "Summary: %63s passed: %d failed: %d", name, &passed, &failed) != 3)
		return;
	verdict->tests++;
	if (!failed)
		return;
	if (!verdict->failed++)
		snprintf(verdict->first_failed, sizeof(verdict->first_failed), "%s", text);
}

/*
 * The module does its work in its init function, which then fails so that it need not be unloaded.
 * Returns the exit status of modprobe(8), or -errno.
 */
static int modprobe(char *options)
{
	char *const argv[] = {
		"modprobe", options, "test_vmalloc", "nr_threads=2", "test_loop_count=10000",
		"run_test_mask=" MODULE_TESTS, NULL,
	};
	int status;
	pid_t pid;
	int ret = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);

	if (ret)
		return -ret;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* An empty module is no module (ENOEXEC), after the question whether the process may load any. */
static struct probe module_probe(void)
{
	if (!access("/sys/module/test_vmalloc", F_OK))
		return probe_no("test_vmalloc is built in, and has run when the kernel booted");
	if (modprobe("-qn"))
		return probe_no("there is no module test_vmalloc: CONFIG_TEST_VMALLOC=m");
	if (syscall(__NR_init_module, NULL, 0UL, "") && errno != ENOEXEC)
		return probe_no("no modules for this process: %s", strerror(errno));
	return probe_readable("/dev/kmsg");
}

TEST_F(vmalloc, test_vmalloc_module)
{
	struct verdict verdict = { 0 };
	uint64_t from, taint, taint_after;

	REQUIRE(probe_destructive());
	REQUIRE(module_probe());
	ASSERT_EQ(0, kmsg_end(&from));
	ASSERT_EQ(0, __sysfile_read_u64(TAINTED, &taint));
	ASSERT_LE(0, modprobe("-q"));
	ASSERT_EQ(0, kmsg_lines(from, summary_read, &verdict));
	ASSERT_EQ(0, __sysfile_read_u64(TAINTED, &taint_after));
	/* The module itself may taint the kernel as a test does. */
	EXPECT_EQ(0UL, taint_after & ~taint & TAINT_COMPLAINTS) {
		TH_LOG("the kernel complained: see its log");
	}
	EXPECT_LT(0U, verdict.tests);
	EXPECT_EQ(0U, verdict.failed) {
		TH_LOG("%s", verdict.first_failed);
	}
}

TEST_HARNESS_MAIN
