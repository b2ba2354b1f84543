/* SPDX-License-Identifier: GPL-2.0 */
/*
 * restore: what a test changes on the machine, and how that is put back.
 *
 * There are two back ends. The one here (restore/restore.c) keeps the changes in memory and puts
 * them back at exit and on the signals that end a process. A runner that has to survive SIGKILL and
 * power cuts links its own, with a journal on disk. The interface is the same.
 *
 * A change belongs to the process that made it: a child of fork() does not put back what its parent
 * changed. What was changed last is put back first. Not for several threads of one process at a
 * time.
 */
#ifndef LIBMM_RESTORE_H
#define LIBMM_RESTORE_H

#include <stddef.h>

#define RESTORE_REASON_MAX 192
#define SETTING_VALUE_MAX 256	/* with the terminating null byte */

/*
 * Get ready to change the machine. The first change does this by itself; a test that wants to skip
 * where it may not change anything asks first. Returns 0; or -EBUSY and one sentence in @reason
 * (RESTORE_REASON_MAX is enough) when somebody else is changing settings of this machine; or
 * -errno and a sentence.
 */
int __restore_begin(char *reason, size_t len);

/*
 * Note the present value of @path, once. For callers that then write through a file descriptor of
 * their own. Returns 0; -EINVAL for an empty value, which could not be written back; or -errno.
 */
int __restore_save(const char *path);

/*
 * Save, write @value, and read it back; nothing of that when the setting has @value already, so
 * that a container with read-only settings can be asked for what it has. A file of the "a [b] c"
 * kind has the word in brackets. Returns 0; -EBADE when the kernel kept another value, which is
 * then in @got (SETTING_VALUE_MAX bytes, or NULL); -EOVERFLOW when @value is too long; or -errno.
 * restore_set() ends the test instead.
 */
int __restore_set(const char *path, const char *value, char *got);
void restore_set(const char *path, const char *value);

/*
 * Put everything back that this process has changed. Returns 0, or the -errno of the first thing
 * that could not be put back; the rest is put back all the same.
 */
int __restore_all(void);
void restore_all(void);

#endif
