// SPDX-License-Identifier: GPL-2.0
/*
 * For SQUAD: an array of what its submit API takes for one test run, which here is one run in one
 * boot: "tests", "metrics" and "metadata", the contents of the files of those names. A metric is a
 * list of samples; of its name, BENCH/CASE/METRIC, all but the last part is the suite.
 */
#include <stdlib.h>

#include "export/export.h"

static json_t *squad_tests(const struct export_run *r)
{
	json_t *tests = json_object();

	for (size_t i = 0; i < r->boot->noutcomes; i++) {
		const struct outcome *o = &r->boot->outcomes[i];
		char *name;

		if (o->run != r->run)
			continue;
		name = xasprintf("vmtests/%s", o->test);
		json_object_set_new(tests, name, json_string(o->result == OUTCOME_TIMEOUT ? "fail" :
							     outcome_name(o->result)));
		free(name);
	}
	return tests;
}

static json_t *squad_metrics(const struct dataset *ds, const struct export_run *r)
{
	json_t *metrics = json_object();

	for (size_t k = 0; k < r->boot->nseries; k++) {
		const struct series *s = &r->boot->series[k];
		const struct row *row = &ds->rows[k];
		json_t *values = json_array();
		char *name;

		for (size_t i = 0; i < s->n; i++)
			if (s->v[i].run == r->run)
				json_array_append_new(values, json_real(s->v[i].value));
		if (!json_array_size(values)) {
			json_decref(values);
			continue;
		}
		name = xasprintf("%s/%s/%s", row->bench, row->variant, row->metric);
		json_object_set_new(metrics, name, values);
		free(name);
	}
	return metrics;
}

/* job_id tells SQUAD that a run was submitted before; metadata has no null. */
static json_t *squad_metadata(const struct export_run *r)
{
	static const struct {
		const char *name, *path;
	} texts[] = {
		{ "kernel_release", "kernel.release" }, { "kernel_build_id", "kernel.build_id" },
		{ "kernel_cmdline", "kernel.cmdline" }, { "cpu_arch", "cpu.arch" },
		{ "cpu_model", "cpu.model" }, { "cpu_midr", "cpu.midr" },
		{ "cpu_hypervisor", "cpu.hypervisor" }, { "vmtests_version", "vmtests" },
	};
	char *job = xasprintf("%s.%s.%d", r->label, r->boot->id, r->run);
	json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:b}", "job_id", job, "label", r->label,
			      "boot_id", r->boot->id, "run", r->run, "emulated",
			      json_is_true(boot_value(r->boot, "cpu.emulated")));

	free(job);
	if (r->started)
		json_object_set_new(o, "datetime", json_string(r->started));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text = export_text(r->boot, texts[i].path);

		if (text)
			json_object_set_new(o, texts[i].name, json_string(text));
	}
	return o;
}

struct squad {
	const struct dataset *ds;
	json_t *list;
};

static int squad_run(const struct export_run *r, void *arg)
{
	struct squad *squad = arg;

	json_array_append_new(squad->list, json_pack("{s:o, s:o, s:o}", "metadata",
						     squad_metadata(r), "tests", squad_tests(r),
						     "metrics", squad_metrics(squad->ds, r)));
	return 0;
}

int squad_export(const struct dataset *ds, const char *origin, FILE *out)
{
	struct squad squad = { .ds = ds, .list = json_array() };

	(void)origin;
	export_runs(ds, squad_run, &squad);
	return export_dump(squad.list, out);
}
