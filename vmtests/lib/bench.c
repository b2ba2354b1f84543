// SPDX-License-Identifier: GPL-2.0
/*
 * bench: run a table of benchmark cases, time their phases, report KTAP and samples.
 *
 * Samples of a repeat are written when the repeat is over: writing syncs the disk, and what that
 * stirs up must not fall into a later phase of the same repeat.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <kselftest.h>

#include <vmtests/journal.h>
#include <vmtests/bench.h>
#include <libmm/kcore.h>
#include <vmtests/needs.h>
#include <libmm/restore.h>
#include <vmtests/run_lock.h>
#include <vmtests/tlbmodel.h>
#include <vmtests/undo.h>

#include <vmtests/grammar.h>

#include "bench_model.h"

#define NS_PER_SEC 1000000000ull
#define DEFAULT_REPEATS 10
/* The first repeat pays for page faults, cold caches and what the kernel allocates lazily. */
#define DEFAULT_WARMUPS 1
#define MAX_REPEATS 100000
/*
 * The repeats of a case are spread over so many passes through the table, each with a set-up of its
 * own. Repeats in a row share what setup drew, such as which physical pages they work on, and the
 * speed that the machine has for these seconds: they would differ by less than runs do.
 */
#define DEFAULT_PASSES 3
#define MAX_WANTED 64

/* A run that is over sooner needs no progress line; a faster one could not be read. */
#define PROGRESS_AFTER_NS (2 * NS_PER_SEC)
#define PROGRESS_EVERY_NS (NS_PER_SEC / 5)

/* What setup returns through bench_skip(); no -errno and no success. */
#define SETUP_SKIPPED 1

struct options {
	bool list;
	unsigned int repeats;
	unsigned int warmups;
	unsigned int passes;
	unsigned int pass_seconds;	/* at least, from the start of one to that of the next */
	const char *wanted[MAX_WANTED];
	size_t nr_wanted;
};

struct progress {
	bool terminal;
	bool shown;
	uint64_t start;
	uint64_t last;
};

struct bench_run {
	const struct bench *bench;
	struct options opt;
	struct bench_case *cases;
	size_t nr_cases;
	size_t nr_chosen;
	unsigned int pass;
	uint64_t pass_began;
	struct report *report;
	struct progress progress;
};

/* For bench_value(), which is called by a case and only knows the case. */
static struct bench_run *current;

uint64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

int bench_time(struct bench_case *c, int (*op)(struct bench_case *c, uint64_t i),
	       uint64_t iterations, uint64_t *elapsed)
{
	uint64_t start;

	bench_window_begin();
	start = bench_now_ns();
	for (uint64_t i = 0; i < iterations; i++) {
		int err = op(c, i);

		if (__builtin_expect(err, 0))
			return err;
	}
	*elapsed = bench_now_ns() - start;
	bench_window_end(iterations);
	return 0;
}

bool bench_tier_full(void)
{
	const char *tier = getenv("VMTESTS_TIER");

	return tier && !strcmp(tier, "full");
}

int bench_skip(struct bench_case *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->reason, sizeof(c->reason), fmt, args);
	va_end(args);
	return SETUP_SKIPPED;
}

int bench_fail(struct bench_case *c, int err, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(c->reason, sizeof(c->reason), fmt, args);
	va_end(args);
	if (len >= 0 && (size_t)len < sizeof(c->reason))
		snprintf(c->reason + len, sizeof(c->reason) - len, ": %s", strerror(-err));
	return err;
}

int bench_guard(struct bench_case *c)
{
	int ret = __journal_guard();

	if (ret == -EBUSY)
		return bench_fail(c, ret, "another run (pid %d) holds this machine",
				  run_lock_owner());
	return ret ? bench_fail(c, ret, "cannot journal what is to be undone") : 0;
}

/* For a step that failed without a word: the step's name is better than none. */
static int fail_unless_explained(struct bench_case *c, int err, const char *step)
{
	return *c->reason ? err : bench_fail(c, err, "%s", step);
}

int bench_value(struct bench_case *c, const char *metric, const char *unit,
		enum report_better better, double value)
{
	if (!current)
		return -EINVAL;
	if (c->warmup)
		return 0;
	return __report_sample(current->report, c->name, metric, unit, better, value, c->rep);
}

static int latency_value(struct bench_case *c, const char *prefix, const char *which,
			 const struct hist *whole, uint64_t value)
{
	char metric[128];

	if (!current)
		return -EINVAL;
	if (c->warmup)
		return 0;
	if ((size_t)snprintf(metric, sizeof(metric), "%s_%s_ns", prefix, which) >= sizeof(metric))
		return -ENAMETOOLONG;
	if (!whole)
		return bench_value(c, metric, "ns", REPORT_LOWER, value);
	return __report_hist(current->report, c->name, metric, "ns", REPORT_LOWER, value, c->rep,
			     whole, "ns");
}

int bench_latency(struct bench_case *c, const char *prefix, const struct hist *h)
{
	int err;

	if (!h->count)
		return -ENODATA;
	err = latency_value(c, prefix, "p50", NULL, hist_quantile(h, 0.5));
	if (!err)
		err = latency_value(c, prefix, "p99", h, hist_quantile(h, 0.99));
	if (!err)
		err = latency_value(c, prefix, "p999", NULL, hist_quantile(h, 0.999));
	if (!err)
		err = latency_value(c, prefix, "max", NULL, h->max);
	return err;
}

static void progress_clear(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}

static unsigned int case_repeats(const struct bench_run *run, const struct bench_case *c)
{
	return c->once ? 1 : run->opt.repeats;
}

static void progress_show(struct bench_run *run, const struct bench_case *c)
{
	struct progress *p = &run->progress;
	uint64_t now = bench_now_ns();

	if (!p->terminal || now - p->start < PROGRESS_AFTER_NS || now - p->last < PROGRESS_EVERY_NS)
		return;
	p->last = now;
	p->shown = true;
	fprintf(stderr, "\r%s: pass %u of %u, %s: %s %u of %u\033[K", run->bench->name,
		run->pass + 1, run->opt.passes, c->name, c->warmup ? "warm-up" : "repeat",
		c->rep + 1, c->warmup ? run->opt.warmups : case_repeats(run, c));
}

static double phase_value(const struct bench_case *c, const struct bench_phase *phase,
			  uint64_t elapsed)
{
	if (phase->scale == BENCH_NS_PER_UNIT)
		return (double)elapsed / c->units;
	return (double)c->units * NS_PER_SEC / elapsed;
}

static int phase_run(struct bench_case *c, const struct bench_phase *phase, double *value)
{
	uint64_t elapsed;
	int err;

	err = phase->prepare ? phase->prepare(c) : 0;
	if (err)
		return fail_unless_explained(c, err, phase->metric);
	if (!c->iterations || !c->units)
		return bench_fail(c, -EINVAL, "%s: no iterations or no units", phase->metric);

	err = bench_time(c, phase->op, c->iterations, &elapsed);
	if (err)
		return fail_unless_explained(c, err, phase->metric);
	if (!elapsed)
		return bench_fail(c, -ERANGE, "%s: over before the clock moved", phase->metric);
	*value = phase_value(c, phase, elapsed);
	return 0;
}

static int values_write(struct bench_run *run, struct bench_case *c, const double *values)
{
	for (size_t i = 0; i < c->nr_phases && !c->warmup; i++) {
		const struct bench_phase *phase = &c->phases[i];
		int err = __report_sample(run->report, c->name, phase->metric, phase->unit,
					  phase->better, values[i], c->rep);

		if (err)
			return bench_fail(c, err, "cannot write a sample of %s", phase->metric);
	}
	return 0;
}

static int repeat_run(struct bench_run *run, struct bench_case *c, double *values)
{
	int err;

	bench_model_reset();
	err = c->before ? c->before(c) : 0;
	if (err)
		return fail_unless_explained(c, err, "before the repeat");
	for (size_t i = 0; i < c->nr_phases; i++) {
		err = phase_run(c, &c->phases[i], &values[i]);
		if (err)
			return err;
	}
	err = c->after ? c->after(c) : 0;
	if (err)
		return fail_unless_explained(c, err, "after the repeat");
	err = values_write(run, c, values);
	if (err)
		return err;
	err = bench_model_report(c);
	return err ? bench_fail(c, err, "cannot write what the TLB model counted") : 0;
}

/* How many of the case's repeats there are before the given pass. */
static unsigned int repeats_before(const struct bench_run *run, const struct bench_case *c,
				   unsigned int pass)
{
	return (uint64_t)case_repeats(run, c) * pass / run->opt.passes;
}

static int repeats_run(struct bench_run *run, struct bench_case *c)
{
	unsigned int warmups = c->once ? 0 : run->opt.warmups;
	unsigned int first = repeats_before(run, c, run->pass);
	unsigned int end = repeats_before(run, c, run->pass + 1);
	double *values = calloc(c->nr_phases + 1, sizeof(*values));
	int err = 0;

	if (!values)
		return bench_fail(c, -ENOMEM, "memory for the results");
	for (unsigned int i = 0; i < warmups + end - first && !err; i++) {
		c->warmup = i < warmups;
		c->rep = c->warmup ? i : first + i - warmups;
		progress_show(run, c);
		err = repeat_run(run, c, values);
	}
	free(values);
	return err;
}

static int case_measure(struct bench_run *run, struct bench_case *c)
{
	const struct probe probe = needs_probe(c->needs ? c->needs : "");
	int err;

	if (probe.answer != PROBE_YES)
		return bench_skip(c, "%s", probe.why);
	err = c->setup ? c->setup(c) : 0;
	if (err == SETUP_SKIPPED)
		return err;
	if (err)
		return fail_unless_explained(c, err, "setup");

	err = repeats_run(run, c);
	if (c->teardown)
		c->teardown(c);
	return err;
}

/* The next case starts with the machine as this one found it. */
static int case_undo(struct bench_case *c, int err)
{
	int undo = __bench_unpin();

	if (undo && !err)
		err = bench_fail(c, undo, "cannot give the CPU affinity back");
	undo = __restore_all();
	if (undo && err >= 0)
		err = bench_fail(c, undo, "cannot put every setting back");
	return err;
}

/*
 * The reason of a skip stands on a line of its own, in front: some parsers take all that follows
 * "# SKIP" into the name of the test.
 */
static void case_print(const struct bench_case *c, int err)
{
	if (err)
		ksft_print_msg("%s\n", c->reason);
	if (!err) {
		ksft_test_result_pass("%s\n", c->name);
	} else if (err == SETUP_SKIPPED) {
		ksft_inc_xskip_cnt();
		printf("ok %u %s # SKIP\n", ksft_test_num(), c->name);
	} else {
		ksft_test_result_fail("%s\n", c->name);
	}
}

/* In this pass. */
static bool case_has_repeats(const struct bench_run *run, const struct bench_case *c)
{
	return repeats_before(run, c, run->pass) != repeats_before(run, c, run->pass + 1);
}

/* The case's part of this pass. Returns 0, SETUP_SKIPPED or -errno, as does the case. */
static int case_pass(struct bench_run *run, struct bench_case *c)
{
	int err;

	if (!case_has_repeats(run, c))
		return 0;
	c->reason[0] = '\0';
	err = case_undo(c, case_measure(run, c));
	progress_clear(&run->progress);
	return err;
}

static bool case_wanted(const struct options *opt, const char *name)
{
	for (size_t i = 0; i < opt->nr_wanted; i++)
		if (!strcmp(opt->wanted[i], name))
			return true;
	return !opt->nr_wanted;
}

static const struct bench_case *case_find(const struct bench_run *run, const char *name)
{
	for (size_t i = 0; i < run->nr_cases; i++)
		if (!strcmp(run->cases[i].name, name))
			return &run->cases[i];
	return NULL;
}

/* Mistakes of the benchmark's author, not of this machine. */
static void cases_assert(const struct bench_run *run)
{
	for (size_t i = 0; i < run->nr_cases; i++) {
		const char *name = run->cases[i].name;

		if (name_valid(name) && case_find(run, name) == &run->cases[i])
			continue;
		fprintf(stderr, "%s: the case name \"%s\" is used twice or is not a name as docs/results.md has it\n",
			run->bench->name, name);
		abort();
	}
}

static int usage(const struct bench *b, FILE *to)
{
	fprintf(to, "%s: [-l] [-c CASE]... [-r REPEATS] [-w WARMUPS] [-p PASSES] [-h]\n"
		"  -l  list the cases\n"
		"  -c  run this case only\n"
		"  -r  recorded repeats of a case (default: $VMTESTS_REPEATS, else %d)\n"
		"  -w  repeats before them in each pass that are not recorded (default: %d)\n"
		"  -p  passes that they are spread over, each with a set-up of its own\n"
		"      (default: $VMTESTS_PASSES, else %d)\n",
		b->name, DEFAULT_REPEATS, DEFAULT_WARMUPS, DEFAULT_PASSES);
	return -EINVAL;
}

static int number_parse(const char *text, unsigned int least, unsigned int *number)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value < least || value > MAX_REPEATS)
		return -EINVAL;
	*number = value;
	return 0;
}

static int repeats_parse(const struct bench *b, const char *source, const char *text,
			 unsigned int least, unsigned int *number)
{
	if (!number_parse(text, least, number))
		return 0;
	fprintf(stderr, "%s: %s %s: a number from %u to %u is needed\n", b->name, source, text,
		least, (unsigned int)MAX_REPEATS);
	return -EINVAL;
}

/* A variable that is empty is none. */
static int variable_parse(const struct bench *b, const char *name, unsigned int least,
			  unsigned int *number)
{
	const char *value = getenv(name);

	return value && *value ? repeats_parse(b, name, value, least, number) : 0;
}

static int options_default(const struct bench *b, struct options *opt)
{
	int err;

	*opt = (struct options) {
		.repeats = DEFAULT_REPEATS, .warmups = DEFAULT_WARMUPS, .passes = DEFAULT_PASSES,
	};
	err = variable_parse(b, "VMTESTS_REPEATS", 1, &opt->repeats);
	if (!err)
		err = variable_parse(b, "VMTESTS_PASSES", 1, &opt->passes);
	if (!err)
		err = variable_parse(b, "VMTESTS_PASS_SECONDS", 0, &opt->pass_seconds);
	return err;
}

static int option_apply(const struct bench *b, struct options *opt, int letter)
{
	switch (letter) {
	case 'l':
		opt->list = true;
		return 0;
	case 'c':
		if (opt->nr_wanted == MAX_WANTED) {
			fprintf(stderr, "%s: at most %d times -c\n", b->name, MAX_WANTED);
			return -EINVAL;
		}
		opt->wanted[opt->nr_wanted++] = optarg;
		return 0;
	case 'r':
		return repeats_parse(b, "-r", optarg, 1, &opt->repeats);
	case 'w':
		return repeats_parse(b, "-w", optarg, 0, &opt->warmups);
	case 'p':
		return repeats_parse(b, "-p", optarg, 1, &opt->passes);
	default:
		return usage(b, stderr);
	}
}

static int options_parse(int argc, char **argv, const struct bench *b, struct options *opt)
{
	int letter, err;

	err = options_default(b, opt);
	optind = 1;
	while (!err && (letter = getopt(argc, argv, "lc:r:w:p:h")) != -1) {
		if (letter == 'h') {
			usage(b, stdout);
			exit(KSFT_PASS);
		}
		err = option_apply(b, opt, letter);
	}
	if (!err && optind < argc)
		err = usage(b, stderr);
	return err;
}

static int cases_choose(struct bench_run *run)
{
	for (size_t i = 0; i < run->opt.nr_wanted; i++) {
		if (case_find(run, run->opt.wanted[i]))
			continue;
		fprintf(stderr, "%s: no case '%s' here: -l lists them\n", run->bench->name,
			run->opt.wanted[i]);
		return -ENOENT;
	}
	for (size_t i = 0; i < run->nr_cases; i++)
		run->nr_chosen += case_wanted(&run->opt, run->cases[i].name);
	return 0;
}

static int cases_get(struct bench_run *run)
{
	long count;

	run->cases = run->bench->cases;
	run->nr_cases = run->bench->nr_cases;
	if (!run->bench->build)
		return 0;

	count = run->bench->build(&run->cases);
	run->nr_cases = count < 0 ? 0 : count;
	return count < 0 ? count : 0;
}

static int skip_all(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	return KSFT_SKIP;
}

static int bail_out(const char *what, int err)
{
	printf("Bail out! %s: %s\n", what, strerror(-err));
	return KSFT_FAIL;
}

/* Results are known, and printed, in the last pass. A case that did not pass has no more passes. */
static void pass_run(struct bench_run *run, int *results)
{
	for (size_t i = 0; i < run->nr_cases; i++) {
		struct bench_case *c = &run->cases[i];

		if (!case_wanted(&run->opt, c->name))
			continue;
		if (!results[i])
			results[i] = case_pass(run, c);
		if (run->pass == run->opt.passes - 1)
			case_print(c, results[i]);
	}
}

static bool pass_has_work(const struct bench_run *run, const int *results)
{
	for (size_t i = 0; i < run->nr_cases; i++) {
		const struct bench_case *c = &run->cases[i];

		if (!results[i] && case_wanted(&run->opt, c->name) && case_has_repeats(run, c))
			return true;
	}
	return false;
}

/*
 * A machine that others share has the same speed for some seconds, and another one then: passes of
 * a short benchmark that follow each other at once would not see it.
 */
static void pass_await(struct bench_run *run, const int *results)
{
	uint64_t until = run->pass_began + run->opt.pass_seconds * NS_PER_SEC, now = bench_now_ns();
	struct timespec left;

	if (!pass_has_work(run, results))
		return;
	if (run->pass_began && now < until) {
		left.tv_sec = (until - now) / NS_PER_SEC;
		left.tv_nsec = (until - now) % NS_PER_SEC;
		nanosleep(&left, NULL);
	}
	run->pass_began = bench_now_ns();
}

static int cases_run(struct bench_run *run)
{
	int *results, err;

	err = __report_open(&run->report, run->bench->name);
	if (err)
		return bail_out("cannot open samples.jsonl in $VMTESTS_OUT", err);
	results = calloc(run->nr_cases, sizeof(*results));
	if (!results)
		return bail_out("memory for the results", -ENOMEM);

	current = run;
	ksft_set_plan(run->nr_chosen);
	for (run->pass = 0; run->pass < run->opt.passes; run->pass++) {
		pass_await(run, results);
		pass_run(run, results);
	}
	current = NULL;
	report_close(run->report);
	free(results);

	ksft_print_cnts();
	if (ksft_get_fail_cnt())
		return KSFT_FAIL;
	return ksft_get_pass_cnt() ? KSFT_PASS : KSFT_SKIP;
}

static int cases_list(const struct bench_run *run)
{
	for (size_t i = 0; i < run->nr_cases; i++)
		puts(run->cases[i].name);
	return KSFT_PASS;
}

/* An emulator may have a TLB model; that it cannot be used is no reason not to measure. */
static void model_open(void)
{
	char reason[KCORE_REASON_MAX] = "";
	int ret = __tlbmodel_open(reason, sizeof(reason));

	if (ret && ret != -ENODEV)
		ksft_print_msg("no TLB model: %s\n", reason);
}

static int program_run(struct bench_run *run)
{
	const struct probe probe = needs_probe(run->bench->needs ? run->bench->needs : "");
	const bool missing = probe.answer != PROBE_YES;
	int err;

	if (missing && run->opt.list) {
		fprintf(stderr, "%s: %s\n", run->bench->name, probe.why);
		return KSFT_SKIP;
	}
	if (!run->opt.list)
		ksft_print_header();
	if (missing)
		return skip_all(probe.why);
	err = cases_get(run);
	if (err)
		return bail_out("cannot tell what to measure here", err);

	cases_assert(run);
	if (run->opt.list)
		return cases_list(run);
	if (cases_choose(run))
		return KSFT_FAIL;
	model_open();
	if (!run->nr_chosen)
		return skip_all("this machine has nothing that this benchmark measures");
	return cases_run(run);
}

int bench_main(int argc, char **argv, const struct bench *b)
{
	struct bench_run run = {
		.bench = b,
		.progress = { .terminal = isatty(STDERR_FILENO), .start = bench_now_ns() },
	};
	int ret;

	/* A crash must not take finished lines with it, nor a fork repeat them. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_cpus();
	if (options_parse(argc, argv, b, &run.opt))
		return KSFT_FAIL;
	/* Whatever opens the journal must know all that may be in it. */
	ret = undo_register();
	if (ret)
		return bail_out("cannot undo", ret);

	ret = program_run(&run);
	if (b->build)
		free(run.cases);
	return ret;
}
