/* SPDX-License-Identifier: GPL-2.0 */
/* From a dataset to a report. */
#ifndef VMCOMPARE_REPORT_H
#define VMCOMPARE_REPORT_H

#include "model/comparison.h"

/* 0, or -1 after saying why; r is to be freed either way. */
int report_make(struct report *r, const struct dataset *ds, const struct options *opt);
void report_free(struct report *r);

#endif
