/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one CPU's TLB was asked, in a file, so that other programs can simulate it again. A line is
 *
 *   a KIND SPACE ADDRESS		an access; KIND D data, F fetch; the address of its 4K page
 *   t SPACE ADDRESS DESC SPAN LEAF ROOT TABLE1 ... TABLE4
 *				what the page tables say of that page from now on, before its access
 *   d				every entry is distrusted
 *   f				everything is invalid
 *   c D1 D2 F1 F2 READS	last: what the model counted; misses of the first level and walks,
 *				of data and fetches, and descriptors that all walks read
 *
 * with hexadecimal SPACE, ADDRESS, DESC and TABLE and decimal others. Accesses to the page of the
 * kind's last one are left out: it is the last used of its set then, and nothing changes.
 */
#ifndef TLB_MODEL_TRACE_H
#define TLB_MODEL_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "tlb.h"

#define TRACE_PAGE_SHIFT 12

struct trace_counts {
	uint64_t l1_misses[TLB_KINDS];
	uint64_t walks[TLB_KINDS];
	uint64_t reads;
};

struct trace;

/* Write @path, at most @most accesses. NULL with errno when it cannot be made. */
struct trace *trace_create(const char *path, uint64_t most, tlb_translate_fn translate, void *arg);

/* Each of them before the model is told. */
void trace_access(struct trace *trace, enum tlb_access_kind kind, unsigned int space, uint64_t va);
void trace_distrust(struct trace *trace);
void trace_flush(struct trace *trace);

/* No more accesses are taken. */
bool trace_full(const struct trace *trace);

/* Write the counts and close. Returns 0 or -errno of any write since the beginning. */
int __trace_close(struct trace *trace, const struct trace_counts *counts);

#endif
