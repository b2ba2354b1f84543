/* SPDX-License-Identifier: GPL-2.0 */
/*
 * faultlog: on which pages the calling thread has faulted. getrusage() counts faults wherever they
 * are, on the stack too; here each comes with its address.
 */
#ifndef LIBMM_FAULTLOG_H
#define LIBMM_FAULTLOG_H

#include <stddef.h>

#include <libmm/probe.h>

/* Faults that a log has room for, wherever they are. */
#define FAULTLOG_MAX 4096

struct faultlog {
	int fd;
	void *ring;
};

/* A log of the calling thread, stopped. A child of fork() has to open its own. */
struct probe faultlog_open(struct faultlog *log);
void faultlog_close(struct faultlog *log);

/* Forget what was logged, and log from now on. */
void faultlog_start(struct faultlog *log);

/*
 * Stop, and add to @faults[i] the faults on page i of the @nr base pages from @area on: every one
 * that user space took, also one that ended in a signal or was repeated. Returns 0, -EOVERFLOW when
 * there were more than FAULTLOG_MAX, or -errno. Source: PERF_COUNT_SW_PAGE_FAULTS in
 * perf_event_open(2); software events of period 1 are not throttled (perf_swevent_event() in
 * kernel/events/core.c).
 */
int __faultlog_stop(struct faultlog *log, const void *area, size_t nr, unsigned int *faults);
void faultlog_stop(struct faultlog *log, const void *area, size_t nr, unsigned int *faults);

#endif
