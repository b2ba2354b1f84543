// SPDX-License-Identifier: GPL-2.0
/*
 * cache/seq-read: reading a cached file from end to end.
 *
 * Every byte is copied out of the page cache, which the kernel reaches through the linear map: the
 * authors of the arm64 block-mapping series report +150 % bandwidth for a 100 GB file. Nothing may
 * come from the device: the file is written, proved resident by mincore(2) after each repeat, and
 * the blocks that this process read from any device are checked to be none (ru_inblock). fio may
 * have to read its own program again on a machine short of memory, so what its process read is
 * reported, as device_blocks, and judged by the reader.
 *
 * Two readers must agree: fio's job (fio-jobs/seq-read.fio), which others can repeat without this
 * suite, and a plain loop of pread(2) with the same block size.
 *
 * The file lies in $VMTESTS_CACHE_DIR, by default the folder of the results, on whatever file
 * system that is: compare only runs on the same one. It has no name, so that whatever ends this
 * process leaves none; fio opens it through /proc. It cannot tell the copy's cost from the page
 * cache's own (lookup, reference counts); tlb/gups does.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <kselftest.h>
#include <libmm/bench.h>
#include <libmm/fio.h>
#include <libmm/sysfile.h>

#define BLOCK (64u << 10)	/* as in fio-jobs/seq-read.fio */
#define QUICK_BYTES (512ull << 20)
/* The authors' file is 0.39 of their machine's memory. */
#define FULL_SHARE_PERCENT 39
#define QUICK_RUNTIME "1"
#define FULL_RUNTIME "10"

static struct {
	char path[64];		/* for fio, and in messages */
	int fd;
	uint64_t bytes;
	char *block;
	long inblock;		/* blocks read from devices before the repeat */
	struct fio_result fio;
} cached = { .fd = -1 };

static const char *cache_dir(void)
{
	const char *dir = getenv("VMTESTS_CACHE_DIR");

	if (!dir)
		dir = getenv("VMTESTS_OUT");
	return dir ? dir : "/var/tmp";
}

static uint64_t file_bytes(void)
{
	uint64_t available_kb, bytes = QUICK_BYTES;

	if (__sysfile_read_key("/proc/meminfo", "MemAvailable", &available_kb))
		return bytes;
	if (bench_tier_full() || available_kb * 1024 / 2 < bytes)
		bytes = available_kb * 1024 / 100 * FULL_SHARE_PERCENT;
	return bytes / BLOCK * BLOCK;
}

static bool disk_has_room(const char *dir, uint64_t bytes)
{
	struct statvfs fs;

	return !statvfs(dir, &fs) && (uint64_t)fs.f_bavail * fs.f_frsize > bytes + bytes / 8;
}

/* Blocks that do not repeat, so that no file system stores them as holes or shares them. */
static void block_fill(char *block, uint64_t seed)
{
	uint64_t *word = (uint64_t *)block;

	for (size_t i = 0; i < BLOCK / sizeof(*word); i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		word[i] = seed;
	}
}

static int file_write(struct bench_case *c)
{
	for (uint64_t at = 0; at < cached.bytes; at += BLOCK) {
		block_fill(cached.block, at + 1);
		if (pwrite(cached.fd, cached.block, BLOCK, (off_t)at) != (ssize_t)BLOCK)
			return bench_fail(c, errno ? -errno : -ENOSPC, "cannot write %s",
					  cached.path);
	}
	/* Dirty pages would be written back, and locked, during the measurement. */
	return fsync(cached.fd) ? bench_fail(c, -errno, "cannot sync %s", cached.path) : 0;
}

/* Share of the file's pages that are in the page cache: 1 when all are, or -1 on error. */
static double resident_share(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = cached.bytes / page, here = 0;
	unsigned char *map = mmap(NULL, cached.bytes, PROT_READ, MAP_SHARED, cached.fd, 0);
	unsigned char *vector = malloc(pages);
	double share = -1;

	if (map != MAP_FAILED && vector && !mincore(map, cached.bytes, vector)) {
		for (size_t i = 0; i < pages; i++)
			here += vector[i] & 1;
		share = (double)here / (double)pages;
	}
	free(vector);
	if (map != MAP_FAILED)
		munmap(map, cached.bytes);
	return share;
}

static void file_drop(struct bench_case *c)
{
	(void)c;
	if (cached.fd >= 0)
		close(cached.fd);
	cached.fd = -1;
	free(cached.block);
	cached.block = NULL;
}

static int file_fill(struct bench_case *c)
{
	double share;
	int err = file_write(c);

	if (err)
		return err;
	share = resident_share();
	if (share < 1)
		return bench_fail(c, -EAGAIN, "only %.1f %% of %s stayed in the page cache",
				  share * 100, cached.path);
	return 0;
}

static int file_setup(struct bench_case *c)
{
	const char *dir = cache_dir();
	int err;

	cached.bytes = file_bytes();
	if (!disk_has_room(dir, cached.bytes))
		return bench_skip(c, "%s has no room for %llu MiB: name another folder with VMTESTS_CACHE_DIR",
				  dir, (unsigned long long)cached.bytes >> 20);
	cached.fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (cached.fd < 0)
		return bench_skip(c, "no file without a name in %s: %s", dir, strerror(errno));
	snprintf(cached.path, sizeof(cached.path), "/proc/%d/fd/%d", (int)getpid(), cached.fd);
	cached.block = aligned_alloc((size_t)sysconf(_SC_PAGESIZE), BLOCK);
	err = cached.block ? file_fill(c) : bench_fail(c, -ENOMEM, "block");
	if (err)
		file_drop(c);
	c->iterations = cached.bytes / BLOCK;
	c->units = cached.bytes;
	return err;
}

static long device_blocks(int who)
{
	struct rusage usage;

	return getrusage(who, &usage) ? -1 : usage.ru_inblock;
}

static int pread_before(struct bench_case *c)
{
	(void)c;
	cached.inblock = device_blocks(RUSAGE_SELF);
	return 0;
}

static int residence_check(struct bench_case *c)
{
	double share = resident_share();

	if (share < 1)
		return bench_fail(c, -EAGAIN, "%s fell out of the page cache to %.1f %%",
				  cached.path, share * 100);
	return 0;
}

static int pread_after(struct bench_case *c)
{
	long blocks = device_blocks(RUSAGE_SELF) - cached.inblock;

	if (blocks)
		return bench_fail(c, -EIO, "%ld blocks came from a device, not from the cache",
				  blocks);
	return residence_check(c);
}

static int fio_before(struct bench_case *c)
{
	cached.inblock = device_blocks(RUSAGE_CHILDREN);
	return residence_check(c);
}

static int op_pread(struct bench_case *c, uint64_t i)
{
	(void)c;
	if (pread(cached.fd, cached.block, BLOCK, (off_t)(i * BLOCK)) != (ssize_t)BLOCK)
		return -EIO;
	return 0;
}

/* fio measures by itself; nothing of it is timed here. */
static int fio_after(struct bench_case *c)
{
	char file[sizeof(cached.path) + 8], size[40], runtime[16], json[PATH_MAX];
	const char *const env[] = { file, size, runtime, NULL };
	const char *out = getenv("VMTESTS_OUT"), *run = getenv("VMTESTS_RUN");
	int length, err;

	snprintf(file, sizeof(file), "FILE=%s", cached.path);
	snprintf(size, sizeof(size), "SIZE=%llu", (unsigned long long)cached.bytes);
	snprintf(runtime, sizeof(runtime), "RUNTIME=%s",
		 bench_tier_full() ? FULL_RUNTIME : QUICK_RUNTIME);
	if (out)
		length = snprintf(json, sizeof(json), "%s/fio/%s.seq-read.%s%u.json", out,
				  run ? run : "0", c->warmup ? "warmup" : "", c->rep);
	else
		length = snprintf(json, sizeof(json), "%s/seq-read.%d.json", cache_dir(),
				  (int)getpid());
	if (length >= (int)sizeof(json))
		return bench_fail(c, -ENAMETOOLONG, "fio's results");

	err = __fio_run("seq-read", FIO_READ, env, json, &cached.fio);
	if (!out)
		unlink(json);
	if (err)
		return bench_fail(c, err, "fio-jobs/seq-read.fio");
	err = residence_check(c);
	if (!err)
		err = bench_value(c, "device_blocks", "1", REPORT_LOWER,
				  device_blocks(RUSAGE_CHILDREN) - cached.inblock);
	if (!err)
		err = bench_value(c, "bw_bytes", "bytes/s", REPORT_HIGHER, cached.fio.bw_bytes);
	if (!err)
		err = bench_value(c, "clat_mean_ns", "ns", REPORT_LOWER, cached.fio.clat_mean_ns);
	return err;
}

static const struct bench_phase pread_phases[] = {
	{
		.metric = "bw_bytes", .unit = "bytes/s", .better = REPORT_HIGHER,
		.scale = BENCH_UNITS_PER_SEC, .op = op_pread,
	},
};

static struct bench_case cases[] = {
	{
		.name = "pread",
		.setup = file_setup, .teardown = file_drop,
		.before = pread_before, .after = pread_after,
		.phases = pread_phases, .nr_phases = ARRAY_SIZE(pread_phases),
	},
	{
		.name = "fio",
		.needs = "command:fio",
		.setup = file_setup, .teardown = file_drop,
		.before = fio_before, .after = fio_after,
	},
};

int main(int argc, char **argv)
{
	static const struct bench seq_read = {
		.name = "cache/seq-read",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return bench_main(argc, argv, &seq_read);
}
