/* SPDX-License-Identifier: GPL-2.0 */
/* Pictures by gnuplot: SVG without scripts, fonts or links of its own. */
#ifndef VMCOMPARE_PLOT_H
#define VMCOMPARE_PLOT_H

#include <stddef.h>
#include <stdio.h>

struct plots {
	char **svg;
	size_t n, cap;
	const char *why;	/* there are none; NULL when all is well */
};

/* Begin a picture in a script; then come data blocks and one plot command. */
void plot_begin(FILE *script);
/*
 * Run the script; one SVG for each picture. Only numbers, words of vmcompare's own and names
 * that name_valid() takes may be in it: gnuplot's language can run commands.
 */
void plots_run(struct plots *plots, const char *script, size_t len);
void plots_free(struct plots *plots);

#endif
