/* SPDX-License-Identifier: GPL-2.0 */
/* Files whose size and kind are untrusted. */
#ifndef VMCOMPARE_FILE_H
#define VMCOMPARE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Open a regular file of at most max bytes below dirfd, following no link; negative errno. */
int file_open(int dirfd, const char *name, long max);
/* The whole of fd, NUL-terminated; NULL after saying why. */
char *file_slurp(int fd, const char *name, size_t max, size_t *len);

#endif
