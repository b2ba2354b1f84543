/* SPDX-License-Identifier: GPL-2.0 */
/*
 * klog: did the kernel complain between two points in time? Reads /dev/kmsg from a sequence number
 * and the taint mask.
 *
 * Only the kernel's own records (facility 0) can be complaints: the kernel gives whatever user
 * space writes to /dev/kmsg another facility, and a daemon that logs "BUG: " there must fail no
 * test. The one exception are records of user space that begin with KLOG_FORGED_PREFIX: the rest
 * is judged as if the kernel had said it, so that a runner's reaction can be tested. Such a record
 * must end in a newline: without one the kernel shows it to readers only when the next one begins.
 *
 * What counts is what a correct kernel never says, whatever user space does. So these do not count:
 * "page allocation failure" and the OOM killer (a test may exhaust memory on purpose), hardware
 * errors ("mce:", "Memory failure:"), lockdep running out of its tables ("BUG: MAX_... too low!"),
 * and drivers' sentences that merely begin with "WARNING:".
 */
#ifndef VMTESTS_KLOG_H
#define VMTESTS_KLOG_H

#include <stdbool.h>
#include <stdint.h>

#define KLOG_FORGED_PREFIX "libmm-forged: "

struct klog_mark {
	uint64_t seq;		/* first sequence number that is after the mark */
	uint64_t taint;		/* /proc/sys/kernel/tainted */
};

/*
 * Where the log ends now. Returns 0 or -errno (-EPERM: dmesg_restrict; -ENOENT: no /dev/kmsg).
 */
int __klog_mark(struct klog_mark *mark);

/*
 * Calls @line for each line since @mark, in order, with @bad set when it is a complaint. Lines of
 * user space come too, as they may explain what happened; a record of several lines gives several
 * calls. Text is cleaned of control characters. What follows a complaint (registers, stack) is not
 * itself marked bad, so a caller that quotes counts lines behind the first bad one.
 *
 * Returns the number of bad lines (one fault may say several), or -errno: -EPIPE when the ring
 * buffer overran the mark, so that complaints may have been lost (@line has seen what is left);
 * -ESTALE when the log ends before the mark, which is then of another boot.
 */
int __klog_since(const struct klog_mark *mark, void (*line)(const char *text, bool bad, void *arg),
		 void *arg);

/* Whether one line of the kernel log is a complaint; @text may begin with KLOG_FORGED_PREFIX. */
bool klog_line_is_bad(const char *text);

/*
 * Taint flags that came since the mark, as bits (Documentation/admin-guide/tainted-kernels.rst).
 * All that were not set then when the mask cannot be read: unknown must not look clean.
 */
uint64_t klog_taint_since(const struct klog_mark *mark);

#endif
