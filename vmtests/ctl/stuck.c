// SPDX-License-Identifier: GPL-2.0
/*
 * stuck: where the threads of a test stand that did not end in time.
 *
 * What the kernel says in /proc/PID/task/TID, taken before the first signal: afterwards all that is
 * left of a hang is that there was one. Only root sees kernel stacks; what cannot be read is left
 * out.
 */
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include <vmtests/procstat.h>

#include "ctl.h"

#define LINES_MAX 200	/* of all threads together */

struct stuck {
	int (*line)(const char *text, void *arg);
	void *arg;
	unsigned int lines;
	int err;
};

static void stuck_line(struct stuck *s, const char *what, const char *text)
{
	char line[640];

	if (s->err < 0 || s->lines++ >= LINES_MAX)
		return;
	snprintf(line, sizeof(line), "# stuck: %s%s", what, text);
	s->err = s->line(line, s->arg);
}

/* Every line of a file that is short by its nature. */
static void stuck_file(struct stuck *s, const char *dir, const char *file)
{
	char path[PATH_MAX], line[512], what[64];
	FILE *in = ctl_path(path, dir, file) ? NULL : fopen(path, "re");

	if (!in)
		return;
	snprintf(what, sizeof(what), "  %s ", file);
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		stuck_line(s, what, line);
	}
	fclose(in);
}

static void stuck_stat(struct stuck *s, const char *thread, const char *dir)
{
	struct procstat stat;
	char text[512];

	if (__procstat_read(dir, &stat))
		return;
	snprintf(text, sizeof(text),
		 "%s (%s) state %c, CPU %d, user %" PRIu64 " + kernel %" PRIu64 " ticks", thread,
		 stat.name, stat.state, stat.cpu, stat.user_ticks, stat.kernel_ticks);
	stuck_line(s, "", text);
}

int stuck_report(pid_t pid, int (*line)(const char *text, void *arg), void *arg)
{
	struct stuck s = { .line = line, .arg = arg };
	char tasks[64], dir[PATH_MAX];
	struct dirent *entry;
	DIR *threads;

	snprintf(tasks, sizeof(tasks), "/proc/%d/task", (int)pid);
	threads = opendir(tasks);
	if (!threads)
		return 0;
	while ((entry = readdir(threads))) {
		if (entry->d_name[0] == '.' || ctl_path(dir, tasks, entry->d_name))
			continue;
		stuck_stat(&s, entry->d_name, dir);
		stuck_file(&s, dir, "syscall");
		stuck_file(&s, dir, "stack");
	}
	closedir(threads);
	return s.err < 0 ? s.err : 0;
}
