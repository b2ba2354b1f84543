/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What harnesses before 6.9 lack of today's: a SKIP in FIXTURE_SETUP that ends the test, results of
 * skipped tests that have a name, and the options -r FIXTURE.VARIANT.TEST and -t TEST.
 */
#ifndef LIBMM_HARNESS_OLD_H
#define LIBMM_HARNESS_OLD_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HARNESS_NAME_MAX 256
#define HARNESS_SKIPPED 255	/* how a test's process tells its parent */

#undef FIXTURE_SETUP
#define FIXTURE_SETUP(fixture_name)					\
	static void fixture_name##_setup_body(				\
		struct __test_metadata *_metadata,			\
		FIXTURE_DATA(fixture_name) * self,			\
		const FIXTURE_VARIANT(fixture_name) * variant);		\
	void fixture_name##_setup(struct __test_metadata *_metadata,	\
		FIXTURE_DATA(fixture_name) * self,			\
		const FIXTURE_VARIANT(fixture_name) * variant)		\
	{								\
		fixture_name##_setup_body(_metadata, self, variant);	\
		if (_metadata->skip) {					\
			fflush(stdout);					\
			_exit(HARNESS_SKIPPED);				\
		}							\
	}								\
	static void fixture_name##_setup_body(				\
		struct __test_metadata __attribute__((unused)) *_metadata, \
		FIXTURE_DATA(fixture_name) __attribute__((unused)) * self, \
		const FIXTURE_VARIANT(fixture_name) __attribute__((unused)) * variant)

/* Whether the options, if there are any, name this test. Ends the program for a wrong one. */
static inline bool harness_wanted(int argc, char **argv, const char *full, const char *test)
{
	bool wanted = argc == 1;
	int opt;

	optind = 1;
	while ((opt = getopt(argc, argv, "r:t:")) != -1) {
		if (opt == '?')
			_exit(KSFT_FAIL);
		wanted |= !strcmp(optarg, opt == 'r' ? full : test);
	}
	if (optind < argc) {
		fprintf(stderr, "%s: '%s' is no option: -r FIXTURE.VARIANT.TEST, -t TEST\n",
			argv[0], argv[optind]);
		_exit(KSFT_FAIL);
	}
	return wanted;
}

static inline void harness_run_one(struct __fixture_variant_metadata *v, struct __test_metadata *t,
				   const char *name)
{
	t->passed = 1;
	t->skip = 0;
	t->trigger = 0;
	t->step = 1;
	t->no_print = 0;
	memset(t->results->reason, 0, sizeof(t->results->reason));

	ksft_print_msg(" RUN           %s ...\n", name);
	fflush(stdout);
	fflush(stderr);
	t->pid = fork();
	if (!t->pid) {
		setpgrp();
		t->fn(t, v);
		fflush(stdout);
		_exit(t->skip ? HARNESS_SKIPPED : t->passed ? 0 : t->step);
	}
	t->passed = t->pid > 0;
	if (t->passed)
		__wait_for_test(t);
	else
		ksft_print_msg("ERROR SPAWNING TEST CHILD\n");
	ksft_print_msg("         %4s  %s\n", t->passed ? "OK" : "FAIL", name);
	if (!t->skip) {
		ksft_test_result(t->passed, "%s\n", name);
		return;
	}
	ksft_cnt.ksft_xskip++;
	printf("ok %u %s # SKIP %s\n", ksft_test_num(), name,
	       t->results->reason[0] ? t->results->reason : "unknown");
}

/* Run every wanted test when @results are there, else only count them. Returns how many. */
static inline unsigned int harness_each(int argc, char **argv, struct __test_results *results,
					unsigned int *failed)
{
	struct __fixture_variant_metadata none = { .name = "" }, *v;
	struct __fixture_metadata *f;
	struct __test_metadata *t;
	char name[HARNESS_NAME_MAX];
	unsigned int nr = 0;

	for (f = __fixture_list; f; f = f->next) {
		for (v = f->variant ? f->variant : &none; v; v = v->next) {
			for (t = f->tests; t; t = t->next) {
				snprintf(name, sizeof(name), "%s%s%s.%s", f->name,
					 v->name[0] ? "." : "", v->name, t->name);
				if (!harness_wanted(argc, argv, name, t->name))
					continue;
				nr++;
				if (!results)
					continue;
				t->results = results;
				harness_run_one(v, t, name);
				*failed += !t->passed;
			}
		}
	}
	return nr;
}

static inline int harness_old_main(int argc, char **argv)
{
	unsigned int nr, failed = 0;
	struct __test_results *results;

	results = mmap(NULL, sizeof(*results), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (results == MAP_FAILED)
		ksft_exit_fail_msg("no memory for the results\n");
	nr = harness_each(argc, argv, NULL, NULL);
	ksft_print_header();
	if (!nr)
		ksft_exit_fail_msg("no test has the names that the options give\n");
	ksft_set_plan(nr);
	harness_each(argc, argv, results, &failed);
	ksft_print_msg("%s: %u / %u tests passed.\n", failed ? "FAILED" : "PASSED", nr - failed,
		       nr);
	return failed ? ksft_exit_fail() : ksft_exit_pass();
}

#undef TEST_HARNESS_MAIN
#define TEST_HARNESS_MAIN						\
	static void __attribute__((constructor))			\
	__constructor_order_last(void)					\
	{								\
		if (!__constructor_order)				\
			__constructor_order = _CONSTRUCTOR_ORDER_BACKWARD; \
	}								\
	int main(int argc, char **argv)					\
	{								\
		return harness_old_main(argc, argv);			\
	}

#endif
