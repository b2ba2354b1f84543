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

#include <vmtests/journal.h>
#include <vmtests/run_lock.h>

#include "ctl.h"

/* More than the grace that a runner gives to a test that it ends. */
#define TOLD_SECONDS 10
/* After SIGKILL only the kernel can still take its time: large pools are freed page by page. */
#define KILLED_SECONDS 60

static void say_recovered(const char *path, const char *value)
{
	printf("# an earlier run died: put %s back to %s\n", path, value);
}

/*
 * Is this descriptor the one through which @owner, which may be dead, took the lock? Others that
 * wait for the lock, or have it by now, have the same file open. See show_fd_locks() in fs/locks.c:
 * "lock: 1: FLOCK ADVISORY WRITE PID ...".
 */
static bool fd_holds_lock(int process, const char *fd, pid_t owner)
{
	char path[32], info[1024], *lock;
	ssize_t length;
	int file, pid;

	snprintf(path, sizeof(path), "fdinfo/%.20s", fd);
	file = openat(process, path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	length = read(file, info, sizeof(info) - 1);
	close(file);
	info[length > 0 ? length : 0] = '\0';
	lock = strstr(info, "\nlock:");
	return lock && sscanf(lock, " lock: %*s FLOCK %*s %*s %d", &pid) == 1 && pid == owner;
}

static bool process_holds_lock(int process, const struct stat *lock, pid_t owner)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *fds = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat file;
	bool holds = false;

	if (!fds) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!holds && (entry = readdir(fds)))
		holds = !fstatat(fd, entry->d_name, &file, 0) && file.st_dev == lock->st_dev &&
			file.st_ino == lock->st_ino && fd_holds_lock(process, entry->d_name, owner);
	closedir(fds);
	return holds;
}

/* Whoever holds the lock that a run took which has died since is a part of it. */
static void leftovers_kill(pid_t owner)
{
	char path[PATH_MAX];
	struct dirent *entry;
	struct stat lock;
	DIR *proc;

	if (__run_lock_path(path, sizeof(path)) || stat(path, &lock))
		return;
	proc = opendir("/proc");
	while (proc && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		int process;

		if (pid <= 0 || pid == getpid())
			continue;
		process = openat(dirfd(proc), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (process < 0)
			continue;
		if (process_holds_lock(process, &lock, owner)) {
			fprintf(stderr, "vmtctl: process %d ignores that its run died: killed\n",
				(int)pid);
			kill(pid, SIGKILL);
		}
		close(process);
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
	pid_t owner = run_lock_owner();
	int err;

	if (!process_dead(owner))
		return -EBUSY;
	fprintf(stderr, "vmtctl: waiting for what run %d, which died, left running\n", (int)owner);
	err = __run_lock_wait(TOLD_SECONDS);
	if (err == -ETIMEDOUT) {
		leftovers_kill(owner);
		err = __run_lock_wait(KILLED_SECONDS);
	}
	return err ? err : __journal_open(say_recovered);
}

static int lock_pass_on(void)
{
	char number[16];
	int fd = run_lock_fd();
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
	err = __journal_open(say_recovered);
	if (err == -EBUSY)
		err = dead_run_wait();
	if (err == -ETIMEDOUT)
		return ctl_error("run %d died, and what it left does not end: reboot",
				 (int)run_lock_owner());
	if (err == -EBUSY)
		return ctl_error("another run holds this machine: pid %d: wait for it, or end it",
				 (int)run_lock_owner());
	if (err)
		return ctl_error("cannot open the settings journal: %s", strerror(-err));
	fflush(stdout);
	err = lock_pass_on();
	if (err)
		return ctl_error("cannot pass the lock on: %s", strerror(-err));
	execvp(argv[1], argv + 1);
	return ctl_error("cannot start %s: %s", argv[1], strerror(errno));
}
