// SPDX-License-Identifier: GPL-2.0
/* kconfig: the configuration of the running kernel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <libmm/kconfig.h>
#include <libmm/sysfile.h>

static FILE *plain_open(const char *format)
{
	char path[SYSFILE_PATH_MAX], full[SYSFILE_PATH_MAX];
	char release[sizeof(((struct utsname *)0)->release)];

	if (__sysfile_read("/proc/sys/kernel/osrelease", release, sizeof(release)) <= 0)
		return NULL;
	snprintf(path, sizeof(path), format, release);
	return __sysfile_path(full, sizeof(full), path) ? NULL : fopen(full, "re");
}

static int stream_copy(FILE *from, FILE *to)
{
	char buf[4096];
	size_t len;

	while ((len = fread(buf, 1, sizeof(buf), from))) {
		if (fwrite(buf, 1, len, to) != len)
			return -EIO;
	}
	return ferror(from) || fflush(to) ? -EIO : 0;
}

/* Unpacked into memory, so that a part of it is never taken for the whole. */
static FILE *gzip_open(void)
{
	char path[SYSFILE_PATH_MAX], command[SYSFILE_PATH_MAX + 32];
	FILE *pipe, *file;
	int err;

	if (__sysfile_path(path, sizeof(path), "/proc/config.gz") || access(path, R_OK))
		return NULL;
	snprintf(command, sizeof(command), "exec gzip -dc '%s' 2>/dev/null", path);
	pipe = popen(command, "re");
	if (!pipe)
		return NULL;
	file = fdopen(memfd_create("kconfig", MFD_CLOEXEC), "w+");
	err = file ? stream_copy(pipe, file) : -EIO;
	if (pclose(pipe))
		err = -EIO;
	if (!err) {
		rewind(file);
		return file;
	}
	if (file)
		fclose(file);
	return NULL;
}

FILE *kconfig_open(void)
{
	FILE *file = gzip_open();

	if (!file)
		file = plain_open("/boot/config-%s");
	return file ? file : plain_open("/lib/modules/%s/config");
}

char kconfig_value(const char *option)
{
	size_t size = 0, len = strlen(option);
	char *line = NULL, value = '?';
	FILE *file = kconfig_open();

	if (!file)
		return '?';
	while (getline(&line, &size, file) >= 0) {
		if (strncmp(line, "CONFIG_", 7) && strncmp(line, "# CONFIG_", 9))
			continue;
		if (value == '?')
			value = 'n';
		if (!strncmp(line, option, len) && line[len] == '=')
			value = !strcmp(line + len + 1, "m\n") ? 'm' :
				!strcmp(line + len + 1, "n\n") ? 'n' : 'y';
	}
	if (ferror(file))
		value = '?';
	free(line);
	fclose(file);
	return value;
}
