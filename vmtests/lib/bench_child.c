// SPDX-License-Identifier: GPL-2.0
/*
 * bench_child: a child that does nothing until it is let go.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmtests/bench_child.h>

int __bench_child_fork(struct bench_child *child)
{
	int fds[2], err;
	char byte;
	pid_t pid;

	if (pipe(fds))
		return -errno;
	pid = fork();
	if (!pid) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) == 0 ? 0 : 1);
	}
	err = errno;
	close(fds[0]);
	if (pid < 0) {
		close(fds[1]);
		return -err;
	}
	*child = (struct bench_child) { .pid = pid, .release = fds[1] };
	return 0;
}

/* Returns its status of waitpid(2), or -errno. */
static int child_reap(struct bench_child *child)
{
	int status, ret = 0;

	while (waitpid(child->pid, &status, 0) < 0) {
		if (errno != EINTR) {
			ret = -errno;
			break;
		}
	}
	child->pid = 0;
	return ret ? ret : status;
}

int __bench_child_exit(struct bench_child *child)
{
	int ret;

	close(child->release);
	ret = child_reap(child);
	return ret > 0 ? -ECHILD : ret;
}

void bench_child_kill(struct bench_child *child)
{
	if (child->pid <= 0)
		return;
	kill(child->pid, SIGKILL);
	close(child->release);
	child_reap(child);
}
