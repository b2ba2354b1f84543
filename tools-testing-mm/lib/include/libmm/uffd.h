/* SPDX-License-Identifier: GPL-2.0 */
/* uffd: userfaultfd(2), opened and registered. */
#ifndef LIBMM_UFFD_H
#define LIBMM_UFFD_H

#include <linux/userfaultfd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <libmm/probe.h>

/* Headers before Linux 6.7 and 6.8 lack these. */
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif
#ifndef UFFD_FEATURE_MOVE
#define UFFD_FEATURE_MOVE (1 << 16)
#define UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES ((__u64)1 << 1)
struct uffdio_move {
	__u64 dst, src, len, mode;
	__s64 move;
};

#define UFFDIO_MOVE _IOWR(UFFDIO, 0x05, struct uffdio_move)
#endif

/* Open one with these UFFD_FEATURE_*. Unless the answer is yes *@fd is not open. */
struct probe uffd_open(uint64_t features, int *fd);

/* For UFFDIO_REGISTER_MODE_MISSING, _WP and _MINOR, as in mm's vm_util.h. Returns 0 or -errno. */
int uffd_register(int uffd, void *addr, uint64_t len, bool miss, bool wp, bool minor);

#endif
