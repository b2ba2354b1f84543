// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel with a bug, as far as a test can tell: preloaded into the test, this library answers one
 * question in the kernel's stead, and lies. A test that still passes does not test. $LIE chooses:
 *
 *   leak       process_vm_readv(2) gives out a secretmem page
 *   splits     /proc/vmstat counts a thousand more split blocks whenever the test has looked where
 *              its pages lie, as splits that are wider than they need be, or repeated, would
 *   uncharged  no memory cgroup takes its limit, as if secretmem were not charged
 *   switch     HVO's switch takes every value and shows it, and HVO stays off
 *   vmstat     the numbers of /proc/vmstat stand still
 *   flags      no page is called huge in /proc/kpageflags
 *   mprotect, madvise, munmap   succeed and do nothing
 *   mremap     copies pages to where they should move
 *   unlogged   page faults are not logged
 *   forgets    the second write to each BPF map is lost
 *   refaults   each look at the fault counters shows one more, as if entries were lost meanwhile
 *   elsewhere  a file that is mapped shared is memory of its own instead
 *   loses      fork() leaves a page of zeros behind where its parent had a huge page
 *
 * $HIDE is a name that folders do not show: without its gigantic pages a machine is tested in
 * seconds.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/kernel-page-flags.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SPLITS_KEY	"direct_map_level2_splits "
#define SPLITS_MORE	1000
#define HVO_SYSCTL	"/proc/sys/vm/hugetlb_optimize_vmemmap"

static unsigned long looks;
static int hvo_switch = -1, vmstat = -1;
static int is_kpageflags[FD_SETSIZE];
static char *huge;		/* the last mapping of huge pages */

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

/* One file for all who open @path, which begins with what the kernel's has now. */
static int frozen_open(const char *path, int flags, int *fd)
{
	char text[1 << 16], name[32];
	ssize_t n;
	int real;

	if (*fd < 0) {
		real = real_open(path, O_RDONLY, 0);
		*fd = memfd_create("frozen", MFD_CLOEXEC);
		if (real < 0 || *fd < 0)
			abort();
		while ((n = read(real, text, sizeof(text))) > 0) {
			if (write(*fd, text, n) != n)
				abort();
		}
		close(real);
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", *fd);
	return real_open(name, flags, 0);
}

static int kpageflags_open(const char *path, int flags)
{
	int fd = real_open(path, flags, 0);

	if (fd >= FD_SETSIZE)
		abort();
	if (fd >= 0)
		is_kpageflags[fd] = 1;
	return fd;
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
	if (lie_is("switch") && !strcmp(path, HVO_SYSCTL))
		return frozen_open(path, flags, &hvo_switch);
	if (lie_is("vmstat") && !strcmp(path, "/proc/vmstat"))
		return frozen_open(path, flags, &vmstat);
	if (lie_is("flags") && !strcmp(path, "/proc/kpageflags"))
		return kpageflags_open(path, flags);
	if (lie_is("uncharged") &&
	    (ends_with(path, "/memory.max") || ends_with(path, "/memory.limit_in_bytes")))
		path = "/dev/null";
	return real_open(path, flags, mode);
}

ssize_t pread(int fd, void *buf, size_t size, off_t offset)
{
	ssize_t (*real)(int fd, void *buf, size_t size, off_t offset);
	uint64_t *flags = buf;
	ssize_t n;

	*(void **)&real = dlsym(RTLD_NEXT, "pread");
	n = real(fd, buf, size, offset);
	if (fd < 0 || fd >= FD_SETSIZE || !is_kpageflags[fd])
		return n;
	for (ssize_t i = 0; i < n / (ssize_t)sizeof(*flags); i++)
		flags[i] &= ~(UINT64_C(1) << KPF_HUGE);
	return n;
}

int close(int fd)
{
	int (*real)(int fd);

	if (fd >= 0 && fd < FD_SETSIZE)
		is_kpageflags[fd] = 0;
	*(void **)&real = dlsym(RTLD_NEXT, "close");
	return real(fd);
}

struct dirent *readdir(DIR *dir)
{
	struct dirent *(*real)(DIR *dir);
	const char *hidden = getenv("HIDE");
	struct dirent *entry;

	*(void **)&real = dlsym(RTLD_NEXT, "readdir");
	do {
		entry = real(dir);
	} while (entry && hidden && !strcmp(entry->d_name, hidden));
	return entry;
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	void *(*real)(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
	void *map;

	*(void **)&real = dlsym(RTLD_NEXT, "mmap");
	if (lie_is("elsewhere") && flags & MAP_SHARED && fd >= 0)
		return real(addr, len, prot, (flags & ~MAP_SHARED) | MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	map = real(addr, len, prot, flags, fd, offset);
	if (map != MAP_FAILED && flags & MAP_HUGETLB)
		huge = map;
	return map;
}

int mprotect(void *addr, size_t len, int prot)
{
	int (*real)(void *addr, size_t len, int prot);

	*(void **)&real = dlsym(RTLD_NEXT, "mprotect");
	return lie_is("mprotect") ? 0 : real(addr, len, prot);
}

int madvise(void *addr, size_t len, int advice)
{
	int (*real)(void *addr, size_t len, int advice);

	*(void **)&real = dlsym(RTLD_NEXT, "madvise");
	return lie_is("madvise") ? 0 : real(addr, len, advice);
}

int munmap(void *addr, size_t len)
{
	int (*real)(void *addr, size_t len);

	*(void **)&real = dlsym(RTLD_NEXT, "munmap");
	return lie_is("munmap") ? 0 : real(addr, len);
}

/* Only what moves to a fixed place, without a change of size, is lied about. */
void *mremap(void *old, size_t old_len, size_t len, int flags, ...)
{
	void *(*real)(void *old, size_t old_len, size_t len, int flags, ...);
	va_list ap;
	void *to;

	va_start(ap, flags);
	to = va_arg(ap, void *);
	va_end(ap);
	if (!lie_is("mremap") || !(flags & MREMAP_FIXED)) {
		*(void **)&real = dlsym(RTLD_NEXT, "mremap");
		return real(old, old_len, len, flags, to);
	}
	if (mmap(to, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0) != to)
		return MAP_FAILED;
	memcpy(to, old, len);
	return munmap(old, len) ? MAP_FAILED : to;
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int fd, unsigned long request, ...);
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (lie_is("unlogged") && request == PERF_EVENT_IOC_ENABLE)
		return 0;
	*(void **)&real = dlsym(RTLD_NEXT, "ioctl");
	return real(fd, request, arg);
}

/* The first argument is an enum in glibc's declaration of C, which the definition must match. */
int getrusage(__rusage_who_t who, struct rusage *usage)
{
	int (*real)(__rusage_who_t who, struct rusage *usage), ret;
	static long more;

	*(void **)&real = dlsym(RTLD_NEXT, "getrusage");
	ret = real(who, usage);
	if (!ret && lie_is("refaults"))
		usage->ru_minflt += more++;
	return ret;
}

static int is_second_write(const union bpf_attr *attr)
{
	static unsigned int fd = -1, writes;

	writes = attr->map_fd == fd ? writes + 1 : 1;
	fd = attr->map_fd;
	return writes == 2;
}

long syscall(long number, ...)
{
	long (*real)(long number, ...);
	long arg[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(ap, long);
	va_end(ap);
	if (lie_is("forgets") && number == SYS_bpf && arg[0] == BPF_MAP_UPDATE_ELEM &&
	    is_second_write((const union bpf_attr *)arg[1]))
		return 0;
	*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	return real(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

pid_t fork(void)
{
	pid_t (*real)(void), pid;

	*(void **)&real = dlsym(RTLD_NEXT, "fork");
	pid = real();
	if (!pid && huge && lie_is("loses"))
		*huge = 0;
	return pid;
}
