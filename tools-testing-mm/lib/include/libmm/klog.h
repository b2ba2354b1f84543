/* SPDX-License-Identifier: GPL-2.0 */
/*
 * klog: did the kernel complain between two points in time? Reads /dev/kmsg from a sequence number
 * and the taint mask.
 */
#ifndef LIBMM_KLOG_H
#define LIBMM_KLOG_H

#include <stdbool.h>
#include <stdint.h>

struct klog_mark {
	uint64_t seq;		/* first sequence number that is after the mark */
	uint64_t taint;		/* /proc/sys/kernel/tainted */
};

/*
 * Where the log ends now. Returns 0 or -errno (-EPERM: dmesg_restrict; -ENOENT: no /dev/kmsg).
 */
int __klog_mark(struct klog_mark *mark);

/*
 * Calls @line for each record since @mark, in order, with @bad set when it is a complaint: WARNING,
 * BUG, Oops, kernel panic, "Bad page", general protection fault, lockup, hung task, RCU stall, KASAN
 * and its kin, list corruption, refcount warnings, "possible recursive locking", UBSAN. Text is
 * cleaned of control characters. Returns the number of complaints, or -errno; -EPIPE when the ring
 * buffer overran the mark, so that complaints may have been lost.
 */
int __klog_since(const struct klog_mark *mark, void (*line)(const char *text, bool bad, void *arg),
		 void *arg);

/* Whether one line of the kernel log is a complaint. */
bool klog_line_is_bad(const char *text);

/* Taint flags that came since the mark, as bits. */
uint64_t klog_taint_since(const struct klog_mark *mark);

#endif
