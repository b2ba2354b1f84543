/* SPDX-License-Identifier: GPL-2.0 */
/*
 * undo: the kinds of records, and how each is undone. Private to restore/; see vmtests/undo.h.
 *
 * An undo gets target and value of its record, and returns 0 when the thing is gone, or -errno.
 */
#ifndef VMTESTS_UNDO_PRIVATE_H
#define VMTESTS_UNDO_PRIVATE_H

#define UNDO_PROCESS "process"
#define UNDO_FILE "file"
#define UNDO_TREE "tree"
#define UNDO_MOUNT "mount"
#define UNDO_DM "dm"
#define UNDO_MODULE "module"
#define UNDO_CRYPTO "crypto"
#define UNDO_PCI_DRIVER "pcidriver"

/* The values of records, which say no more than what undoing comes to: for whoever reads them. */
#define UNDO_ENDED "ended"
#define UNDO_UNMOUNTED "unmounted"
#define UNDO_ABSENT "absent"

int undo_process(const char *target, const char *value);
int undo_file(const char *target, const char *value);
int undo_tree(const char *target, const char *value);
int undo_mount(const char *target, const char *value);
int undo_dm(const char *target, const char *value);
int undo_module(const char *target, const char *value);
int undo_crypto(const char *target, const char *value);
int undo_pci_driver(const char *target, const char *value);

/*
 * Wait until udev, where there is one, has handled all events: it opens a block device that
 * appears, which makes it busy.
 */
void undo_udev_settle(void);

#endif
