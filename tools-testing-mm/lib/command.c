// SPDX-License-Identifier: GPL-2.0
/*
 * command: run another program without a shell.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libmm/command.h>

static int actions_fill(posix_spawn_file_actions_t *actions, int in, int out, int quiet)
{
	int ret = 0;

	if (in >= 0)
		ret = posix_spawn_file_actions_adddup2(actions, in, STDIN_FILENO);
	if (!ret && out >= 0)
		ret = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
	if (!ret && quiet)
		ret = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null",
						       O_WRONLY, 0);
	return ret;
}

int __command_start(char *const argv[], char *const env[], int in, int out, int quiet, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int ret;

	ret = posix_spawn_file_actions_init(&actions);
	if (ret)
		return -ret;
	ret = actions_fill(&actions, in, out, quiet);
	if (!ret)
		ret = posix_spawnp(pid, argv[0], &actions, NULL, argv, env ? env : environ);
	posix_spawn_file_actions_destroy(&actions);
	return -ret;
}

int __command_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* Reads to the end even when @buf is full, so that the writer never waits for a reader. */
static ssize_t output_read(int fd, char *buf, size_t size)
{
	char rest[512];
	size_t length = 0;
	int overflow = 0;

	for (;;) {
		size_t room = size - 1 - length;
		ssize_t got = read(fd, room ? buf + length : rest, room ? room : sizeof(rest));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		if (room)
			length += (size_t)got;
		else
			overflow = 1;
	}
	while (length && isspace((unsigned char)buf[length - 1]))
		length--;
	buf[length] = '\0';
	return overflow ? -EOVERFLOW : (ssize_t)length;
}

int __command_output(char *const argv[], int in, char *buf, size_t size)
{
	int pipes[2], ret, status;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	ret = __command_start(argv, NULL, in, pipes[1], 1, &pid);
	close(pipes[1]);
	if (ret) {
		close(pipes[0]);
		return ret;
	}
	ret = (int)output_read(pipes[0], buf, size);
	close(pipes[0]);
	status = __command_wait(pid);
	return ret < 0 ? ret : status;
}
