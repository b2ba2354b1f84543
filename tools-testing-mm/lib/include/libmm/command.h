/* SPDX-License-Identifier: GPL-2.0 */
/*
 * command: run another program without a shell. A fixed argument vector is all it takes, so nothing
 * in a file name or a setting is ever interpreted.
 */
#ifndef LIBMM_COMMAND_H
#define LIBMM_COMMAND_H

#include <sys/types.h>

/*
 * Start @argv[0], looked up in $PATH, with @in and @out as its standard input and output (-1: those
 * of the caller), its messages dropped when @quiet is set. @env is the whole environment, NULL the
 * caller's. Returns 0 with @pid set, or -errno (-ENOENT: no such program).
 */
int __command_start(char *const argv[], char *const env[], int in, int out, int quiet, pid_t *pid);

/* Wait for it to end. Returns its exit status, -EINTR when a signal killed it, or -errno. */
int __command_wait(pid_t pid);

/*
 * Start @argv quietly, read at most @size - 1 bytes of its output into @buf as a string without
 * trailing white space, and wait. Returns its exit status or -errno; -EOVERFLOW when it said more.
 */
int __command_output(char *const argv[], int in, char *buf, size_t size);

#endif
