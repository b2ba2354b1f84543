/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the plain form share. */
#ifndef VMCOMPARE_TEXT_H
#define VMCOMPARE_TEXT_H

#include "report/forms.h"

#define TEXT_WIDTH 78

/* Print s from the current column on, broken at spaces, later lines indented. */
void text_wrap(FILE *out, size_t at, size_t indent, const char *s);
/* The same behind a head as wide as the indent; frees body. */
void text_paragraph(FILE *out, const char *head, size_t indent, char *body);

/* Above the tables. */
void text_emulated(const struct report *r, FILE *out);
/* Before anything else: what the verdicts are about. */
void text_pairing(const struct report *r, FILE *out);
/* First and last: what rows without a verdict lack. */
void text_lacks(const struct report *r, FILE *out);
void text_label(FILE *out, const char *role, const struct label *label);
void text_audit(const struct view *view, const struct comparison *cmp);
void text_notes(const struct report *r, FILE *out);

#endif
