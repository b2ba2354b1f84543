/* SPDX-License-Identifier: GPL-2.0 */
/*
 * command: run another program without a shell. A fixed argument vector is all it takes, so nothing
 * in a file name or a setting is ever interpreted.
 */
#ifndef VMTESTS_COMMAND_H
#define VMTESTS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Start @argv[0], looked up in $PATH and then in the administrators' folders, which an ordinary
 * user's $PATH leaves out. @in and @out become its standard input and output (-1: those of the
 * caller); what it writes to stderr is dropped when @quiet is set. @env is the whole environment,
 * NULL the caller's. Returns 0 with @pid set, or -errno (-ENOENT: no such program).
 */
int __command_start(char *const argv[], char *const env[], int in, int out, bool quiet, pid_t *pid);

/* Wait for it to end. Returns its exit status, -EINTR when a signal killed it, or -errno. */
int __command_wait(pid_t pid);

/*
 * Run @argv quietly with @in (-1: nothing) as its input, and take its output, at most @max bytes,
 * into a new string *@out. Returns the length; -EIO when it did not exit with 0; -EOVERFLOW when it
 * said more; or -errno.
 */
ssize_t __command_output(char *const argv[], char *const env[], int in, char **out, size_t max);

#endif
