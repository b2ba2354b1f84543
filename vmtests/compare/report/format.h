/* SPDX-License-Identifier: GPL-2.0 */
/* Names, words and numbers that the forms of a report share. */
#ifndef VMCOMPARE_FORMAT_H
#define VMCOMPARE_FORMAT_H

#include "model/comparison.h"
#include "report/forms.h"

#define AUDIT_OPTIONS_SHOWN 12	/* by text and Markdown, unless asked for all */

const char *verdict_name(enum verdict verdict);
const char *method_name(enum method method);
/* "perf counters", ... and the unit's name for value_format(). */
const char *extra_title(enum extra_kind kind);
const char *extra_unit(enum extra_kind kind);
/* What the first lines must say of labels that share their boots; NULL of those that do not. */
const char *pairing_words(const struct report *r, const struct comparison *cmp);
/* Do the text forms show trends? */
bool trends_shown(const struct view *view);

/* "+1.2%", "-0.03%", "x12.3"; "-" for NAN. */
void change_format(char buf[24], double fraction);
/* "0.0213", "<0.0001"; "-" for NAN. */
void p_format(char buf[24], double p);
/* A relative standard deviation as "1.2%"; "-" for NAN. */
void spread_format(char buf[24], double spread);
/* "better", or "same <2.8%" with what its change is below. */
void verdict_format(char buf[40], const struct cell *c);

#endif
