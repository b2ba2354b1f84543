/* SPDX-License-Identifier: GPL-2.0 */
/* The differences that a comparison is about, as far as the census of page tables shows them. */
#ifndef VMCOMPARE_TREATMENT_H
#define VMCOMPARE_TREATMENT_H

#include "model/audit.h"
#include "model/dataset.h"

void audit_treatment(struct audit *audit, const struct label *base, const struct label *new);

#endif
