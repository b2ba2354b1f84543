// SPDX-License-Identifier: GPL-2.0
/* procstat: see vmtests/procstat.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vmtests/procstat.h>

/* 52 fields, of which most are numbers of up to 20 digits. */
#define STAT_MAX 1200

static int stat_text(const char *dir, char *text, size_t size)
{
	char path[PATH_MAX];
	ssize_t length;
	int fd;

	if (snprintf(path, sizeof(path), "%s/stat", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	length = read(fd, text, size - 1);
	close(fd);
	if (length <= 0)
		return -ESRCH;
	text[length] = '\0';
	return 0;
}

int __procstat_read(const char *dir, struct procstat *stat)
{
	char text[STAT_MAX], *first, *last;
	uint64_t children_user, children_kernel;
	int err = stat_text(dir, text, sizeof(text));

	if (err)
		return err;
	/* The name may hold anything, but it ends at the last parenthesis. */
	first = strchr(text, '(');
	last = strrchr(text, ')');
	if (!first || !last || last < first)
		return -EINVAL;
	*last = '\0';
	snprintf(stat->name, sizeof(stat->name), "%.64s", first + 1);
	/* Fields 3, 4, 14 to 17, 22 and 39. */
	if (sscanf(last + 1, " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64
		   " %" SCNu64 " %" SCNu64 " %*s %*s %*s %*s %" SCNu64
		   " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %d",
		   &stat->state, &stat->parent, &stat->user_ticks, &stat->kernel_ticks,
		   &children_user, &children_kernel, &stat->start, &stat->cpu) != 8)
		return -EINVAL;
	stat->children_ticks = children_user + children_kernel;
	return 0;
}

int __procstat_of(pid_t pid, struct procstat *stat)
{
	char dir[32];

	snprintf(dir, sizeof(dir), "/proc/%d", (int)pid);
	return __procstat_read(dir, stat);
}
