// SPDX-License-Identifier: GPL-2.0
/* For LAVA: "name result" a line for each verdict, "name result value unit" for each sample. */
#include <stdlib.h>

#include "export/export.h"

struct lava {
	const struct dataset *ds;
	FILE *out;
};

static void lava_verdicts(const struct export_run *r, FILE *out)
{
	for (size_t i = 0; i < r->boot->noutcomes; i++) {
		const struct outcome *o = &r->boot->outcomes[i];

		/* LAVA knows no timeout of a test case. */
		if (o->run == r->run)
			fprintf(out, "%s %s\n", o->test, o->result == OUTCOME_TIMEOUT ? "fail" :
				outcome_name(o->result));
	}
}

/* A boot has room for more series than there are rows; those are empty. */
static int lava_run(const struct export_run *r, void *arg)
{
	const struct lava *lava = arg;

	lava_verdicts(r, lava->out);
	for (size_t k = 0; k < r->boot->nseries; k++) {
		const struct series *s = &r->boot->series[k];
		char *name;

		if (!s->n)
			continue;
		name = export_metric_name(&lava->ds->rows[k]);
		for (size_t i = 0; i < s->n; i++)
			if (s->v[i].run == r->run)
				fprintf(lava->out, "%s pass %.17g %s\n", name, s->v[i].value,
					lava->ds->rows[k].unit);
		free(name);
	}
	return 0;
}

int lava_export(const struct dataset *ds, const char *origin, FILE *out)
{
	struct lava lava = { .ds = ds, .out = out };

	(void)origin;
	return export_runs(ds, lava_run, &lava);
}
