// SPDX-License-Identifier: GPL-2.0
/*
 * locked: become the only run on this kernel, put back what a dead one left, then become COMMAND.
 * The lock stays with the open descriptor, which COMMAND and all its children inherit.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <vmtests/journal.h>
#include <vmtests/run_lock.h>

#include "ctl.h"

#define HOLDS "VMTESTS_HOLDS"
/* More than the grace that a runner gives to a test that it ends. */
#define TOLD_SECONDS 10
/* After SIGKILL only the kernel can still take its time: large pools are freed page by page. */
#define KILLED_SECONDS 60

static void say_recovered(const char *path, const char *value)
{
	printf("# an earlier run died: put %s back to %s\n", path, value);
}

/*
 * Is the lock held through this descriptor? Others that wait for it have the same file open, but
 * only holders have a line: show_fd_locks() in fs/locks.c. Returns -errno when nobody can tell.
 */
static int fd_holds_lock(int process, const char *fd, const struct stat *lock)
{
	char path[32], info[1024];
	struct stat file;
	ssize_t length;
	int info_fd;

	snprintf(path, sizeof(path), "fd/%.20s", fd);
	if (fstatat(process, path, &file, 0))
		return errno == ENOENT ? 0 : -errno;
	if (file.st_dev != lock->st_dev || file.st_ino != lock->st_ino)
		return 0;
	snprintf(path, sizeof(path), "fdinfo/%.20s", fd);
	info_fd = openat(process, path, O_RDONLY | O_CLOEXEC);
	if (info_fd < 0)
		return errno == ENOENT ? 0 : -errno;
	length = read(info_fd, info, sizeof(info) - 1);
	close(info_fd);
	info[length > 0 ? length : 0] = '\0';
	return !!strstr(info, "\nlock:");
}

/* Returns whether the process does; -errno when that cannot be seen. */
static int process_holds_lock(int process, const struct stat *lock)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *fds = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int holds = fds ? 0 : -errno;

	while (!holds && (entry = readdir(fds))) {
		if (entry->d_name[0] != '.')
			holds = fd_holds_lock(process, entry->d_name, lock);
	}
	if (fds)
		closedir(fds);
	else if (fd >= 0)
		close(fd);
	return holds;
}

static int pid_holds_lock(pid_t pid, const struct stat *lock)
{
	char path[32];
	int process, holds;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	process = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process < 0)
		return -errno;
	holds = process_holds_lock(process, lock);
	close(process);
	return holds;
}

static int lock_stat(struct stat *lock)
{
	int fd = __run_lock_open();
	int err = fd < 0 ? fd : fstat(fd, lock) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

static void holder_kill(pid_t pid)
{
	fprintf(stderr, "vmtctl: process %d ignores that its run died: killed\n", (int)pid);
	kill(pid, SIGKILL);
}

/* How many processes hold the lock that can be seen from here; each is given to @found. */
static unsigned int holders_find(void (*found)(pid_t pid))
{
	unsigned int holders = 0;
	struct dirent *entry;
	struct stat lock;
	DIR *proc = lock_stat(&lock) ? NULL : opendir("/proc");

	while (proc && (entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || pid == getpid() || pid_holds_lock(pid, &lock) <= 0)
			continue;
		holders++;
		if (found)
			found(pid);
	}
	if (proc)
		closedir(proc);
	return holders;
}

/*
 * Has @owner ended, and left the lock to its children? Its pid may be another's by now. Where the
 * kernel no longer says whose it was, what is left of it can be seen all the same.
 */
static bool owner_ended(pid_t owner)
{
	struct stat lock;

	if (!owner)
		return holders_find(NULL);
	return process_dead(owner) || (!lock_stat(&lock) && !pid_holds_lock(owner, &lock));
}

/*
 * A run that was killed holds its lock until the last of its processes has put back what it
 * changed, which all were told to do. What does not listen is killed, and the journal has the rest.
 */
static int dead_run_wait(void)
{
	pid_t owner = run_lock_owner();
	int err;

	if (!owner_ended(owner))
		return -EBUSY;
	fprintf(stderr, "vmtctl: waiting for what a run that died left running\n");
	err = __run_lock_wait(TOLD_SECONDS);
	if (err == -ETIMEDOUT) {
		holders_find(holder_kill);
		err = __run_lock_wait(KILLED_SECONDS);
	}
	return err;
}

/* "SINCE LABEL" of a process that ctl_locked() became, or "". */
static void holds_read(pid_t pid, char *holds, size_t size)
{
	char path[32], *line = NULL;
	size_t room = 0;
	FILE *file;

	*holds = '\0';
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	file = fopen(path, "re");
	while (file && !*holds && getdelim(&line, &room, '\0', file) > 0)
		if (!strncmp(line, HOLDS "=", strlen(HOLDS "=")))
			snprintf(holds, size, "%s", line + strlen(HOLDS "="));
	free(line);
	if (file)
		fclose(file);
}

/* Who holds this machine: its pid, and, of a run, its label and since when. */
static void owner_describe(pid_t owner, char *text, size_t size)
{
	char holds[PATH_MAX], since[32];
	struct tm local;
	time_t began;
	char *label;

	if (!owner) {
		snprintf(text, size, "one that cannot be seen from this container");
		return;
	}
	holds_read(owner, holds, sizeof(holds));
	began = strtol(holds, &label, 10);
	if (*label != ' ' || !localtime_r(&began, &local) ||
	    !strftime(since, sizeof(since), "%F %T", &local)) {
		snprintf(text, size, "pid %d", (int)owner);
		return;
	}
	snprintf(text, size, "pid %d, label%s, since %s", (int)owner, label, since);
	for (char *c = text; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
}

static int busy_error(void)
{
	char owner[PATH_MAX + 128];

	owner_describe(run_lock_owner(), owner, sizeof(owner));
	return ctl_error("another run holds this machine: %s: wait for it with -w, or end it",
			 owner);
}

static int busy_wait(void)
{
	char owner[PATH_MAX + 128];

	owner_describe(run_lock_owner(), owner, sizeof(owner));
	fprintf(stderr, "vmtctl: waiting for another run: %s\n", owner);
	return __run_lock_wait(0);
}

/* Returns 0 with lock and journal; -EBUSY when another run has them and @wait is not set. */
static int machine_take(bool wait)
{
	int err;

	while ((err = __journal_open(say_recovered)) == -EBUSY) {
		err = dead_run_wait();
		if (err == -EBUSY && wait)
			err = busy_wait();
		if (err)
			break;
	}
	return err;
}

/* Let COMMAND inherit @fd, whose number is in the environment's @name. */
static int fd_pass_on(int fd, const char *name)
{
	char number[16];
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0 || fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC))
		return -errno;
	snprintf(number, sizeof(number), "%d", fd);
	return setenv(name, number, 1) ? -errno : 0;
}

/*
 * The lock, and a file for answers: a shell that reads a command's output through a pipe acts on no
 * signal meanwhile, and one that makes a file needs a place for it.
 */
static int fds_pass_on(void)
{
	int fd = memfd_create("vmtests-answer", MFD_CLOEXEC);
	int err = fd < 0 ? -errno : fd_pass_on(fd, "VMTESTS_ANSWER_FD");

	return err ? err : fd_pass_on(run_lock_fd(), "VMTESTS_LOCK_FD");
}

/* For whoever comes meanwhile: see holds_read(). */
static int holds_say(const char *label)
{
	char text[PATH_MAX + 32];

	snprintf(text, sizeof(text), "%lld %s", (long long)time(NULL), label);
	return setenv(HOLDS, text, 1) ? -errno : 0;
}

static int journal_error(int err)
{
	char reason[RESTORE_REASON_MAX];

	journal_refuse(err, reason, sizeof(reason));
	return ctl_error("%s", reason);
}

int ctl_locked(int argc, char **argv)
{
	const char *label = NULL;
	bool wait = false;
	int opt, err;

	while ((opt = getopt(argc, argv, "+o:w")) != -1) {
		if (opt == 'o')
			label = optarg;
		else if (opt == 'w')
			wait = true;
	}
	if (optind >= argc)
		return ctl_error("locked: [-w] [-o LABEL-DIR] COMMAND [ARGUMENTS]");
	err = machine_take(wait);
	if (err == -EBUSY)
		return busy_error();
	if (err == -ETIMEDOUT)
		return ctl_error("a run died, and what it left does not end: reboot");
	if (err)
		return journal_error(err);
	fflush(stdout);
	err = fds_pass_on();
	if (!err && label)
		err = holds_say(label);
	if (err)
		return ctl_error("cannot pass the lock on: %s", strerror(-err));
	execvp(argv[optind], argv + optind);
	return ctl_error("cannot start %s: %s", argv[optind], strerror(errno));
}
