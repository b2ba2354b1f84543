/* SPDX-License-Identifier: GPL-2.0 */
/* Pictures by gnuplot: SVG without scripts, fonts or links of its own. */
#ifndef VMCOMPARE_PLOT_H
#define VMCOMPARE_PLOT_H

#include <stddef.h>
#include <stdio.h>

struct plots {
	char **svg;
	size_t n, cap;
	const char *why;	/* no picture was drawn; NULL when all were */
};

/* Begin a picture in a script. The caller writes its data blocks and one plot command. */
void plot_begin(FILE *script);
/*
 * Run the script; one SVG for each picture. The script may only have numbers, vmcompare's own words
 * and names that name_valid() accepts, because gnuplot's language can run commands.
 */
void plots_run(struct plots *plots, const char *script, size_t len);
void plots_free(struct plots *plots);

#endif
