/* SPDX-License-Identifier: GPL-2.0 */
/* libmm: all modules, each using only those above it. A test includes what it needs by itself. */
#ifndef LIBMM_H
#define LIBMM_H

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/sysfile.h>
#include <libmm/probe.h>
#include <libmm/harness.h>
#include <libmm/kconfig.h>
#include <libmm/kmsg.h>
#include <libmm/cgroup.h>
#include <libmm/memory.h>
#include <libmm/restore.h>
#include <libmm/pagemap.h>
#include <libmm/kpage.h>
#include <libmm/faultlog.h>
#include <libmm/uffd.h>
#include <libmm/hugetlb.h>
#include <libmm/hugemap.h>
#include <libmm/hvo.h>
#include <libmm/secretmem.h>
#include <libmm/bpfprog.h>
#include <libmm/directmap.h>
#include <libmm/kcore.h>
#include <libmm/kpgtable.h>
#include <libmm/kpgwalk.h>
#include <libmm/krange.h>
#include <libmm/linmap.h>
#include <libmm/linmap_model.h>
#include <libmm/bbml2.h>
#include <libmm/pci.h>
#include <libmm/vfio.h>
#include <libmm/gem.h>
#include <libmm/devmem.h>
#include <libmm/area.h>

#endif
