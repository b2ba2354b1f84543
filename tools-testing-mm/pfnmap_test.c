// SPDX-License-Identifier: GPL-2.0
/*
 * Device memory that is mapped by PMDs and PUDs (huge pfnmaps, VM_PFNMAP) behaves as device memory
 * that is mapped by pages: the same contents, the same refusals, and a piece that is unmapped,
 * moved or protected leaves its neighbours unchanged.
 *
 * Method: a BAR of a PCI device is mapped through VFIO at addresses that allow one level of entries
 * or another. Which entries a kernel must make of an area follows from vfio_pci_core's rule: the
 * largest size for which address and frame are aligned and which lies within the mapping. As each
 * entry takes one fault, the faults of reading all pages tell the level, and the faults after an
 * operation tell which entries it took away. What the memory holds is read and written a second
 * way: by VFIO's read and write, which go through a mapping of the kernel's own. The same cases run
 * over pages in VFIO; over sysfs' resource file and /dev/mem, which have always been mapped by
 * pages; and over a buffer of vgem (libmm/gem.h), which needs neither device nor IOMMU and is
 * mapped the same way.
 *
 * The device is that of libmm/devmem.h: the contents of its BAR are overwritten. Bind it to
 * vfio-pci before; without a driver only the resource file and /dev/mem are tested.
 *
 * Cases that are known to kill kernels run only with LIBMM_DESTRUCTIVE=1 and LIBMM_DEADLY=1.
 *
 * Limits: the entries are not seen themselves. Of vgem's the first fault must tell whether there
 * are PMDs: a kernel that has stopped making them skips. What is mapped by pages is an area that is
 * a page off, so it shares the kernel's code for huge entries up to the question of alignment.
 */
#include "pfnmap.h"
#include "pfnmap_setup.h"
#include "pfnmap_populate.h"
#include "pfnmap_change.h"
#include "pfnmap_others.h"

TEST_HARNESS_MAIN
