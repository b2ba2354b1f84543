/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pci: give a PCI device to another driver for a time. How a device gets its driver back is a
 * record in the journal (vmtests/journal.h) before anything is changed.
 */
#ifndef VMTESTS_PCI_H
#define VMTESTS_PCI_H

#include <stddef.h>

#include <libmm/pci.h>

#define PCI_REASON_MAX	256

/*
 * The first device, in the order of names, with these ids. Returns 0, -ENODEV when there is none
 * or no PCI bus, or -errno.
 */
int pci_find(unsigned int vendor, unsigned int device, char *name, size_t size);

/*
 * Bind a device that has no driver to @driver, which must be loaded, through driver_override;
 * restore_all() undoes that. Does nothing for a device that @driver has already. Needs
 * undo_register() before it.
 *
 * Returns 0; or -errno and one sentence in @reason (PCI_REASON_MAX is enough): -ENOENT, no such
 * device or driver; -EBUSY, another driver has it or is to have it; -ENODEV, the driver refused it.
 */
int pci_bind(const char *name, const char *driver, char *reason, size_t len);

/*
 * The same for a device that may have a driver, unless it is in use (pci_use()). restore_all()
 * gives it back to that driver.
 */
int pci_take(const char *name, const char *driver, char *reason, size_t len);

/*
 * Whether the device is in use. Returns 0 when it is not; -EBUSY and one sentence in @reason
 * (PCI_REASON_MAX is enough) when it is a bridge or the boot's display, or has a block device that
 * the kernel or a process has opened for itself (a mount, swap, a part of another), a device node
 * that a process has open or mapped, or a network interface that is up; or -errno and a sentence.
 *
 * Root alone can look at all processes. The use of a device that has neither a node nor an
 * interface, as an IOMMU or a watchdog, is not seen.
 */
int pci_use(const char *name, char *reason, size_t len);

#endif
