/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bpfprog: classic socket filters as a lever on the linear map.
 *
 * A filter becomes an eBPF program in vmalloc memory. Without a JIT the kernel makes that memory
 * read-only, in the linear map too, and gives it back its permissions when the program is freed
 * (kernel/bpf/core.c: bpf_prog_lock_ro(); mm/vmalloc.c: VM_FLUSH_RESET_PERMS). With a JIT only the
 * machine code is read-only, and many programs share one area for it.
 */
#ifndef LIBMM_BPFPROG_H
#define LIBMM_BPFPROG_H

#include <libmm/probe.h>

/* A classic socket filter can be attached. The kernel itself is asked. */
struct probe bpfprog_probe(void);

/* A socket to attach to: datagram, AF_UNIX, not connected. Returns it or -errno. */
int bpfprog_socket(void);

#define BPFPROG_DEAD_MAX	1000

/*
 * Attach a filter that lets @keep bytes of a packet pass. @dead instructions that never run make it
 * longer. Returns 0 or -errno; -ENOMEM and -EINVAL also when a JIT is mandatory and failed.
 */
int bpfprog_attach(int socket, unsigned int keep, unsigned int dead);

#endif
