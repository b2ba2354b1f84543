/* SPDX-License-Identifier: GPL-2.0 */
/*
 * jsonl: files of one JSON object a line that a crash cannot spoil: what was appended before is
 * whole, and at most the line that was being written is lost.
 *
 * Several processes may append to one file at once, each through a descriptor of its own.
 */
#ifndef VMTESTS_JSONL_H
#define VMTESTS_JSONL_H

#include <jansson.h>

/*
 * Open DIR/NAME for appending, made if absent; its name is on the disk too when this returns. A
 * last line that is no whole JSON object, as a crash may leave it, is cut off, and stderr says so.
 * Returns a descriptor, -ENOTSUP when it is no regular file, or -errno.
 */
int __jsonl_open(const char *dir, const char *name);

/*
 * Append one line: one write(2), one fdatasync(2). Returns 0 or the -errno of the write. Whatever
 * failed, no part of the line stays in the file; -ENOSPC stands for a short write too.
 */
int __jsonl_append(int fd, const json_t *object);

/* Open, append one line, close. Returns 0 or -errno. */
int __jsonl_add(const char *dir, const char *name, const json_t *object);

/*
 * All lines of DIR/NAME as a JSON array in @lines, empty when there is no such file; a damaged last
 * line is left out. Returns 0, -EBADMSG when another line is no JSON object, -ENOTSUP, or
 * -errno.
 */
int __jsonl_read(const char *dir, const char *name, json_t **lines);

#endif
