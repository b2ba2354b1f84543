/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vfio: a PCI device in the hands of the caller, through vfio-pci's container and group files,
 * which every kernel with VFIO has. Source: Documentation/driver-api/vfio.rst.
 */
#ifndef LIBMM_VFIO_H
#define LIBMM_VFIO_H

#include <stdbool.h>
#include <stdint.h>

#include <libmm/probe.h>

#define VFIO_DRIVER "vfio-pci"

struct vfio_device {
	int container;
	int group;
	int fd;
};

/* A part of the device: bytes, and where the device's file has them, for mmap(2) and pread(2). */
struct vfio_region {
	uint64_t size;
	uint64_t offset;
	uint32_t flags;		/* VFIO_REGION_INFO_FLAG_* */
};

/* Open PCI device @name, bound to vfio-pci, as the only one of its IOMMU group and container. */
struct probe vfio_open(struct vfio_device *dev, const char *name);
void vfio_close(struct vfio_device *dev);

/* @index: VFIO_PCI_BAR0_REGION_INDEX and so on of linux/vfio.h. Returns 0 or -errno. */
int vfio_region_get(const struct vfio_device *dev, unsigned int index, struct vfio_region *region);

/* As pci_memory_enable(). Off, vfio-pci takes all mappings away, and accesses give SIGBUS. */
int vfio_memory_enable(const struct vfio_device *dev, bool enable);

#endif
