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
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libmm/memory.h>
#include <libmm/sysfile.h>

#include <libmm/harness.h>

#include "linear_map.h"

/* Within the 8 MiB that RLIMIT_MEMLOCK allows where nobody raised it. */
#define CGROUP_BYTES	(2UL << 20)
#define CGROUP_EXCESS	3
#define LIMIT_PAGES	16
#define LIMIT_ROUNDS	3
#define STATUS_NO_USER	4
/* A page takes up to 25 us, on x86 with a TLB shootdown. */
#define SMALL_MACHINE	(UINT64_C(8) << 30)
#define NOTES_MAX	(1UL << 20)
/* What is left to secretmem: blocks to split at both sizes, and no minutes of faults. */
#define FULL_LEFT	(UINT64_C(512) << 20)

/* What the child leaves behind: shared memory, for it does not live to tell. */
struct notes {
	size_t nr;		/* pages that it had */
	bool refused;		/* the kernel refused the mapping itself */
	uint64_t pfns[NOTES_MAX];	/* where the child may know them */
};

/* Fault @size bytes page by page, note each, and exit 0 if nothing stopped it. */
static void pages_take(struct notes *notes, size_t size, bool frames)
{
	struct secretmem secret;
	int err = secretmem_open(&secret, size);
	size_t i;

	notes->refused = err == -EAGAIN;
	if (err)
		_exit(2);
	for (i = 0; i < size / page_size(); i++) {
		char *page = secret.map + i * page_size();

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

static bool died_of(int status, int signal)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == signal;
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

FIXTURE_SETUP(pressure)
{
	REQUIRE(probe_root());
	REQUIRE(secretmem_probe());
	linear_map_open(&self->map);
	self->notes = mmap(NULL, sizeof(*self->notes), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->notes);
	self->invalid = linear_map_invalid(&self->map);
	self->counted = !directmap_read(&self->dm);
}

FIXTURE_TEARDOWN(pressure)
{
	if (self->cgroup[0] && rmdir(self->cgroup))
		TH_LOG("rmdir %s: %s", self->cgroup, strerror(errno));
	munmap(self->notes, sizeof(*self->notes));
	linear_map_close(&self->map);
}

static uint64_t directmap_total(const struct directmap *dm)
{
	return dm->bytes[DIRECTMAP_4K] + dm->bytes[DIRECTMAP_2M] + dm->bytes[DIRECTMAP_1G];
}

/* How many of the child's pages are not back. */
static size_t pages_missing(const struct linmap *lm, const struct notes *notes)
{
	size_t i, missing = 0;

	for (i = 0; i < notes->nr && i < NOTES_MAX && notes->pfns[i]; i++) {
		struct phys pa = { notes->pfns[i] * page_size() };

		missing += !(linmap_leaf(lm, pa).flags & KPG_PRESENT);
	}
	return missing;
}

/* The linear map is as whole as before. */
static void whole_check(struct __test_metadata *_metadata, struct _test_data_pressure *self)
{
	struct directmap dm;

	if (self->counted && !directmap_read(&dm)) {
		EXPECT_EQ(directmap_total(&self->dm), directmap_total(&dm));
	}
	if (!self->map.lm) {
		TH_LOG("entries not seen: %s", self->map.tables.why);
		return;
	}
	EXPECT_EQ(0, pages_missing(self->map.lm, self->notes));
	EXPECT_EQ(self->invalid, linear_map_invalid(&self->map));
}

/* Pages are accounted to a user: become one that nobody is, with this limit. */
static void user_become(size_t memlock)
{
	const struct rlimit limit = { memlock, memlock };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setuid((1U << 30) + getpid()))
		_exit(STATUS_NO_USER);
}

static struct probe user_probe(int status)
{
	if (!WIFEXITED(status) || WEXITSTATUS(status) != STATUS_NO_USER)
		return probe_yes();
	return probe_no("setuid(2) refuses a user without a name: run with CAP_SETUID, outside a user namespace");
}

/* Past RLIMIT_MEMLOCK a fault is refused, on some kernels already the mapping. */
TEST_F(pressure, memlock_limit)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		user_become(LIMIT_PAGES * page_size());
		pages_take(self->notes, 4 * LIMIT_PAGES * page_size(), false);
	}
	status = child_wait(pid);
	REQUIRE(user_probe(status));
	if (self->notes->refused) {
		TH_LOG("refused by mmap()");
	} else {
		EXPECT_TRUE(died_of(status, SIGBUS))
			TH_LOG("the child ended with status %#x", status);
		EXPECT_EQ(LIMIT_PAGES, self->notes->nr);
	}
	whole_check(_metadata, self);
}

/* RLIMIT_MEMLOCK is about what is held: what was given back may be had again. */
TEST_F(pressure, memlock_returned)
{
	const size_t size = LIMIT_PAGES * page_size();
	struct secretmem secret;
	int status, round;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		user_become(size);
		for (round = 0; round < LIMIT_ROUNDS; round++) {
			if (secretmem_open(&secret, size))
				_exit(2);
			secretmem_fault(&secret);
			secretmem_close(&secret);
		}
		_exit(0);
	}
	status = child_wait(pid);
	REQUIRE(user_probe(status));
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status))
		TH_LOG("the child ended with status %#x", status);
	whole_check(_metadata, self);
}

/* Where memory cgroups of either version usually are. */
static const struct {
	const char *dir;
	const char *limit;
} memcgs[] = {
	{ "/sys/fs/cgroup", "memory.max" },
	{ "/sys/fs/cgroup/memory", "memory.limit_in_bytes" },
};

/* Make one of CGROUP_BYTES. False, and @path empty, where none can be made. */
static bool memcg_make(char *path, size_t len)
{
	char file[320], limit[32];
	size_t i;

	snprintf(limit, sizeof(limit), "%lu", CGROUP_BYTES);
	for (i = 0; i < ARRAY_SIZE(memcgs); i++) {
		snprintf(path, len, "%s/linear_map_pressure.%d", memcgs[i].dir, getpid());
		if (mkdir(path, 0700))
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, memcgs[i].limit);
		if (!__sysfile_write(file, limit))
			return true;
		rmdir(path);
	}
	path[0] = '\0';
	return false;
}

/* The page is charged when it is inserted: after its entry was made invalid. */
TEST_F(pressure, cgroup_full)
{
	char procs[320];
	int status;
	pid_t pid;

	if (memory_panic_on_oom() > 1)
		SKIP(return, "vm.panic_on_oom is 2: a full memory cgroup ends this kernel");
	REQUIRE(pagemap_pfns_probe());
	REQUIRE(secretmem_room_probe(CGROUP_EXCESS * CGROUP_BYTES));
	if (!memcg_make(self->cgroup, sizeof(self->cgroup)))
		SKIP(return, "no memory cgroup can be made: mount one, or enable its memory controller");

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", self->cgroup);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (__sysfile_write(procs, "0"))
			_exit(3);
		pages_take(self->notes, CGROUP_EXCESS * CGROUP_BYTES, true);
	}
	status = child_wait(pid);
	TH_LOG("%zu pages before the end, status %#x", self->notes->nr, status);
	EXPECT_TRUE(died_of(status, SIGKILL) || died_of(status, SIGBUS))
		TH_LOG("%lu bytes of secretmem in a cgroup of %lu",
		       CGROUP_EXCESS * CGROUP_BYTES, CGROUP_BYTES);
	EXPECT_LT(0, self->notes->nr);
	EXPECT_GE(CGROUP_BYTES / page_size(), self->notes->nr);
	whole_check(_metadata, self);
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
	struct rlimit limit;
	uint64_t total;
	int status;
	pid_t pid;

	REQUIRE(probe_destructive());
	if (memory_panic_on_oom())
		SKIP(return, "vm.panic_on_oom is set: memory that is full ends this kernel");
	ASSERT_EQ(0, __sysfile_read_key("/proc/meminfo", "MemTotal", &total));
	total <<= 10;
	if (total > SMALL_MACHINE)
		SKIP(return, "it fills the memory of small guests, and this machine has more than 8 GiB");
	/* secretmem_probe() has raised it as far as it can be. */
	if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur < total)
		SKIP(return, "RLIMIT_MEMLOCK is below the machine's memory and cannot be raised");

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (__sysfile_write("/proc/self/oom_score_adj", "1000"))
			_exit(3);
		memory_hold();
		pages_take(self->notes, total / page_size() * page_size(), false);
	}
	status = child_wait(pid);
	TH_LOG("%zu pages before the end, status %#x", self->notes->nr, status);
	EXPECT_TRUE(died_of(status, SIGKILL) || died_of(status, SIGBUS));
	/* It died of secretmem, and not of what it held. */
	EXPECT_LT(0, self->notes->nr);
	whole_check(_metadata, self);
}

TEST_HARNESS_MAIN
