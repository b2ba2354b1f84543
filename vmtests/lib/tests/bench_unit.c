// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: bench runs the steps of its tables in order, times only the operation, writes every
 * recorded repeat, and its KTAP and exit status let no skip hide a result.
 * Method: bench_main() in a child process, whose steps leave a trace in shared memory; its output,
 * status, trace and samples.jsonl are compared.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include <vmtests/bench.h>

#include "fakeroot.h"

#include <kselftest_harness.h>

#define TRACE_MAX 4096
#define OUTPUT_MAX 16384
#define SPIN_NS 1000000
#define SPIN_UNITS 10

static char *trace;
static char output[OUTPUT_MAX];

static void trace_add(const char *step)
{
	strcat(trace, step);
}

static int step_setup(struct bench_case *c)
{
	c->iterations = 2;
	c->units = 2;
	trace_add("S");
	return 0;
}

static int step_before(struct bench_case *c)
{
	trace_add(c->warmup ? "w" : "b");
	return 0;
}

static int step_prepare(struct bench_case *c)
{
	(void)c;
	trace_add("p");
	return 0;
}

static int step_op(struct bench_case *c, uint64_t i)
{
	(void)c;
	trace_add(i ? "1" : "0");
	return 0;
}

static int step_after(struct bench_case *c)
{
	trace_add("a");
	return bench_value(c, "side", "1", REPORT_HIGHER, c->rep);
}

static void step_teardown(struct bench_case *c)
{
	(void)c;
	trace_add("T");
}

static int mark_before(struct bench_case *c)
{
	(void)c;
	trace_add("M");
	return 0;
}

static int setup_skips(struct bench_case *c)
{
	return bench_skip(c, "no %s in this machine", "widget");
}

static int setup_fails(struct bench_case *c)
{
	return bench_fail(c, -ENOENT, "cannot open the widget");
}

static int op_fails_in_second_repeat(struct bench_case *c, uint64_t i)
{
	(void)i;
	return c->rep == 1 ? -ENOMEM : 0;
}

static int op_spins(struct bench_case *c, uint64_t i)
{
	uint64_t end = bench_now_ns() + SPIN_NS;

	(void)c;
	(void)i;
	while (bench_now_ns() < end)
		;
	return 0;
}

static int after_latency(struct bench_case *c)
{
	static struct hist h;

	hist_reset(&h);
	for (uint64_t ns = 1; ns <= 1000; ns++)
		hist_add(&h, ns);
	return bench_latency(c, "reader", &h);
}

static int setup_pins(struct bench_case *c)
{
	cpu_set_t set;

	c->iterations = 1;
	c->units = 1;
	if (__bench_pin(bench_cpus()) || sched_getaffinity(0, sizeof(set), &set))
		return -EINVAL;
	return CPU_COUNT(&set) == 1 ? 0 : -ERANGE;
}

static int setup_is_unpinned(struct bench_case *c)
{
	cpu_set_t set;

	c->iterations = 1;
	c->units = 1;
	if (sched_getaffinity(0, sizeof(set), &set))
		return -errno;
	return CPU_COUNT(&set) == (int)bench_cpus() ? 0 : -ERANGE;
}

static const struct bench_phase traced_phases[] = {
	{ "one_ns", "ns", REPORT_LOWER, BENCH_NS_PER_UNIT, step_op, NULL },
	{ "two_ns", "ns", REPORT_LOWER, BENCH_NS_PER_UNIT, step_op, step_prepare },
};

static const struct bench_phase failing_phases[] = {
	{ "op_ns", "ns", REPORT_LOWER, BENCH_NS_PER_UNIT, op_fails_in_second_repeat, NULL },
};

static const struct bench_phase spinning_phases[] = {
	{ "spin_ns", "ns", REPORT_LOWER, BENCH_NS_PER_UNIT, op_spins, NULL },
	{ "spin_rate", "1/s", REPORT_HIGHER, BENCH_UNITS_PER_SEC, op_spins, NULL },
};

static struct bench_case traced = {
	.name = "traced", .setup = step_setup, .before = step_before, .phases = traced_phases,
	.nr_phases = ARRAY_SIZE(traced_phases), .after = step_after, .teardown = step_teardown,
};

static struct bench_case marked = { .name = "marked", .before = mark_before };
static struct bench_case skipping = { .name = "skipping", .setup = setup_skips };
static struct bench_case needing = { .name = "needing", .needs = "nodes:999999" };
static struct bench_case refusing = { .name = "refusing", .setup = setup_fails };

static struct bench_case failing = {
	.name = "failing", .setup = step_setup, .phases = failing_phases,
	.nr_phases = ARRAY_SIZE(failing_phases), .teardown = step_teardown,
};

static struct bench_case spinning = {
	.name = "spinning", .phases = spinning_phases, .nr_phases = ARRAY_SIZE(spinning_phases),
	.iterations = 1, .units = SPIN_UNITS,
};

static struct bench_case latency = { .name = "latency", .after = after_latency };
static struct bench_case pinning = { .name = "pinning", .setup = setup_pins };
static struct bench_case unpinned = { .name = "unpinned", .setup = setup_is_unpinned };

FIXTURE(bench)
{
	struct fakeroot out;
	char samples[192];
};

FIXTURE_SETUP(bench)
{
	trace = mmap(NULL, TRACE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, trace);
	fakeroot_create(&self->out);
	ASSERT_EQ(0, unsetenv("LIBMM_ROOT"));
	ASSERT_EQ(0, unsetenv("VMTESTS_REPEATS"));
	ASSERT_EQ(0, unsetenv("KSFT_TAP_LEVEL"));
	ASSERT_EQ(0, setenv("VMTESTS_OUT", self->out.dir, 1));
	ASSERT_EQ(0, setenv("VMTESTS_STATE_DIR", self->out.dir, 1));
	snprintf(self->samples, sizeof(self->samples), "%s/samples.jsonl", self->out.dir);
}

FIXTURE_TEARDOWN(bench)
{
	fakeroot_remove(&self->out);
	munmap(trace, TRACE_MAX);
}

static void output_read(int fd)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, output + len, sizeof(output) - 1 - len)) > 0)
		len += n;
	output[len] = '\0';
}

/*
 * Run bench_main() on @cases, which end with one without a name; what it prints goes to output.
 * Returns its value, or -1.
 */
static int run(struct bench_case *cases, char **argv)
{
	struct bench bench = { .name = "unit/bench", .cases = cases };
	int argc = 0, fds[2], status;
	pid_t pid;

	while (argv[argc])
		argc++;
	while (cases[bench.nr_cases].name)
		bench.nr_cases++;
	fflush(stdout);
	if (pipe(fds))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		exit(bench_main(argc, argv, &bench));
	}
	close(fds[1]);
	output_read(fds[0]);
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

#define RUN(list, ...)	run(list, (char *[]){ "bench", ##__VA_ARGS__, NULL })

static size_t samples_count(const char *path, const char *kase, const char *metric)
{
	FILE *file = fopen(path, "r");
	size_t count = 0, flags = JSON_DISABLE_EOF_CHECK;
	json_t *line;

	while (file && (line = json_loadf(file, flags, NULL))) {
		const char *c = json_string_value(json_object_get(line, "case"));
		const char *m = json_string_value(json_object_get(line, "metric"));

		count += !strcmp(c, kase) && !strcmp(m, metric);
		json_decref(line);
	}
	if (file)
		fclose(file);
	return count;
}

static double sample_value(const char *path, const char *metric)
{
	FILE *file = fopen(path, "r");
	double value = -1;
	json_t *line;

	while (file && (line = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL))) {
		if (!strcmp(json_string_value(json_object_get(line, "metric")), metric))
			value = json_number_value(json_object_get(line, "value"));
		json_decref(line);
	}
	if (file)
		fclose(file);
	return value;
}

/* A warm-up and two repeats. */
#define PASS "Sw01p01ab01p01ab01p01aT"

TEST_F(bench, steps_run_in_order)
{
	struct bench_case cases[] = { traced, { 0 } };

	ASSERT_EQ(KSFT_PASS, RUN(cases, "-r", "6", "-w", "1"));
	for (const char *pass = trace; *pass; pass += strlen(PASS))
		ASSERT_EQ(0, strncmp(PASS, pass, strlen(PASS))) TH_LOG("%s", trace);
	EXPECT_EQ(3 * strlen(PASS), strlen(trace));
	EXPECT_NE(NULL, strstr(output, "1..1\nok 1 traced\n"));
	EXPECT_EQ(6u, samples_count(self->samples, "traced", "one_ns"));
	EXPECT_EQ(6u, samples_count(self->samples, "traced", "two_ns"));
	EXPECT_EQ(6u, samples_count(self->samples, "traced", "side"));
}

TEST_F(bench, passes_go_through_all_cases)
{
	struct bench_case cases[] = { marked, traced, { 0 } };

	cases[1].nr_phases = 0;
	cases[1].after = NULL;
	ASSERT_EQ(KSFT_PASS, RUN(cases, "-r", "7", "-w", "0"));
	EXPECT_STREQ("MMSbbTMMSbbTMMMSbbbT", trace);
	EXPECT_NE(NULL, strstr(output, "ok 1 marked\nok 2 traced\n"));
}

TEST_F(bench, few_repeats_take_few_passes)
{
	struct bench_case cases[] = { traced, { 0 } };

	cases[0].nr_phases = 0;
	cases[0].after = NULL;
	ASSERT_EQ(KSFT_PASS, RUN(cases, "-r", "1", "-w", "1"));
	EXPECT_STREQ("SwbT", trace);
}

TEST_F(bench, as_many_passes_as_asked_for)
{
	struct bench_case cases[] = { traced, { 0 } };

	cases[0].nr_phases = 0;
	cases[0].after = NULL;
	ASSERT_EQ(KSFT_PASS, RUN(cases, "-r", "2", "-w", "0", "-p", "1"));
	EXPECT_STREQ("SbbT", trace);
	trace[0] = '\0';
	ASSERT_EQ(0, setenv("VMTESTS_PASSES", "4", 1));
	ASSERT_EQ(KSFT_PASS, RUN(cases, "-r", "4", "-w", "0"));
	EXPECT_STREQ("SbTSbTSbTSbT", trace);
	ASSERT_EQ(0, setenv("VMTESTS_PASSES", "many", 1));
	EXPECT_EQ(KSFT_FAIL, RUN(cases));
}

static struct bench_case state_only = { .name = "state", .once = true, .setup = step_setup };

TEST_F(bench, passes_begin_apart)
{
	struct bench_case cases[] = { traced, { 0 } };
	uint64_t began = bench_now_ns();

	cases[0].nr_phases = 0;
	cases[0].after = NULL;
	ASSERT_EQ(0, setenv("VMTESTS_PASS_SECONDS", "1", 1));
	ASSERT_EQ(KSFT_PASS, RUN(cases, "-r", "2", "-w", "0"));
	EXPECT_LE(1000000000ull, bench_now_ns() - began);
	ASSERT_EQ(0, setenv("VMTESTS_PASS_SECONDS", "soon", 1));
	EXPECT_EQ(KSFT_FAIL, RUN(cases));
}

/* One repeat is in one pass, and so is a state: a wait would outlast the test. */
TEST_F(bench, one_pass_waits_for_none)
{
	struct bench_case cases[] = { traced, { 0 } }, states[] = { state_only, { 0 } };

	cases[0].nr_phases = 0;
	cases[0].after = NULL;
	ASSERT_EQ(0, setenv("VMTESTS_PASS_SECONDS", "1000", 1));
	EXPECT_EQ(KSFT_PASS, RUN(cases, "-r", "1", "-w", "0"));
	EXPECT_EQ(KSFT_PASS, RUN(states, "-r", "10"));
}

TEST_F(bench, repeats_come_from_the_environment)
{
	struct bench_case cases[] = { traced, { 0 } };

	ASSERT_EQ(0, setenv("VMTESTS_REPEATS", "3", 1));
	ASSERT_EQ(KSFT_PASS, RUN(cases));
	EXPECT_EQ(3u, samples_count(self->samples, "traced", "one_ns"));
	ASSERT_EQ(0, setenv("VMTESTS_REPEATS", "0", 1));
	EXPECT_EQ(KSFT_FAIL, RUN(cases));
}

TEST_F(bench, state_is_measured_once)
{
	struct bench_case cases[] = { traced, { 0 } };

	cases[0].once = true;
	ASSERT_EQ(KSFT_PASS, RUN(cases, "-r", "5"));
	EXPECT_STREQ("Sb01p01aT", trace);
}

TEST_F(bench, skip_has_its_reason_in_front_and_hides_nothing)
{
	struct bench_case fail[] = { skipping, refusing, traced, { 0 } };
	struct bench_case pass[] = { skipping, traced, { 0 } };
	struct bench_case only[] = { skipping, { 0 } };

	EXPECT_EQ(KSFT_SKIP, RUN(only));
	EXPECT_NE(NULL, strstr(output, "# no widget in this machine\nok 1 skipping # SKIP\n"));
	EXPECT_EQ(KSFT_PASS, RUN(pass));
	EXPECT_NE(NULL, strstr(output, "pass:1 fail:0 xfail:0 xpass:0 skip:1 error:0"));
	EXPECT_EQ(KSFT_FAIL, RUN(fail));
	EXPECT_NE(NULL, strstr(output, "# cannot open the widget: No such file or directory\n"
				       "not ok 2 refusing\n"));
	EXPECT_NE(NULL, strstr(output, "ok 3 traced\n"));
}

TEST_F(bench, unmet_need_skips)
{
	struct bench_case cases[] = { needing, { 0 } };

	EXPECT_EQ(KSFT_SKIP, RUN(cases));
	EXPECT_NE(NULL, strstr(output, "999999"));
	EXPECT_NE(NULL, strstr(output, "\nok 1 needing # SKIP\n"));
}

TEST_F(bench, failure_keeps_earlier_samples_and_tears_down)
{
	struct bench_case cases[] = { failing, { 0 } };

	ASSERT_EQ(KSFT_FAIL, RUN(cases, "-w", "0", "-r", "6"));
	EXPECT_STREQ("ST", trace);
	EXPECT_NE(NULL, strstr(output, "# op_ns: Cannot allocate memory\nnot ok 1 failing\n"));
	EXPECT_EQ(1u, samples_count(self->samples, "failing", "op_ns"));
}

TEST_F(bench, time_is_divided_by_units)
{
	struct bench_case cases[] = { spinning, { 0 } };

	ASSERT_EQ(KSFT_PASS, RUN(cases, "-w", "0", "-r", "1"));
	/* The operation takes at least its spin, however busy the machine. */
	EXPECT_LE((double)SPIN_NS / SPIN_UNITS, sample_value(self->samples, "spin_ns"));
	EXPECT_GE(SPIN_UNITS * 1e9 / SPIN_NS, sample_value(self->samples, "spin_rate"));
	EXPECT_LT(0.0, sample_value(self->samples, "spin_rate"));
}

TEST_F(bench, latency_gives_its_percentiles)
{
	struct bench_case cases[] = { latency, { 0 } };

	ASSERT_EQ(KSFT_PASS, RUN(cases, "-r", "1"));
	EXPECT_EQ(1u, samples_count(self->samples, "latency", "reader_p50_ns"));
	EXPECT_EQ(1u, samples_count(self->samples, "latency", "reader_p99_ns"));
	EXPECT_EQ(1u, samples_count(self->samples, "latency", "reader_p999_ns"));
	EXPECT_EQ(1000.0, sample_value(self->samples, "reader_max_ns"));
}

TEST_F(bench, pin_ends_with_its_case)
{
	struct bench_case cases[] = { pinning, unpinned, { 0 } };

	EXPECT_EQ(KSFT_PASS, RUN(cases, "-r", "1")) TH_LOG("%s", output);
}

TEST_F(bench, one_case_can_be_chosen)
{
	struct bench_case cases[] = { refusing, traced, { 0 } };

	EXPECT_EQ(KSFT_PASS, RUN(cases, "-c", "traced"));
	EXPECT_NE(NULL, strstr(output, "1..1\nok 1 traced\n"));
	EXPECT_EQ(KSFT_PASS, RUN(cases, "-l"));
	EXPECT_STREQ("refusing\ntraced\n", output);
}

TEST_F(bench, bad_options_fail)
{
	struct bench_case cases[] = { traced, { 0 } };

	EXPECT_EQ(KSFT_FAIL, RUN(cases, "-c", "nonesuch"));
	EXPECT_EQ(KSFT_FAIL, RUN(cases, "-r", "0"));
	EXPECT_EQ(KSFT_FAIL, RUN(cases, "-r", "2x"));
	EXPECT_EQ(KSFT_FAIL, RUN(cases, "stray"));
	EXPECT_STREQ("", trace);
}

TEST_F(bench, unwritable_samples_fail_the_case)
{
	struct bench_case cases[] = { traced, { 0 } };
	struct rlimit limit;

	ASSERT_TRUE(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &limit));
	limit.rlim_cur = 10;
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	EXPECT_EQ(KSFT_FAIL, RUN(cases));
	EXPECT_NE(NULL, strstr(output, "No space left on device"));
	EXPECT_NE(NULL, strstr(output, "not ok 1 traced\n"));
}

TEST_HARNESS_MAIN
