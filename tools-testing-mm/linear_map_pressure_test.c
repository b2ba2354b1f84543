// SPDX-License-Identifier: GPL-2.0
/*
 * A page that leaves the linear map and then cannot be had after all goes back: no failure of a
 * memfd_secret(2) fault leaves a hole in the linear map.
 *
 * Method: secretmem_fault() in mm/secretmem.c makes the entry invalid, splitting where it must,
 * before it inserts the page into the file; insertion fails where the memory cgroup is full, and
 * allocation, of the page or of a page table for the split, where the machine is. A child faults
 * pages until that happens and dies of it. Then every entry that it had made invalid, the last one
 * too, must be valid: the invalid entries of the whole linear map are counted before and after,
 * and the pages that the child noted are looked at one by one.
 *
 * Limits: without /proc/kcore entries are not seen; what remains is that the child dies in the way
 * it should, and that DirectMap loses no byte. Running the machine out of memory kills something
 * and splits all of the linear map, so it must be allowed (LIBMM_DESTRUCTIVE=1), and belongs in a
 * guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libmm/census.h>
#include <libmm/directmap.h>
#include <libmm/fail.h>
#include <libmm/linmap.h>
#include <libmm/memory.h>
#include <libmm/pagemap.h>
#include <libmm/require.h>
#include <libmm/secretmem.h>
#include <libmm/sysfile.h>

#include <libmm/harness.h>

#include "linear_map.h"

/* Within the 8 MiB that RLIMIT_MEMLOCK allows where nobody raised it. */
#define CGROUP_BYTES	(2UL << 20)
#define CGROUP_EXCESS	3
#define LIMIT_PAGES	16
#define LIMIT_ROUNDS	3
/* A page takes up to 25 us, on x86 with a TLB shootdown. */
#define SMALL_MACHINE	(UINT64_C(8) << 30)
#define NOTES_MAX	(1UL << 20)
/* What is left to secretmem: blocks to split at both sizes, and no minutes of faults. */
#define FULL_LEFT	(UINT64_C(512) << 20)

/* What the child leaves behind: shared memory, for it does not live to tell. */
struct notes {
	size_t nr;		/* pages that it had */
	bool refused;		/* the kernel refused the mapping itself */
	uint64_t pfns[];	/* of the first NOTES_MAX, where the child may know */
};

static struct notes *notes_map(void)
{
	struct notes *notes = mmap(NULL, sizeof(*notes) + NOTES_MAX * sizeof(notes->pfns[0]),
				   PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (notes == MAP_FAILED)
		libmm_fail("mmap: %s", strerror(errno));
	return notes;
}

/* Allow @size bytes of secretmem, whatever it takes. Returns 0 or -EPERM. */
static int memlock_raise(size_t size)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		libmm_fail("getrlimit: %s", strerror(errno));
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_max < size) {
		limit.rlim_cur = RLIM_INFINITY;
		limit.rlim_max = RLIM_INFINITY;
	}
	return setrlimit(RLIMIT_MEMLOCK, &limit) ? -errno : 0;
}

static void notes_unmap(struct notes *notes)
{
	munmap(notes, sizeof(*notes) + NOTES_MAX * sizeof(notes->pfns[0]));
}

/* Fault @size bytes page by page, note each, and exit 0 if nothing stopped it. */
static void pages_take(struct notes *notes, size_t size, bool frames)
{
	size_t i, nr = size / page_size();
	char *map;
	int fd;

	fd = syscall(SYS_memfd_secret, 0);
	if (fd < 0 || ftruncate(fd, size))
		_exit(2);
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		notes->refused = errno == EAGAIN;
		_exit(2);
	}
	for (i = 0; i < nr; i++) {
		char *page = map + i * page_size();

		__atomic_store_n(page, 1, __ATOMIC_RELAXED);
		if (frames && i < NOTES_MAX)
			pagemap_pfns(page, 1, &notes->pfns[i]);
		__atomic_store_n(&notes->nr, i + 1, __ATOMIC_RELAXED);
	}
	_exit(0);
}

/*
 * The exit of a process releases its files, and so its secretmem pages, before its parent hears of
 * it: there is nothing else to wait for.
 */
static int child_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		libmm_fail("waitpid: %s", strerror(errno));
	return status;
}

FIXTURE(pressure)
{
	struct linear_map map;
	struct notes *notes;
	uint64_t invalid;		/* entries of the linear map before */
	bool counted;
	struct directmap dm;
	char cgroup[256];		/* of the test's own making, or empty */
};

static uint64_t invalid_count(const struct linear_map *map)
{
	struct census census;

	if (!map->lm)
		return 0;
	census_take(linmap_tables(map->lm), "linear", &census);
	return census_leaves(&census, CENSUS_INVALID);
}

FIXTURE_SETUP(pressure)
{
	linear_map_open(&self->map);
	self->notes = notes_map();
	self->cgroup[0] = '\0';
	self->invalid = invalid_count(&self->map);
	self->counted = !directmap_read(&self->dm);
}

FIXTURE_TEARDOWN(pressure)
{
	if (self->cgroup[0] && rmdir(self->cgroup))
		TH_LOG("rmdir %s: %s", self->cgroup, strerror(errno));
	notes_unmap(self->notes);
	linear_map_close(&self->map);
}

static uint64_t directmap_total(const struct directmap *dm)
{
	return dm->bytes[DIRECTMAP_4K] + dm->bytes[DIRECTMAP_2M] + dm->bytes[DIRECTMAP_1G];
}

/* How many of the child's pages are not back. */
static size_t pages_missing(const struct linear_map *map, const struct notes *notes)
{
	size_t i, nr = notes->nr < NOTES_MAX ? notes->nr : NOTES_MAX, missing = 0;

	for (i = 0; map->lm && i < nr; i++) {
		struct kpg_leaf leaf;

		if (!notes->pfns[i])
			continue;
		linmap_leaf(map->lm, notes->pfns[i], &leaf);
		missing += !(leaf.flags & KPG_PRESENT);
	}
	return missing;
}

/* The linear map is as whole as before. */
static void whole_check(struct __test_metadata *_metadata, struct _test_data_pressure *self)
{
	struct directmap dm;

	if (self->counted && !directmap_read(&dm))
		EXPECT_EQ(directmap_total(&self->dm), directmap_total(&dm));
	if (!self->map.lm) {
		TH_LOG("entries not seen: %s", self->map.no_kcore);
		return;
	}
	EXPECT_EQ(0, pages_missing(&self->map, self->notes));
	EXPECT_EQ(self->invalid, invalid_count(&self->map));
}

/*
 * Past RLIMIT_MEMLOCK a fault is refused, on some kernels already the mapping. Pages are accounted
 * to a user, so the child becomes one that nobody is.
 */
TEST_F(pressure, memlock_limit)
{
	const struct rlimit limit = { LIMIT_PAGES * page_size(), LIMIT_PAGES * page_size() };
	const char *reason = linear_map_missing(&self->map, "root,secretmem", false);
	int status;
	pid_t pid;

	if (reason)
		SKIP(return, "%s", reason);

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (setrlimit(RLIMIT_MEMLOCK, &limit) || setuid((1U << 30) + getpid()))
			_exit(3);
		pages_take(self->notes, 4 * LIMIT_PAGES * page_size(), false);
	}
	status = child_wait(pid);
	if (self->notes->refused) {
		TH_LOG("refused by mmap()");
	} else {
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS)
			TH_LOG("the child ended with status %#x", status);
		EXPECT_EQ(LIMIT_PAGES, self->notes->nr);
	}
	whole_check(_metadata, self);
}

/* Take the limit's worth of secretmem and give it back, over and over; exits 0 if that works. */
static void pages_take_and_return(size_t size)
{
	unsigned int round;
	size_t i;

	for (round = 0; round < LIMIT_ROUNDS; round++) {
		int fd = syscall(SYS_memfd_secret, 0);
		char *map = MAP_FAILED;

		if (fd >= 0 && !ftruncate(fd, size))
			map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			_exit(2);
		for (i = 0; i < size; i += page_size())
			__atomic_store_n(map + i, 1, __ATOMIC_RELAXED);
		if (munmap(map, size) || close(fd))
			_exit(2);
	}
	_exit(0);
}

/* RLIMIT_MEMLOCK is about what is held: who has given everything back may have as much again. */
TEST_F(pressure, memlock_returned)
{
	const size_t size = LIMIT_PAGES * page_size();
	const struct rlimit limit = { size, size };
	const char *reason = linear_map_missing(&self->map, "root,secretmem", false);
	int status;
	pid_t pid;

	if (reason)
		SKIP(return, "%s", reason);

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (setrlimit(RLIMIT_MEMLOCK, &limit) || setuid((1U << 30) + getpid()))
			_exit(3);
		pages_take_and_return(size);
	}
	status = child_wait(pid);
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status))
		TH_LOG("the child ended with status %#x", status);
	whole_check(_metadata, self);
}

/* Where memory cgroups are, of either version; 0 or -ENOENT. */
struct memcg_kind {
	const char *type;
	const char *option;	/* of the mount, or NULL */
	const char *limit;	/* the file */
};

static const struct memcg_kind memcg_kinds[] = {
	{ "cgroup2", NULL, "memory.max" },
	{ "cgroup", "memory", "memory.limit_in_bytes" },
};

static int memcg_try(const struct memcg_kind *kind, const char *dir, char *path, size_t len)
{
	char file[320], limit[32];

	snprintf(path, len, "%s/linear_map_pressure.%d", dir, getpid());
	if (mkdir(path, 0700))
		return -errno;
	snprintf(file, sizeof(file), "%s/%s", path, kind->limit);
	snprintf(limit, sizeof(limit), "%lu", CGROUP_BYTES);
	if (!__sysfile_write(file, limit))
		return 0;
	rmdir(path);
	return -ENOENT;
}

static int memcg_make(char *path, size_t len)
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char line[1024], dir[192], type[32], options[512];
	int ret = -ENOENT;
	size_t i;

	if (!mounts)
		return -errno;
	while (ret && fgets(line, sizeof(line), mounts)) {
		if (sscanf(line, "%*s %191s %31s %511s", dir, type, options) != 3)
			continue;
		for (i = 0; ret && i < ARRAY_SIZE(memcg_kinds); i++)
			if (!strcmp(type, memcg_kinds[i].type) &&
			    (!memcg_kinds[i].option || strstr(options, memcg_kinds[i].option)))
				ret = memcg_try(&memcg_kinds[i], dir, path, len);
	}
	fclose(mounts);
	if (ret)
		path[0] = '\0';
	return ret;
}

/* The page is charged when it is inserted: after its entry was made invalid. */
TEST_F(pressure, cgroup_full)
{
	const char *reason = linear_map_missing(&self->map, "root,secretmem", false);
	char procs[320];
	int status;
	pid_t pid;

	if (reason)
		SKIP(return, "%s", reason);
	if (memory_panic_on_oom() > 1)
		SKIP(return, "vm.panic_on_oom is 2: a full memory cgroup ends this kernel");
	if (memcg_make(self->cgroup, sizeof(self->cgroup)))
		SKIP(return, "no memory cgroup can be made: mount one, or enable its memory controller");

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", self->cgroup);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (__sysfile_write(procs, "0") ||
		    memlock_raise(CGROUP_EXCESS * CGROUP_BYTES))
			_exit(3);
		pages_take(self->notes, CGROUP_EXCESS * CGROUP_BYTES, true);
	}
	status = child_wait(pid);
	TH_LOG("%zu pages before the end, status %#x", self->notes->nr, status);
	EXPECT_TRUE(WIFSIGNALED(status) &&
		    (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGBUS))
		TH_LOG("%lu bytes of secretmem in a cgroup of %lu",
		       CGROUP_EXCESS * CGROUP_BYTES, CGROUP_BYTES);
	EXPECT_GE(CGROUP_BYTES / page_size(), self->notes->nr);
	whole_check(_metadata, self);
}

static uint64_t mem_total(void)
{
	uint64_t kb;

	if (__sysfile_read_key("/proc/meminfo", "MemTotal", &kb))
		libmm_fail("no MemTotal in /proc/meminfo");
	return kb << 10;
}

/* Hold all of what is available but FULL_LEFT, in huge pages as far as there are such. */
static void memory_hold(void)
{
	uint64_t available, size, i;
	char *map;

	if (__memory_available(&available))
		_exit(3);
	if (available <= FULL_LEFT)
		return;
	size = available - FULL_LEFT;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		_exit(3);
	madvise(map, size, MADV_HUGEPAGE);
	for (i = 0; i < size; i += page_size())
		__atomic_store_n(map + i, 1, __ATOMIC_RELAXED);
}

/* Pages and page tables for splits, to the last of them: then the kernel kills the child. */
TEST_F(pressure, machine_full)
{
	const char *reason = linear_map_missing(&self->map, "root,secretmem,destructive", false);
	uint64_t total = mem_total();
	int status;
	pid_t pid;

	if (reason)
		SKIP(return, "%s", reason);
	if (memory_panic_on_oom())
		SKIP(return, "vm.panic_on_oom is set: memory that is full ends this kernel");
	if (total > SMALL_MACHINE)
		SKIP(return, "it fills the memory of small guests, and this machine has more than 8 GiB");
	if (memlock_raise(total))
		SKIP(return, "RLIMIT_MEMLOCK is below the machine's memory and cannot be raised");

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (__sysfile_write("/proc/self/oom_score_adj", "1000"))
			_exit(3);
		memory_hold();
		pages_take(self->notes, total, false);
	}
	status = child_wait(pid);
	TH_LOG("%zu pages before the end, status %#x", self->notes->nr, status);
	EXPECT_TRUE(WIFSIGNALED(status) &&
		    (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGBUS));
	/* It died of secretmem, and not of what it held. */
	EXPECT_LT(0, self->notes->nr);
	whole_check(_metadata, self);
}

TEST_HARNESS_MAIN
