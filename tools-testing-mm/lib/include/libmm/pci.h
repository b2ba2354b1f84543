/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pci: a PCI device by its name in sysfs, as 0000:01:00.0, and the driver that it is bound to.
 *
 * Below $LIBMM_ROOT as sysfile.h has it.
 */
#ifndef LIBMM_PCI_H
#define LIBMM_PCI_H

#include <stddef.h>
#include <stdint.h>

#define PCI_NAME_MAX	32
#define PCI_REASON_MAX	256

/* A base address register: where the CPU sees it, and bytes; size 0 where the device has none. */
struct pci_bar {
	uint64_t start;
	uint64_t size;
};

/*
 * The first device, in the order of names, with these ids. Returns 0, -ENODEV when there is none
 * or no PCI bus, or -errno.
 */
int __pci_find(unsigned int vendor, unsigned int device, char *name, size_t size);

/*
 * BAR @index (0 to 5) of a device. Returns 0, -EINVAL for a file that is not as the kernel writes
 * it (resource_show() in drivers/pci/pci-sysfs.c), or -errno (-ENOENT: no such device).
 */
int __pci_bar(const char *name, unsigned int index, struct pci_bar *bar);

/* The driver that has the device; an empty string for none. Returns 0 or -errno. */
int __pci_driver(const char *name, char *driver, size_t size);

/*
 * Bind a device that no driver has to @driver, which must be loaded, through driver_override;
 * restore_all() takes it away again. Nothing is done for a device that @driver has already.
 *
 * Returns 0; or -errno and one sentence in @reason (PCI_REASON_MAX is enough): -ENOENT, no such
 * device or driver; -EBUSY, another driver has it or is to have it; -ENODEV, the driver refused it.
 */
int __pci_bind(const char *name, const char *driver, char *reason, size_t len);

/*
 * The same of a device that a driver has, unless it is in use (__pci_use()). The way back ends with
 * that driver.
 */
int __pci_take(const char *name, const char *driver, char *reason, size_t len);

/*
 * Make restore.h know how a device gets its driver back: kind "pcidriver", a device and the driver
 * that it goes back to, or "absent". For a program that undoes what another one has noted; the
 * functions above do it themselves. Returns 0 or as restore_register().
 */
int pci_restore_register(void);

/*
 * Whether someone would miss the device's driver. Returns 0 when nobody would; -EBUSY and one
 * sentence in @reason (PCI_REASON_MAX is enough) when it is a bridge or the boot's display, or has
 * a block device that the kernel or someone has opened for itself (a mount, swap, a part of
 * another), a device node that a process has open or mapped, or a network interface that is up; or
 * -errno and a sentence.
 *
 * Root alone can look at all processes. What has neither a node nor an interface, as an IOMMU's or
 * a watchdog's own use of a device, is not seen.
 */
int __pci_use(const char *name, char *reason, size_t len);

#endif
