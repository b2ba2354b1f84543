// SPDX-License-Identifier: GPL-2.0
/* Look-ups in a result tree, and its release. */
#include <stdlib.h>
#include <string.h>

#include "model/dataset.h"

const struct series *boot_series(const struct boot *boot, size_t row)
{
	return row < boot->nseries && boot->series[row].n ? &boot->series[row] : NULL;
}

const json_t *boot_value(const struct boot *boot, const char *path)
{
	char *copy = xstrdup(path), *state = NULL;
	const json_t *v = boot->run;

	for (char *key = strtok_r(copy, ".", &state); key; key = strtok_r(NULL, ".", &state))
		v = json_object_get(v, key);
	free(copy);
	return json_is_null(v) ? NULL : v;
}

const char *outcome_name(enum outcome_result result)
{
	static const char *const names[] = {
		[OUTCOME_PASS] = "pass", [OUTCOME_FAIL] = "fail",
		[OUTCOME_SKIP] = "skip", [OUTCOME_TIMEOUT] = "timeout",
	};

	return names[result];
}

double label_number(const struct label *label, const char *path)
{
	return label->n ? json_number_value(boot_value(label->boots, path)) : 0;
}

bool label_emulated(const struct label *label)
{
	for (size_t b = 0; b < label->n; b++)
		if (json_is_true(boot_value(&label->boots[b], "cpu.emulated")))
			return true;
	return false;
}

void row_free(struct row *row)
{
	free(row->bench);
	free(row->variant);
	free(row->metric);
	free(row->unit);
}

void boot_free(struct boot *boot)
{
	for (size_t i = 0; i < boot->nseries; i++) {
		free(boot->series[i].v);
		free(boot->series[i].hist);
	}
	for (size_t i = 0; i < boot->noutcomes; i++) {
		free(boot->outcomes[i].test);
		free(boot->outcomes[i].reason);
	}
	free(boot->outcomes);
	for (size_t i = 0; i < boot->ntallies; i++)
		free(boot->tallies[i].test);
	for (size_t i = 0; i < boot->nextras; i++) {
		free(boot->extras[i].test);
		free(boot->extras[i].what);
	}
	for (size_t i = 0; i < boot->nskips; i++) {
		free(boot->skips[i].name);
		free(boot->skips[i].reason);
	}
	free(boot->skips);
	free(boot->extras);
	free(boot->damaged_names);
	free(boot->series);
	free(boot->tallies);
	free(boot->id);
	free(boot->path);
	json_decref(boot->run);
	*boot = (struct boot){ 0 };
}

void dataset_free(struct dataset *ds)
{
	for (size_t l = 0; l < ds->nlabels; l++) {
		for (size_t b = 0; b < ds->labels[l].n; b++)
			boot_free(&ds->labels[l].boots[b]);
		free(ds->labels[l].boots);
		free(ds->labels[l].name);
	}
	for (size_t r = 0; r < ds->nrows; r++)
		row_free(&ds->rows[r]);
	free(ds->labels);
	free(ds->rows);
	free(ds->index);
	notes_free(&ds->notes);
	*ds = (struct dataset){ 0 };
}
