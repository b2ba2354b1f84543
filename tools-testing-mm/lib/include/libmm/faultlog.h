/* SPDX-License-Identifier: GPL-2.0 */
/*
 * faultlog: on which pages the calling thread has faulted.
 *
 * getrusage() counts a thread's faults wherever they are: on its stack, on data that fork() has
 * made copy-on-write, on code that was reclaimed. Here each fault comes with its address, so that
 * those of one area are told from all others.
 */
#ifndef LIBMM_FAULTLOG_H
#define LIBMM_FAULTLOG_H

#include <stddef.h>

#include <libmm/probe.h>

struct faultlog {
	int fd;
	void *ring;		/* NULL when closed */
	size_t data_size;	/* bytes of records that the ring has room for */
	size_t page;		/* base page, bytes */
};

/*
 * Make a log of the calling thread, which must be the one to use it; it does not log yet, and a
 * child of fork() has to open its own. The answer is no where the kernel has no perf events, or
 * keeps them from the caller.
 */
struct probe faultlog_open(struct faultlog *log);

/* Closing a log that is closed does nothing. */
void faultlog_close(struct faultlog *log);

/* Forget what was logged, and log from now on. */
void faultlog_start(struct faultlog *log);

/*
 * Stop, and add to @faults[i] the faults on page i of the @nr base pages from @area on: every one
 * that user space took, also one that ended in a signal or was repeated. Returns 0, -EOVERFLOW when
 * there were more of them, anywhere, than the log has room for (4096), or -errno.
 * Source: PERF_COUNT_SW_PAGE_FAULTS in perf_event_open(2); software events of period 1 are not
 * throttled (perf_swevent_event() in kernel/events/core.c).
 */
int __faultlog_stop(struct faultlog *log, const void *area, size_t nr, unsigned int *faults);
void faultlog_stop(struct faultlog *log, const void *area, size_t nr, unsigned int *faults);

#endif
