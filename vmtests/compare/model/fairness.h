/* SPDX-License-Identifier: GPL-2.0 */
/* Were two labels the same but for the treatment? */
#ifndef VMCOMPARE_FAIRNESS_H
#define VMCOMPARE_FAIRNESS_H

#include "model/audit.h"
#include "model/dataset.h"

/* Is this what an unfair difference is allowed by? */
bool fairness_name(const char *name);
/* All of those, "arch, cpu, ..."; the caller frees them. */
char *fairness_names(void);
void audit_fairness(struct audit *audit, const struct label *base, const struct label *new);

#endif
