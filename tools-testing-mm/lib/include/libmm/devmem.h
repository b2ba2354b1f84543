/* SPDX-License-Identifier: GPL-2.0 */
/*
 * devmem: memory of a device that tests may overwrite, and the sizes of entries that may map it.
 *
 * The device is the one that $PFNMAP_DEVICE names (0000:01:00.0); without it, the first
 * ivshmem of QEMU, whose BAR 2 is memory and nothing else. $PFNMAP_BAR is the BAR: default
 * 2.
 */
#ifndef LIBMM_DEVMEM_H
#define LIBMM_DEVMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libmm/pci.h>
#include <libmm/vfio.h>

#define DEVMEM_PMD_OPTION	"CONFIG_ARCH_SUPPORTS_PMD_PFNMAP"
#define DEVMEM_PUD_OPTION	"CONFIG_ARCH_SUPPORTS_PUD_PFNMAP"
#define DEVMEM_THP_ENABLED	"/sys/kernel/mm/transparent_hugepage/enabled"
#define DEVMEM_REASON_MAX	(2 * PCI_REASON_MAX)
#define DEVMEM_SEE		"a guest of QEMU with ivshmem and an IOMMU has it"

struct devmem {
	char device[PCI_NAME_MAX];
	bool named;			/* by the user */
	unsigned int bar_index;
	struct pci_bar bar;
	struct vfio_device vfio;	/* after __devmem_open() */
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

/*
 * Find the device and its BAR. Returns 0; or -ENODEV and one sentence in @reason (for which
 * DEVMEM_REASON_MAX is enough) that says what is missing and where it is written how to have it.
 */
int __devmem_find(struct devmem *mem, char *reason, size_t len);

/*
 * Give the device to vfio-pci and open it, with its memory switched on. A device that was named is
 * taken from its driver, if nobody uses it (__pci_take()). Needs undo_register() before it, and
 * devmem_close() after it, also when it failed. Returns 0; or -errno and one sentence in @reason.
 */
int __devmem_open(struct devmem *mem, char *reason, size_t len);
void devmem_close(struct devmem *mem);

/*
 * Let faults make huge entries of device memory. In 6.12 the setting for transparent huge pages
 * decides about it too (__thp_vma_allowable_orders() in mm/huge_memory.c), in 7.2 no longer.
 * __devmem_open() does so.
 */
void devmem_allow_huge(void);

/* What the kernel's configuration and the CPU say; false where the configuration cannot be read. */
void devmem_levels(struct devmem_levels *levels);

#endif
