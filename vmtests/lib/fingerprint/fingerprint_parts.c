// SPDX-License-Identifier: GPL-2.0
/*
 * fingerprint_parts: from small files and other programs' output to JSON.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vmtests/command.h>
#include <libmm/kmsg.h>
#include <libmm/sysfile.h>

#include "fingerprint_parts.h"

/* Programs speak English and take no advice from the caller's environment. */
static char *const clean_environment[] = {
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL,
};

json_t *fp_text(const char *text)
{
	json_t *string = json_string(text);
	char *clean;

	if (string)
		return string;

	clean = strdup(text);
	if (!clean)
		return NULL;
	for (char *c = clean; *c; c++)
		if (*c & 0x80)
			*c = '?';
	string = json_string(clean);
	free(clean);
	return string;
}

json_t *fp_file_text(const char *path)
{
	char text[FP_TEXT_MAX];

	return __sysfile_read(path, text, sizeof(text)) < 0 ? json_null() : fp_text(text);
}

json_t *fp_file_choice(const char *path)
{
	char text[FP_TEXT_MAX], *open, *close;

	if (__sysfile_read(path, text, sizeof(text)) < 0)
		return json_null();
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	if (!close)
		return json_null();
	*close = '\0';
	return fp_text(open + 1);
}

json_t *fp_file_number(const char *path)
{
	uint64_t number;

	return __sysfile_read_u64(path, &number) ? json_null() : json_integer(number);
}

bool fp_cmdline_has(const char *word)
{
	char text[FP_TEXT_MAX], *rest = text, *token;

	if (__sysfile_read("/proc/cmdline", text, sizeof(text)) < 0)
		return false;
	while ((token = strsep(&rest, " ")))
		if (!strcmp(token, word))
			return true;
	return false;
}

struct log_search {
	const char *const *words;
	bool found;
};

static void log_line(const char *text, bool kernel, void *arg)
{
	struct log_search *search = arg;
	const char *const *word = search->words;

	(void)kernel;
	while (*word && strstr(text, *word))
		word++;
	if (!*word)
		search->found = true;
}

int fp_boot_log_has(const char *const *words)
{
	struct log_search search = { .words = words };
	int ret = kmsg_lines(0, log_line, &search);

	return search.found ? 1 : ret;
}

int fp_dir_each(const char *path, int (*visit)(const char *name, void *arg), void *arg)
{
	char full[SYSFILE_PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int ret;

	ret = __sysfile_path(full, sizeof(full), path);
	if (ret)
		return ret;
	dir = opendir(full);
	if (!dir)
		return -errno;

	errno = 0;
	while (!ret && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			ret = visit(entry->d_name, arg);
		errno = 0;
	}
	if (!ret && errno)
		ret = -errno;
	closedir(dir);
	return ret;
}

ssize_t fp_spawn(char *const argv[], int stdin_fd, char **out, size_t max)
{
	return __command_output(argv, clean_environment, stdin_fd, out, max);
}
