// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: the reader accepts and refuses the same names and units as the writer, report, whose own
 * test uses the same tables.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/tests/grammar_cases.h"
#include "load/load.h"
#include "util.h"

static size_t checks, failures;

static void expect(const char *what, const char *text, bool good, bool taken)
{
	checks++;
	if (good == taken)
		return;
	failures++;
	fprintf(stderr, "FAIL %s \"%s\" is %s\n", what, text, taken ? "taken" : "refused");
}

static bool sample_taken(const char *bench, const char *variant, const char *metric,
			 const char *unit)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:f,s:i,s:i,s:f}", "bench", bench, "case",
			      variant, "metric", metric, "unit", unit, "better", "lower", "value",
			      1.0, "rep", 0, "run", 0, "t", 1.0);
	char *line = json_dumps(o, JSON_COMPACT);
	struct dataset ds = { 0 };
	struct boot boot = { 0 };
	bool taken = !samples_line(&ds, &boot, line, strlen(line), "line");

	boot_free(&boot);
	dataset_free(&ds);
	json_decref(o);
	free(line);
	return taken;
}

static bool verdict_taken(const char *test)
{
	json_t *o = json_pack("{s:s,s:i,s:s,s:s,s:f}", "test", test, "run", 0, "result", "pass",
			      "reason", "", "seconds", 1.0);
	char *line = json_dumps(o, JSON_COMPACT);
	int fd = memfd_create("verdicts", MFD_CLOEXEC);
	struct boot boot = { 0 };
	bool taken;

	if (fd < 0 || dprintf(fd, "%s\n", line) < 0 || lseek(fd, 0, SEEK_SET))
		abort();
	taken = !outcomes_read(&boot, fd, "verdicts");
	boot_free(&boot);
	close(fd);
	json_decref(o);
	free(line);
	return taken;
}

int main(void)
{
	fail_quiet = true;
	for (size_t i = 0; i < ARRAY_SIZE(grammar_names); i++) {
		const char *text = grammar_names[i].text;
		bool good = grammar_names[i].good;

		expect("case", text, good, sample_taken("a/b", text, "m", "ns"));
		expect("metric", text, good, sample_taken("a/b", "c", text, "ns"));
		expect("test", text, good, verdict_taken(text));
	}
	for (size_t i = 0; i < ARRAY_SIZE(grammar_benches); i++)
		expect("bench", grammar_benches[i].text, grammar_benches[i].good,
		       sample_taken(grammar_benches[i].text, "c", "m", "ns"));
	for (size_t i = 0; i < ARRAY_SIZE(grammar_units); i++)
		expect("unit", grammar_units[i].text, grammar_units[i].good,
		       sample_taken("a/b", "c", "m", grammar_units[i].text));
	printf("%zu names and units read, %zu judged wrongly\n", checks, failures);
	return !checks || failures;
}
