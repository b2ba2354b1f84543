// SPDX-License-Identifier: GPL-2.0
/* probe: what a test needs of the machine. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <libmm/probe.h>
#include <libmm/sysfile.h>

static struct probe answer_make(enum probe_answer answer, const char *fmt, va_list args)
{
	struct probe probe = { .answer = answer };

	vsnprintf(probe.why, sizeof(probe.why), fmt, args);
	return probe;
}

struct probe probe_yes(void)
{
	return (struct probe) { .answer = PROBE_YES };
}

struct probe probe_no(const char *fmt, ...)
{
	struct probe probe;
	va_list args;

	va_start(args, fmt);
	probe = answer_make(PROBE_NO, fmt, args);
	va_end(args);
	return probe;
}

struct probe probe_unknown(const char *fmt, ...)
{
	struct probe probe;
	va_list args;

	va_start(args, fmt);
	probe = answer_make(PROBE_UNKNOWN, fmt, args);
	va_end(args);
	return probe;
}

struct probe probe_root(void)
{
	return geteuid() ? probe_no("user %u is not root: run as root", geteuid()) : probe_yes();
}

static struct probe path_opened(const char *path, int flags, const char *doing)
{
	int fd = sysfile_open(path, flags | O_NONBLOCK);

	if (fd >= 0) {
		close(fd);
		return probe_yes();
	}
	if (fd == -ENOENT)
		return probe_no("no %s: the kernel was built without it, or a container hides it",
				path);
	if (fd == -EROFS)
		return probe_no("%s is on a read-only file system: run outside the container",
				path);
	if (fd != -EACCES && fd != -EPERM)
		return probe_no("%s cannot be %s: %s", path, doing, strerror(-fd));
	if (geteuid())
		return probe_no("%s cannot be %s by user %u: run as root", path, doing, geteuid());
	return probe_no("%s cannot be %s even by root: a container or lockdown forbids it", path,
			doing);
}

struct probe probe_readable(const char *path)
{
	return path_opened(path, O_RDONLY, "read");
}

struct probe probe_writable(const char *path)
{
	return path_opened(path, O_WRONLY, "written");
}

struct probe probe_cpus(unsigned int nr)
{
	unsigned int online = get_nprocs();

	return online >= nr ? probe_yes() :
			      probe_no("%u CPUs are needed and %u online", nr, online);
}

struct probe probe_destructive(void)
{
	const char *allowed = getenv("LIBMM_DESTRUCTIVE");

	return allowed && !strcmp(allowed, "1") ? probe_yes() :
	       probe_no("it may change the machine until reboot: the runner's -d allows that");
}
