// SPDX-License-Identifier: GPL-2.0
/*
 * ktap/ of a boot: which cases were skipped, and why.
 *
 * It explains why a row is missing and decides nothing. A benchmark puts the reason on the line
 * above "ok 3 CASE # SKIP". What is not such a line is passed over, in a file that a crash cut as
 * well.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vmtests/grammar.h>

#include "file.h"
#include "load/lines.h"
#include "load/load.h"

#define SKIPS_MAX 4096		/* of one boot */
#define KTAP_MAX (64L << 20)

/* "ok 3 CASE # SKIP" to CASE, cut out of the line; NULL of any other line. */
static char *skipped_case(char *line)
{
	char *name, *end;

	if (strncmp(line, "ok ", 3))
		return NULL;
	name = line + 3 + strspn(line + 3, "0123456789");
	name += strspn(name, " -");
	end = strchr(name, ' ');
	if (!end || strncmp(end, " # SKIP", 7))
		return NULL;
	*end = '\0';
	return name_valid(name) ? name : NULL;
}

static void skip_add(struct boot *boot, const char *name, const char *reason)
{
	if (boot->nskips == SKIPS_MAX)
		return;
	array_grow(boot->skips, boot->nskips, boot->skips_cap);
	boot->skips[boot->nskips++] = (struct skip){ xstrdup(name), text_clean(reason) };
}

void ktap_file(struct boot *boot, int fd, const char *name)
{
	char *reason = xstrdup(""), *line;
	struct lines lines;
	size_t len;

	lines_init(&lines, fd, name);
	while (lines_next(&lines, &line, &len) > 0) {
		char *skipped = skipped_case(line);

		if (skipped)
			skip_add(boot, skipped, reason);
		free(reason);
		reason = xstrdup(!strncmp(line, "# ", 2) ? line + 2 : "");
	}
	lines_free(&lines);
	free(reason);
}

static int entry_cmp(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int ktap_read(struct boot *boot, int parent)
{
	int dir = openat(parent, "ktap", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), n;
	struct dirent **entries;

	if (dir < 0)
		return errno == ENOENT ? 0 : fail("%s/ktap: opening: %s", boot->path,
						  strerror(errno));
	n = scandirat(dir, ".", &entries, NULL, entry_cmp);
	for (int i = 0; i < n; i++) {
		int fd = file_open(dir, entries[i]->d_name, KTAP_MAX);

		if (fd >= 0) {
			ktap_file(boot, fd, entries[i]->d_name);
			close(fd);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	close(dir);
	return 0;
}
