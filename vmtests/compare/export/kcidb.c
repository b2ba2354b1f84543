// SPDX-License-Identifier: GPL-2.0
/*
 * For KCIDB, version 5.3 of its schema: a checkout for each kernel release, a build for each kernel
 * image, a test for each verdict, and a test that is DONE with a number for each sample. No sample
 * passes or fails: what is a change takes several boots of both kernels to say.
 *
 * Names are of [A-Za-z0-9_.+-], and a path takes no '+', which becomes '_'; misc has them as they
 * are.
 */
#include <stdlib.h>
#include <string.h>

#include "export/export.h"

enum { KCIDB_MAJOR = 5, KCIDB_MINOR = 3 };

struct kcidb {
	const struct dataset *ds;
	const char *origin;
	json_t *checkouts, *builds, *tests;
	json_t *seen;	/* ids of checkouts and builds */
	char *build_id;	/* of the run that is being visited */
};

/* As a path, of this suite. The caller frees it. */
static char *kcidb_path(const char *name)
{
	char *path = xasprintf("vmtests.%s", name);

	for (char *p = path; *p; p++)
		if (*p == '+' || *p == '/')
			*p = '_';
	return path;
}

static void text_set(json_t *o, const char *name, const char *text)
{
	if (text && *text)
		json_object_set_new(o, name, json_string(text));
}

/* Once for each id. Takes item over. */
static void kcidb_add_once(struct kcidb *k, json_t *list, const char *id, json_t *item)
{
	if (json_object_get(k->seen, id)) {
		json_decref(item);
		return;
	}
	json_object_set_new(k->seen, id, json_true());
	json_array_append_new(list, item);
}

static void kcidb_add_checkout(struct kcidb *k, const char *id, const struct boot *boot)
{
	json_t *o = json_pack("{s:s, s:s}", "id", id, "origin", k->origin);

	text_set(o, "comment", export_text(boot, "kernel.release"));
	kcidb_add_once(k, k->checkouts, id, o);
}

static void kcidb_add_build(struct kcidb *k, const char *id, const char *checkout,
			    const struct boot *boot)
{
	const char *arch = export_text(boot, "cpu.arch");
	json_t *misc = json_object();
	json_t *o = json_pack("{s:s, s:s, s:s, s:o}", "id", id, "origin", k->origin,
			      "checkout_id", checkout, "misc", misc);

	if (arch && !arch[strspn(arch, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		text_set(o, "architecture", arch);
	text_set(o, "comment", export_text(boot, "kernel.version"));
	text_set(misc, "build_id", export_text(boot, "kernel.build_id"));
	text_set(misc, "config_sha256", export_text(boot, "kernel.config_sha256"));
	kcidb_add_once(k, k->builds, id, o);
}

/*
 * The same image in two boots is one build: it is known by its GNU build id, and where the kernel
 * does not give that, by its version, which has the time when it was built.
 */
static void kcidb_kernel(struct kcidb *k, const struct boot *boot)
{
	const char *release = export_text(boot, "kernel.release");
	const char *build = export_text(boot, "kernel.build_id");
	const char *version = export_text(boot, "kernel.version");
	char *checkout = xasprintf("%s:%s", k->origin, release ? release : "unknown");

	free(k->build_id);
	k->build_id = build ? xasprintf("%s:%s", k->origin, build) :
		      xasprintf("%s:%s %s", k->origin, release ? release : "unknown",
				version ? version : "");
	kcidb_add_checkout(k, checkout, boot);
	kcidb_add_build(k, k->build_id, checkout, boot);
	free(checkout);
}

static json_t *kcidb_environment(const struct export_run *r)
{
	static const char *const facts[] = {
		"cpu.arch", "cpu.midr", "cpu.hypervisor", "cpu.emulated", "cpu.online",
		"cpu.bbml2", "memory.total", "memory.page_size", "kernel.cmdline", "rodata",
	};
	json_t *misc = json_pack("{s:s, s:s}", "label", r->label, "boot_id", r->boot->id);
	json_t *o = json_pack("{s:o}", "misc", misc);

	text_set(o, "comment", export_text(r->boot, "cpu.model"));
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		const json_t *v = boot_value(r->boot, facts[i]);

		if (v)
			json_object_set_new(misc, facts[i], json_deep_copy(v));
	}
	return o;
}

/* What tests of both kinds share. name is within this run. */
static json_t *kcidb_test(const struct kcidb *k, const struct export_run *r, const char *name,
			  const char *status, json_t *environment)
{
	char *id = xasprintf("%s:%s.%s.%d.%s", k->origin, r->label, r->boot->id, r->run, name);
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:O}", "id", id, "origin", k->origin,
			      "build_id", k->build_id, "status", status,
			      "environment", environment);

	text_set(o, "start_time", r->started);
	free(id);
	return o;
}

static void kcidb_verdict(struct kcidb *k, const struct export_run *r,
			  const struct outcome *outcome, json_t *environment)
{
	static const char *const status[] = {
		[OUTCOME_PASS] = "PASS", [OUTCOME_FAIL] = "FAIL",
		[OUTCOME_SKIP] = "SKIP", [OUTCOME_TIMEOUT] = "FAIL",
	};
	json_t *o = kcidb_test(k, r, outcome->test, status[outcome->result], environment);
	char *path = kcidb_path(outcome->test);

	text_set(o, "path", path);
	text_set(o, "comment", outcome->reason);
	json_object_set_new(o, "duration", json_real(outcome->seconds));
	json_object_set_new(o, "misc", json_pack("{s:s, s:s, s:i}", "test", outcome->test, "result",
						 outcome_name(outcome->result), "run", r->run));
	json_array_append_new(k->tests, o);
	free(path);
}

/* A size is shown with a binary prefix; other units have theirs already, as in ns. */
static json_t *kcidb_number(const struct row *row, double value)
{
	json_t *number = json_pack("{s:f, s:s}", "value", value, "unit", row->unit);

	if (!strcmp(row->unit, "bytes") || !strncmp(row->unit, "bytes/", strlen("bytes/")))
		text_set(number, "prefix", "binary");
	return number;
}

static void kcidb_sample(struct kcidb *k, const struct export_run *r, const struct row *row,
			 const struct sample *sample, json_t *environment)
{
	char *name = export_metric_name(row), *path = kcidb_path(name);
	char *in_run = xasprintf("%s/%s/%s/%d", row->bench, row->variant, row->metric, sample->rep);
	json_t *o = kcidb_test(k, r, in_run, "DONE", environment);

	text_set(o, "path", path);
	json_object_set_new(o, "number", kcidb_number(row, sample->value));
	json_object_set_new(o, "misc", json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:f}",
						 "bench", row->bench, "case", row->variant,
						 "metric", row->metric,
						 "better", row->higher ? "higher" : "lower",
						 "run", sample->run, "rep", sample->rep,
						 "t", sample->t));
	json_array_append_new(k->tests, o);
	free(in_run);
	free(path);
	free(name);
}

static int kcidb_run(const struct export_run *r, void *arg)
{
	json_t *environment = kcidb_environment(r);
	const struct boot *boot = r->boot;
	struct kcidb *k = arg;

	kcidb_kernel(k, boot);
	for (size_t i = 0; i < boot->noutcomes; i++)
		if (boot->outcomes[i].run == r->run)
			kcidb_verdict(k, r, &boot->outcomes[i], environment);
	for (size_t row = 0; row < boot->nseries; row++)
		for (size_t i = 0; i < boot->series[row].n; i++)
			if (boot->series[row].v[i].run == r->run)
				kcidb_sample(k, r, &k->ds->rows[row], &boot->series[row].v[i],
					     environment);
	json_decref(environment);
	return 0;
}

int kcidb_export(const struct dataset *ds, const char *origin, FILE *out)
{
	struct kcidb k = {
		.ds = ds, .origin = origin, .checkouts = json_array(), .builds = json_array(),
		.tests = json_array(), .seen = json_object(),
	};
	json_t *root;

	export_runs(ds, kcidb_run, &k);
	root = json_pack("{s:{s:i, s:i}, s:o, s:o, s:o}", "version", "major", KCIDB_MAJOR,
			 "minor", KCIDB_MINOR, "checkouts", k.checkouts, "builds", k.builds,
			 "tests", k.tests);
	json_decref(k.seen);
	free(k.build_id);
	return export_dump(root, out);
}
