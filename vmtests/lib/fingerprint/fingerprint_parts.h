/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of fingerprint share. Every function that gives JSON gives a new object, JSON null
 * for what this machine does not tell, and NULL only when memory ran out.
 */
#ifndef LIBMM_FINGERPRINT_PARTS_H
#define LIBMM_FINGERPRINT_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

#define FP_TEXT_MAX 8192

/* @text as a JSON string; bytes that are not UTF-8 become "?". */
json_t *fp_text(const char *text);

/* The content of a small file, the bracketed word of an "a [b] c" file, a number. */
json_t *fp_file_text(const char *path);
json_t *fp_file_choice(const char *path);
json_t *fp_file_number(const char *path);

/* Whether @word stands in the kernel command line, between spaces. */
bool fp_cmdline_has(const char *word);

/*
 * Visit the names in the folder @path, in no particular order, without "." and "..". Returns 0,
 * -errno when the folder cannot be read, or what @visit returned when not 0.
 */
int fp_dir_each(const char *path, int (*visit)(const char *name, void *arg), void *arg);

/*
 * Run @argv without a shell, with @stdin_fd (or -1: /dev/null) as its standard input. Gives what it
 * wrote to standard output, with a NUL behind it, in *@out (to be freed); its errors are dropped.
 * Returns the length, -EIO when the program failed, -EOVERFLOW for more than @max bytes, or -errno
 * (-ENOENT: no such program in $PATH, /usr/sbin or /sbin).
 */
ssize_t fp_spawn(char *const argv[], int stdin_fd, char **out, size_t max);

/*
 * Whether the kernel log has a line that contains all of @words (NULL-terminated), which the kernel
 * says while it boots: 1 or 0, or -errno, -EPIPE when the log no longer reaches back to boot.
 */
int fp_boot_log_has(const char *const *words);

/* The "cpu", "kernel" and "memory" objects. */
json_t *fp_cpu(void);
json_t *fp_kernel(void);
json_t *fp_memory(void);

/* sha256 in hex of what @fd holds from its offset on. Returns 0 or -errno. */
int fp_sha256_fd(int fd, char *hex);

#endif
