// SPDX-License-Identifier: GPL-2.0
/*
 * locked: become the only run on this machine, put back what a dead one left, then become COMMAND.
 * The lock stays with the open descriptor, which COMMAND and all its children inherit.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmm/sysconf.h>

#include "ctl.h"

/* More than the grace that a runner gives to a test that it ends. */
#define TOLD_SECONDS 10
/* After SIGKILL only the kernel can still take its time: large pools are freed page by page. */
#define KILLED_SECONDS 60

static void say_recovered(const char *path, const char *value)
{
	printf("# an earlier run died: put %s back to %s\n", path, value);
}

static bool process_has_open(int proc, const char *pid, const struct stat *file)
{
	char path[64];
	struct dirent *entry;
	struct stat open_file;
	bool found = false;
	DIR *fds;
	int fd;

	snprintf(path, sizeof(path), "%.20s/fd", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds = fd < 0 ? NULL : fdopendir(fd);
	if (!fds) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && (entry = readdir(fds)))
		found = !fstatat(fd, entry->d_name, &open_file, 0) &&
			open_file.st_dev == file->st_dev && open_file.st_ino == file->st_ino;
	closedir(fds);
	return found;
}

/* Whoever has the lock's file open has it from the run that died. */
static void leftovers_kill(void)
{
	char path[PATH_MAX];
	struct dirent *entry;
	struct stat lock;
	DIR *proc;

	if (__sysconf_lock_path(path, sizeof(path)) || stat(path, &lock))
		return;
	proc = opendir("/proc");
	while (proc && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || pid == getpid() ||
		    !process_has_open(dirfd(proc), entry->d_name, &lock))
			continue;
		fprintf(stderr, "vmtctl: process %d ignores that its run died: killed\n", (int)pid);
		kill(pid, SIGKILL);
	}
	if (proc)
		closedir(proc);
}

/*
 * A run that was killed holds its lock until the last of its processes has put back what it
 * changed, which all were told to do. What does not listen is killed, and the journal has the rest.
 */
static int dead_run_wait(void)
{
	int err;

	if (!process_dead(sysconf_owner()))
		return -EBUSY;
	fprintf(stderr, "vmtctl: waiting for what run %d, which died, left running\n",
		(int)sysconf_owner());
	err = __sysconf_wait(TOLD_SECONDS);
	if (err == -ETIMEDOUT && process_dead(sysconf_owner())) {
		leftovers_kill();
		err = __sysconf_wait(KILLED_SECONDS);
	}
	return err ? err : __sysconf_open(say_recovered);
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
		err = dead_run_wait();
	if (err == -ETIMEDOUT)
		return ctl_error("run %d died, and what it left does not end: reboot",
				 (int)sysconf_owner());
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
