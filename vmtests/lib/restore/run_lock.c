// SPDX-License-Identifier: GPL-2.0
/* run_lock: one run at a time changes this kernel. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/sysfile.h>
#include <vmtests/run_lock.h>

/* The first that there is. A root that a unit test made up has none but itself. */
static const char *const locked_paths[] = {
	"/proc/self/ns/time", "/proc/self/ns/user", "/proc/self/ns/mnt", "/",
};

static int lock_fd = -1;
static bool lock_is_own;	/* taken here, not inherited */

/* The descriptor that run_vmtests.sh handed down, or -1 when it gave none or not of this lock. */
static int lock_inherited(const struct stat *lock)
{
	const char *text = getenv("VMTESTS_LOCK_FD");
	struct stat st;
	char *end;
	long fd;

	if (!text || !isdigit((unsigned char)*text))
		return -1;
	fd = strtol(text, &end, 10);
	if (*end || fd > INT_MAX || fstat(fd, &st))
		return -1;
	return st.st_dev == lock->st_dev && st.st_ino == lock->st_ino ? fd : -1;
}

int __run_lock_open(void)
{
	char path[SYSFILE_PATH_MAX];
	int fd = -1, ret = -ENOENT;

	for (size_t i = 0; ret == -ENOENT && i < ARRAY_SIZE(locked_paths); i++) {
		ret = __sysfile_path(path, sizeof(path), locked_paths[i]);
		if (ret)
			return ret;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		ret = fd < 0 ? -errno : 0;
	}
	return ret ? ret : fd;
}

/*
 * A lock of our own, or proof that we inherited one. That a fresh open cannot be locked shows that
 * the lock is held; that the inherited descriptor can, that it is held through that one.
 */
static int lock_take(void)
{
	int fd, inherited, ret;
	struct stat st;

	fd = __run_lock_open();
	if (fd < 0)
		return fd;
	lock_is_own = !flock(fd, LOCK_EX | LOCK_NB);
	if (lock_is_own)
		return fd;
	ret = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (ret == -EBUSY && !fstat(fd, &st)) {
		inherited = lock_inherited(&st);
		if (inherited >= 0 && !flock(inherited, LOCK_EX | LOCK_NB))
			ret = inherited;
	}
	close(fd);
	return ret;
}

int __run_lock_take(void)
{
	int fd = lock_take();

	if (fd < 0)
		return fd;
	lock_fd = fd;
	return 0;
}

void run_lock_release(void)
{
	if (lock_fd >= 0 && lock_is_own)
		close(lock_fd);
	lock_fd = -1;
}

int run_lock_fd(void)
{
	return lock_fd;
}

/* "1: FLOCK  ADVISORY  WRITE PID MAJOR:MINOR:INODE 0 EOF": lock_get_status() in fs/locks.c. */
static pid_t lock_line_pid(const char *line, const struct stat *lock)
{
	unsigned int major, minor;
	unsigned long inode;
	int pid;

	if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid, &major, &minor, &inode) != 4 ||
	    makedev(major, minor) != lock->st_dev || inode != lock->st_ino)
		return 0;
	return pid;
}

pid_t run_lock_owner(void)
{
	int fd = __run_lock_open();
	struct stat lock;
	char line[256];
	pid_t pid = 0;
	FILE *locks;

	if (fd < 0)
		return 0;
	locks = fstat(fd, &lock) ? NULL : fopen("/proc/locks", "re");
	while (locks && !pid && fgets(line, sizeof(line), locks))
		pid = lock_line_pid(line, &lock);
	if (locks)
		fclose(locks);
	close(fd);
	return pid;
}

static void alarm_ignore(int sig)
{
	(void)sig;
}

/* flock(2) until the alarm interrupts it. */
static int lock_wait(int fd, unsigned int seconds)
{
	struct sigaction action = { .sa_handler = alarm_ignore }, old;
	int ret;

	if (sigaction(SIGALRM, &action, &old))
		return -errno;
	alarm(seconds);
	ret = flock(fd, LOCK_EX) ? -errno : 0;
	alarm(0);
	sigaction(SIGALRM, &old, NULL);
	return ret == -EINTR ? -ETIMEDOUT : ret;
}

int __run_lock_wait(unsigned int seconds)
{
	int fd, ret;

	fd = __run_lock_open();
	if (fd < 0)
		return fd;
	ret = lock_wait(fd, seconds);
	close(fd);
	return ret;
}
