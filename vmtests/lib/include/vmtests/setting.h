/* SPDX-License-Identifier: GPL-2.0 */
/*
 * setting: a file of the kernel's that holds one value, read and written as the kernel means it.
 *
 * A file of the "a [b] c" kind reads as the word in brackets, and white space as one space; numbers
 * compare as numbers. Changing a setting for good is not for tests: see libmm/restore.h.
 */
#ifndef VMTESTS_SETTING_H
#define VMTESTS_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <libmm/restore.h>

/* The present value. Returns its length, -EOVERFLOW when it does not fit @size, or -errno. */
ssize_t __setting_get(const char *path, char *buf, size_t size);

/* Whether the setting has @value now; false when it cannot be read. */
bool setting_is(const char *path, const char *value);

/*
 * Write @value and read it back. Returns 0; -EBADE when the kernel kept another value, which is
 * then in @got (SETTING_VALUE_MAX bytes); -EOVERFLOW when @value is too long; or -errno.
 */
int __setting_write(const char *path, const char *value, char *got);

/* Whether two values mean the same. */
bool setting_equal(const char *a, const char *b);

#endif
