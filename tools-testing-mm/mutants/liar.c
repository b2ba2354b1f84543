// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel with a bug, as far as a test can tell: preloaded into the test, this library answers one
 * question in the kernel's stead, and lies. A test that still passes does not test. $LIE chooses:
 *
 *   leak       process_vm_readv(2) gives out a secretmem page
 *   splits     /proc/vmstat counts a thousand more split blocks whenever the test has looked where
 *              its pages lie, as splits that are wider than they need be, or repeated, would
 *   uncharged  no memory cgroup takes its limit, as if secretmem were not charged
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define SPLITS_KEY	"direct_map_level2_splits "
#define SPLITS_MORE	1000

static unsigned long looks;

static int lie_is(const char *name)
{
	const char *lie = getenv("LIE");

	return lie && !strcmp(lie, name);
}

ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long nr_local,
			 const struct iovec *remote, unsigned long nr_remote, unsigned long flags)
{
	ssize_t (*real)(pid_t pid, const struct iovec *local, unsigned long nr_local,
			const struct iovec *remote, unsigned long nr_remote, unsigned long flags);

	if (lie_is("leak")) {
		memcpy(local->iov_base, remote->iov_base, local->iov_len);
		return local->iov_len;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "process_vm_readv");
	return real(pid, local, nr_local, remote, nr_remote, flags);
}

static int real_open(const char *path, int flags, mode_t mode)
{
	int (*real)(const char *path, int flags, ...);

	*(void **)&real = dlsym(RTLD_NEXT, "open");
	return real(path, flags, mode);
}

/* /proc/vmstat with another number behind the key. */
static int vmstat_open(int flags)
{
	static char text[1 << 16];
	ssize_t len = 0, n;
	int fd, lie;
	char *line;

	fd = real_open("/proc/vmstat", flags, 0);
	if (fd < 0)
		return fd;
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	close(fd);
	text[len] = '\0';
	line = strstr(text, SPLITS_KEY);
	lie = memfd_create("vmstat", MFD_CLOEXEC);
	if (!line || lie < 0)
		abort();
	dprintf(lie, SPLITS_KEY "%lu\n",
		strtoul(line + strlen(SPLITS_KEY), NULL, 10) + looks * SPLITS_MORE);
	dprintf(lie, "%.*s%s", (int)(line - text), text, strchr(line, '\n') + 1);
	lseek(lie, 0, SEEK_SET);
	return lie;
}

static int ends_with(const char *path, const char *end)
{
	size_t len = strlen(path), tail = strlen(end);

	return len >= tail && !strcmp(path + len - tail, end);
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if (flags & (O_CREAT | __O_TMPFILE)) {
		va_start(ap, flags);
		mode = va_arg(ap, int);
		va_end(ap);
	}
	if (!strcmp(path, "/proc/self/pagemap"))
		looks++;
	if (lie_is("splits") && !strcmp(path, "/proc/vmstat"))
		return vmstat_open(flags);
	if (lie_is("uncharged") &&
	    (ends_with(path, "/memory.max") || ends_with(path, "/memory.limit_in_bytes")))
		path = "/dev/null";
	return real_open(path, flags, mode);
}
