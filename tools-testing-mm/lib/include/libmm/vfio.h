/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vfio: a PCI device in the hands of the caller, through vfio-pci's container and group files.
 */
#ifndef LIBMM_VFIO_H
#define LIBMM_VFIO_H

#include <stddef.h>
#include <stdint.h>

#define VFIO_REASON_MAX 256

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

/*
 * Whether an IOMMU is in front of PCI device @name: vfio-pci takes no other. Returns 0; or -ENODEV
 * and one sentence in @reason (VFIO_REASON_MAX is enough).
 */
int __vfio_iommu(const char *name, char *reason, size_t len);

/*
 * Open PCI device @name, which vfio-pci must have (__pci_bind() in pci.h), as the only one of its
 * IOMMU group and container. Returns 0; or -errno and one sentence in @reason (VFIO_REASON_MAX is
 * enough) that names what is missing: -ENOENT, no VFIO; -ENODEV, no IOMMU; -EBUSY, others of the
 * group have drivers or someone has it open.
 * Source: Documentation/driver-api/vfio.rst.
 */
int __vfio_open(struct vfio_device *dev, const char *name, char *reason, size_t len);
void vfio_close(struct vfio_device *dev);

/* @index: VFIO_PCI_BAR0_REGION_INDEX and so on of linux/vfio.h. Returns 0 or -errno. */
int __vfio_region(const struct vfio_device *dev, unsigned int index, struct vfio_region *region);

/*
 * Let the device answer accesses to its memory or not: bit 1 of PCI_COMMAND. Off, vfio-pci takes
 * all mappings of it away and accesses give SIGBUS. Returns 0 or -errno.
 */
int __vfio_memory_enable(const struct vfio_device *dev, int enable);

#endif
