/* SPDX-License-Identifier: GPL-2.0 */
/* bbml2: whether an arm64 kernel may change the size of live mappings. */
#ifndef LIBMM_BBML2_H
#define LIBMM_BBML2_H

#include <libmm/probe.h>

/*
 * The kernel uses BBML2 when its list of processors has every CPU's MIDR; the ID register is ignored
 * and no file tells the outcome. It says so once, in the kernel log at boot: unknown where the log
 * does not reach back, or cannot be read.
 */
struct probe bbml2_probe(void);

#endif
