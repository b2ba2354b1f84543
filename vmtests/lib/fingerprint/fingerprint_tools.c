// SPDX-License-Identifier: GPL-2.0
/*
 * fingerprint_tools: the versions of the programs that benchmarks run.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <vmtests/fingerprint.h>

#include "fingerprint_parts.h"

static const char *const tools[] = { "fio", "numactl", "cryptsetup", "memcached", "perf" };

/* The first number of "fio-3.33", "cryptsetup 2.6.1 flags: ...", "perf version 6.1.192". */
static json_t *version_of(char *text)
{
	char *start = text;

	while (*start && !isdigit((unsigned char)*start))
		start++;
	start[strcspn(start, " \t\n")] = '\0';
	return *start ? fp_text(start) : json_null();
}

/* JSON null in *@version for a program that failed or told no number. Returns 0 or -errno. */
static int output_version(char *const argv[], json_t **version)
{
	char *text;
	ssize_t len = fp_spawn(argv, -1, &text, FP_TEXT_MAX);

	*version = len < 0 ? json_null() : version_of(text);
	if (len < 0)
		return len;
	free(text);
	return 0;
}

/* numactl 2.0.16 and older do not tell their version: then Debian's package does. */
static json_t *package_version(char *name)
{
	char *const argv[] = { "dpkg-query", "-W", "-f", "${Version}", name, NULL };
	json_t *version;

	output_version(argv, &version);
	return version;
}

static json_t *tool_version(const char *name)
{
	char *copy = strdup(name);
	json_t *version;
	int err;

	if (!copy)
		return NULL;
	err = output_version((char *const []){ copy, "--version", NULL }, &version);
	if (err != -ENOENT && json_is_null(version))
		version = package_version(copy);
	free(copy);
	return version;
}

json_t *fingerprint_tools(void)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < sizeof(tools) / sizeof(*tools); i++) {
		if (json_object_set_new(object, tools[i], tool_version(tools[i]))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}
