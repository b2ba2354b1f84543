// SPDX-License-Identifier: GPL-2.0
/*
 * ktap: count the subtests in a test's own output. Only lines at the left margin count: nested
 * results belong to their parent, which repeats their verdict.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

int ktap_begin(struct ktap_count *k, const char *cases)
{
	char *c;

	memset(k, 0, sizeof(*k));
	k->planned = -1;
	if (snprintf(k->cases_left, sizeof(k->cases_left), "%s", cases) >=
	    (int)sizeof(k->cases_left))
		return -E2BIG;
	for (c = k->cases_left; *c; c++)
		*c = isspace((unsigned char)*c) ? ' ' : *c;
	return 0;
}

static void copy_text(char *to, size_t size, const char *from)
{
	while (isspace((unsigned char)*from))
		from++;
	snprintf(to, size, "%s", from);
}

/* "1..N", or "1..0 # SKIP reason" of a test that gave up before its first subtest. */
static void count_plan(struct ktap_count *k, const char *text)
{
	const char *skip = strstr(text, "# SKIP");

	k->planned = strtol(text + 3, NULL, 10);
	if (skip)
		copy_text(k->skip_reason, sizeof(k->skip_reason), skip + strlen("# SKIP"));
}

static const char *skip_number(const char *text)
{
	while (*text == ' ')
		text++;
	while (isdigit((unsigned char)*text))
		text++;
	while (*text == ' ' || *text == '-')
		text++;
	return text;
}

/* Whatever the result, the case that @text begins with has one: blank its name out. */
static void case_seen(struct ktap_count *k, const char *text)
{
	size_t length = strcspn(text, " "), word;
	char *c;

	for (c = k->cases_left; *(c += strspn(c, " ")); c += word) {
		word = strcspn(c, " ");
		if (word == length && !strncmp(c, text, length))
			memset(c, ' ', word);
	}
}

static void count_ok(struct ktap_count *k, const char *text)
{
	const char *skip = strstr(text, "# SKIP");

	if (!skip) {
		k->pass++;
		return;
	}
	k->skip++;
	copy_text(k->skip_reason, sizeof(k->skip_reason), skip + strlen("# SKIP"));
	/* libmm gives the reason on the line before: here it would become part of the name. */
	if (!k->skip_reason[0])
		copy_text(k->skip_reason, sizeof(k->skip_reason), k->last_comment);
}

void ktap_line(struct ktap_count *k, const char *text)
{
	if (!strncmp(text, "1..", 3)) {
		count_plan(k, text);
	} else if (!strncmp(text, "ok ", 3)) {
		case_seen(k, skip_number(text + 3));
		count_ok(k, text);
	} else if (!strncmp(text, "not ok ", 7)) {
		case_seen(k, skip_number(text + 7));
		if (!k->fail)
			copy_text(k->first_fail, sizeof(k->first_fail), skip_number(text + 7));
		k->fail++;
	} else if (!strncmp(text, "# ", 2)) {
		copy_text(k->last_comment, sizeof(k->last_comment), text + 2);
	}
}
