// SPDX-License-Identifier: GPL-2.0
/*
 * fingerprint_parts: from small files and other programs' output to JSON.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libmm/klog.h>
#include <libmm/sysfile.h>

#include "fingerprint_parts.h"

#define CHUNK 65536

/* Administrators' programs, which an ordinary user's $PATH leaves out. */
static const char *const admin_dirs[] = { "/usr/sbin", "/sbin" };

/* Programs speak English and take no advice from the caller's environment. */
static char *const clean_environment[] = {
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL,
};

json_t *fp_text(const char *text)
{
	json_t *string = json_string(text);
	char *clean;

	if (string)
		return string;

	clean = strdup(text);
	if (!clean)
		return NULL;
	for (char *c = clean; *c; c++)
		if (*c & 0x80)
			*c = '?';
	string = json_string(clean);
	free(clean);
	return string;
}

json_t *fp_file_text(const char *path)
{
	char text[FP_TEXT_MAX];

	return __sysfile_read(path, text, sizeof(text)) < 0 ? json_null() : fp_text(text);
}

json_t *fp_file_choice(const char *path)
{
	char text[FP_TEXT_MAX], *open, *close;

	if (__sysfile_read(path, text, sizeof(text)) < 0)
		return json_null();
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	if (!close)
		return json_null();
	*close = '\0';
	return fp_text(open + 1);
}

json_t *fp_file_number(const char *path)
{
	uint64_t number;

	return __sysfile_read_u64(path, &number) ? json_null() : json_integer(number);
}

bool fp_cmdline_has(const char *word)
{
	char text[FP_TEXT_MAX], *rest = text, *token;

	if (__sysfile_read("/proc/cmdline", text, sizeof(text)) < 0)
		return false;
	while ((token = strsep(&rest, " ")))
		if (!strcmp(token, word))
			return true;
	return false;
}

struct log_search {
	const char *const *words;
	bool found;
};

static void log_line(const char *text, bool bad, void *arg)
{
	struct log_search *search = arg;
	const char *const *word = search->words;

	(void)bad;
	while (*word && strstr(text, *word))
		word++;
	if (!*word)
		search->found = true;
}

int fp_boot_log_has(const char *const *words)
{
	const struct klog_mark boot = { 0 };
	struct log_search search = { .words = words };
	int ret = __klog_since(&boot, log_line, &search);

	if (search.found)
		return 1;
	return ret < 0 ? ret : 0;
}

int fp_dir_each(const char *path, int (*visit)(const char *name, void *arg), void *arg)
{
	char full[SYSFILE_PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int ret;

	ret = __sysfile_path(full, sizeof(full), path);
	if (ret)
		return ret;
	dir = opendir(full);
	if (!dir)
		return -errno;

	errno = 0;
	while (!ret && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			ret = visit(entry->d_name, arg);
		errno = 0;
	}
	if (!ret && errno)
		ret = -errno;
	closedir(dir);
	return ret;
}

static int spawn_search(pid_t *pid, const posix_spawn_file_actions_t *actions, char *const argv[])
{
	char path[SYSFILE_PATH_MAX];
	int err;

	err = posix_spawnp(pid, argv[0], actions, NULL, argv, clean_environment);
	for (size_t i = 0; err == ENOENT && i < sizeof(admin_dirs) / sizeof(*admin_dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", admin_dirs[i], argv[0]);
		err = posix_spawn(pid, path, actions, NULL, argv, clean_environment);
	}
	return -err;
}

/* Start @argv; its standard output can be read from *@from. */
static int spawn_start(char *const argv[], int stdin_fd, pid_t *pid, int *from)
{
	posix_spawn_file_actions_t actions;
	int pipe_fds[2];
	int err;

	if (pipe2(pipe_fds, O_CLOEXEC))
		return -errno;
	err = -posix_spawn_file_actions_init(&actions);
	if (err)
		goto out_pipe;

	if (stdin_fd >= 0)
		err = -posix_spawn_file_actions_adddup2(&actions, stdin_fd, STDIN_FILENO);
	else
		err = -posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
							O_RDONLY, 0);
	if (!err)
		err = -posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
	if (!err)
		err = -posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
							O_WRONLY, 0);
	if (!err)
		err = spawn_search(pid, &actions, argv);
	posix_spawn_file_actions_destroy(&actions);
out_pipe:
	close(pipe_fds[1]);
	if (err)
		close(pipe_fds[0]);
	else
		*from = pipe_fds[0];
	return err;
}

static ssize_t pipe_read_all(int fd, char **out, size_t max)
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

static int spawn_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

ssize_t fp_spawn(char *const argv[], int stdin_fd, char **out, size_t max)
{
	int from = -1, err;
	ssize_t len;
	pid_t pid;

	err = spawn_start(argv, stdin_fd, &pid, &from);
	if (err)
		return err;
	len = pipe_read_all(from, out, max);
	/* Closed before the wait: a program that still has much to say must not block for ever. */
	close(from);
	err = spawn_wait(pid);
	if (len >= 0 && err) {
		free(*out);
		return err;
	}
	return len;
}
