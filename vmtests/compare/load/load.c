// SPDX-License-Identifier: GPL-2.0
/* From a directory to a label of a dataset: which boots are in it, and which files they have. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vmtests/grammar.h>

#include "file.h"
#include "load/lines.h"
#include "load/load.h"

#define BOOTS_MAX 1000
#define STRAYS_NAMED 8

static const struct {
	const char *name;
	long max;
} boot_files[] = {
	{ "run.json", DOCUMENT_MAX }, { "samples.jsonl", LINES_FILE_MAX },
	{ "verdicts.jsonl", LINES_FILE_MAX },
};

/* 0, 1 when the file does not exist, -1 after saying why. */
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
		      file == 1 ? samples_read(ds, boot, fd, name) : outcomes_read(boot, fd, name);
		close(fd);
	}
	free(name);
	return ret;
}

/* What is in a label and is none of its boots; the first few are named, the rest counted. */
static void stray_note(struct dataset *ds, struct label *label, const char *path, const char *why)
{
	char *clean;

	if (label->strays++ >= STRAYS_NAMED)
		return;
	clean = text_clean(path);
	notes_add(&ds->notes, "%s %s: ignored", clean, why);
	free(clean);
}

static int boot_load(struct dataset *ds, struct label *label, struct boot *boot, int dir)
{
	char *clean = text_clean(boot->path);
	int ret;

	ret = boot_file_read(ds, boot, dir, 0);
	if (ret > 0)
		stray_note(ds, label, boot->path, "has no run.json");
	if (!ret) {
		ret = boot_file_read(ds, boot, dir, 1) < 0 ||
		      boot_file_read(ds, boot, dir, 2) < 0 ||
		      extras_read(ds, boot, dir) || ktap_read(boot, dir) ||
		      samples_finish(ds, boot) ? -1 : 0;
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
	int ret = boot_load(ds, label, &boot, dir);

	if (ret) {
		boot_free(&boot);
		return ret < 0 ? -1 : 0;
	}
	id = json_string_value(boot_value(&boot, "boot_id"));
	if (!id || !name_valid(id)) {
		fail("%s/run.json: boot_id is not a name", path);
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
			char *where = xasprintf("%s: %s", label->name, name);

			stray_note(ds, label, where, "is no boot");
			free(where);
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
	if (label->strays > STRAYS_NAMED)
		notes_add(&ds->notes, "%s: %zu more entries are no boots: ignored", label->name,
			  label->strays - STRAYS_NAMED);
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
		ret = fail("%s: opening: %s; give a directory that run_vmtests.sh -o wrote", path,
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
