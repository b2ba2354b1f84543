/* SPDX-License-Identifier: GPL-2.0 */
/*
 * baseline: what was measured under another label.
 */
#ifndef MEMCACHE_BASELINE_H
#define MEMCACHE_BASELINE_H

#include <stddef.h>

/*
 * The median of a metric over all boots and repeats below @label (a folder as docs/results.md has
 * it). Returns 0, or -errno with a sentence in @why: -ENOENT when there is no such sample.
 */
int __baseline_median(const char *label, const char *bench, const char *kase, const char *metric,
		      double *median, char *why, size_t size);

#endif
