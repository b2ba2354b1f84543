// SPDX-License-Identifier: GPL-2.0
/*
 * perf/ and fio/ of a boot. docs/results.md defines the files.
 *
 * These explain a verdict and never make one. A counter that shared its hardware with others was
 * extrapolated by perf, not counted, so it is left out and the report names it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vmtests/grammar.h>

#include "file.h"
#include "load/lines.h"
#include "load/load.h"

#define EXTRAS_MAX 16384	/* of one boot */
#define NOTES_MAX 4096
#define FILES_MAX (64L << 20)
#define DAMAGED_NAMED 8		/* more are counted */

static int extra_add(struct boot *boot, enum extra_kind kind, const char *test, const char *what,
		     double value, const char *where)
{
	if (boot->nextras == EXTRAS_MAX)
		return fail("%s: more than %d values in one boot", where, EXTRAS_MAX);
	if (!isfinite(value) || value < 0)
		return fail("%s: a value that is negative or not finite", where);
	array_grow(boot->extras, boot->nextras, boot->extras_cap);
	boot->extras[boot->nextras++] = (struct extra){
		.kind = kind, .test = xstrdup(test), .what = text_clean(what), .value = value,
	};
	return 0;
}

/*
 * A file that is not JSON was cut short by a crash or by its writer. All of it is left out, the
 * report names it and goes on, because no verdict depends on it. before is how many values the boot
 * had before the file.
 */
static void extras_damaged(struct boot *boot, size_t before, const char *name, const char *why)
{
	const char *file = strrchr(name, '/');
	char *fault;

	while (boot->nextras > before) {
		struct extra *e = &boot->extras[--boot->nextras];

		free(e->test);
		free(e->what);
	}
	if (boot->damaged_files++ >= DAMAGED_NAMED)
		return;
	fault = xasprintf("%s%s%s: %s", boot->damaged_names ? boot->damaged_names : "",
			  boot->damaged_names ? "; " : "", file ? file + 1 : name, why);
	free(boot->damaged_names);
	boot->damaged_names = fault;
	text_printable(fault);
}

/* Noted once for each label, counter and reason: boots and runs would repeat it. */
static int counter_refuse(struct dataset *ds, const char *test, const char *event,
			  const char *where, const char *why)
{
	const char *label = ds->nlabels ? ds->labels[ds->nlabels - 1].name : "";
	char *clean = text_clean(event);
	char *note = xasprintf("%s: counter %s of %s left out: %s", label, clean, test, why);
	bool known = false;
	int ret = 0;

	for (size_t i = 0; !known && i < ds->notes.n; i++)
		known = !strcmp(ds->notes.v[i], note);
	if (!known && ds->notes.n >= NOTES_MAX)
		ret = fail("%s: more than %d things to note", where, NOTES_MAX);
	else if (!known)
		notes_add(&ds->notes, "%s", note);
	free(clean);
	free(note);
	return ret;
}

static int counter_line(struct dataset *ds, struct boot *boot, const json_t *line,
			const char *test, const char *where)
{
	const char *event = json_string_value(json_object_get(line, "event"));
	const char *text = json_string_value(json_object_get(line, "counter-value"));
	const json_t *running = json_object_get(line, "pcnt-running");
	double value;
	char *end;

	/* This line has only a derived metric. */
	if (!text && json_object_get(line, "metric-value"))
		return 0;
	if (!event || !text)
		return fail("%s: no \"event\" or no \"counter-value\"", where);
	if (!strcmp(text, "<not counted>") || !strcmp(text, "<not supported>"))
		return counter_refuse(ds, test, event, where, text);
	if (running && !json_is_number(running))
		return fail("%s: pcnt-running is not a number", where);
	if (running && json_number_value(running) < 100)
		return counter_refuse(ds, test, event, where, "multiplexed");
	value = strtod(text, &end);
	if (end == text || *end)
		return fail("%s: counter-value is not a number", where);
	return extra_add(boot, EXTRA_COUNTER, test, event, value, where);
}

static int symbol_line(struct boot *boot, const json_t *line, const char *test, const char *where)
{
	const char *symbol = json_string_value(json_object_get(line, "symbol"));
	const json_t *percent = json_object_get(line, "percent");

	if (!symbol || !json_is_number(percent))
		return fail("%s: no \"symbol\" or no \"percent\"", where);
	if (json_number_value(percent) > 100)
		return fail("%s: more than 100 percent", where);
	return extra_add(boot, EXTRA_SYMBOL, test, symbol, json_number_value(percent), where);
}

static int lines_read(struct dataset *ds, struct boot *boot, enum extra_kind kind, int fd,
		      const char *test, const char *name)
{
	size_t len, before = boot->nextras;
	struct lines lines;
	bool damaged;
	char *text;
	int more;

	lines_init(&lines, fd, name);
	while ((more = lines_next(&lines, &text, &len)) > 0) {
		char *where = xasprintf("%s:%zu", name, lines.number);
		json_error_t error;
		json_t *line;

		/* perf stat -o begins with an empty line and the date behind a '#'. */
		if (!len || *text == '#') {
			free(where);
			continue;
		}
		line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
		damaged = !line;
		if (damaged)
			extras_damaged(boot, before, name, error.text);
		else
			more = kind == EXTRA_COUNTER ? counter_line(ds, boot, line, test, where) :
			       symbol_line(boot, line, test, where);
		json_decref(line);
		free(where);
		if (more < 0 || damaged)
			break;
	}
	lines_free(&lines);
	return more < 0 ? -1 : 0;
}

static int percentiles_add(struct boot *boot, json_t *job, const char *way, const char *test,
			   const char *name)
{
	json_t *latency = json_object_get(json_object_get(job, way), "clat_ns"), *v;
	const char *key;

	json_object_foreach(json_object_get(latency, "percentile"), key, v) {
		char what[32], *end;
		double at = strtod(key, &end);

		if (end == key || *end || !(at >= 0 && at <= 100) || !json_is_number(v))
			return fail("%s: a percentile of %s is not from 0 to 100", name, way);
		snprintf(what, sizeof(what), "%s p%.9g", way, at);
		if (extra_add(boot, EXTRA_FIO, test, what, json_number_value(v), name))
			return -1;
	}
	return 0;
}

static int fio_read(struct boot *boot, int fd, const char *test, const char *name)
{
	static const char *const ways[] = { "read", "write", "trim" };
	json_t *root, *job;
	json_error_t error;
	int ret = 0;
	size_t len, i;
	char *text = file_slurp(fd, name, DOCUMENT_MAX, &len);

	if (!text)
		return -1;
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	free(text);
	if (!root) {
		extras_damaged(boot, boot->nextras, name, error.text);
		return 0;
	}
	json_array_foreach(json_object_get(root, "jobs"), i, job)
		for (size_t w = 0; !ret && w < ARRAY_SIZE(ways); w++)
			ret = percentiles_add(boot, job, ways[w], test, name);
	json_decref(root);
	return ret;
}

int extras_file(struct dataset *ds, struct boot *boot, enum extra_kind kind, int fd,
		const char *test, const char *name)
{
	if (kind == EXTRA_FIO)
		return fio_read(boot, fd, test, name);
	return lines_read(ds, boot, kind, fd, test, name);
}

/* "0.churn.stat.json" to "churn"; NULL for a file of another kind. The caller frees it. */
static char *test_name(const char *file, enum extra_kind kind)
{
	static const char *const suffix[] = { ".stat.json", ".symbols.jsonl", ".json" };
	size_t digits = strspn(file, "0123456789"), tail = strlen(suffix[kind]);
	size_t len = strlen(file);
	char *test, *rep;

	if (!digits || file[digits] != '.' || len < digits + 2 + tail ||
	    strcmp(file + len - tail, suffix[kind]))
		return NULL;
	test = xstrdup(file + digits + 1);
	test[strlen(test) - tail] = '\0';
	if (kind == EXTRA_FIO) {
		/* A job's last part is its repeat, which for a warm-up is not a number. */
		rep = strrchr(test, '.');
		if (!rep || !rep[1] || rep[1 + strspn(rep + 1, "0123456789")])
			goto other;
		*rep = '\0';
	}
	if (name_valid(test))
		return test;
other:
	free(test);
	return NULL;
}

static int entry_read(struct dataset *ds, struct boot *boot, int dir, const char *sub,
		      const char *file, enum extra_kind kind)
{
	char *test = test_name(file, kind), *name;
	int fd, ret;

	if (!test)
		return 0;
	name = xasprintf("%s/%s/%s", boot->path, sub, file);
	fd = file_open(dir, file, FILES_MAX);
	if (fd < 0) {
		ret = fail("%s: opening: %s", name, fd == -ELOOP ? "a symbolic link" :
			   strerror(-fd));
	} else {
		ret = extras_file(ds, boot, kind, fd, test, name);
		close(fd);
	}
	free(name);
	free(test);
	return ret;
}

static int entry_cmp(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int subdir_read(struct dataset *ds, struct boot *boot, int parent, const char *sub)
{
	int dir = openat(parent, sub, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool perf = !strcmp(sub, "perf");
	struct dirent **entries;
	int n, ret = 0;

	if (dir < 0)
		return errno == ENOENT ? 0 :
		       fail("%s/%s: opening: %s", boot->path, sub, strerror(errno));
	n = scandirat(dir, ".", &entries, NULL, entry_cmp);
	if (n < 0)
		ret = fail("%s/%s: listing: %s", boot->path, sub, strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *file = entries[i]->d_name;

		if (!ret)
			ret = entry_read(ds, boot, dir, sub, file,
					 perf ? EXTRA_COUNTER : EXTRA_FIO);
		if (!ret && perf)
			ret = entry_read(ds, boot, dir, sub, file, EXTRA_SYMBOL);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	close(dir);
	return ret;
}

int extras_read(struct dataset *ds, struct boot *boot, int dir)
{
	return subdir_read(ds, boot, dir, "perf") || subdir_read(ds, boot, dir, "fio") ? -1 : 0;
}
