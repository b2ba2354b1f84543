/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ramdisk: a block device in the kernel's own memory, where no disk's speed hides what is measured.
 */
#ifndef VMTESTS_RAMDISK_H
#define VMTESTS_RAMDISK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Make one of at least @bytes: brd, or else null_blk with memory behind it; undone by
 * restore_all(), so all its memory comes back. @path (@size bytes) gets the device. Memory is taken
 * as it is written. A module that is there already is someone else's and is left alone. Returns 0;
 * -ENODEV with what is missing in @reason (@len bytes); or -errno with what failed.
 */
int __ramdisk_make(uint64_t bytes, char *path, size_t size, char *reason, size_t len);

#endif
