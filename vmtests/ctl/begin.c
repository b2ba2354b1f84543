// SPDX-License-Identifier: GPL-2.0
/*
 * begin, end: open and close the results of one run. Nothing that is there already is changed, but
 * for the list of runs in run.json, which is replaced atomically.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmm/fingerprint.h>
#include <libmm/kcore.h>
#include <libmm/sysfile.h>

#include "ctl.h"

/* A quick run's samples and logs are some hundred kB: with less than this there is no point. */
#define FREE_BYTES_NEEDED (4 << 20)

#ifndef VMTESTS_VERSION
#define VMTESTS_VERSION "0.1.0"
#endif

struct begin_options {
	const char *label_dir, *tier, *repeats, *arguments;
	const char *program_dirs[8];
	size_t nr_program_dirs;
};

static bool name_is_clean(const char *name)
{
	if (!*name || *name == '.')
		return false;
	for (; *name; name++)
		if (!isascii(*name) || (!isalnum(*name) && !strchr("_.+-", *name)))
			return false;
	return true;
}

static int directories_make(const char *path)
{
	char partial[PATH_MAX];

	if ((size_t)snprintf(partial, sizeof(partial), "%s", path) >= sizeof(partial))
		return -ENAMETOOLONG;
	for (char *p = partial + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(partial, 0755) && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(partial, 0755) && errno != EEXIST ? -errno : 0;
}

/* Free space as the disk itself sees it: quotas and reserves only show when bytes are written. */
static int space_probe(const char *dir)
{
	static const char zeros[65536];
	char path[PATH_MAX];
	int fd, err = ctl_path(path, dir, ".space-probe");

	if (err)
		return err;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	for (size_t done = 0; !err && done < FREE_BYTES_NEEDED; done += sizeof(zeros)) {
		ssize_t written = write(fd, zeros, sizeof(zeros));

		if (written != (ssize_t)sizeof(zeros))
			err = written < 0 ? -errno : -ENOSPC;
	}
	if (!err && fdatasync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (unlink(path) && !err)
		err = -errno;
	return err;
}

static json_t *string_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *run_entry(const struct begin_options *o, size_t run)
{
	char now[21];

	rfc3339_now(now);
	return json_pack("{s:I, s:s, s:n, s:s, s:s, s:o, s:n}", "run", (json_int_t)run,
			 "started", now, "finished", "tier", o->tier, "repeats", o->repeats,
			 "arguments", string_or_null(o->arguments), "exit");
}

static int census_add(json_t *root)
{
	char reason[KCORE_REASON_MAX] = "";
	json_t *census = fingerprint_census(reason, sizeof(reason));

	if (json_object_set_new(root, "census", census))
		return -ENOMEM;
	if (!json_is_null(census))
		return 0;
	return json_object_set_new(root, "census_reason", json_string(reason));
}

static json_t *run_json_new(const struct begin_options *o, const char *label, const char *boot_id)
{
	json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:[]}", "schema", RESULTS_SCHEMA, "vmtests",
				 VMTESTS_VERSION, "label", label, "boot_id", boot_id, "runs");
	json_t *machine = fingerprint_machine();

	if (!root || !machine || json_object_update(root, machine))
		goto fail;
	json_decref(machine);
	machine = NULL;
	if (census_add(root) || json_object_set_new(root, "tools", fingerprint_tools()) ||
	    json_object_set_new(root, "binaries", fingerprint_binaries(o->program_dirs)))
		goto fail;
	return root;
fail:
	json_decref(machine);
	json_decref(root);
	return NULL;
}

/* An existing run.json must be ours and of the same programs. Returns NULL after a message. */
static json_t *run_json_load(const struct begin_options *o, const char *path)
{
	json_error_t error;
	json_t *root = json_load_file(path, 0, &error);
	json_t *now = NULL;

	if (!root) {
		ctl_error("%s: not JSON (%s): move it away, or name another label with -o", path,
			  error.text);
		return NULL;
	}
	if (json_integer_value(json_object_get(root, "schema")) != RESULTS_SCHEMA) {
		ctl_error("%s: another schema than %d: name another label with -o", path,
			  RESULTS_SCHEMA);
		goto fail;
	}
	now = fingerprint_binaries(o->program_dirs);
	if (!json_equal(now, json_object_get(root, "binaries"))) {
		ctl_error("%s: this label was measured with other test programs in this boot: name another label with -o",
			  path);
		goto fail;
	}
	json_decref(now);
	return root;
fail:
	json_decref(now);
	json_decref(root);
	return NULL;
}

static int run_json_open(const struct begin_options *o, const char *dir, const char *label,
			 const char *boot_id)
{
	char path[PATH_MAX];
	json_t *root, *runs;
	size_t run;
	int err;

	if (ctl_path(path, dir, "run.json"))
		return ctl_error("%s: the path is too long", dir);
	root = access(path, F_OK) ? run_json_new(o, label, boot_id) : run_json_load(o, path);
	if (!root)
		return CTL_USAGE;
	runs = json_object_get(root, "runs");
	run = json_array_size(runs);
	err = json_array_append_new(runs, run_entry(o, run)) ? -ENOMEM :
							       json_file_replace(path, root);
	json_decref(root);
	if (err)
		return ctl_error("cannot write %s: %s", path, strerror(-err));
	printf("%s\n%zu\n", dir, run);
	return fflush(stdout) ? CTL_USAGE : CTL_PASS;
}

static int begin_parse(int argc, char **argv, struct begin_options *o)
{
	int opt;

	memset(o, 0, sizeof(*o));
	while ((opt = getopt(argc, argv, "o:T:r:a:p:")) != -1) {
		if (opt == 'o')
			o->label_dir = optarg;
		else if (opt == 'T')
			o->tier = optarg;
		else if (opt == 'r')
			o->repeats = optarg;
		else if (opt == 'a')
			o->arguments = optarg;
		else if (opt == 'p' && o->nr_program_dirs < 7)
			o->program_dirs[o->nr_program_dirs++] = optarg;
		else
			return -EINVAL;
	}
	return o->label_dir && o->tier && o->repeats ? 0 : -EINVAL;
}

static int subdirectories_make(const char *dir)
{
	static const char *const names[] = { "ktap", "fio" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[PATH_MAX];
		int err = ctl_path(path, dir, names[i]);

		if (!err)
			err = directories_make(path);
		if (err)
			return err;
	}
	return 0;
}

int ctl_begin(int argc, char **argv)
{
	char label_path[PATH_MAX], boot_id[64], dir[PATH_MAX];
	struct begin_options o;
	const char *label;
	size_t length;
	int err;

	if (begin_parse(argc, argv, &o))
		return ctl_error("begin: -o LABEL-DIR -T TIER -r REPEATS [-a ARGUMENTS] [-p PROGRAM-DIR]...");
	if (strlen(o.label_dir) >= sizeof(label_path))
		return ctl_error("-o: the path is too long");
	strcpy(label_path, o.label_dir);
	for (length = strlen(label_path); length > 1 && label_path[length - 1] == '/';)
		label_path[--length] = '\0';
	label = strrchr(label_path, '/') ? strrchr(label_path, '/') + 1 : label_path;
	if (!name_is_clean(label))
		return ctl_error("-o %s: the last part is the label and is made of [A-Za-z0-9_.+-]",
				 o.label_dir);
	if (__sysfile_read("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id)) <= 0)
		return ctl_error("cannot read /proc/sys/kernel/random/boot_id: is /proc mounted?");

	err = ctl_path(dir, label_path, boot_id);
	if (!err)
		err = subdirectories_make(dir);
	if (err)
		return ctl_error("cannot make %s: %s: name a folder that can be written with -o",
				 dir, strerror(-err));
	err = space_probe(dir);
	if (err)
		return ctl_error("cannot write %d MiB in %s: %s: free some space, or use -o elsewhere",
				 FREE_BYTES_NEEDED >> 20, dir, strerror(-err));
	return run_json_open(&o, dir, label, boot_id);
}

int ctl_end(int argc, char **argv)
{
	const char *dir = NULL, *run = NULL, *status = NULL;
	char path[PATH_MAX], now[21];
	json_t *root, *entry;
	int opt, err;

	while ((opt = getopt(argc, argv, "b:i:x:")) != -1) {
		if (opt == 'b')
			dir = optarg;
		else if (opt == 'i')
			run = optarg;
		else if (opt == 'x')
			status = optarg;
	}
	if (!dir || !run || !status || ctl_path(path, dir, "run.json"))
		return ctl_error("end: -b BOOT-DIR -i RUN -x EXIT");
	root = json_load_file(path, 0, NULL);
	entry = json_array_get(json_object_get(root, "runs"), strtoul(run, NULL, 10));
	rfc3339_now(now);
	if (!entry || json_object_set_new(entry, "finished", json_string(now)) ||
	    json_object_set_new(entry, "exit", json_integer(strtol(status, NULL, 10))))
		err = -EINVAL;
	else
		err = json_file_replace(path, root);
	json_decref(root);
	return err ? ctl_error("cannot write %s: %s", path, strerror(-err)) : CTL_PASS;
}
