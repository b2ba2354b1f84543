// SPDX-License-Identifier: GPL-2.0
/*
 * cache/seq-read: reading a cached file from end to end.
 *
 * Every byte is copied out of the page cache, which the kernel reaches through the linear map: the
 * authors of the arm64 block-mapping series report +150 % bandwidth for a 100 GB file on XFS.
 *
 * Where: on XFS on a RAM disk (brd, or null_blk; ext4 where there is no XFS), and in a file of an
 * ordinary file system, in $VMTESTS_CACHE_DIR, by default the folder of the results; or in the
 * existing file $VMTESTS_CACHE_FILE, which is only read. Compare only runs on the same one.
 *
 * Nothing may come from the device. The file is locked in the page cache, where the limit of locked
 * memory allows, and proved resident, clean and not under writeback by cachestat(2) before and
 * after each repeat (resident by mincore(2) before Linux 6.5), and this process may have read no
 * block of any device (ru_inblock, after a page that was dropped on purpose has shown that it
 * counts). fio may have to read its own program again on a machine short of memory, so what its
 * process read is reported, as device_blocks, and judged by the reader.
 *
 * Two readers must agree: fio's job (fio-jobs/seq-read.fio), which others can repeat without this
 * suite, and a plain loop of pread(2) with the same block size. The case "agreement" compares them
 * in pairs, fio between two runs of the loop: it fails when their median is more than 5 % off, and
 * is a skip when the middle half of the pairs is spread over more than that, or there are too few.
 *
 * It cannot tell the copy's cost from the page cache's own (lookup, reference counts); tlb/gups
 * does.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <kselftest.h>
#include <vmtests/bench.h>
#include <vmtests/fio.h>
#include <libmm/memory.h>
#include <vmtests/pagecache.h>
#include <vmtests/ramdisk.h>
#include <vmtests/module.h>
#include <libmm/sysfile.h>
#include <vmtests/undo.h>

#define BLOCK (1u << 20)	/* as in fio-jobs/seq-read.fio */
#define QUICK_BYTES (512ull << 20)
/* The authors' file is 0.39 of their machine's memory. */
#define FILE_PERCENT 39
/* What a file system keeps for itself, above all XFS for its log. Not written: no memory. */
#define DISK_EXTRA (256ull << 20)
#define QUICK_RUNTIME "1"
#define FULL_RUNTIME "10"
/* The loop runs this long on either side of fio, or once through the file. */
#define PAIR_NS 250000000ull
#define AGREE 0.05
#define PAIRS_MAX 1000
/* Quartiles of fewer pairs are no spread. */
#define PAIRS_LEAST 4
#define PLACE_CASES 3		/* pread, fio, agreement */
#define SAID_MAX 4096

#ifndef __NR_cachestat
#define __NR_cachestat 451
#endif

struct place {
	const char *fs;		/* on a RAM disk; NULL: a file of an ordinary file system */
	const char *names[PLACE_CASES];
	const char *needs, *fio_needs;
	int (*setup)(struct bench_case *c);
	double pairs[PAIRS_MAX];	/* fio's bandwidth over the loop's */
	size_t nr_pairs;
};

/* As in linux/mman.h of 6.5. */
struct cached_range {
	uint64_t off, len;
};

struct cached_pages {
	uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

static struct {
	char path[PATH_MAX];
	int fd;
	uint64_t bytes;
	struct pagecache held;
	char *block;
	bool counts;		/* ru_inblock sees reads of this file */
	long inblock;		/* blocks read from devices before the repeat */
	double before_ns;	/* of a byte, the loop before fio */
} cached = { .fd = -1 };

static const char *cache_dir(void)
{
	const char *dir = getenv("VMTESTS_CACHE_DIR");

	if (!dir)
		dir = getenv("VMTESTS_OUT");
	return dir ? dir : "/var/tmp";
}

/* @copies: how often the file will be in memory. */
static int file_size(struct bench_case *c, unsigned int copies)
{
	uint64_t total_kb, available;

	if (__sysfile_read_key("/proc/meminfo", "MemTotal", &total_kb) ||
	    __memory_available(&available))
		return bench_fail(c, -EIO, "cannot tell how much memory there is");
	cached.bytes = bench_tier_full() ? total_kb * 1024 / 100 * FILE_PERCENT : QUICK_BYTES;
	cached.bytes = cached.bytes / BLOCK * BLOCK;
	if (available > copies * (cached.bytes + cached.bytes / 8))
		return 0;
	return bench_skip(c, "%" PRIu64 " MiB of memory are needed and %" PRIu64 " MiB available",
			  copies * (cached.bytes + cached.bytes / 8) >> 20, available >> 20);
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
		errno = ENOSPC;	/* of a short write */
		if (pwrite(cached.fd, cached.block, BLOCK, (off_t)at) != (ssize_t)BLOCK)
			return bench_fail(c, -errno, "cannot write %s", cached.path);
	}
	/* Dirty pages would be written back, and locked, during the measurement. */
	return fsync(cached.fd) ? bench_fail(c, -errno, "cannot sync %s", cached.path) : 0;
}

static int op_pread(struct bench_case *c, uint64_t i)
{
	(void)c;
	if (pread(cached.fd, cached.block, BLOCK, (off_t)(i * BLOCK)) != (ssize_t)BLOCK)
		return -EIO;
	return 0;
}

/* The share, or -errno. */
static int cached_share(struct bench_case *c, double *share)
{
	struct cached_range all = { 0, cached.bytes };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct cached_pages pages;
	uint64_t missing;
	int err;

	if (!syscall(__NR_cachestat, cached.fd, &all, &pages, 0)) {
		if (pages.dirty || pages.writeback)
			return bench_fail(c, -EAGAIN, "%" PRIu64 " dirty pages of %s",
					  pages.dirty + pages.writeback, cached.path);
		*share = (double)pages.cached * (double)page / (double)cached.bytes;
		return 0;
	}
	if (errno != ENOSYS)
		return bench_fail(c, -errno, "cachestat of %s", cached.path);
	err = __pagecache_missing(&cached.held, &missing);
	if (err)
		return bench_fail(c, err, "cannot tell what of %s is in the page cache",
				  cached.path);
	*share = 1 - (double)missing * (double)page / (double)cached.bytes;
	return 0;
}

/* Where something may take what is not locked, that it was taken says nothing of the kernel. */
static int residence_check(struct bench_case *c)
{
	double share = 0;
	int err = cached_share(c, &share);

	if (err || share >= 1)
		return err;
	if (!cached.held.locked && memory_damon_on())
		return bench_skip(c, "only %.4f %% of %s stay in the page cache: DAMON is on, and the limit of locked memory (ulimit -l) is too low",
				  share * 100, cached.path);
	return bench_fail(c, -EAGAIN, "only %.4f %% of %s are in the page cache", share * 100,
			  cached.path);
}

static long device_blocks(int who)
{
	struct rusage usage;

	return getrusage(who, &usage) ? -1 : usage.ru_inblock;
}

/*
 * Drop the first block and read it again. On a file system without a device, or without
 * CONFIG_TASK_IO_ACCOUNTING, no read is counted, and none may be taken for proof.
 */
static int counter_prove(struct bench_case *c)
{
	long before;

	if (posix_fadvise(cached.fd, 0, BLOCK, POSIX_FADV_DONTNEED))
		return bench_fail(c, -EINVAL, "cannot drop a block of %s", cached.path);
	before = device_blocks(RUSAGE_SELF);
	if (op_pread(c, 0))
		return bench_fail(c, -EIO, "cannot read %s", cached.path);
	cached.counts = device_blocks(RUSAGE_SELF) > before;
	return 0;
}

static void file_drop(struct bench_case *c)
{
	(void)c;
	pagecache_release(&cached.held);
	if (cached.fd >= 0)
		close(cached.fd);
	cached.fd = -1;
	free(cached.block);
	cached.block = NULL;
}

/* Into the cache, as those read it who are measured, and kept there. */
static int file_populate(struct bench_case *c)
{
	uint64_t elapsed;
	int err = bench_time(c, op_pread, cached.bytes / BLOCK, &elapsed);

	if (err)
		return bench_fail(c, err, "cannot read %s", cached.path);
	err = __pagecache_hold(&cached.held, cached.fd, cached.bytes);
	return err ? bench_fail(c, err, "cannot map %s", cached.path) : residence_check(c);
}

static int file_open(struct bench_case *c, const char *path, int flags)
{
	if (snprintf(cached.path, sizeof(cached.path), "%s", path) >= (int)sizeof(cached.path))
		return bench_fail(c, -ENAMETOOLONG, "%s", path);
	cached.fd = open(cached.path, flags | O_CLOEXEC, 0600);
	if (cached.fd < 0)
		return bench_fail(c, -errno, "cannot open %s", cached.path);
	cached.block = aligned_alloc((size_t)sysconf(_SC_PAGESIZE), BLOCK);
	return cached.block ? 0 : bench_fail(c, -ENOMEM, "block");
}

/* What is in @folder goes with it. */
static int file_make(struct bench_case *c, const char *folder)
{
	char path[PATH_MAX];
	int err;

	if (!disk_has_room(folder, cached.bytes))
		return bench_skip(c, "%s has no room for %" PRIu64 " MiB: VMTESTS_CACHE_DIR names another folder",
				  folder, cached.bytes >> 20);
	err = __undo_directory(folder, path, sizeof(path));
	if (err)
		return bench_fail(c, err, "cannot make a folder in %s", folder);
	strncat(path, "/file", sizeof(path) - strlen(path) - 1);
	err = file_open(c, path, O_RDWR | O_CREAT | O_EXCL);
	return err ? err : file_write(c);
}

/* Of the user's: read, never written. */
static int file_take(struct bench_case *c, const char *path)
{
	struct stat st;
	int err;

	if (strchr(path, ':'))
		return bench_skip(c, "VMTESTS_CACHE_FILE %s: fio takes ':' for the end of a name",
				  path);
	err = file_open(c, path, O_RDONLY);
	if (err)
		return err;
	if (fstat(cached.fd, &st) || !S_ISREG(st.st_mode) || st.st_size < BLOCK)
		return bench_skip(c, "VMTESTS_CACHE_FILE %s: a regular file of 1 MiB or more is needed",
				  path);
	cached.bytes = (uint64_t)st.st_size / BLOCK * BLOCK;
	/* Whoever wrote it may have been done a moment ago. */
	return fsync(cached.fd) ? bench_fail(c, -errno, "cannot sync %s", cached.path) : 0;
}

static int file_ready(struct bench_case *c)
{
	int err = counter_prove(c);

	if (!err)
		err = file_populate(c);
	c->iterations = cached.bytes / BLOCK;
	c->units = cached.bytes;
	return err;
}

static int setup_end(struct bench_case *c, int err)
{
	if (!err)
		err = file_ready(c);
	if (err)
		file_drop(c);
	return err;
}

static int file_setup(struct bench_case *c)
{
	const char *named = getenv("VMTESTS_CACHE_FILE");
	char dir[PATH_MAX];
	int err = bench_guard(c);

	if (err)
		return err;
	if (named)
		return setup_end(c, file_take(c, named));
	if (!realpath(cache_dir(), dir))
		return bench_fail(c, -errno, "%s", cache_dir());
	err = file_size(c, 1);
	return err ? err : setup_end(c, file_make(c, dir));
}

static int file_system_make(struct bench_case *c, const char *fs, char *device, char *mount_point)
{
	char *const xfs[] = { "mkfs.xfs", "-q", "-f", "-K", device, NULL };
	char *const ext4[] = {
		"mkfs.ext4", "-q", "-F", "-m", "0",
		"-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", device, NULL,
	};
	char *const *argv = strcmp(fs, "xfs") ? ext4 : xfs;
	const char *tmp = getenv("TMPDIR");
	int err = __undo_process_run(argv, NULL, -1, STDERR_FILENO, false);

	if (err)
		return bench_fail(c, err < 0 ? err : -EIO, "%s", argv[0]);
	err = __undo_module_load(fs, NULL);
	if (!err)
		err = __undo_directory(tmp ? tmp : "/tmp", mount_point, PATH_MAX);
	if (!err)
		err = __undo_mount(device, mount_point, fs, 0, NULL);
	return err ? bench_fail(c, err, "cannot mount %s", fs) : 0;
}

static int ram_setup(struct bench_case *c)
{
	const struct place *place = c->ctx;
	char device[NAME_MAX], mount_point[PATH_MAX], reason[sizeof(c->reason)];
	int err = file_size(c, 2);

	if (!err)
		err = bench_guard(c);
	if (err)
		return err;
	err = __ramdisk_make(cached.bytes + cached.bytes / 4 + DISK_EXTRA, device, sizeof(device),
			     reason, sizeof(reason));
	if (err == -ENODEV)
		return bench_skip(c, "%s", reason);
	if (err)
		return bench_fail(c, err, "%s", reason);
	err = file_system_make(c, place->fs, device, mount_point);
	return err ? err : setup_end(c, file_make(c, mount_point));
}

static int pread_before(struct bench_case *c)
{
	int err = residence_check(c);

	cached.inblock = device_blocks(RUSAGE_SELF);
	return err;
}

static int pread_after(struct bench_case *c)
{
	long blocks = device_blocks(RUSAGE_SELF) - cached.inblock;

	if (blocks && cached.counts)
		return bench_fail(c, -EIO, "%ld blocks came from a device, not from the cache",
				  blocks);
	return residence_check(c);
}

/* The loop for PAIR_NS. @ns gets its time a byte. */
static int loop_time(struct bench_case *c, double *ns)
{
	uint64_t elapsed, all = 0, passes = 0;
	int err;

	do {
		err = bench_time(c, op_pread, cached.bytes / BLOCK, &elapsed);
		all += elapsed;
		passes++;
	} while (!err && all < PAIR_NS);
	*ns = (double)all / (double)(passes * cached.bytes);
	return err ? bench_fail(c, err, "cannot read %s", cached.path) : 0;
}

static int fio_before(struct bench_case *c)
{
	int err = residence_check(c);

	if (!err)
		err = loop_time(c, &cached.before_ns);
	cached.inblock = device_blocks(RUSAGE_CHILDREN);
	return err;
}

static void pair_add(struct bench_case *c, double fio_bw, double after_ns)
{
	struct place *place = c->ctx;

	if (!c->warmup && place->nr_pairs < PAIRS_MAX)
		place->pairs[place->nr_pairs++] = fio_bw * (cached.before_ns + after_ns) / 2 / 1e9;
}

/* Where fio's JSON goes: beside the samples, or nowhere that stays. */
static int json_name(const struct bench_case *c, const char *folder, char *path, size_t size)
{
	const char *out = getenv("VMTESTS_OUT"), *run = getenv("VMTESTS_RUN");
	const struct place *place = c->ctx;
	int len;

	if (out)
		len = snprintf(path, size, "%s/fio/%s.seq-read%s%s.%s%u.json", out,
			       run ? run : "0", place->fs ? "-" : "", place->fs ? place->fs : "",
			       c->warmup ? "warmup" : "", c->rep);
	else
		len = snprintf(path, size, "%s/fio.json", folder);
	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

static int fio_run(struct bench_case *c, struct fio_result *fio)
{
	char file[PATH_MAX + 8], size[40], folder[PATH_MAX], json[PATH_MAX];
	const char *const runtime = bench_tier_full() ? "RUNTIME=" FULL_RUNTIME :
							"RUNTIME=" QUICK_RUNTIME;
	const char *const env[] = { file, size, runtime, NULL };
	const char *tmp = getenv("TMPDIR");
	int err;

	snprintf(file, sizeof(file), "FILE=%s", cached.path);
	snprintf(size, sizeof(size), "SIZE=%" PRIu64, cached.bytes);
	err = __undo_directory(tmp ? tmp : "/tmp", folder, sizeof(folder));
	if (!err)
		err = json_name(c, folder, json, sizeof(json));
	if (err)
		return bench_fail(c, err, "a folder for fio");
	bench_window_begin();
	err = __fio_run("seq-read", FIO_READ, env, json, fio);
	if (err)
		return bench_fail(c, err, "fio-jobs/seq-read.fio");
	bench_window_end(fio->io_bytes / BLOCK);
	return 0;
}

/* fio measures by itself; nothing of it is timed here. */
static int fio_after(struct bench_case *c)
{
	struct fio_result fio;
	double after_ns;
	int err = fio_run(c, &fio);

	if (!err)
		err = residence_check(c);
	if (!err)
		err = bench_value(c, "device_blocks", "blocks", REPORT_LOWER,
				  device_blocks(RUSAGE_CHILDREN) - cached.inblock);
	if (!err)
		err = bench_value(c, "bw_bytes", "bytes/s", REPORT_HIGHER, fio.bw_bytes);
	if (!err)
		err = bench_value(c, "clat_mean_ns", "ns", REPORT_LOWER, fio.clat_mean_ns);
	if (!err)
		err = loop_time(c, &after_ns);
	if (!err)
		pair_add(c, fio.bw_bytes, after_ns);
	return err;
}

static int value_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int agreement_setup(struct bench_case *c)
{
	struct place *place = c->ctx;
	size_t n = place->nr_pairs;
	double median, low, high;

	if (!n)
		return bench_skip(c, "fio was not measured");
	qsort(place->pairs, n, sizeof(*place->pairs), value_order);
	low = place->pairs[n / 4];
	high = place->pairs[n - 1 - n / 4];
	median = (place->pairs[(n - 1) / 2] + place->pairs[n / 2]) / 2;
	/* Pairs that are further apart than what is asked of their median say nothing about it. */
	if (n < PAIRS_LEAST || high - low > 2 * AGREE)
		return bench_skip(c, "cannot tell: in %zu pairs fio is between %+.1f and %+.1f %% from pread",
				  n, (low - 1) * 100, (high - 1) * 100);
	if (fabs(median - 1) <= AGREE)
		return 0;
	return bench_fail(c, -ERANGE, "fio is %+.1f %% from pread, more than %.0f %%",
			  (median - 1) * 100, AGREE * 100);
}

static int agreement_after(struct bench_case *c)
{
	const struct place *place = c->ctx;
	size_t n = place->nr_pairs;
	double median = (place->pairs[(n - 1) / 2] + place->pairs[n / 2]) / 2;

	return bench_value(c, "disagreement", "1", REPORT_LOWER, fabs(median - 1));
}

static const struct bench_phase pread_phases[] = {
	{
		.metric = "bw_bytes", .unit = "bytes/s", .better = REPORT_HIGHER,
		.scale = BENCH_UNITS_PER_SEC, .op = op_pread,
	},
};

static struct place ordinary = {
	.names = { "pread", "fio", "agreement" },
	.fio_needs = "command:fio",
	.setup = file_setup,
};

static struct place ram_xfs = {
	.fs = "xfs",
	.names = { "xfs-pread", "xfs-fio", "xfs-agreement" },
	.needs = "root,command:mkfs.xfs",
	.fio_needs = "root,command:mkfs.xfs,command:fio",
	.setup = ram_setup,
};

static struct place ram_ext4 = {
	.fs = "ext4",
	.names = { "ext4-pread", "ext4-fio", "ext4-agreement" },
	.needs = "root,command:mkfs.ext4",
	.fio_needs = "root,command:mkfs.ext4,command:fio",
	.setup = ram_setup,
};

/* Whether the kernel has XFS already, or can load it. */
static bool xfs_is_here(void)
{
	char list[SAID_MAX];
	ssize_t len = __sysfile_read("/proc/filesystems", list, sizeof(list));

	return (len > 0 && strstr(list, "\txfs")) || module_probe("xfs").answer == PROBE_YES;
}

static void cases_fill(struct bench_case *cases, struct place *place)
{
	cases[0] = (struct bench_case) {
		.name = place->names[0], .needs = place->needs, .ctx = place,
		.setup = place->setup, .teardown = file_drop,
		.before = pread_before, .after = pread_after,
		.phases = pread_phases, .nr_phases = ARRAY_SIZE(pread_phases),
	};
	cases[1] = (struct bench_case) {
		.name = place->names[1], .needs = place->fio_needs, .ctx = place,
		.setup = place->setup, .teardown = file_drop,
		.before = fio_before, .after = fio_after,
	};
	cases[2] = (struct bench_case) {
		.name = place->names[2], .ctx = place, .once = true,
		.setup = agreement_setup, .after = agreement_after,
	};
}

static long cases_build(struct bench_case **cases)
{
	struct place *ram = &ram_xfs;

	*cases = calloc(2 * PLACE_CASES, sizeof(**cases));
	if (!*cases)
		return -ENOMEM;
	if (!xfs_is_here())
		ram = &ram_ext4;
	cases_fill(*cases, &ordinary);
	cases_fill(*cases + PLACE_CASES, ram);
	return 2 * PLACE_CASES;
}

int main(int argc, char **argv)
{
	static const struct bench seq_read = {
		.name = "cache/seq-read",
		.build = cases_build,
	};

	return bench_main(argc, argv, &seq_read);
}
