// SPDX-License-Identifier: GPL-2.0
/*
 * past: the run of a label that did not get to its end, for another to go on with.
 *
 * A run says in run.json what it planned (plan), and in started.jsonl, synced, which test it is
 * about to start; verdicts.jsonl says which ended. A test that was started and has no verdict is
 * the one that was running when the run died. A run that goes on with another says so (continues),
 * so that they form a chain; the newest of the chain is the one to go on with.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vmtests/jsonl.h>
#include <libmm/sysfile.h>

#include "ctl.h"

/* What must be the same for samples of two boots to be of one run. */
static const char *const same_in_all_boots[] = {
	"kernel.release", "kernel.version", "kernel.build_id", "kernel.config_sha256",
	"kernel.cmdline", "cpu.arch", "cpu.model", "cpu.midr", "cpu.microcode", "cpu.online",
	"cpu.smt", "cpu.hypervisor", "cpu.emulated", "cpu.bbml2", "cpu.mitigations",
	"memory.page_size", "tools", "binaries",
};

const char *past_difference(const struct past *past, const json_t *now)
{
	const json_t *then = past->runs[0].root;

	for (size_t i = 0; i < ARRAY_SIZE(same_in_all_boots); i++) {
		const char *name = same_in_all_boots[i], *dot = strchr(name, '.');
		const json_t *a = then, *b = now;
		char part[32];

		if (dot) {
			snprintf(part, sizeof(part), "%.*s", (int)(dot - name), name);
			a = json_object_get(a, part);
			b = json_object_get(b, part);
		}
		a = json_object_get(a, dot ? dot + 1 : name);
		b = json_object_get(b, dot ? dot + 1 : name);
		if (a != b && !json_equal(a, b))
			return name;
	}
	return NULL;
}

/* The "run" and "boot_id" of the run that @entry continues are these? */
static bool entry_continues(const json_t *entry, const char *boot_id, json_int_t run)
{
	const json_t *from = json_object_get(entry, "continues");
	const char *id = json_string_value(json_object_get(from, "boot_id"));

	return id && !strcmp(id, boot_id) &&
	       json_integer_value(json_object_get(from, "run")) == run;
}

static bool run_continued(const struct past *past, const struct past_run *run)
{
	size_t i, k;
	json_t *root, *entry;

	json_array_foreach(past->boots, i, root) {
		json_array_foreach(json_object_get(root, "runs"), k, entry) {
			if (entry_continues(entry, run->boot_id, run->run))
				return true;
		}
	}
	return false;
}

/* A run that was interrupted, or could no longer write its results, said so in its end. */
static bool entry_unfinished(const json_t *entry)
{
	json_int_t status = json_integer_value(json_object_get(entry, "exit"));

	if (!json_is_array(json_object_get(entry, "plan")))
		return false;
	return !json_is_string(json_object_get(entry, "finished")) ||
	       status == CTL_INTERRUPTED || status == CTL_USAGE;
}

static bool run_newer(const struct past_run *a, const struct past_run *b)
{
	const char *at = json_string_value(json_object_get(a->entry, "started"));
	const char *bt = json_string_value(json_object_get(b->entry, "started"));
	int order = at && bt ? strcmp(at, bt) : 0;

	return order > 0 || (!order && a->run > b->run);
}

/* The newest unfinished run of all boots into runs[0]; false when there is none. */
static bool head_find(struct past *past)
{
	json_t *root, *entry;
	size_t i, k;

	json_array_foreach(past->boots, i, root) {
		json_array_foreach(json_object_get(root, "runs"), k, entry) {
			struct past_run run = {
				.root = root, .entry = entry, .run = (json_int_t)k,
				.boot_id = json_string_value(json_object_get(root, "boot_id")),
			};

			if (!entry_unfinished(entry) || run_continued(past, &run) ||
			    (past->n && !run_newer(&run, &past->runs[0])))
				continue;
			past->runs[0] = run;
			past->n = 1;
		}
	}
	return past->n;
}

static bool run_find(const struct past *past, const json_t *link, struct past_run *run)
{
	const char *id = json_string_value(json_object_get(link, "boot_id"));
	json_t *root;
	size_t i;

	json_array_foreach(past->boots, i, root) {
		run->boot_id = json_string_value(json_object_get(root, "boot_id"));
		if (!id || strcmp(id, run->boot_id))
			continue;
		run->root = root;
		run->run = json_integer_value(json_object_get(link, "run"));
		run->entry = json_array_get(json_object_get(root, "runs"), (size_t)run->run);
		return run->entry;
	}
	return false;
}

/* From the head back to the run that all began with. Returns 0 or -EBADMSG. */
static int chain_follow(struct past *past)
{
	const json_t *link;

	while ((link = json_object_get(past->runs[past->n - 1].entry, "continues"))) {
		if (past->n == PAST_RUNS_MAX || !run_find(past, link, &past->runs[past->n]))
			return -EBADMSG;
		past->n++;
	}
	return 0;
}

/* Every run.json of the label. Those that cannot be read are named by whoever compares. */
static int boots_load(struct past *past)
{
	DIR *label = opendir(past->label_dir);
	struct dirent *file;
	int err = 0;

	if (!label)
		return -errno;
	past->boots = json_array();
	while (past->boots && !err && (file = readdir(label))) {
		char dir[PATH_MAX], path[PATH_MAX];
		json_error_t error;
		const char *id;
		json_t *root;

		if (file->d_name[0] == '.' || ctl_path(dir, past->label_dir, file->d_name) ||
		    ctl_path(path, dir, "run.json"))
			continue;
		root = json_file_load(path, &error);
		id = json_string_value(json_object_get(root, "boot_id"));
		if (id && !strcmp(id, file->d_name) &&
		    json_integer_value(json_object_get(root, "schema")) == RESULTS_SCHEMA)
			err = json_array_append(past->boots, root);
		json_decref(root);
	}
	closedir(label);
	return past->boots && !err ? 0 : -ENOMEM;
}

int past_load(struct past *past, const char *label_dir)
{
	int err;

	memset(past, 0, sizeof(*past));
	past->label_dir = label_dir;
	err = boots_load(past);
	if (err)
		err = ctl_error("-R: cannot read %s: %s: name the label of the run with -o",
				label_dir, strerror(-err));
	else if (!head_find(past))
		err = ctl_error("-R: nothing to resume in %s: no run there is unfinished; leave out -R",
				label_dir);
	else if (chain_follow(past))
		err = ctl_error("-R: %s: a boot is missing of what to go on with: begin anew without -R",
				label_dir);
	else if (json_is_true(json_object_get(past->runs[0].entry, "split")))
		err = ctl_error("-R: %s was measured with -S, which has to be done in one go: run -S again",
				label_dir);
	if (!err)
		return CTL_PASS;
	past_free(past);
	return CTL_USAGE;
}

void past_free(struct past *past)
{
	json_decref(past->boots);
	past->boots = NULL;
	past->n = 0;
}

/* Into @all, by the test's name: what @name of this run's boot says of it. */
static int lines_gather(const struct past *past, const struct past_run *run, const char *name,
			json_t *all)
{
	json_t *lines, *line;
	char dir[PATH_MAX];
	size_t i;
	int err = ctl_path(dir, past->label_dir, run->boot_id);

	if (!err)
		err = __jsonl_read(dir, name, &lines);
	if (err)
		return ctl_error("cannot read %s/%s: %s", dir, name,
				 err == -EBADMSG ? "damaged within" : file_strerror(err));
	json_array_foreach(lines, i, line) {
		const char *test = json_string_value(json_object_get(line, "test"));

		if (test && json_integer_value(json_object_get(line, "run")) == run->run &&
		    json_object_set(all, test, line))
			err = -ENOMEM;
	}
	json_decref(lines);
	return err ? ctl_error("out of memory") : 0;
}

static int death_write(const struct past *past, const struct past_run *run, const char *test,
		       bool same_boot)
{
	char dir[PATH_MAX], reason[256], culprit[PATH_MAX] = "";
	json_t *line;
	int err = ctl_path(dir, past->label_dir, run->boot_id);

	if (!err && path_untrusted(dir, culprit))
		return ctl_error("%s: others can change %s: root will not write there", dir,
				 culprit);
	snprintf(reason, sizeof(reason), same_boot ? "the run was killed during %s" :
		 "kernel died during %s", test);
	line = json_pack("{s:s, s:I, s:s, s:s, s:n, s:i, s:i, s:i}", "test", test, "run",
			 run->run, "result", "fail", "reason", reason, "seconds", "pass", 0,
			 "fail", 0, "skip", 0);
	if (!err)
		err = line ? __jsonl_add(dir, VERDICTS_NAME, line) : -ENOMEM;
	json_decref(line);
	return err ? ctl_error("cannot write %s/" VERDICTS_NAME ": %s", dir,
			       file_strerror(err)) : 0;
}

/* What was started in @run and never judged died with it. */
static int deaths_record(const struct past *past, const struct past_run *run, const char *boot_id)
{
	json_t *started = json_object(), *judged = json_object(), *line;
	const char *test;
	int err = lines_gather(past, run, STARTED_NAME, started);

	if (!err)
		err = lines_gather(past, run, VERDICTS_NAME, judged);
	json_object_foreach(started, test, line) {
		if (!err && !json_object_get(judged, test))
			err = death_write(past, run, test, !strcmp(boot_id, run->boot_id));
	}
	json_decref(started);
	json_decref(judged);
	return err;
}

int past_deaths_record(const struct past *past, const char *boot_id)
{
	int err = 0;

	for (size_t i = 0; !err && i < past->n; i++)
		err = deaths_record(past, &past->runs[i], boot_id);
	return err;
}

json_t *past_verdicts(const struct past *past)
{
	json_t *all = json_object();

	for (size_t i = past->n; all && i; i--) {
		if (lines_gather(past, &past->runs[i - 1], VERDICTS_NAME, all)) {
			json_decref(all);
			all = NULL;
		}
	}
	return all;
}

static void words_print(const char *name, const json_t *words)
{
	json_t *word;
	size_t i;

	fputs(name, stdout);
	json_array_foreach(words, i, word)
		printf(" %s", json_string_value(word) ?: "");
	putchar('\n');
}

/*
 * Say, a line each, what the run to resume was begun with: tier, repeats, destructive and perf (1
 * or nothing), plan (the tests' names), cases (TEST:CASE, where only these cases were to run).
 */
int ctl_resume(int argc, char **argv)
{
	static const char *const texts[] = { "tier", "repeats" };
	static const char *const switches[] = { "destructive", "perf" };
	static struct past past;
	const json_t *entry;

	if (argc != 2)
		return ctl_error("resume: LABEL-DIR");
	if (past_load(&past, argv[1]))
		return CTL_USAGE;
	entry = past.runs[0].entry;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		printf("%s %s\n", texts[i],
		       json_string_value(json_object_get(entry, texts[i])) ?: "");
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
		printf("%s %s\n", switches[i],
		       json_is_true(json_object_get(entry, switches[i])) ? "1" : "");
	words_print("plan", json_object_get(entry, "plan"));
	words_print("cases", json_object_get(entry, "cases"));
	past_free(&past);
	return fflush(stdout) ? CTL_USAGE : CTL_PASS;
}
