// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: samples.jsonl is what docs/results.md says, line by line, and stays whole: with a full
 * disk, after a crash, and with several writers at once.
 * Method: real files in a temporary directory, read back with jansson. A full disk is RLIMIT_FSIZE:
 * a write at it fails, one across it is cut short.
 */
#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include <vmtests/report.h>

#include <kselftest_harness.h>

#include "grammar_cases.h"

#define BENCH "unit/report"
#define NR_WRITERS 4u
#define NR_LINES_EACH 50

static const double exact_values[] = {
	0.0, 1.0, 0.1, 1.0 / 3, -2.5, 123456789.123456789, DBL_MIN, DBL_MAX,
	DBL_TRUE_MIN, DBL_EPSILON,
};

static const char *const damaged_tails[] = {
	"{\"bench\":\"unit/rep",			/* cut short */
	"{\"bench\":\"unit/report\"}",			/* whole but for its newline */
	"{\"bench\":\"unit/rep\n",			/* a later writer's newline */
	"[1]\n",					/* JSON, but no sample */
	"\n",
};

FIXTURE(report)
{
	char dir[64];
	char path[96];
	struct report *r;
};

FIXTURE_SETUP(report)
{
	strcpy(self->dir, "/tmp/report_unit.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	snprintf(self->path, sizeof(self->path), "%s/samples.jsonl", self->dir);
	ASSERT_EQ(0, setenv("VMTESTS_OUT", self->dir, 1));
	ASSERT_EQ(0, unsetenv("VMTESTS_RUN"));
	self->r = NULL;
}

FIXTURE_TEARDOWN(report)
{
	report_close(self->r);
	unlink(self->path);
	EXPECT_EQ(0, rmdir(self->dir));
}

static int sample_add(struct report *r, double value, unsigned int rep)
{
	return __report_sample(r, "a.case", "a_metric", "ns/page", REPORT_LOWER, value, rep);
}

static int file_append(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	ssize_t written;

	if (fd < 0)
		return -errno;
	written = write(fd, data, len);
	close(fd);
	return (size_t)written == len ? 0 : -EIO;
}

static off_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

/* All lines as a JSON array; NULL when one of them is damaged. */
static json_t *lines_load(const char *path)
{
	FILE *file = fopen(path, "r");
	json_t *lines = json_array();
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (!file || !lines)
		return NULL;
	while (lines && (len = getline(&line, &size, file)) > 0) {
		json_t *object = line[len - 1] == '\n' ? json_loads(line, 0, NULL) : NULL;

		if (!json_is_object(object) || json_array_append_new(lines, object)) {
			json_decref(lines);
			lines = NULL;
		}
	}
	free(line);
	fclose(file);
	return lines;
}

static size_t lines_count(const char *path)
{
	json_t *lines = lines_load(path);
	size_t count = lines ? json_array_size(lines) : SIZE_MAX;

	json_decref(lines);
	return count;
}

static json_t *line_get(json_t *lines, size_t i, const char *key)
{
	return json_object_get(json_array_get(lines, i), key);
}

/* Send stderr (or stdout) to @path while *saved holds the old one. */
static int stream_redirect(int fd, const char *path, int *saved)
{
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (to < 0)
		return -errno;
	*saved = dup(fd);
	if (*saved < 0 || dup2(to, fd) < 0)
		return -errno;
	close(to);
	return 0;
}

static int stream_restore(int fd, int saved)
{
	int ret = dup2(saved, fd) < 0 ? -errno : 0;

	close(saved);
	return ret;
}

TEST_F(report, line_has_every_key_of_the_schema)
{
	json_error_t error;
	const char *bench, *kase, *metric, *unit, *better;
	json_int_t rep, run;
	double value, t;
	json_t *lines;

	ASSERT_EQ(0, setenv("VMTESTS_RUN", "3", 1));
	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	ASSERT_EQ(0, sample_add(self->r, 12.5, 7));
	ASSERT_EQ(0, __report_sample(self->r, "b", "m", "1", REPORT_HIGHER, 2, 0));

	lines = lines_load(self->path);
	ASSERT_EQ(2u, json_array_size(lines));
	/* The "!" refuses any key that is not named here. */
	ASSERT_EQ(0, json_unpack_ex(json_array_get(lines, 0), &error, 0,
				    "{s:s, s:s, s:s, s:s, s:s, s:f, s:I, s:I, s:f !}",
				    "bench", &bench, "case", &kase, "metric", &metric,
				    "unit", &unit, "better", &better, "value", &value,
				    "rep", &rep, "run", &run, "t", &t))
		TH_LOG("%s", error.text);
	EXPECT_STREQ(BENCH, bench);
	EXPECT_STREQ("a.case", kase);
	EXPECT_STREQ("a_metric", metric);
	EXPECT_STREQ("ns/page", unit);
	EXPECT_STREQ("lower", better);
	EXPECT_EQ(12.5, value);
	EXPECT_EQ(7, rep);
	EXPECT_EQ(3, run);
	EXPECT_LT(0.0, t);
	EXPECT_STREQ("higher", json_string_value(line_get(lines, 1, "better")));
	json_decref(lines);
}

TEST_F(report, values_read_back_exactly)
{
	json_t *lines;

	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	for (size_t i = 0; i < ARRAY_SIZE(exact_values); i++)
		ASSERT_EQ(0, sample_add(self->r, exact_values[i], i));

	lines = lines_load(self->path);
	ASSERT_EQ(ARRAY_SIZE(exact_values), json_array_size(lines));
	for (size_t i = 0; i < ARRAY_SIZE(exact_values); i++)
		EXPECT_EQ(exact_values[i], json_real_value(line_get(lines, i, "value")));
	json_decref(lines);
}

TEST_F(report, time_is_since_boot_and_rises)
{
	struct timespec before, after;
	double t[2];
	json_t *lines;

	clock_gettime(CLOCK_BOOTTIME, &before);
	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	ASSERT_EQ(0, sample_add(self->r, 1, 0));
	ASSERT_EQ(0, sample_add(self->r, 1, 1));
	clock_gettime(CLOCK_BOOTTIME, &after);

	lines = lines_load(self->path);
	t[0] = json_real_value(line_get(lines, 0, "t"));
	t[1] = json_real_value(line_get(lines, 1, "t"));
	EXPECT_LE(before.tv_sec, t[0]);
	EXPECT_LE(t[0], t[1]);
	EXPECT_GE(after.tv_sec + 1, t[1]);
	json_decref(lines);
}

TEST_F(report, histogram_is_whole)
{
	struct hist *h = malloc(sizeof(*h));
	json_t *lines, *buckets, *pair;
	json_int_t last = -1, total = 0;
	size_t i;

	ASSERT_NE(NULL, h);
	hist_reset(h);
	for (uint64_t value = 1; value < 1000000; value = value * 3 + 1)
		hist_add(h, value);
	hist_add(h, 5000);
	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	ASSERT_EQ(0, __report_hist(self->r, "c", "p99_ns", "ns", REPORT_LOWER, 1.5, 0, h, "ns"));

	lines = lines_load(self->path);
	ASSERT_NE(NULL, lines);
	EXPECT_STREQ("ns", json_string_value(json_object_get(line_get(lines, 0, "hist"), "unit")));
	EXPECT_EQ(HIST_MAX_ERROR,
		  json_real_value(json_object_get(line_get(lines, 0, "hist"), "error")));
	buckets = json_object_get(line_get(lines, 0, "hist"), "buckets");
	json_array_foreach(buckets, i, pair) {
		ASSERT_EQ(2u, json_array_size(pair));
		EXPECT_LT(last, json_integer_value(json_array_get(pair, 0)));
		EXPECT_LT(0, json_integer_value(json_array_get(pair, 1)));
		last = json_integer_value(json_array_get(pair, 0));
		total += json_integer_value(json_array_get(pair, 1));
	}
	EXPECT_EQ((json_int_t)h->count, total);
	EXPECT_LE((json_int_t)h->max, last);
	json_decref(lines);
	free(h);
}

TEST_F(report, bench_follows_the_grammar)
{
	for (size_t i = 0; i < ARRAY_SIZE(grammar_benches); i++) {
		EXPECT_EQ(grammar_benches[i].good ? 0 : -EINVAL,
			  __report_open(&self->r, grammar_benches[i].text))
			TH_LOG("bench \"%s\"", grammar_benches[i].text);
		report_close(self->r);
		self->r = NULL;
	}
	EXPECT_EQ(0, file_size(self->path));
}

TEST_F(report, names_follow_the_grammar)
{
	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	for (size_t i = 0; i < ARRAY_SIZE(grammar_names); i++) {
		const struct grammar_case *name = &grammar_names[i];

		EXPECT_EQ(name->good ? 0 : -EINVAL,
			  __report_sample(self->r, name->text, "m", "ns", REPORT_LOWER, 1, 0))
			TH_LOG("case \"%s\"", name->text);
		EXPECT_EQ(name->good ? 0 : -EINVAL,
			  __report_sample(self->r, "c", name->text, "ns", REPORT_LOWER, 1, 0))
			TH_LOG("metric \"%s\"", name->text);
	}
}

TEST_F(report, units_follow_the_grammar)
{
	struct hist *h = malloc(sizeof(*h));

	ASSERT_NE(NULL, h);
	hist_reset(h);
	hist_add(h, 1);
	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	for (size_t i = 0; i < ARRAY_SIZE(grammar_units); i++) {
		const struct grammar_case *unit = &grammar_units[i];

		EXPECT_EQ(unit->good ? 0 : -EINVAL,
			  __report_sample(self->r, "c", "m", unit->text, REPORT_LOWER, 1, 0))
			TH_LOG("unit \"%s\"", unit->text);
		EXPECT_EQ(unit->good ? 0 : -EINVAL,
			  __report_hist(self->r, "c", "m", "ns", REPORT_LOWER, 1, 0, h, unit->text))
			TH_LOG("unit \"%s\" of a histogram", unit->text);
	}
	free(h);
}

TEST_F(report, bad_run_is_refused)
{
	ASSERT_EQ(0, setenv("VMTESTS_RUN", "1x", 1));
	EXPECT_EQ(-EINVAL, __report_open(&self->r, BENCH));
	ASSERT_EQ(0, setenv("VMTESTS_RUN", "-1", 1));
	EXPECT_EQ(-EINVAL, __report_open(&self->r, BENCH));
}

TEST_F(report, bad_sample_is_refused_and_leaves_no_trace)
{
	static const double bad_values[] = { NAN, INFINITY, -INFINITY };

	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	EXPECT_EQ(-EINVAL, __report_sample(self->r, "", "m", "ns", REPORT_LOWER, 1, 0));
	EXPECT_EQ(-EINVAL, __report_sample(self->r, "c", "m", "", REPORT_LOWER, 1, 0));
	for (size_t i = 0; i < ARRAY_SIZE(bad_values); i++)
		EXPECT_EQ(-ERANGE, sample_add(self->r, bad_values[i], 0));
	EXPECT_EQ(0, file_size(self->path));
}

TEST_F(report, missing_folder_is_an_error)
{
	ASSERT_EQ(0, setenv("VMTESTS_OUT", "/nonexistent/folder", 1));
	EXPECT_EQ(-ENOENT, __report_open(&self->r, BENCH));
}

TEST_F(report, appends_to_what_is_there)
{
	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	ASSERT_EQ(0, sample_add(self->r, 1, 0));
	report_close(self->r);
	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	ASSERT_EQ(0, sample_add(self->r, 2, 1));
	EXPECT_EQ(2u, lines_count(self->path));
}

TEST_F(report, damaged_tail_is_dropped_aloud)
{
	char message[128];
	int saved;

	snprintf(message, sizeof(message), "%s.stderr", self->dir);
	for (size_t i = 0; i < ARRAY_SIZE(damaged_tails); i++) {
		unlink(self->path);
		ASSERT_EQ(0, __report_open(&self->r, BENCH));
		ASSERT_EQ(0, sample_add(self->r, 1, 0));
		report_close(self->r);
		ASSERT_EQ(0, file_append(self->path, damaged_tails[i], strlen(damaged_tails[i])));

		ASSERT_EQ(0, stream_redirect(STDERR_FILENO, message, &saved));
		ASSERT_EQ(0, __report_open(&self->r, BENCH));
		ASSERT_EQ(0, stream_restore(STDERR_FILENO, saved));
		EXPECT_LT(0, file_size(message));
		EXPECT_EQ(1u, lines_count(self->path));
		ASSERT_EQ(0, sample_add(self->r, 2, 1));
		EXPECT_EQ(2u, lines_count(self->path));
		report_close(self->r);
	}
	self->r = NULL;
	unlink(message);
}

/* After a power failure a journalled size may cover blocks that were never written. */
TEST_F(report, tail_of_zeros_longer_than_a_block_is_dropped)
{
	static const char zeros[20000];

	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	ASSERT_EQ(0, sample_add(self->r, 1, 0));
	report_close(self->r);
	ASSERT_EQ(0, file_append(self->path, zeros, sizeof(zeros)));
	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	EXPECT_EQ(1u, lines_count(self->path));
}

TEST_F(report, whole_line_longer_than_a_block_is_kept)
{
	struct hist *h = malloc(sizeof(*h));
	off_t size;

	ASSERT_NE(NULL, h);
	hist_reset(h);
	for (uint64_t value = 0; value < 100000; value++)
		hist_add(h, value);
	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	ASSERT_EQ(0, sample_add(self->r, 1, 0));
	ASSERT_EQ(0, __report_hist(self->r, "c", "m", "ns", REPORT_LOWER, 1, 0, h, "ns"));
	report_close(self->r);
	size = file_size(self->path);
	ASSERT_LT(10000, size);
	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	EXPECT_EQ(size, file_size(self->path));
	free(h);
}

/* From here on, no file grows beyond @size. */
static int file_size_limit(rlim_t size)
{
	struct rlimit limit;

	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || getrlimit(RLIMIT_FSIZE, &limit))
		return -errno;
	limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
	return setrlimit(RLIMIT_FSIZE, &limit) ? -errno : 0;
}

TEST_F(report, full_disk_is_reported)
{
	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	ASSERT_EQ(0, file_size_limit(0));
	EXPECT_EQ(-EFBIG, sample_add(self->r, 1, 0));
	ASSERT_EQ(0, file_size_limit(RLIM_INFINITY));
}

/* What is no file may hold its writer up for good, and keeps nothing. */
TEST_F(report, only_a_regular_file_is_written)
{
	ASSERT_EQ(0, mkfifo(self->path, 0600));
	EXPECT_EQ(-ENOTSUP, __report_open(&self->r, BENCH));
	ASSERT_EQ(0, unlink(self->path));
	ASSERT_EQ(0, symlink("/dev/full", self->path));
	EXPECT_EQ(-ENOTSUP, __report_open(&self->r, BENCH));
}

TEST_F(report, short_write_is_taken_back)
{
	off_t size;

	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	ASSERT_EQ(0, sample_add(self->r, 1, 0));
	size = file_size(self->path);

	ASSERT_EQ(0, file_size_limit(size + 10));
	EXPECT_EQ(-ENOSPC, sample_add(self->r, 2, 1));
	EXPECT_EQ(size, file_size(self->path));

	ASSERT_EQ(0, file_size_limit(RLIM_INFINITY));
	EXPECT_EQ(0, sample_add(self->r, 3, 2));
	EXPECT_EQ(2u, lines_count(self->path));
}

/* /proc/locks shows a waiter as "N: -> FLOCK  ADVISORY  WRITE PID ...". */
static bool process_waits_for_flock(pid_t pid)
{
	FILE *file = fopen("/proc/locks", "r");
	bool waits = false;
	char line[256];
	int waiter;

	while (file && !waits && fgets(line, sizeof(line), file))
		waits = sscanf(line, "%*d: -> FLOCK ADVISORY WRITE %d", &waiter) == 1 &&
			waiter == pid;
	if (file)
		fclose(file);
	return waits;
}

/* Cutting a line off is only safe while no other process can append behind it. */
TEST_F(report, writing_waits_for_the_lock)
{
	int fd, status;
	pid_t pid;

	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	fd = open(self->path, O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, flock(fd, LOCK_EX));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(fd);
		_exit(sample_add(self->r, 1, 0) ? 1 : 0);
	}

	while (!process_waits_for_flock(pid))
		ASSERT_EQ(0, waitpid(pid, &status, WNOHANG));
	EXPECT_EQ(0, file_size(self->path));
	ASSERT_EQ(0, flock(fd, LOCK_UN));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(1u, lines_count(self->path));
	close(fd);
}

static int writer_child(unsigned int writer)
{
	struct hist *h = malloc(sizeof(*h));
	struct report *r;
	char kase[16];

	snprintf(kase, sizeof(kase), "writer%u", writer);
	if (!h || __report_open(&r, BENCH))
		return 1;
	/* Lines of different lengths, most longer than a page. */
	hist_reset(h);
	for (uint64_t value = 0; value < 2000 * (writer + 1); value++)
		hist_add(h, value);
	for (unsigned int rep = 0; rep < NR_LINES_EACH; rep++)
		if (__report_hist(r, kase, "m", "ns", REPORT_LOWER, rep, rep, h, "ns"))
			return 1;
	report_close(r);
	free(h);
	return 0;
}

TEST_F(report, writers_do_not_interleave)
{
	unsigned int next[NR_WRITERS] = { 0 };
	json_t *lines, *line;
	size_t i;

	for (unsigned int writer = 0; writer < NR_WRITERS; writer++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			_exit(writer_child(writer));
	}
	for (unsigned int writer = 0; writer < NR_WRITERS; writer++) {
		int status;

		ASSERT_LT(0, wait(&status));
		ASSERT_EQ(0, status);
	}

	lines = lines_load(self->path);
	ASSERT_EQ((size_t)NR_WRITERS * NR_LINES_EACH, json_array_size(lines));
	json_array_foreach(lines, i, line) {
		const char *kase = json_string_value(json_object_get(line, "case"));
		unsigned int writer = kase[strlen("writer")] - '0';

		ASSERT_GT(NR_WRITERS, writer);
		EXPECT_EQ((json_int_t)next[writer],
			  json_integer_value(json_object_get(line, "rep")));
		next[writer]++;
	}
	json_decref(lines);
}

TEST_F(report, without_a_folder_samples_are_comments)
{
	char path[128], text[256];
	FILE *file;
	int saved;

	ASSERT_EQ(0, unsetenv("VMTESTS_OUT"));
	snprintf(path, sizeof(path), "%s.stdout", self->dir);
	ASSERT_EQ(0, __report_open(&self->r, BENCH));
	fflush(stdout);
	ASSERT_EQ(0, stream_redirect(STDOUT_FILENO, path, &saved));
	EXPECT_EQ(0, sample_add(self->r, 12.5, 0));
	fflush(stdout);
	ASSERT_EQ(0, stream_restore(STDOUT_FILENO, saved));

	file = fopen(path, "r");
	ASSERT_NE(NULL, file);
	ASSERT_NE(NULL, fgets(text, sizeof(text), file));
	EXPECT_STREQ("# a.case a_metric 12.5 ns/page\n", text);
	fclose(file);
	unlink(path);
}

TEST_HARNESS_MAIN
