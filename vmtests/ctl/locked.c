// SPDX-License-Identifier: GPL-2.0
/*
 * locked: become the only run on this machine, put back what a dead one left, then become COMMAND.
 * The lock stays with the open descriptor, which COMMAND and all its children inherit.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/sysconf.h>

#include "ctl.h"

static void say_recovered(const char *path, const char *value)
{
	printf("# an earlier run died: put %s back to %s\n", path, value);
}

static int lock_pass_on(void)
{
	char number[16];
	int fd = sysconf_lock_fd();
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0 || fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC))
		return -errno;
	snprintf(number, sizeof(number), "%d", fd);
	return setenv("VMTESTS_LOCK_FD", number, 1) ? -errno : 0;
}

int ctl_locked(int argc, char **argv)
{
	int err;

	if (argc < 2)
		return ctl_error("locked: COMMAND [ARGUMENTS]");
	err = __sysconf_open(say_recovered);
	if (err == -EBUSY)
		return ctl_error("another run holds this machine: pid %d: wait for it, or end it",
				 (int)sysconf_owner());
	if (err)
		return ctl_error("cannot open the settings journal: %s", strerror(-err));
	fflush(stdout);
	err = lock_pass_on();
	if (err)
		return ctl_error("cannot pass the lock on: %s", strerror(-err));
	execvp(argv[1], argv + 1);
	return ctl_error("cannot start %s: %s", argv[1], strerror(errno));
}
