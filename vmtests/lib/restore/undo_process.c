// SPDX-License-Identifier: GPL-2.0
/*
 * undo_process: programs that must not outlive who started them.
 *
 * The kernel kills such a program when its parent dies (PR_SET_PDEATHSIG). That takes a moment,
 * longer when the program is in the middle of a write to a disk, and until then it keeps a file
 * system busy; so each has a record too, and undoing it waits for the end. A process whose pidfd
 * says that it ended has closed its files: each thread's do_exit() runs exit_task_work(), which
 * does the last fput()s, before exit_notify(), and only the last thread's wakes who polls.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vmtests/command.h>
#include <vmtests/journal.h>
#include <vmtests/undo.h>

#include "journal_file.h"
#include "undo.h"

/* A killed program still waits for its last write to a device; past this the device hangs. */
#define KILLED_WAIT_MS (300 * 1000)
#define EXEC_FAILED 127

#ifndef __NR_pidfd_send_signal
#define __NR_pidfd_send_signal 424
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif

static int ended_wait(int pidfd)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int n;

	do {
		n = poll(&poll_fd, 1, KILLED_WAIT_MS);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n ? 0 : -EBUSY;
}

int undo_process(const char *target, const char *value)
{
	struct journal_owner process;
	int fd, ret = 0;

	(void)value;
	if (sscanf(target, "%d.%" SCNu64, &process.pid, &process.start) != 2)
		return -EINVAL;
	fd = syscall(__NR_pidfd_open, process.pid, 0);
	if (fd < 0)
		return errno == ESRCH ? 0 : -errno;
	/*
	 * There still, so that is the one the descriptor is of, whoever gets its pid next. A zombie
	 * too: when its first thread has ended and another is in the middle of a write.
	 */
	if (journal_owner_present(&process)) {
		if (syscall(__NR_pidfd_send_signal, fd, SIGKILL, NULL, 0) && errno != ESRCH)
			ret = -errno;
		if (!ret)
			ret = ended_wait(fd);
	}
	close(fd);
	return ret;
}

static void exec_search(char *const argv[], char *const env[])
{
	static const char *const admin_dirs[] = { "/usr/sbin", "/sbin" };
	char path[PATH_MAX];

	execvpe(argv[0], argv, env);
	for (size_t i = 0; errno == ENOENT && i < sizeof(admin_dirs) / sizeof(*admin_dirs); i++) {
		if (snprintf(path, sizeof(path), "%s/%s", admin_dirs[i], argv[0]) <
		    (int)sizeof(path))
			execve(path, argv, env);
	}
}

static int streams_set(int in, int out, bool quiet)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(in >= 0 ? in : null, STDIN_FILENO) < 0 ||
	    (out >= 0 && dup2(out, STDOUT_FILENO) < 0) ||
	    (quiet && dup2(null, STDERR_FILENO) < 0))
		return -errno;
	return 0;
}

/*
 * The channel carries, in turn: who the child is, the parent's word that this is in the journal,
 * and the errno of an exec that failed. A successful exec closes it, and so does death.
 */
static void __attribute__((noreturn)) child_become(int channel, pid_t parent, char *const argv[],
						   char *const env[], int in, int out, bool quiet)
{
	struct journal_owner self = { 0 };
	int error;
	char go;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent ||
	    journal_owner_self(&self) ||
	    write(channel, &self, sizeof(self)) != (ssize_t)sizeof(self) ||
	    read(channel, &go, 1) != 1)
		_exit(EXEC_FAILED);
	error = -streams_set(in, out, quiet);
	if (!error) {
		exec_search(argv, env);
		error = errno;
	}
	_exit(write(channel, &error, sizeof(error)) < 0 ? EXEC_FAILED : error);
}

static ssize_t channel_read(int channel, void *data, size_t size)
{
	ssize_t n;

	do {
		n = recv(channel, data, size, MSG_WAITALL);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* Returns 0 when the child has become the program, or -errno. */
static int child_release(int channel, const char *name)
{
	struct journal_owner child;
	char target[NAME_MAX];
	int error, ret;
	ssize_t n;

	if (channel_read(channel, &child, sizeof(child)) != (ssize_t)sizeof(child))
		return -ECHILD;
	snprintf(target, sizeof(target), "%d.%" PRIu64 " (%s)", child.pid, child.start, name);
	ret = __journal_note(UNDO_PROCESS, target, UNDO_ENDED);
	if (ret)
		return ret;
	if (send(channel, "", 1, MSG_NOSIGNAL) != 1)
		return -ECHILD;
	n = channel_read(channel, &error, sizeof(error));
	return n == (ssize_t)sizeof(error) ? -error : 0;
}

int __undo_process_start(char *const argv[], char *const env[], int in, int out, bool quiet,
			 pid_t *pid)
{
	pid_t parent = getpid();
	int channel[2], ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel))
		return -errno;
	*pid = fork();
	if (!*pid) {
		close(channel[0]);
		child_become(channel[1], parent, argv, env ? env : environ, in, out, quiet);
	}
	close(channel[1]);
	ret = *pid < 0 ? -errno : child_release(channel[0], argv[0]);
	/* Without the word, the child ends at once. */
	close(channel[0]);
	if (ret && *pid > 0)
		__command_wait(*pid);
	return ret;
}

int __undo_process_run(char *const argv[], char *const env[], int in, int out, bool quiet)
{
	pid_t pid;
	int ret;

	ret = __undo_process_start(argv, env, in, out, quiet, &pid);
	return ret ? ret : __command_wait(pid);
}
