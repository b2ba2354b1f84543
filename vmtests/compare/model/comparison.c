// SPDX-License-Identifier: GPL-2.0
/* Questions about a report that both the model and the forms ask. */
#include "model/comparison.h"

bool method_linear(enum method method)
{
	return method == METHOD_LINEAR || method == METHOD_PAIRED_LINEAR ||
	       method == METHOD_REPEATS_LINEAR;
}

bool method_repeats(enum method method)
{
	return method == METHOD_REPEATS || method == METHOD_REPEATS_LINEAR;
}

const struct side *report_side(const struct report *r, size_t label, size_t row)
{
	return &r->sides[label * r->ds->nrows + row];
}

bool row_judged(const struct report *r, const struct row *row)
{
	return !r->emulated || (row->kind != UNIT_TIME && row->kind != UNIT_RATE);
}

bool within_one_boot(const struct report *r, const struct comparison *cmp)
{
	return cmp->paired && r->ds->labels[0].n == 1;
}

bool repeats_compared(const struct report *r)
{
	for (size_t k = 0; k < r->ncmp; k++)
		if (within_one_boot(r, &r->cmp[k]))
			return true;
	return false;
}
