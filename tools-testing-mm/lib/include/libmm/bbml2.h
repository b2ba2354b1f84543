/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LIBMM_BBML2_H
#define LIBMM_BBML2_H

#include <libmm/probe.h>

/* Whether an arm64 kernel may change the size of live mappings. Only its log says so, at boot. */
struct probe bbml2_probe(void);
/* What a log of klogctl(2) says, which is cut into lines for that. */
struct probe bbml2_probe_log(char *log);

#endif
