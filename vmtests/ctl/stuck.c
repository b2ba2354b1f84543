// SPDX-License-Identifier: GPL-2.0
/*
 * stuck: where the threads of a test stand that did not end in time.
 *
 * What the kernel says in /proc/PID/task/TID, taken before the first signal: afterwards all that is
 * left of a hang is that there was one. Only root sees kernel stacks; what cannot be read is left
 * out.
 */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

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

static FILE *thread_open(const char *dir, const char *file)
{
	char path[PATH_MAX];

	return ctl_path(path, dir, file) ? NULL : fopen(path, "re");
}

/* Every line of a file that is short by its nature. */
static void stuck_file(struct stuck *s, const char *dir, const char *file)
{
	FILE *in = thread_open(dir, file);
	char line[512], what[64];

	if (!in)
		return;
	snprintf(what, sizeof(what), "  %s ", file);
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		stuck_line(s, what, line);
	}
	fclose(in);
}

/* PID (NAME) STATE and, as numbered in proc_pid_stat(5), 14 utime, 15 stime, 39 processor. */
static void stuck_stat(struct stuck *s, const char *dir)
{
	FILE *in = thread_open(dir, "stat");
	char text[1024], out[512], *rest, *field, *at;
	const char *found[40] = { NULL };
	unsigned int i;

	if (!in)
		return;
	text[0] = '\0';
	rest = fgets(text, sizeof(text), in) ? strrchr(text, ')') : NULL;
	fclose(in);
	if (!rest)
		return;
	*rest++ = '\0';
	for (i = 3; i < ARRAY_SIZE(found) && (field = strtok_r(rest, "\n ", &at)); i++) {
		found[i] = field;
		rest = NULL;
	}
	if (i < ARRAY_SIZE(found))
		return;
	snprintf(out, sizeof(out), "%.200s) state %.1s, CPU %.8s, user %.20s + kernel %.20s ticks",
		 text, found[3], found[39], found[14], found[15]);
	stuck_line(s, "", out);
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
		stuck_stat(&s, dir);
		stuck_file(&s, dir, "syscall");
		stuck_file(&s, dir, "stack");
	}
	closedir(threads);
	return s.err < 0 ? s.err : 0;
}
