/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pci: a PCI device by its name in sysfs, as 0000:01:00.0. Below $LIBMM_ROOT as sysfile.h has it.
 */
#ifndef LIBMM_PCI_H
#define LIBMM_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PCI_NAME_MAX	32

/* A base address register: where the CPU sees it, and bytes; size 0 where the device has none. */
struct pci_bar {
	uint64_t start;
	uint64_t size;
};

/* A file of the device. Returns 0, -EINVAL when @name is not a device's, or -ENAMETOOLONG. */
int pci_path(char *path, size_t size, const char *name, const char *file);

/*
 * BAR @index (0 to 5) of a device. Returns 0, -EINVAL for a file that is not as the kernel writes
 * it (resource_show() in drivers/pci/pci-sysfs.c), or -errno (-ENOENT: no such device).
 */
int pci_bar_read(const char *name, unsigned int index, struct pci_bar *bar);

/*
 * The name of what a link of the device leads to, as "driver" or "iommu_group"; an empty string
 * where there is no link. Returns 0 or -errno.
 */
int pci_link(const char *name, const char *link, char *target, size_t size);

/*
 * Let the device answer accesses to its memory or not: bit 1 of PCI_COMMAND. @fd has configuration
 * space at @offset: a file of sysfs, or VFIO's. Returns 0 or -errno.
 */
int pci_memory_enable(int fd, off_t offset, bool enable);

#endif
