// SPDX-License-Identifier: GPL-2.0
/* verdicts.jsonl: how each test ended in each run. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <vmtests/grammar.h>

#include "load/lines.h"
#include "load/load.h"

#define TESTS_MAX 4096

static struct tally *tally_of(struct boot *boot, const char *test)
{
	for (size_t i = 0; i < boot->ntallies; i++)
		if (!strcmp(boot->tallies[i].test, test))
			return &boot->tallies[i];
	array_grow(boot->tallies, boot->ntallies, boot->tallies_cap);
	boot->tallies[boot->ntallies] = (struct tally){ .test = xstrdup(test) };
	return &boot->tallies[boot->ntallies++];
}

/* OUTCOME_COUNT when s is not a result. */
static enum outcome_result outcome_parse(const char *s)
{
	enum outcome_result result = 0;

	while (result < OUTCOME_COUNT && (!s || strcmp(outcome_name(result), s)))
		result++;
	return result;
}

static int outcome_line(struct boot *boot, const json_t *line, const char *where)
{
	const char *test = json_string_value(json_object_get(line, "test"));
	const char *reason = json_string_value(json_object_get(line, "reason"));
	const char *end = json_string_value(json_object_get(line, "result"));
	const json_t *run = json_object_get(line, "run");
	enum outcome_result result = outcome_parse(end);
	struct tally *tally;

	if (!test || !name_valid(test))
		return fail("%s: no test, or its name is not valid", where);
	if (boot->ntallies >= TESTS_MAX)
		return fail("%s: more than %d tests", where, TESTS_MAX);
	if (result == OUTCOME_COUNT)
		return fail("%s: result is not pass, fail, skip or timeout", where);
	if (!json_is_integer(run) || json_integer_value(run) < 0 ||
	    json_integer_value(run) > INT_MAX)
		return fail("%s: run is not an integer from 0", where);
	tally = tally_of(boot, test);
	tally->pass += result == OUTCOME_PASS;
	tally->fail += result == OUTCOME_FAIL || result == OUTCOME_TIMEOUT;
	tally->skip += result == OUTCOME_SKIP;
	array_grow(boot->outcomes, boot->noutcomes, boot->outcomes_cap);
	boot->outcomes[boot->noutcomes++] = (struct outcome){
		.test = xstrdup(test), .reason = xstrdup(reason ? reason : ""), .result = result,
		.run = json_integer_value(run),
		.seconds = json_number_value(json_object_get(line, "seconds")),
	};
	return 0;
}

int outcomes_read(struct boot *boot, int fd, const char *name)
{
	struct lines lines;
	size_t len;
	char *line;
	int more;

	lines_init(&lines, fd, name);
	while ((more = lines_next(&lines, &line, &len)) > 0) {
		json_error_t error;
		json_t *v = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
		char where[512];

		snprintf(where, sizeof(where), "%s:%zu", name, lines.number);
		if (!v && !lines.complete) {
			boot->damaged++;
			break;
		}
		if (!v)
			more = fail("%s: %s", where, error.text);
		else
			more = outcome_line(boot, v, where);
		json_decref(v);
		if (more < 0)
			break;
	}
	lines_free(&lines);
	return more < 0 ? -1 : 0;
}
