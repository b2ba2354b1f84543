// SPDX-License-Identifier: GPL-2.0
/* run_lock: one run at a time changes this machine. */
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
#include <unistd.h>

#include <vmtests/run_lock.h>

#include "state_dir.h"

#define LOCK_FILE "lock"

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

static int lock_write_pid(int fd)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", getpid());
	ssize_t n;

	if (ftruncate(fd, 0))
		return -errno;
	n = pwrite(fd, text, len, 0);
	return n == len ? 0 : n < 0 ? -errno : -EIO;
}

/*
 * A lock of our own, or proof that we inherited one. That a fresh open cannot be locked shows that
 * the lock is held; that the inherited descriptor can, that it is held through that one.
 */
static int lock_take(int dir_fd)
{
	int fd, inherited, ret;
	struct stat st;

	fd = state_file_open(dir_fd, LOCK_FILE, O_RDWR);
	if (fd < 0)
		return fd;
	if (!flock(fd, LOCK_EX | LOCK_NB)) {
		lock_is_own = true;
		ret = lock_write_pid(fd);
		goto out;
	}
	lock_is_own = false;
	ret = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (ret == -EBUSY && !fstat(fd, &st)) {
		inherited = lock_inherited(&st);
		if (inherited >= 0 && !flock(inherited, LOCK_EX | LOCK_NB)) {
			close(fd);
			return inherited;
		}
	}
out:
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

int __run_lock_take(int dir_fd)
{
	int fd = lock_take(dir_fd);

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

pid_t run_lock_owner(void)
{
	char text[32] = "";
	int dir_fd, fd, pid = 0;

	dir_fd = open(state_dir(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd < 0)
		return 0;
	fd = openat(dir_fd, LOCK_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	close(dir_fd);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) <= 0 || sscanf(text, "%d", &pid) != 1 || pid < 0)
		pid = 0;
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

int __run_lock_path(char *path, size_t size)
{
	int len = snprintf(path, size, "%s/" LOCK_FILE, state_dir());

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

int __run_lock_wait(unsigned int seconds)
{
	int dir_fd, fd, ret;

	dir_fd = state_dir_open();
	if (dir_fd < 0)
		return dir_fd;
	fd = state_file_open(dir_fd, LOCK_FILE, O_RDWR);
	close(dir_fd);
	if (fd < 0)
		return fd;
	ret = lock_wait(fd, seconds);
	close(fd);
	return ret;
}
