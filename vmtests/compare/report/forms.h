/* SPDX-License-Identifier: GPL-2.0 */
/* The forms of a report. All write to out; the caller checks ferror(). */
#ifndef VMCOMPARE_FORMS_H
#define VMCOMPARE_FORMS_H

#include <stdbool.h>
#include <stdio.h>

#include "model/comparison.h"

struct view {
	const struct report *r;
	bool aa;	/* the rate of false alarms was asked for */
	bool verbose;	/* evidence, trends, extras, all options of the configuration */
	FILE *out;
};

void text_write(const struct view *view);
void markdown_write(const struct view *view);
void json_write(const struct view *view);
void html_write(const struct view *view);

#endif
