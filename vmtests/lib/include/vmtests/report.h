/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report: the only writer of samples. docs/results.md defines the format.
 *
 * Several processes may append to one file at once, each through a report of its own; a report must
 * not be used by two threads at a time, nor on both sides of a fork.
 */
#ifndef VMTESTS_REPORT_H
#define VMTESTS_REPORT_H

#include <stdint.h>
#include <vmtests/hist.h>

enum report_better { REPORT_LOWER, REPORT_HIGHER };

struct report;

/*
 * Append to $VMTESTS_OUT/samples.jsonl as run $VMTESTS_RUN (default 0). Without VMTESTS_OUT every
 * sample becomes a "# case metric value unit" line on stdout instead. A last line that is no whole
 * JSON object, as a crash may leave it, is cut off, and stderr says so. Returns 0, -EINVAL for a
 * @bench that is no bench of <vmtests/grammar.h> or for a VMTESTS_RUN that is not a number, or
 * -errno.
 */
int __report_open(struct report **r, const char *bench);

/*
 * Write one sample: one write(2), one fdatasync(2). Returns 0, -EINVAL for a name or a unit that is
 * not of <vmtests/grammar.h>, -ERANGE for a value that is not finite, or the -errno of the write.
 * Whatever failed, no part of the line stays in the file; -ENOSPC stands for a short write too.
 */
int __report_sample(struct report *r, const char *kase, const char *metric, const char *unit,
		    enum report_better better, double value, unsigned int rep);

/* The same with the whole distribution attached; @hist_unit as "ns". */
int __report_hist(struct report *r, const char *kase, const char *metric, const char *unit,
		  enum report_better better, double value, unsigned int rep,
		  const struct hist *hist, const char *hist_unit);

void report_close(struct report *r);

#endif
