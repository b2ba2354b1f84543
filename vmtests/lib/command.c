// SPDX-License-Identifier: GPL-2.0
/*
 * command: run another program without a shell.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmtests/command.h>

#define CHUNK 65536

static const char *const admin_dirs[] = { "/usr/sbin", "/sbin" };

static int actions_fill(posix_spawn_file_actions_t *actions, int in, int out, bool quiet)
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

static int spawn_search(pid_t *pid, const posix_spawn_file_actions_t *actions, char *const argv[],
			char *const env[])
{
	char path[PATH_MAX];
	int ret;

	ret = posix_spawnp(pid, argv[0], actions, NULL, argv, env);
	for (size_t i = 0; ret == ENOENT && i < sizeof(admin_dirs) / sizeof(*admin_dirs); i++) {
		if (snprintf(path, sizeof(path), "%s/%s", admin_dirs[i], argv[0]) <
		    (int)sizeof(path))
			ret = posix_spawn(pid, path, actions, NULL, argv, env);
	}
	return ret;
}

int __command_start(char *const argv[], char *const env[], int in, int out, bool quiet, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int ret;

	ret = posix_spawn_file_actions_init(&actions);
	if (ret)
		return -ret;
	ret = actions_fill(&actions, in, out, quiet);
	if (!ret)
		ret = spawn_search(pid, &actions, argv, env ? env : environ);
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

/* To the end of @fd. Returns the length of the new string, or -errno without one. */
static ssize_t read_all(int fd, char **out, size_t max)
{
	char *text = NULL, *larger;
	size_t len = 0, room = 0;
	ssize_t n;

	for (;;) {
		if (room - len < 2) {
			room += CHUNK;
			larger = realloc(text, room);
			if (!larger) {
				n = -ENOMEM;
				break;
			}
			text = larger;
		}
		n = read(fd, text + len, room - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			n = -errno;
		if (n <= 0)
			break;
		len += n;
		if (len > max) {
			n = -EOVERFLOW;
			break;
		}
	}
	if (n) {
		free(text);
		return n;
	}
	text[len] = '\0';
	*out = text;
	return len;
}

static int output_start(char *const argv[], char *const env[], int in, int out, pid_t *pid)
{
	int null, ret;

	if (in >= 0)
		return __command_start(argv, env, in, out, true, pid);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0)
		return -errno;
	ret = __command_start(argv, env, null, out, true, pid);
	close(null);
	return ret;
}

ssize_t __command_output(char *const argv[], char *const env[], int in, char **out, size_t max)
{
	int pipes[2], ret;
	ssize_t len;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	ret = output_start(argv, env, in, pipes[1], &pid);
	close(pipes[1]);
	if (ret) {
		close(pipes[0]);
		return ret;
	}
	len = read_all(pipes[0], out, max);
	/* Closed before the wait: a program that still has much to say must not block for ever. */
	close(pipes[0]);
	ret = __command_wait(pid);
	if (len < 0 || !ret)
		return len;
	free(*out);
	return ret < 0 ? ret : -EIO;
}
