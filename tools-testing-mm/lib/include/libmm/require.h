/* SPDX-License-Identifier: GPL-2.0 */
/*
 * require: what a test needs of the machine, probed, never taken from a version number.
 *
 * A need is a word, or a word with an argument behind a colon; lists of tests may use the same
 * words. A need that is not met gives one sentence that names what is missing and, where
 * something can be done about it, what.
 *
 *   root                  effective user id 0
 *   kconfig:CONFIG_X      =y or =m in the running kernel's configuration, or set to a value
 *   file:PATH             PATH can be opened for reading
 *   writable:PATH         PATH can be opened for writing
 *   sysctl:NAME           the sysctl exists, as net.core.bpf_jit_enable
 *   module:NAME           loaded, built in, or loadable (modprobe -n)
 *   command:NAME          an executable in $PATH
 *   memory:SIZE           so much is available (memory.h); 1K, 512M, 2G
 *   cpus:N, nodes:N       online CPUs, nodes with memory
 *   hugetlb               the kernel has hugetlb pools
 *   hvo                   the kernel can optimize vmemmap (vm.hugetlb_optimize_vmemmap)
 *   secretmem             memfd_secret(2) works
 *   bpf-filter            a classic socket filter can be attached
 *   pmu                   a hardware counter counts in the kernel
 *   kcore                 /proc/kcore can be read
 *   bbml2                 arm64: the kernel uses BBML2, by its own words in the kernel log
 *   destructive           the caller allowed lasting changes: $LIBMM_DESTRUCTIVE is 1, which
 *                         the runner sets when it is given -d
 *
 * Files are looked for below $LIBMM_ROOT as in sysfile.h; root, command, secretmem, bpf-filter and
 * pmu always ask the machine itself.
 */
#ifndef LIBMM_REQUIRE_H
#define LIBMM_REQUIRE_H

/*
 * Returns NULL when @need is met, else a sentence without a full stop or newline, in a static
 * buffer that the next call reuses. An unknown word, or an argument that the word does not take, is
 * a mistake of the caller and aborts.
 */
const char *require_need(const char *need);

/* The same for a comma-separated list of needs; the first unmet one answers. */
const char *require_needs(const char *needs);

/* Returns 1 when @need is a word of the table above with an argument where it takes one, else 0. */
int require_known(const char *need);

/*
 * One option of the running kernel's configuration: 'y' (or set to a number or string), 'm', 'n',
 * or '?' where it cannot be read. Sources: /proc/config.gz, /boot/config-RELEASE,
 * /lib/modules/RELEASE/config.
 */
char require_kconfig(const char *option);

#endif
