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

#include <vmtests/fingerprint.h>
#include <libmm/kcore.h>
#include <libmm/sysfile.h>

#include <vmtests/grammar.h>

#include "ctl.h"

/* A quick run's samples and logs are some hundred kB: with less than this there is no point. */
#define FREE_BYTES_NEEDED (4 << 20)

#define WORD_ENDS "\n "
#define NAME_RULE "at most %d of [A-Za-z0-9_.+-], with no dot at an end or beside another"

static const char *const subdirectories[] = { "ktap", "fio" };

#ifndef VMTESTS_VERSION
#define VMTESTS_VERSION "0.1.0"
#endif

struct begin_options {
	const char *label_dir, *tier, *repeats, *arguments, *plan, *cases;
	bool destructive, perf, split, resume;
	const char *program_dirs[8];
	size_t nr_program_dirs;
};

static int directory_make(const char *path)
{
	if (!mkdir(path, 0755))
		return path_name_sync(path);
	return errno == EEXIST ? 0 : -errno;
}

static int directories_make(const char *path)
{
	char partial[PATH_MAX];
	int err = 0;

	if ((size_t)snprintf(partial, sizeof(partial), "%s", path) >= sizeof(partial))
		return -ENAMETOOLONG;
	for (char *p = partial + 1; !err && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		err = directory_make(partial);
		*p = '/';
	}
	return err ? err : directory_make(partial);
}

/* Free space as the disk itself sees it: quotas and reserves only show when bytes are written. */
static int space_probe(const char *dir)
{
	static const char zeros[65536];
	char path[PATH_MAX];
	int fd, err = ctl_path(path, dir, ".space-probe");

	if (err)
		return err;
	fd = regular_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fd;
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

/* Tests are named by vmtests.list; vmcompare would refuse all of a label for one bad name. */
static int plan_check(const char *plan)
{
	while (*(plan += strspn(plan, WORD_ENDS))) {
		size_t length = strcspn(plan, WORD_ENDS);

		if (!name_valid_n(plan, length))
			return ctl_error("vmtests.list: \"%.*s\" is not a test's name: " NAME_RULE,
					 (int)length, plan, NAME_LENGTH_MAX);
		plan += length;
	}
	return 0;
}

static json_t *string_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *words_json(const char *text)
{
	json_t *words = json_array();

	while (words && *(text += strspn(text, WORD_ENDS))) {
		size_t length = strcspn(text, WORD_ENDS);

		if (json_array_append_new(words, json_stringn(text, length))) {
			json_decref(words);
			words = NULL;
		}
		text += length;
	}
	return words;
}

/* What a later -R needs to know: docs/results.md. */
static json_t *run_entry(const struct begin_options *o, size_t run, const struct past *past)
{
	json_t *entry;
	char now[21];

	rfc3339_now(now);
	entry = json_pack("{s:I, s:s, s:n, s:s, s:s, s:o, s:n, s:o, s:o, s:b, s:b, s:b, s:o, s:o, s:n}",
			  "run", (json_int_t)run, "started", now, "finished", "tier", o->tier, "repeats",
			  o->repeats, "arguments", string_or_null(o->arguments), "exit", "plan",
			  words_json(o->plan), "cases", words_json(o->cases), "destructive",
			  o->destructive, "perf", o->perf, "split", o->split, "load", load_json(),
			  "blocks", blocks_json(), "blocks_split");
	if (entry && o->resume &&
	    json_object_set_new(entry, "continues",
				json_pack("{s:s, s:I}", "boot_id", past->runs[0].boot_id, "run",
					  past->runs[0].run))) {
		json_decref(entry);
		return NULL;
	}
	return entry;
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
	json_t *root = json_file_load(path, &error);
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

static int run_json_write(const struct begin_options *o, const char *dir, json_t *root,
			  const struct past *past)
{
	json_t *runs = json_object_get(root, "runs");
	size_t run = json_array_size(runs);
	char path[PATH_MAX];
	int err = ctl_path(path, dir, "run.json");

	if (!err && json_array_append_new(runs, run_entry(o, run, past)))
		err = -ENOMEM;
	if (!err)
		err = json_file_replace(path, root);
	if (err)
		return ctl_error("cannot write %s: %s", path, file_strerror(err));
	printf("%s\n%zu\n", dir, run);
	return CTL_PASS;
}

static void text_print(const char *text)
{
	for (; *text; text++)
		putchar(isascii(*text) && isprint(*text) ? *text : '?');
}

/* What is judged already, in the order of the plan: "RESULT TEST REASON". */
static int judged_print(const struct past *past)
{
	json_t *verdicts = past_verdicts(past), *test;
	size_t i;

	if (!verdicts)
		return CTL_USAGE;
	json_array_foreach(json_object_get(past->runs[0].entry, "plan"), i, test) {
		const char *name = json_string_value(test) ?: "";
		const json_t *verdict = json_object_get(verdicts, name);

		if (!verdict)
			continue;
		printf("%s %s ", json_string_value(json_object_get(verdict, "result")) ?: "fail",
		       name);
		text_print(json_string_value(json_object_get(verdict, "reason")) ?: "");
		putchar('\n');
	}
	json_decref(verdicts);
	return CTL_PASS;
}

static int begin_parse(int argc, char **argv, struct begin_options *o)
{
	int opt;

	memset(o, 0, sizeof(*o));
	o->cases = "";
	while ((opt = getopt(argc, argv, "o:T:r:a:p:w:c:dPSR")) != -1) {
		if (opt == 'o')
			o->label_dir = optarg;
		else if (opt == 'T')
			o->tier = optarg;
		else if (opt == 'r')
			o->repeats = optarg;
		else if (opt == 'a')
			o->arguments = optarg;
		else if (opt == 'w')
			o->plan = optarg;
		else if (opt == 'c')
			o->cases = optarg;
		else if (opt == 'd')
			o->destructive = true;
		else if (opt == 'P')
			o->perf = true;
		else if (opt == 'S')
			o->split = true;
		else if (opt == 'R')
			o->resume = true;
		else if (opt == 'p' && o->nr_program_dirs < 7)
			o->program_dirs[o->nr_program_dirs++] = optarg;
		else
			return -EINVAL;
	}
	return o->label_dir && o->tier && o->repeats && o->plan ? 0 : -EINVAL;
}

static int subdirectories_make(const char *dir)
{
	for (size_t i = 0; i < ARRAY_SIZE(subdirectories); i++) {
		char path[PATH_MAX];
		int err = ctl_path(path, dir, subdirectories[i]);

		if (!err)
			err = directories_make(path);
		if (err)
			return err;
	}
	return 0;
}

/* Once before folders are made, so that none is made elsewhere, and once after. */
static int folders_trust(const char *dir)
{
	for (size_t i = 0; i < ARRAY_SIZE(subdirectories); i++) {
		char path[PATH_MAX], culprit[PATH_MAX];
		int ret = ctl_path(path, dir, subdirectories[i]);

		if (!ret)
			ret = path_untrusted(path, culprit);
		if (ret > 0)
			return ctl_error("%s: others can change %s: root writes only where nobody else can: name a folder of your own with -o",
					 dir, culprit);
		if (ret)
			return ctl_error("cannot make %s: %s: name a folder that can be written with -o",
					 dir, strerror(-ret));
	}
	return 0;
}

static int folders_make(const char *dir)
{
	int err;

	if (folders_trust(dir))
		return CTL_USAGE;
	err = subdirectories_make(dir);
	if (err)
		return ctl_error("cannot make %s: %s: name a folder that can be written with -o",
				 dir, strerror(-err));
	if (folders_trust(dir))
		return CTL_USAGE;
	err = space_probe(dir);
	if (err)
		return ctl_error("cannot write %d MiB in %s: %s: free some space, or use -o elsewhere",
				 FREE_BYTES_NEEDED >> 20, dir, strerror(-err));
	return 0;
}

/* run.json of this boot, that of an earlier run or a new one. NULL after a message. */
static json_t *run_json_get(const struct begin_options *o, const char *dir, const char *label,
			    const char *boot_id)
{
	char path[PATH_MAX];
	json_t *root;

	if (ctl_path(path, dir, "run.json")) {
		ctl_error("%s: the path is too long", dir);
		return NULL;
	}
	if (!access(path, F_OK))
		return run_json_load(o, path);
	root = run_json_new(o, label, boot_id);
	if (!root)
		ctl_error("cannot tell what this machine is: out of memory");
	return root;
}

/* Go on with @past in this boot, described by @root: one run's samples are all of one kernel. */
static int past_join(const struct past *past, const json_t *root, const char *boot_id)
{
	const char *differs = past_difference(past, root);

	if (differs)
		return ctl_error("-R: %s is not what it was when the run began (%s/run.json): boot as then, or begin anew without -R and with another -o",
				 differs, past->runs[0].boot_id);
	return past_deaths_record(past, boot_id);
}

static int begin_in(const struct begin_options *o, const char *label_dir, const char *label,
		    const char *boot_id, const struct past *past)
{
	char dir[PATH_MAX];
	json_t *root;
	int ret;

	if (ctl_path(dir, label_dir, boot_id))
		return ctl_error("-o: the path is too long");
	/* A resumed run that is refused leaves no folder of this boot. */
	root = o->resume ? run_json_get(o, dir, label, boot_id) : NULL;
	if (o->resume && (!root || past_join(past, root, boot_id))) {
		json_decref(root);
		return CTL_USAGE;
	}
	ret = folders_make(dir);
	if (!ret && !root)
		root = run_json_get(o, dir, label, boot_id);
	if (!ret)
		ret = root ? run_json_write(o, dir, root, past) : CTL_USAGE;
	json_decref(root);
	return ret;
}

static int begin(const struct begin_options *o, const char *label_dir, const char *label,
		 const char *boot_id)
{
	struct past *past;
	int ret;

	if (!o->resume)
		return begin_in(o, label_dir, label, boot_id, NULL);
	past = malloc(sizeof(*past));
	if (!past)
		return ctl_error("out of memory");
	ret = past_load(past, label_dir);
	if (!ret)
		ret = begin_in(o, label_dir, label, boot_id, past);
	if (!ret)
		ret = judged_print(past);
	past_free(past);
	free(past);
	return ret;
}

/* The label's directory, without slashes at its end, into @label_dir. NULL after a message. */
static const char *label_name(const char *given, char label_dir[PATH_MAX])
{
	const char *label;
	size_t length;

	if (strlen(given) >= PATH_MAX) {
		ctl_error("-o: the path is too long");
		return NULL;
	}
	strcpy(label_dir, given);
	for (length = strlen(label_dir); length > 1 && label_dir[length - 1] == '/';)
		label_dir[--length] = '\0';
	label = strrchr(label_dir, '/') ? strrchr(label_dir, '/') + 1 : label_dir;
	if (name_valid(label))
		return label;
	ctl_error("-o %s: the last part is the label: " NAME_RULE, given, NAME_LENGTH_MAX);
	return NULL;
}

/* What can be said of a label without a change and without the lock. */
int ctl_label(int argc, char **argv)
{
	char label_dir[PATH_MAX];

	if (argc != 2)
		return ctl_error("label: LABEL-DIR");
	if (!label_name(argv[1], label_dir))
		return CTL_USAGE;
	return folders_trust(label_dir) ? CTL_USAGE : CTL_PASS;
}

int ctl_begin(int argc, char **argv)
{
	char label_dir[PATH_MAX], boot_id[64];
	struct begin_options o;
	const char *label;

	if (begin_parse(argc, argv, &o))
		return ctl_error("begin: -o LABEL-DIR -T TIER -r REPEATS -w PLAN [-a ARGUMENTS] [-p PROGRAM-DIR]... [-d] [-P] [-S] [-R]");
	label = label_name(o.label_dir, label_dir);
	if (!label || plan_check(o.plan))
		return CTL_USAGE;
	if (__sysfile_read("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id)) <= 0)
		return ctl_error("cannot read /proc/sys/kernel/random/boot_id: is /proc mounted?");
	if (begin(&o, label_dir, label, boot_id))
		return CTL_USAGE;
	return fflush(stdout) ? ctl_error("cannot write to the runner") : CTL_PASS;
}

int ctl_end(int argc, char **argv)
{
	const char *dir = NULL, *run = NULL, *status = NULL;
	json_t *root, *entry, *now_blocks, *split;
	char path[PATH_MAX], now[21];
	json_error_t error;
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
	root = json_file_load(path, &error);
	entry = json_array_get(json_object_get(root, "runs"), strtoul(run, NULL, 10));
	rfc3339_now(now);
	now_blocks = blocks_json();
	split = blocks_split(json_object_get(entry, "blocks"), now_blocks);
	if (!entry || json_object_set_new(entry, "finished", json_string(now)) ||
	    json_object_set_new(entry, "exit", json_integer(strtol(status, NULL, 10))) ||
	    json_object_set(entry, "blocks_split", split))
		err = -EINVAL;
	else
		err = json_file_replace(path, root);
	if (!err)
		blocks_split_say(split);
	json_decref(split);
	json_decref(now_blocks);
	json_decref(root);
	return err ? ctl_error("cannot write %s: %s", path, file_strerror(err)) : CTL_PASS;
}
