// SPDX-License-Identifier: GPL-2.0
/*
 * crypt/dm-crypt: files on ext4 on dm-crypt on a RAM disk.
 *
 * Encryption reads every byte through the linear map and writes it through the linear map again,
 * into pages that dm-crypt allocates one by one, and the RAM disk below copies them there once
 * more. The authors of the arm64 block-mapping series report +90 to +150 % for their job, 4k
 * buffered writes to a new file of 0.39 of memory, with a high variance of their own.
 *
 * Method: fio's jobs in fio-jobs/, which others can repeat without this suite: the authors'
 * (seq-write), random writes, and direct writes and reads, which leave the page cache out. Each
 * case has a RAM disk (brd; null_blk where brd is not free), a mapping (plain, aes-xts-plain64, 512
 * bits, random key) and a file system of its own, once as dm-crypt is by default, with work
 * queues between the caller and the cipher, and once without (-inline). What cryptsetup says of the
 * mapping is checked before anything is measured on it, and an error that fio counts is a failure.
 * The cipher's own speed in memory, the most that anything here can reach, is the case "ceiling".
 *
 * Limits: cache and RAM disk both hold the data, so 0.39 of memory is nearly the most there can be;
 * the quick tier's file is small and partly fits into large caches. dm-crypt changed how it
 * allocates pages in 6.5: never compare across that. Writes with work queues are spread over CPUs
 * by the scheduler, so they vary more from run to run than those without.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <kselftest.h>
#include <vmtests/bench.h>
#include <vmtests/command.h>
#include <vmtests/fio.h>
#include <libmm/memory.h>
#include <vmtests/ramdisk.h>
#include <libmm/sysfile.h>
#include <vmtests/undo.h>

#define MAPPING "vmtests-crypt"
#define MAPPED "/dev/mapper/" MAPPING
#define CIPHER "aes-xts-plain64"
#define BENCHMARK_CIPHER "aes-xts"
#define KEY_BITS "512"
#define KEY_BYTES (512 / 8)
#define NO_READ_QUEUE "no_read_workqueue"
#define NO_WRITE_QUEUE "no_write_workqueue"

#define QUICK_BYTES (256ull << 20)
#define OP_BYTES 4096		/* of a TLB model's operation, whatever a job's block size */
/* The authors' shares of memory: the file, and the RAM disk that holds it. */
#define FILE_PERCENT 39
#define DISK_PERCENT 50
#define SAID_MAX 4096

struct crypt {
	const char *job;
	enum fio_direction direction;
	bool is_inline;
};

static char folder[PATH_MAX];	/* on the encrypted file system */
static uint64_t file_bytes;

static uint64_t disk_bytes(void)
{
	return file_bytes / FILE_PERCENT * DISK_PERCENT;
}

/* The file's size; a share of all memory, not of what is free, so that it is the same each time. */
static int file_size(struct bench_case *c)
{
	uint64_t total_kb, available;

	if (__sysfile_read_key("/proc/meminfo", "MemTotal", &total_kb) ||
	    __memory_available(&available))
		return bench_fail(c, -EIO, "cannot tell how much memory there is");
	file_bytes = bench_tier_full() ? total_kb * 1024 / 100 * FILE_PERCENT : QUICK_BYTES;
	file_bytes &= ~0xfffffull;
	/* Once in the cache, once on the disk, and what the file system keeps. */
	if (available > file_bytes + disk_bytes())
		return 0;
	return bench_skip(c, "%" PRIu64 " MiB of memory are needed and %" PRIu64 " MiB available",
			  (file_bytes + disk_bytes()) >> 20, available >> 20);
}

/* What @argv says, at most @size - 1 bytes. Returns 0, -EIO when it failed, or -errno. */
static int program_ask(char *const argv[], char *said, size_t size)
{
	int fd = memfd_create("said", MFD_CLOEXEC), ret;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	ret = __undo_process_run(argv, NULL, -1, fd, false);
	if (!ret) {
		n = pread(fd, said, size - 1, 0);
		ret = n < 0 ? -errno : 0;
	}
	close(fd);
	said[n > 0 ? n : 0] = '\0';
	return ret > 0 ? -EIO : ret;
}

static int program_run(struct bench_case *c, char *const argv[], int in)
{
	int ret = __undo_process_run(argv, NULL, in, STDERR_FILENO, false);

	if (ret > 0)
		return bench_fail(c, -EIO, "%s exited with %d", argv[0], ret);
	return ret ? bench_fail(c, ret, "%s", argv[0]) : 0;
}

/* A pipe that a new random key comes out of. Returns its end or -errno. */
static int key_pipe(void)
{
	unsigned char key[KEY_BYTES];
	int pipes[2], ret = 0;

	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return -EIO;
	if (pipe2(pipes, O_CLOEXEC)) {
		ret = -errno;
	} else {
		if (write(pipes[1], key, sizeof(key)) != (ssize_t)sizeof(key))
			ret = -EIO;
		close(pipes[1]);
		if (ret)
			close(pipes[0]);
	}
	explicit_bzero(key, sizeof(key));
	return ret ? ret : pipes[0];
}

static int mapping_open(struct bench_case *c, char *device, bool is_inline)
{
	char *argv[] = {
		"cryptsetup", "open", "--type", "plain", "--cipher", CIPHER,
		"--key-size", KEY_BITS, "--key-file", "-", device, MAPPING,
		/* Without the first, the vector ends before the second. */
		is_inline ? "--perf-" NO_READ_QUEUE : NULL, "--perf-" NO_WRITE_QUEUE, NULL,
	};
	int key, ret;

	ret = __undo_dm(MAPPING);
	if (ret)
		return bench_fail(c, ret, "cannot make the mapping " MAPPING);
	key = key_pipe();
	if (key < 0)
		return bench_fail(c, key, "no random key");
	ret = program_run(c, argv, key);
	close(key);
	return ret;
}

/* The mapping is what is to be measured, in the words of who made it. */
static int mapping_check(struct bench_case *c, bool is_inline)
{
	char *const argv[] = { "cryptsetup", "status", MAPPING, NULL };
	char said[SAID_MAX];
	int ret = program_ask(argv, said, sizeof(said));

	if (ret)
		return bench_fail(c, ret, "cryptsetup status " MAPPING);
	if (!strstr(said, " " CIPHER "\n") || !strstr(said, " " KEY_BITS " bits\n"))
		return bench_fail(c, -EBADE, "the mapping is not " CIPHER " with " KEY_BITS " bits");
	if (is_inline == !strstr(said, NO_READ_QUEUE) || is_inline == !strstr(said, NO_WRITE_QUEUE))
		return bench_fail(c, -EBADE, "the mapping has%s work queues", is_inline ? "" : " no");
	return 0;
}

/* All of it is written here, not by the kernel while something is measured. */
static int file_system_make(struct bench_case *c)
{
	char *const argv[] = {
		"mkfs.ext4", "-q", "-F", "-m", "0",
		"-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", MAPPED, NULL,
	};
	const char *tmp = getenv("TMPDIR");
	char mount_point[PATH_MAX];
	int ret = program_run(c, argv, -1);

	if (ret)
		return ret;
	ret = __undo_module_load("ext4", NULL);
	if (ret)
		return bench_fail(c, ret, "cannot load ext4");
	ret = __undo_directory(tmp ? tmp : "/tmp", mount_point, sizeof(mount_point));
	if (!ret)
		ret = __undo_mount(MAPPED, mount_point, "ext4", 0, NULL);
	/* Emptied before the unmount, which would otherwise have to write everything. */
	if (!ret)
		ret = __undo_directory(mount_point, folder, sizeof(folder));
	return ret ? bench_fail(c, ret, "cannot mount ext4") : 0;
}

static int crypt_setup(struct bench_case *c)
{
	const struct crypt *crypt = c->ctx;
	char device[NAME_MAX], reason[sizeof(c->reason)];
	int ret = file_size(c);

	if (!ret)
		ret = bench_guard(c);
	if (ret)
		return ret;
	ret = __ramdisk_make(disk_bytes(), device, sizeof(device), reason, sizeof(reason));
	if (ret == -ENODEV)
		return bench_skip(c, "%s", reason);
	if (ret)
		return bench_fail(c, ret, "%s", reason);
	ret = __undo_module_load("dm_crypt", NULL);
	if (!ret)
		ret = __undo_crypto_modules();
	if (ret)
		return bench_fail(c, ret, "cannot load dm_crypt");
	ret = mapping_open(c, device, crypt->is_inline);
	if (!ret)
		ret = mapping_check(c, crypt->is_inline);
	return ret ? ret : file_system_make(c);
}

/* Where fio's JSON goes: beside the samples, or where it will be gone. */
static int json_name(const struct bench_case *c, char *path, size_t size)
{
	const char *out = getenv("VMTESTS_OUT"), *run = getenv("VMTESTS_RUN");
	int len;

	if (out)
		len = snprintf(path, size, "%s/fio/%s.dm-crypt-%s.%s%u.json", out, run ? run : "0",
			       c->name, c->warmup ? "warmup" : "", c->rep);
	else
		len = snprintf(path, size, "%s/../fio.json", folder);
	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

static int values_report(struct bench_case *c, const struct fio_result *fio)
{
	const struct {
		const char *metric, *unit;
		enum report_better better;
		double value;
	} values[] = {
		{ "iops", "ops/s", REPORT_HIGHER, fio->iops },
		{ "bw_bytes", "bytes/s", REPORT_HIGHER, fio->bw_bytes },
		{ "clat_mean_ns", "ns", REPORT_LOWER, fio->clat_mean_ns },
		{ "clat_p50_ns", "ns", REPORT_LOWER, fio->clat_p50_ns },
		{ "clat_p99_ns", "ns", REPORT_LOWER, fio->clat_p99_ns },
		{ "clat_p999_ns", "ns", REPORT_LOWER, fio->clat_p999_ns },
	};
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(values); i++)
		err = bench_value(c, values[i].metric, values[i].unit, values[i].better,
				  values[i].value);
	return err;
}

/* fio measures by itself; nothing of it is timed here. */
static int crypt_after(struct bench_case *c)
{
	const struct crypt *crypt = c->ctx;
	char dir[PATH_MAX + 8], size[40], json[PATH_MAX];
	const char *const env[] = { dir, size, NULL };
	struct fio_result fio;
	int err;

	snprintf(dir, sizeof(dir), "DIR=%s", folder);
	snprintf(size, sizeof(size), "SIZE=%" PRIu64, file_bytes);
	err = json_name(c, json, sizeof(json));
	if (err)
		return bench_fail(c, err, "a name for fio's results");
	bench_window_begin();
	err = __fio_run(crypt->job, crypt->direction, env, json, &fio);
	if (err)
		return bench_fail(c, err, "fio-jobs/%s.fio", crypt->job);
	bench_window_end(fio.io_bytes / OP_BYTES);
	if (fio.io_bytes != file_bytes)
		return bench_fail(c, -EIO, "fio moved %" PRIu64 " of %" PRIu64 " bytes",
				  fio.io_bytes, file_bytes);
	return values_report(c, &fio);
}

static int ceiling_setup(struct bench_case *c)
{
	int ret = bench_guard(c);

	if (ret)
		return ret;
	ret = __undo_crypto_modules();
	return ret ? bench_fail(c, ret, "cannot note the crypto modules") : 0;
}

/* The line is "aes-xts  512b  1234.5 MiB/s  1234.5 MiB/s", encryption first; "#" begins notes. */
static int ceiling_parse(const char *said, double *encrypt, double *decrypt)
{
	for (const char *line = said; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, " " BENCHMARK_CIPHER " " KEY_BITS "b %lf MiB/s %lf MiB/s", encrypt,
			   decrypt) == 2)
			return 0;
	}
	return -EPROTO;
}

static int ceiling_after(struct bench_case *c)
{
	char *const argv[] = {
		"cryptsetup", "benchmark", "--cipher", BENCHMARK_CIPHER,
		"--key-size", KEY_BITS, NULL,
	};
	double encrypt, decrypt;
	char said[SAID_MAX];
	int err = program_ask(argv, said, sizeof(said));

	if (!err)
		err = ceiling_parse(said, &encrypt, &decrypt);
	if (err)
		return bench_fail(c, err, "cryptsetup benchmark");
	err = bench_value(c, "encrypt_bw_bytes", "bytes/s", REPORT_HIGHER, encrypt * (1 << 20));
	if (!err)
		err = bench_value(c, "decrypt_bw_bytes", "bytes/s", REPORT_HIGHER,
				  decrypt * (1 << 20));
	return err;
}

#define CRYPT_CASE(case_name, fio_job, fio_direction, without_queues) {		\
	.name = case_name,							\
	.ctx = &(struct crypt) {						\
		.job = fio_job, .direction = fio_direction,			\
		.is_inline = without_queues,					\
	},									\
	.setup = crypt_setup, .after = crypt_after,				\
}

static struct bench_case cases[] = {
	{
		.name = "ceiling", .needs = "module:algif_skcipher",
		.setup = ceiling_setup, .after = ceiling_after, .once = true,
	},
	CRYPT_CASE("seq-write", "dm-crypt-seq-write", FIO_WRITE, false),
	CRYPT_CASE("seq-write-inline", "dm-crypt-seq-write", FIO_WRITE, true),
	CRYPT_CASE("rand-write", "dm-crypt-rand-write", FIO_WRITE, false),
	CRYPT_CASE("rand-write-inline", "dm-crypt-rand-write", FIO_WRITE, true),
	CRYPT_CASE("direct-write", "dm-crypt-direct-write", FIO_WRITE, false),
	CRYPT_CASE("direct-write-inline", "dm-crypt-direct-write", FIO_WRITE, true),
	CRYPT_CASE("seq-read", "dm-crypt-seq-read", FIO_READ, false),
	CRYPT_CASE("seq-read-inline", "dm-crypt-seq-read", FIO_READ, true),
};

int main(int argc, char **argv)
{
	static const struct bench dm_crypt = {
		.name = "crypt/dm-crypt",
		.needs = "root,module:dm_crypt,command:cryptsetup,command:fio,command:mkfs.ext4",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return bench_main(argc, argv, &dm_crypt);
}
