// SPDX-License-Identifier: GPL-2.0
/* state_dir: where the journal lies. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state_dir.h"

#define STATE_DIR_DEFAULT "/var/lib/vmtests"

const char *state_dir(void)
{
	static char of_user[PATH_MAX];
	const char *dir = getenv("VMTESTS_STATE_DIR");
	int len;

	if (dir && *dir)
		return dir;
	if (!geteuid())
		return STATE_DIR_DEFAULT;
	dir = getenv("XDG_RUNTIME_DIR");
	len = dir && *dir ? snprintf(of_user, sizeof(of_user), "%s/vmtests", dir) :
			    snprintf(of_user, sizeof(of_user), "/tmp/vmtests-%u", geteuid());
	return len < (int)sizeof(of_user) ? of_user : STATE_DIR_DEFAULT;
}

/* Whoever can write to the state directory decides what root writes to the machine's settings. */
static int owner_check(int fd, mode_t type)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if ((st.st_mode & S_IFMT) != type || st.st_uid != geteuid() ||
	    (st.st_mode & 0022))
		return -EPERM;
	return 0;
}

int state_dir_open(void)
{
	int fd, ret;

	if (mkdir(state_dir(), 0700) && errno != EEXIST)
		return -errno;
	fd = open(state_dir(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = owner_check(fd, S_IFDIR);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

int state_file_open(int dir_fd, const char *name, int flags)
{
	int fd, ret;

	fd = openat(dir_fd, name, flags | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ret = owner_check(fd, S_IFREG);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}
