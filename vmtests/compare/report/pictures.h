/* SPDX-License-Identifier: GPL-2.0 */
/* The pictures of a report, for plots_run(). */
#ifndef VMCOMPARE_PICTURES_H
#define VMCOMPARE_PICTURES_H

#include "model/comparison.h"

enum picture_kind {
	PICTURE_SWEEP, PICTURE_TREND, PICTURE_SAMPLES, PICTURE_PERCENTILES, PICTURE_KINDS,
};

struct picture {
	size_t row;
	enum picture_kind kind;
};

/* Writes the script and what is in it, at most PICTURE_KINDS a row; returns how many. */
size_t pictures_script(const struct report *r, FILE *script, struct picture *pictures);
/* What a picture shows, for its caption. */
const char *picture_words(enum picture_kind kind);

#endif
