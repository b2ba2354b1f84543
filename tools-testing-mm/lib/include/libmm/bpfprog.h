/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bpfprog: classic socket filters as a lever on the linear map.
 *
 * A filter becomes an eBPF program in vmalloc memory. Without a JIT the kernel makes that memory
 * read-only, in the linear map too, and gives it back its permissions when the program is freed
 * (kernel/bpf/core.c: bpf_prog_lock_ro(); mm/vmalloc.c: VM_FLUSH_RESET_PERMS). With a JIT only the
 * machine code is read-only, and many programs share one area for it. The program used here is one
 * instruction long, so that its memory is one page of whatever size.
 */
#ifndef LIBMM_BPFPROG_H
#define LIBMM_BPFPROG_H

#include <libmm/probe.h>

/* A classic socket filter can be attached. The kernel itself is asked. */
struct probe bpfprog_probe(void);

/* A socket to attach to: datagram, AF_UNIX, not connected. Returns it or -errno. */
int bpfprog_socket(void);

/*
 * Attach a filter that accepts everything. Returns 0 or -errno; -ENOMEM and -EINVAL also when a JIT
 * is mandatory and failed.
 */
int bpfprog_attach(int socket);

/* Detach it. The kernel frees the program later, from a work item after an RCU grace period. */
int bpfprog_detach(int socket);

/*
 * Programs that have memory now, detached ones that are not freed yet among them, from
 * /proc/vmallocinfo. Returns the number or -errno (-EACCES, -EPERM: root only).
 */
long bpfprog_live(void);

#endif
