/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hugeshare: how much of a server's store huge pages back.
 */
#ifndef MEMCACHE_HUGESHARE_H
#define MEMCACHE_HUGESHARE_H

#include <sys/types.h>

/*
 * Of the mapping of @pid that holds the most anonymous memory, the store of either server: the part
 * in huge pages, transparent or of a pool, 0 to 1. Returns -errno where its smaps cannot be read.
 */
double huge_share(pid_t pid);

#endif
