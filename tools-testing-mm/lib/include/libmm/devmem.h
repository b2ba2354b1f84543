/* SPDX-License-Identifier: GPL-2.0 */
/*
 * devmem: memory of a device that tests may overwrite, and the sizes of entries that may map it.
 *
 * The device is the one that $PFNMAP_DEVICE names (0000:01:00.0), or $VFIO_SELFTESTS_BDF as for the
 * tests of VFIO. $PFNMAP_BAR is the BAR, by default 2, where QEMU's ivshmem has its memory.
 */
#ifndef LIBMM_DEVMEM_H
#define LIBMM_DEVMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmm/pci.h>
#include <libmm/probe.h>
#include <libmm/vfio.h>

#define DEVMEM_PMD_OPTION	"CONFIG_ARCH_SUPPORTS_PMD_PFNMAP"
#define DEVMEM_PUD_OPTION	"CONFIG_ARCH_SUPPORTS_PUD_PFNMAP"
#define DEVMEM_THP_ENABLED	"/sys/kernel/mm/transparent_hugepage/enabled"
#define DEVMEM_SEE		"a guest of QEMU with ivshmem and an IOMMU has it"

struct devmem {
	char device[PCI_NAME_MAX];
	unsigned int bar_index;
	struct pci_bar bar;
	struct vfio_device vfio;	/* after devmem_open() */
	uint64_t offset;		/* of the BAR in vfio.fd */
};

/* Bytes that one entry maps, and whether kernel and CPU map device memory with it. */
struct devmem_levels {
	size_t page;
	size_t pmd;
	size_t pud;
	bool pmd_maps;
	bool pud_maps;
};

/* Find the device and its BAR. */
struct probe devmem_find(struct devmem *mem);

/* Open the device, which is bound to vfio-pci, through VFIO, with its memory switched on. */
struct probe devmem_open(struct devmem *mem);

/* Also after a devmem_open() that failed. */
void devmem_close(struct devmem *mem);

/*
 * Let faults make huge entries of device memory, as devmem_open() does. In 6.12 the setting for
 * transparent huge pages decides about it too (__thp_vma_allowable_orders() in mm/huge_memory.c),
 * in 7.2 no longer.
 */
void devmem_allow_huge(void);

/* What the kernel's configuration and the CPU say; false where the configuration cannot be read. */
void devmem_levels(struct devmem_levels *levels);

#endif
