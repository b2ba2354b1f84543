// SPDX-License-Identifier: GPL-2.0
/* From directories to a dataset: run.json, verdicts.jsonl and the tree around them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <vmtests/grammar.h>

#include "file.h"
#include "load/extras.h"
#include "load/lines.h"
#include "model/dataset.h"

#define BOOTS_MAX 1000
#define TESTS_MAX 4096

const json_t *boot_value(const struct boot *boot, const char *path)
{
	char *copy = xstrdup(path), *state = NULL;
	const json_t *v = boot->run;

	for (char *key = strtok_r(copy, ".", &state); key; key = strtok_r(NULL, ".", &state))
		v = json_object_get(v, key);
	free(copy);
	return json_is_null(v) ? NULL : v;
}

/* RFC 3339 to seconds; NAN when it is none. */
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

/* What the schema says of run.json as far as this reader relies on it. */
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

static struct verdict *verdict_of(struct boot *boot, const char *test)
{
	for (size_t i = 0; i < boot->nverdicts; i++)
		if (!strcmp(boot->verdicts[i].test, test))
			return &boot->verdicts[i];
	array_grow(boot->verdicts, boot->nverdicts, boot->verdicts_cap);
	boot->verdicts[boot->nverdicts] = (struct verdict){ .test = xstrdup(test) };
	return &boot->verdicts[boot->nverdicts++];
}

/* -1 when s is no result. */
static int outcome_parse(const char *s)
{
	static const char *const names[] = {
		[OUTCOME_PASS] = "pass", [OUTCOME_FAIL] = "fail",
		[OUTCOME_SKIP] = "skip", [OUTCOME_TIMEOUT] = "timeout",
	};

	for (size_t i = 0; s && i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], s))
			return i;
	return -1;
}

static int verdict_line(struct boot *boot, const json_t *line, const char *where)
{
	const char *test = json_string_value(json_object_get(line, "test"));
	const char *reason = json_string_value(json_object_get(line, "reason"));
	const json_t *run = json_object_get(line, "run");
	int result = outcome_parse(json_string_value(json_object_get(line, "result")));
	struct verdict *v;

	if (!test || !name_valid(test))
		return fail("%s: no test, or its name is none", where);
	if (boot->nverdicts >= TESTS_MAX)
		return fail("%s: more than %d tests", where, TESTS_MAX);
	if (result < 0)
		return fail("%s: result is not pass, fail, skip or timeout", where);
	if (!json_is_integer(run) || json_integer_value(run) < 0 ||
	    json_integer_value(run) > INT_MAX)
		return fail("%s: run is no integer from 0", where);
	v = verdict_of(boot, test);
	v->pass += result == OUTCOME_PASS;
	v->fail += result == OUTCOME_FAIL || result == OUTCOME_TIMEOUT;
	v->skip += result == OUTCOME_SKIP;
	array_grow(boot->outcomes, boot->noutcomes, boot->outcomes_cap);
	boot->outcomes[boot->noutcomes++] = (struct outcome){
		.test = xstrdup(test), .reason = xstrdup(reason ? reason : ""), .result = result,
		.run = json_integer_value(run),
		.seconds = json_number_value(json_object_get(line, "seconds")),
	};
	return 0;
}

int verdicts_read(struct boot *boot, int fd, const char *name)
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
			more = verdict_line(boot, v, where);
		json_decref(v);
		if (more < 0)
			break;
	}
	lines_free(&lines);
	return more < 0 ? -1 : 0;
}

static const struct {
	const char *name;
	long max;
} boot_files[] = {
	{ "run.json", DOCUMENT_MAX }, { "samples.jsonl", LINES_FILE_MAX },
	{ "verdicts.jsonl", LINES_FILE_MAX },
};

/* 0, 1 when there is no such file, -1 after saying why. */
static int boot_file_read(struct dataset *ds, struct boot *boot, int dir, int file)
{
	const char *base = boot_files[file].name;
	int fd = file_open(dir, base, boot_files[file].max), ret;
	char *name;

	if (fd == -ENOENT)
		return 1;
	name = xasprintf("%s/%s", boot->path, base);
	if (fd < 0) {
		ret = fail("%s: opening: %s", name, fd == -ELOOP ? "a symbolic link" :
			   fd == -EINVAL ? "not a regular file" :
			   fd == -EFBIG ? "larger than such a file can be" : strerror(-fd));
	} else {
		ret = file == 0 ? run_read(boot, fd, name) :
		      file == 1 ? samples_read(ds, boot, fd, name) : verdicts_read(boot, fd, name);
		close(fd);
	}
	free(name);
	return ret;
}

static int boot_load(struct dataset *ds, struct boot *boot, int dir)
{
	char *clean = text_clean(boot->path);
	int ret;

	ret = boot_file_read(ds, boot, dir, 0);
	if (ret > 0)
		notes_add(&ds->notes, "%s has no run.json: ignored", clean);
	if (!ret) {
		ret = boot_file_read(ds, boot, dir, 1) < 0 ||
		      boot_file_read(ds, boot, dir, 2) < 0 ||
		      extras_read(ds, boot, dir) || boot_finish(ds, boot) ? -1 : 0;
		if (!ret && boot->damaged)
			notes_add(&ds->notes, "%s: %zu damaged last line%s dropped", clean,
				  boot->damaged, boot->damaged > 1 ? "s" : "");
		if (!ret && boot->damaged_files)
			notes_add(&ds->notes, "%s: %zu damaged file%s of perf/ and fio/ left out: %s",
				  clean, boot->damaged_files,
				  boot->damaged_files > 1 ? "s" : "", boot->damaged_names);
	}
	free(clean);
	return ret;
}

static int label_add_boot(struct dataset *ds, struct label *label, int dir, const char *path)
{
	struct boot boot = { .path = xstrdup(path), .started = NAN };
	const char *id;
	int ret = boot_load(ds, &boot, dir);

	if (ret) {
		boot_free(&boot);
		return ret < 0 ? -1 : 0;
	}
	id = json_string_value(boot_value(&boot, "boot_id"));
	if (!id || !name_valid(id)) {
		fail("%s/run.json: boot_id is no name", path);
		boot_free(&boot);
		return -1;
	}
	boot.id = xstrdup(id);
	for (size_t i = 0; i < label->n; i++) {
		if (!strcmp(label->boots[i].id, id)) {
			fail("%s: the same boot as %s: a copy would count twice", path,
			     label->boots[i].path);
			boot_free(&boot);
			return -1;
		}
	}
	if (label->n == BOOTS_MAX) {
		boot_free(&boot);
		return fail("%s: more than %d boots in one label", path, BOOTS_MAX);
	}
	array_grow(label->boots, label->n, label->cap);
	label->boots[label->n++] = boot;
	return 0;
}

static int entry_cmp(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int label_scan(struct dataset *ds, struct label *label, int dir, const char *path)
{
	struct dirent **entries;
	int n = scandirat(dir, ".", &entries, NULL, entry_cmp), ret = 0;

	if (n < 0)
		return fail("%s: listing: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		int sub = -1;

		if (!ret && name[0] != '.')
			sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (!ret && name[0] != '.' && (sub < 0 || !name_valid(name))) {
			char *clean = text_clean(name);

			notes_add(&ds->notes, "%s: %s is no boot: ignored", label->name, clean);
			free(clean);
		} else if (sub >= 0) {
			char *full = xasprintf("%s/%s", path, name);

			ret = label_add_boot(ds, label, sub, full);
			free(full);
		}
		if (sub >= 0)
			close(sub);
		free(entries[i]);
	}
	free(entries);
	return ret;
}

static int boot_cmp(const void *a, const void *b)
{
	const struct boot *l = a, *r = b;

	if (isnan(l->started) != isnan(r->started))
		return isnan(l->started) ? -1 : 1;
	if (l->started < r->started || l->started > r->started)
		return l->started < r->started ? -1 : 1;
	return strcmp(l->id, r->id);
}

static void label_set_name(struct label *label, const char *path)
{
	const char *name = label->n ? json_string_value(boot_value(label->boots, "label")) : NULL;
	const char *slash = strrchr(path, '/');

	free(label->name);
	label->name = text_clean(name && *name ? name : slash && slash[1] ? slash + 1 : path);
	if (strlen(label->name) > 24)
		label->name[24] = '\0';
}

int dataset_add(struct dataset *ds, const char *path)
{
	char *trimmed = xstrdup(path);
	struct label *label;
	int dir, ret;

	for (size_t n = strlen(trimmed); n > 1 && trimmed[n - 1] == '/'; n--)
		trimmed[n - 1] = '\0';
	ds->labels = xreallocarray(ds->labels, ds->nlabels + 1, sizeof(*ds->labels));
	label = &ds->labels[ds->nlabels++];
	*label = (struct label){ 0 };
	label_set_name(label, trimmed);
	dir = open(trimmed, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		ret = fail("%s: opening: %s; give a folder that run_vmtests.sh -o wrote", path,
			   strerror(errno));
	} else {
		struct stat st;

		ret = fstatat(dir, "run.json", &st, AT_SYMLINK_NOFOLLOW) ?
		      label_scan(ds, label, dir, trimmed) :
		      label_add_boot(ds, label, dir, trimmed);
		close(dir);
	}
	if (!ret && label->n) {
		qsort(label->boots, label->n, sizeof(*label->boots), boot_cmp);
		label_set_name(label, trimmed);
	}
	free(trimmed);
	return ret;
}
