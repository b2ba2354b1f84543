// SPDX-License-Identifier: GPL-2.0
/*
 * report: append samples to samples.jsonl.
 *
 * Each line is written and synced under an exclusive flock(2), which every opener takes for itself:
 * a line that did not get onto the disk whole can be cut off without taking a neighbour's with it.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include <libmm/report.h>

#define SAMPLES_NAME "samples.jsonl"
#define TAIL_BLOCK 4096
/* Enough digits for any double to read back as itself: IEEE 754, binary64. */
#define REAL_DIGITS 17

struct report {
	int fd;			/* of samples.jsonl; -1: print comments instead */
	unsigned int run;
	char *bench;
};

struct sample {
	const char *kase;
	const char *metric;
	const char *unit;
	enum report_better better;
	double value;
	unsigned int rep;
};

static bool char_in_name(char c)
{
	return isascii(c) && (isalnum(c) || strchr("_.+-", c));
}

static bool name_valid(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!name[i] || !char_in_name(name[i]))
			return false;
	return len;
}

static bool bench_valid(const char *bench)
{
	const char *slash = strchr(bench, '/');

	if (!slash || !name_valid(bench, slash - bench))
		return false;
	return name_valid(slash + 1, strlen(slash + 1));
}

static bool unit_valid(const char *unit)
{
	for (const char *c = unit; *c; c++)
		if (*c < '!' || *c > '~')
			return false;
	return *unit;
}

static int sample_check(const struct sample *s)
{
	if (!name_valid(s->kase, strlen(s->kase)) || !name_valid(s->metric, strlen(s->metric)) ||
	    !unit_valid(s->unit))
		return -EINVAL;
	return isfinite(s->value) ? 0 : -ERANGE;
}

static int run_number(unsigned int *run)
{
	const char *text = getenv("VMTESTS_RUN");
	unsigned long number;
	char *end;

	*run = 0;
	if (!text || !*text)
		return 0;
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || number > INT32_MAX)
		return -EINVAL;
	*run = number;
	return 0;
}

static double seconds_since_boot(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int file_lock(int fd)
{
	while (flock(fd, LOCK_EX)) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static int file_unlock(int fd)
{
	return flock(fd, LOCK_UN) ? -errno : 0;
}

static int file_cut(int fd, off_t size)
{
	if (ftruncate(fd, size) || fdatasync(fd))
		return -errno;
	return 0;
}

/* Where the line begins that ends before @end: behind the newline before it, or 0. */
static int line_start(int fd, off_t end, off_t *start)
{
	char block[TAIL_BLOCK];

	while (end > 0) {
		size_t want = end < TAIL_BLOCK ? end : TAIL_BLOCK;
		ssize_t got = pread(fd, block, want, end - want);
		const char *newline;

		if (got < 0)
			return -errno;
		if ((size_t)got != want)
			return -EIO;
		newline = memrchr(block, '\n', want);
		if (newline) {
			*start = end - want + (newline - block) + 1;
			return 0;
		}
		end -= want;
	}
	*start = 0;
	return 0;
}

static int line_is_object(int fd, off_t start, off_t end, bool *whole)
{
	size_t len = end - start;
	char *line = malloc(len ? len : 1);
	json_t *object;
	ssize_t got;

	if (!line)
		return -ENOMEM;
	got = pread(fd, line, len, start);
	if (got < 0 || (size_t)got != len) {
		free(line);
		return got < 0 ? -errno : -EIO;
	}
	object = json_loadb(line, len, 0, NULL);
	*whole = json_is_object(object);
	json_decref(object);
	free(line);
	return 0;
}

/* What a crash left behind the last whole line is no sample, and nothing may be appended to it. */
static int tail_repair(int fd, const char *dir)
{
	off_t size = lseek(fd, 0, SEEK_END);
	bool whole = false;
	off_t start;
	char last;
	int err;

	if (size <= 0)
		return size ? -errno : 0;
	if (pread(fd, &last, 1, size - 1) != 1)
		return -EIO;

	err = line_start(fd, last == '\n' ? size - 1 : size, &start);
	if (!err && last == '\n')
		err = line_is_object(fd, start, size - 1, &whole);
	if (err || whole)
		return err;

	fprintf(stderr, "report: %s/" SAMPLES_NAME ": dropped a damaged last line of %lld bytes\n",
		dir, (long long)(size - start));
	return file_cut(fd, start);
}

static int file_prepare(int fd, int dirfd, const char *dir)
{
	int err = file_lock(fd);

	if (err)
		return err;
	err = tail_repair(fd, dir);
	/* The name of a new file must be as durable as the samples in it. */
	if (!err && fsync(dirfd))
		err = -errno;
	return file_unlock(fd) ?: err;
}

static int samples_open(const char *dir)
{
	int dirfd, fd, err;

	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return -errno;
	fd = openat(dirfd, SAMPLES_NAME, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	err = fd < 0 ? -errno : file_prepare(fd, dirfd, dir);
	close(dirfd);
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

static int line_append(int fd, const char *line, size_t len)
{
	off_t before = lseek(fd, 0, SEEK_END);
	ssize_t written;
	int err = 0;

	if (before < 0)
		return -errno;
	do {
		written = write(fd, line, len);
	} while (written < 0 && errno == EINTR);

	if (written < 0)
		err = -errno;
	else if ((size_t)written < len)
		err = -ENOSPC;
	else if (fdatasync(fd))
		err = -errno;

	if (err && written > 0)
		return file_cut(fd, before) ?: err;
	return err;
}

static int line_write(int fd, const char *line, size_t len)
{
	int err = file_lock(fd);

	if (err)
		return err;
	err = line_append(fd, line, len);
	return file_unlock(fd) ?: err;
}

/* JSON integers of jansson are signed; a bound beyond them keeps its magnitude as a real. */
static json_t *json_u64(uint64_t value)
{
	return value <= INT64_MAX ? json_integer(value) : json_real(value);
}

static json_t *buckets_json(const struct hist *h)
{
	json_t *buckets = json_array();
	uint64_t lower, upper;

	for (size_t i = 0; buckets && i < HIST_BUCKETS; i++) {
		if (!h->bucket[i])
			continue;
		hist_bucket_range(i, &lower, &upper);
		if (json_array_append_new(buckets, json_pack("[o, o]", json_u64(upper),
							     json_u64(h->bucket[i])))) {
			json_decref(buckets);
			return NULL;
		}
	}
	return buckets;
}

static json_t *hist_json(const struct hist *h, const char *unit)
{
	return json_pack("{s:s, s:f, s:o}", "unit", unit, "error", HIST_MAX_ERROR,
			 "buckets", buckets_json(h));
}

static json_t *sample_json(const struct report *r, const struct sample *s)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:f, s:I, s:I, s:f}", "bench", r->bench,
			 "case", s->kase, "metric", s->metric, "unit", s->unit,
			 "better", s->better == REPORT_LOWER ? "lower" : "higher",
			 "value", s->value, "rep", (json_int_t)s->rep, "run", (json_int_t)r->run,
			 "t", seconds_since_boot());
}

/* Takes over @object. */
static int object_write(int fd, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));
	size_t len;
	int err;

	json_decref(object);
	if (!text)
		return -ENOMEM;

	/* The newline takes the place of the terminating NUL: the line is one buffer, one write. */
	len = strlen(text);
	text[len] = '\n';
	err = line_write(fd, text, len + 1);
	free(text);
	return err;
}

static int sample_write(struct report *r, const struct sample *s, const struct hist *hist,
			const char *hist_unit)
{
	json_t *object;
	int err;

	err = sample_check(s);
	if (!err && hist && !unit_valid(hist_unit))
		err = -EINVAL;
	if (err)
		return err;

	if (r->fd < 0) {
		printf("# %s %s %.6g %s\n", s->kase, s->metric, s->value, s->unit);
		return ferror(stdout) ? -EIO : 0;
	}

	object = sample_json(r, s);
	if (!object || (hist && json_object_set_new(object, "hist", hist_json(hist, hist_unit)))) {
		json_decref(object);
		return -ENOMEM;
	}
	return object_write(r->fd, object);
}

int __report_open(struct report **out, const char *bench)
{
	const char *dir = getenv("VMTESTS_OUT");
	struct report *r;
	int err;

	if (!bench_valid(bench))
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;

	r->fd = -1;
	r->bench = strdup(bench);
	err = r->bench ? run_number(&r->run) : -ENOMEM;
	if (!err && dir && *dir) {
		r->fd = samples_open(dir);
		err = r->fd < 0 ? r->fd : 0;
	}
	if (err) {
		report_close(r);
		return err;
	}
	*out = r;
	return 0;
}

int __report_sample(struct report *r, const char *kase, const char *metric, const char *unit,
		    enum report_better better, double value, unsigned int rep)
{
	const struct sample s = { kase, metric, unit, better, value, rep };

	return sample_write(r, &s, NULL, NULL);
}

int __report_hist(struct report *r, const char *kase, const char *metric, const char *unit,
		  enum report_better better, double value, unsigned int rep,
		  const struct hist *hist, const char *hist_unit)
{
	const struct sample s = { kase, metric, unit, better, value, rep };

	return sample_write(r, &s, hist, hist_unit);
}

void report_close(struct report *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	free(r->bench);
	free(r);
}
