/* SPDX-License-Identifier: GPL-2.0 */
/* kmsg: lines of the kernel's log, from /dev/kmsg below $LIBMM_ROOT. */
#ifndef LIBMM_KMSG_H
#define LIBMM_KMSG_H

#include <stdbool.h>
#include <stdint.h>

/* One line without control characters; @kernel: said by the kernel, not by user space. */
typedef void (*kmsg_line_fn)(const char *text, bool kernel, void *arg);

/*
 * Call @line for each line of the records from sequence number @from on; a record of several lines
 * gives several calls. Returns 0; -EPIPE when records from @from on were overwritten (@line has
 * seen what is left); -ESTALE when the log ends before @from, which is then of another boot; or
 * -errno (-EPERM: dmesg_restrict; -ENOENT: no /dev/kmsg).
 */
int kmsg_lines(uint64_t from, kmsg_line_fn line, void *arg);

/* The sequence number that the next record will have. Returns 0 or -errno as above. */
int kmsg_end(uint64_t *seq);

#endif
