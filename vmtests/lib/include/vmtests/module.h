/* SPDX-License-Identifier: GPL-2.0 */
/* module: whether the kernel has a module, or can have it. */
#ifndef VMTESTS_MODULE_H
#define VMTESTS_MODULE_H

#include <libmm/probe.h>

/* @name, in which '-' and '_' are the same, is loaded, built in, or loadable (modprobe -n). */
struct probe module_probe(const char *name);

#endif
