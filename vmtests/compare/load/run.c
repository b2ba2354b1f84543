// SPDX-License-Identifier: GPL-2.0
/* run.json: the fingerprint of a boot, checked as far as the model relies on it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "load/lines.h"
#include "load/load.h"

/* RFC 3339 to seconds; NAN when s is something else. */
static double time_parse(const char *s)
{
	struct tm tm = { 0 };
	double zone = 0;
	const char *p = s ? strptime(s, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

	if (!p)
		return NAN;
	if (*p == '.')
		p += 1 + strspn(p + 1, "0123456789");
	if (*p == '+' || *p == '-') {
		unsigned int hours, minutes;

		if (sscanf(p + 1, "%2u:%2u", &hours, &minutes) != 2)
			return NAN;
		zone = (*p == '-' ? -1.0 : 1.0) * (hours * 3600.0 + minutes * 60.0);
	}
	return timegm(&tm) - zone;
}

/* The types that the schema gives to what the model reads. */
static const struct {
	const char *path;
	json_type type;
} run_types[] = {
	{ "label", JSON_STRING },	   { "boot_id", JSON_STRING },
	{ "runs", JSON_ARRAY },		   { "kernel", JSON_OBJECT },
	{ "cpu", JSON_OBJECT },		   { "memory", JSON_OBJECT },
	{ "kernel.release", JSON_STRING }, { "kernel.tainted", JSON_INTEGER },
	{ "memory.total", JSON_INTEGER },  { "memory.page_size", JSON_INTEGER },
	{ "census", JSON_OBJECT },	   { "census.ranges", JSON_OBJECT },
	{ "directmap", JSON_OBJECT },	   { "binaries", JSON_OBJECT },
	{ "tools", JSON_OBJECT },	   { "settings", JSON_OBJECT },
};

static int run_check(struct boot *boot, const char *name)
{
	const json_t *schema = json_object_get(boot->run, "schema");

	if (!json_is_integer(schema))
		return fail("%s: no schema version: not a run.json of this suite", name);
	if (json_integer_value(schema) != 1)
		return fail("%s: schema version %lld, this vmcompare reads 1: use the vmcompare that came with the results",
			    name, (long long)json_integer_value(schema));
	for (size_t i = 0; i < ARRAY_SIZE(run_types); i++) {
		const json_t *v = boot_value(boot, run_types[i].path);

		if (v && json_typeof(v) != run_types[i].type)
			return fail("%s: \"%s\" has the wrong type", name, run_types[i].path);
	}
	return 0;
}

int run_read(struct boot *boot, int fd, const char *name)
{
	json_error_t error;
	size_t len;
	char *text = file_slurp(fd, name, DOCUMENT_MAX, &len);
	const json_t *first;

	if (!text)
		return -1;
	boot->run = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	free(text);
	if (!boot->run)
		return fail("%s:%d: %s", name, error.line, error.text);
	if (!json_is_object(boot->run))
		return fail("%s: not an object", name);
	if (run_check(boot, name))
		return -1;
	first = json_array_get(boot_value(boot, "runs"), 0);
	boot->started = time_parse(json_string_value(json_object_get(first, "started")));
	return 0;
}
