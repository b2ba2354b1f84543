// SPDX-License-Identifier: GPL-2.0
/* For tmt: its results.yaml, written as JSON, which YAML is a superset of. */
#include <math.h>
#include <stdlib.h>

#include "export/export.h"

#define HOUR 3600
#define MINUTE 60
#define DURATION_MAX 1e9	/* seconds; far beyond any run, and a long holds it */

/* tmt wants HH:MM:SS. */
static char *tmt_duration(double seconds)
{
	unsigned long s = lround(fmin(fmax(seconds, 0), DURATION_MAX));

	return xasprintf("%02lu:%02lu:%02lu", s / HOUR, s / MINUTE % MINUTE, s % MINUTE);
}

static int tmt_run(const struct export_run *r, void *arg)
{
	for (size_t i = 0; i < r->boot->noutcomes; i++) {
		const struct outcome *o = &r->boot->outcomes[i];
		char *name, *duration;
		json_t *result;

		if (o->run != r->run)
			continue;
		name = xasprintf("/%s", o->test);
		duration = tmt_duration(o->seconds);
		result = json_pack("{s:s, s:s, s:s}", "name", name, "result",
				   o->result == OUTCOME_TIMEOUT ? "fail" : outcome_name(o->result),
				   "duration", duration);
		if (*o->reason)
			json_object_set_new(result, "note", json_pack("[s]", o->reason));
		json_array_append_new(arg, result);
		free(name);
		free(duration);
	}
	return 0;
}

int tmt_export(const struct dataset *ds, const char *origin, FILE *out)
{
	json_t *list = json_array();

	(void)origin;
	export_runs(ds, tmt_run, list);
	return export_dump(list, out);
}
