/* SPDX-License-Identifier: GPL-2.0 */
/*
 * node: server and generator on one NUMA node.
 */
#ifndef MEMCACHE_NODE_H
#define MEMCACHE_NODE_H

/*
 * Let the calling thread, and what it starts, use only the CPUs of one node: of those that it may
 * use, the node with most of them, the first of several such nodes. Nothing changes where that node
 * has a single CPU. Memory follows, as long as the node has some: the kernel's policy is that of
 * the CPU which touches it first. Returns 0 or -errno.
 */
int __node_confine(void);

#endif
