/* SPDX-License-Identifier: GPL-2.0 */
/*
 * needs: what a test or benchmark needs of the machine, as words, for vmtests.list and for tables
 * of benchmarks. Each word is a probe of libmm/probe.h, or one of the runner's own.
 *
 * A need is a word, or a word with an argument behind a colon:
 *
 *   root                  effective user id 0
 *   kconfig:CONFIG_X      =y or =m in the running kernel's configuration, or set to a value
 *   file:PATH             PATH can be opened for reading
 *   writable:PATH         PATH can be opened for writing
 *   sysctl:NAME           the sysctl exists, as net.core.bpf_jit_enable
 *   module:NAME           loaded, built in, or loadable (modprobe -n)
 *   command:NAME          an executable in $PATH
 *   memory:SIZE           so much is available (libmm/memory.h); 1K, 512M, 2G
 *   cpus:N, nodes:N       online CPUs, nodes with memory
 *   hugetlb               the kernel has hugetlb pools
 *   hvo                   the kernel can optimize vmemmap (vm.hugetlb_optimize_vmemmap)
 *   secretmem             memfd_secret(2) works
 *   bpf-filter            a classic socket filter can be attached
 *   pmu                   a hardware counter counts in the kernel
 *   kcore                 /proc/kcore can be read
 *   bbml2                 arm64: the kernel uses BBML2, by its own words in the kernel log
 *   destructive           the caller allowed lasting changes (run_vmtests.sh -d)
 *
 * Files are looked for below $LIBMM_ROOT as in libmm/sysfile.h; root, command, cpus, nodes,
 * secretmem, bpf-filter and pmu always ask the machine itself.
 */
#ifndef VMTESTS_NEEDS_H
#define VMTESTS_NEEDS_H

#include <stdbool.h>

#include <libmm/probe.h>

/*
 * Probe one need; or a comma-separated list, of which the first that is not met answers. An unknown
 * word, or an argument that the word does not take, is a mistake of the caller and aborts.
 */
struct probe need_probe(const char *need);
struct probe needs_probe(const char *needs);

/* Whether @need is a word of the table above, with an argument where it takes one. */
bool need_is_known(const char *need);

#endif
