// SPDX-License-Identifier: GPL-2.0
/* The form for programs; docs/compare.schema.json defines it. Unknown is null, never 0. */
#include <math.h>
#include <stdlib.h>

#include "model/extras.h"
#include "model/trend.h"
#include "report/format.h"
#include "report/forms.h"

static json_t *number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *side_json(const struct side *s)
{
	json_t *means = json_array();

	for (size_t i = 0; i < s->boots; i++)
		json_array_append_new(means, number(s->means[i]));
	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:b, s:b, s:o}",
			 "boots", (json_int_t)s->boots, "samples", (json_int_t)s->samples,
			 "value", number(s->centre), "median", number(s->median),
			 "between", number(s->between), "within", number(s->within),
			 "drift", !!(s->flags & FLAG_DRIFT), "outlier", !!(s->flags & FLAG_OUTLIER),
			 "boot_means", means);
}

static json_t *row_json(const struct report *r, size_t row, const struct comparison *cmp)
{
	const struct row *k = &r->ds->rows[row];
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "bench", k->bench,
			      "case", k->variant, "metric", k->metric, "unit", k->unit,
			      "better", k->higher ? "higher" : "lower",
			      "base", side_json(report_side(r, 0, row)));
	const struct cell *c;

	if (!cmp)
		return o;
	c = &cmp->cells[row];
	json_object_set_new(o, "new", side_json(report_side(r, cmp->label, row)));
	json_object_set_new(o, "verdict", json_string(c->verdict == VERDICT_NONE ? "none" :
						      verdict_name(c->verdict)));
	json_object_set_new(o, "why", c->why ? json_string(c->why) : json_null());
	json_object_set_new(o, "method", json_string(method_name(c->method)));
	json_object_set_new(o, "change", number(c->change));
	json_object_set_new(o, "interval", json_pack("[o, o]", number(c->lo), number(c->hi)));
	json_object_set_new(o, "t", number(c->t));
	json_object_set_new(o, "df", number(c->df));
	json_object_set_new(o, "p", number(c->p));
	json_object_set_new(o, "p_holm", number(c->p_holm));
	json_object_set_new(o, "p_permutation", number(c->p_permute));
	json_object_set_new(o, "p_permutation_exact", json_boolean(c->permute_exact));
	json_object_set_new(o, "p_mann_whitney", number(c->p_mannwhitney));
	json_object_set_new(o, "bound", number(c->bound));
	return o;
}

static json_t *audit_json(const struct audit *a)
{
	static const char *const class[] = { "treatment", "unfair", "allowed", "note" };
	json_t *list = json_array();

	for (size_t i = 0; i < a->n; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?}",
						      "class", class[a->v[i].class],
						      "what", a->v[i].what, "base", a->v[i].base,
						      "new", a->v[i].new, "allow", a->v[i].allow,
						      "sentence", a->v[i].sentence));
	return list;
}

static json_t *notes_json(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->ds->notes.n; i++)
		json_array_append_new(list, json_string(r->ds->notes.v[i]));
	for (size_t i = 0; i < r->notes.n; i++)
		json_array_append_new(list, json_string(r->notes.v[i]));
	return list;
}

static json_t *lacks_json(const struct comparison *cmp)
{
	json_t *list = json_array();

	for (size_t i = 0; i < cmp->lacks.n; i++)
		json_array_append_new(list, json_string(cmp->lacks.v[i]));
	return list;
}

static json_t *rows_json(const struct report *r, const struct comparison *cmp)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < r->ds->nrows; i++)
		json_array_append_new(rows, row_json(r, r->order[i], cmp));
	return rows;
}

static json_t *extras_json(const struct report *r)
{
	static const char *const kinds[] = { "counter", "symbol", "fio" };
	json_t *list = json_array();
	struct extra_table table;

	extras_tabulate(&table, r->ds);
	for (size_t i = 0; i < table.n; i++) {
		json_t *medians = json_array();

		for (size_t l = 0; l < r->ds->nlabels; l++)
			json_array_append_new(medians, number(table.v[i].median[l]));
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "kind",
						      kinds[table.v[i].kind],
						      "test", table.v[i].test,
						      "what", table.v[i].what,
						      "medians", medians));
	}
	extras_free(&table);
	return list;
}

static json_t *trend_json(const struct report *r, size_t row)
{
	const struct trend *t = &r->trends[row];
	const struct row *k = &r->ds->rows[row];
	json_t *points = json_array();

	for (size_t l = 0; l < r->ds->nlabels; l++)
		json_array_append_new(points, json_pack("{s:s, s:o, s:[o, o]}",
							"label", r->ds->labels[l].name,
							"median", number(t->points[l].median),
							"interval", number(t->points[l].lo),
							number(t->points[l].hi)));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:s?}",
			 "bench", k->bench, "case", k->variant, "metric", k->metric,
			 "unit", k->unit, "better", k->higher ? "higher" : "lower",
			 "points", points, "slope", number(t->slope),
			 "tau", number(t->test.tau), "p", number(t->test.p),
			 "p_holm", number(t->p_holm),
			 "verdict", t->verdict == VERDICT_NONE ? "none" : verdict_name(t->verdict),
			 "why", t->why);
}

/* Empty below three labels. */
static json_t *trends_json(const struct report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; r->trends && i < r->ds->nrows; i++)
		json_array_append_new(list, trend_json(r, r->order[i]));
	return list;
}

void json_write(const struct view *view)
{
	const struct report *r = view->r;
	json_t *root = json_pack("{s:i, s:f, s:f, s:b, s:o, s:o}", "schema", 1, "alpha",
				 r->opt->alpha, "min_effect", r->opt->min_effect, "emulated",
				 r->emulated, "notes", notes_json(r), "aa_alarm_rate",
				 r->aa_splits ? json_real((double)r->aa_alarms / r->aa_splits) :
				 json_null());
	json_t *comparisons = json_array();

	json_object_set_new(root, "permutation_seed", json_integer(PERMUTE_SEED));
	json_object_set_new(root, "base", json_string(r->ds->labels[0].name));
	for (size_t k = 0; k < r->ncmp; k++) {
		const struct comparison *cmp = &r->cmp[k];
		json_t *o = json_pack("{s:s, s:b, s:b, s:o, s:b, s:o, s:o}", "new",
				      r->ds->labels[k + 1].name, "paired", cmp->paired,
				      "within_one_boot", within_one_boot(r, cmp),
				      "no_verdict", lacks_json(cmp),
				      "audit_passed", !cmp->audit.unfair, "audit",
				      audit_json(&cmp->audit), "rows", rows_json(r, cmp));

		json_array_append_new(comparisons, o);
	}
	json_object_set_new(root, "comparisons", comparisons);
	json_object_set_new(root, "trends", trends_json(r));
	json_object_set_new(root, "extras", extras_json(r));
	if (!r->ncmp)
		json_object_set_new(root, "rows", rows_json(r, NULL));
	if (json_dumpf(root, view->out, JSON_INDENT(1)))
		fail("writing JSON: the stream failed");
	fputc('\n', view->out);
	json_decref(root);
}
