/* SPDX-License-Identifier: GPL-2.0 */
/* Stand in for pread(2), for unit tests of readers under which a file changes. */
#ifndef PREAD_HOOK_H
#define PREAD_HOOK_H

#include <sys/syscall.h>
#include <unistd.h>

/* Called before each pread() of the program, with how many there were. */
static void (*read_hook)(unsigned int nr, void *arg);
static void *read_hook_arg;
static unsigned int nr_reads;

/* Takes the place of libc's in libmm too, for a static library is linked after the test. */
ssize_t pread(int fd, void *buf, size_t len, off_t offset)
{
	if (read_hook)
		read_hook(nr_reads++, read_hook_arg);
	return syscall(SYS_pread64, fd, buf, len, offset);
}

#endif
