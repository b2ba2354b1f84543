/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sysfile: bounded reads and writes of small files below /proc and /sys.
 *
 * Every absolute path is taken below $LIBMM_ROOT (default: the real root), so that unit tests
 * need no privilege and no particular machine.
 */
#ifndef LIBMM_SYSFILE_H
#define LIBMM_SYSFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SYSFILE_PATH_MAX 512

/*
 * Put $LIBMM_ROOT in front of the absolute @path. Returns 0, or -ENAMETOOLONG when @size bytes do
 * not hold the result.
 */
int __sysfile_path(char *buf, size_t size, const char *path);

/* open(2) of @path there, with O_CLOEXEC. Returns the file descriptor or -errno. */
int sysfile_open(const char *path, int flags);

/*
 * Read all of @path into @buf as a string without its trailing white space. Returns its length,
 * -EOVERFLOW unless the file, white space included, is shorter than @size, or the -errno of open(2)
 * or read(2).
 */
ssize_t __sysfile_read(const char *path, char *buf, size_t size);

/* Read a decimal or 0x number. Returns 0, -EINVAL when @path holds something else, or -errno. */
int __sysfile_read_u64(const char *path, uint64_t *value);

/*
 * Write @value with one write(2). Returns 0 or -errno; a short write is -EIO, an empty @value
 * -EINVAL (a write of no bytes never reaches the kernel's store method).
 */
int __sysfile_write(const char *path, const char *value);

/*
 * Read the number behind @key in a file of "key value" or "key: value" lines (vmstat, meminfo;
 * a unit behind the number is ignored, so meminfo gives kB). Returns 0, -ENOENT when the file has
 * no such key, or -errno.
 */
int __sysfile_read_key(const char *path, const char *key, uint64_t *value);

/* Whether @path exists and can be opened for reading. */
bool sysfile_readable(const char *path);

#endif
