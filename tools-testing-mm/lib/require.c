// SPDX-License-Identifier: GPL-2.0
/*
 * require: what a test needs of the machine, probed, never taken from a version number.
 *
 * A system call is probed by making it, a file by opening it. The kernel's configuration only
 * explains a failure; it decides nothing but the need "kconfig".
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/bbml2.h>
#include <libmm/command.h>
#include <libmm/kconfig.h>
#include <libmm/memory.h>
#include <libmm/require.h>
#include <libmm/sysfile.h>


#define SENTENCE_MAX 512
#define NEED_MAX 256

#ifndef __NR_memfd_secret
#define __NR_memfd_secret 447
#endif

/* Which option makes the kernel have a file; the longest path comes first where several fit. */
static const struct {
	const char *path;
	const char *options;
} path_options[] = {
	{ "/proc/kcore", "CONFIG_PROC_KCORE" },
	{ "/proc/kpagecgroup", "CONFIG_PROC_PAGE_MONITOR and CONFIG_MEMCG" },
	{ "/proc/kpage", "CONFIG_PROC_PAGE_MONITOR" },
	{ "/proc/self/pagemap", "CONFIG_PROC_PAGE_MONITOR" },
	{ "/proc/config.gz", "CONFIG_IKCONFIG_PROC" },
	{ "/proc/modules", "CONFIG_MODULES" },
	{ "/proc/sys/vm/hugetlb_optimize_vmemmap", "CONFIG_HUGETLB_PAGE_OPTIMIZE_VMEMMAP" },
	{ "/proc/sys/vm/nr_hugepages", "CONFIG_HUGETLBFS" },
	{ "/proc/sys/vm/nr_overcommit_hugepages", "CONFIG_HUGETLBFS" },
	{ "/proc/sys/vm/compact", "CONFIG_COMPACTION" },
	{ "/proc/sys/net/core/bpf_jit", "CONFIG_BPF_JIT" },
	{ "/sys/kernel/mm/hugepages", "CONFIG_HUGETLBFS" },
	{ "/sys/kernel/mm/transparent_hugepage", "CONFIG_TRANSPARENT_HUGEPAGE" },
	{ "/sys/kernel/mm/page_idle", "CONFIG_IDLE_PAGE_TRACKING" },
	{ "/sys/devices/system/node", "CONFIG_NUMA" },
	{ "/sys/devices/system/memory/soft_offline_page", "CONFIG_MEMORY_FAILURE" },
	{ "/sys/kernel/debug/kernel_page_tables", "CONFIG_PTDUMP_DEBUGFS (or mount debugfs)" },
	{ "/sys/kernel/debug", "CONFIG_DEBUG_FS (or mount debugfs)" },
	{ "/sys/kernel/tracing", "CONFIG_FTRACE (or mount tracefs)" },
	{ "/sys/bus/pci", "CONFIG_PCI" },
	{ "/dev/vfio", "CONFIG_VFIO" },
	{ "/dev/kmsg", "CONFIG_PRINTK" },
	{ "/dev/mem", "CONFIG_DEVMEM" },
};

static char sentence[SENTENCE_MAX];

static void __attribute__((noreturn, format(printf, 1, 2))) caller_mistake(const char *fmt, ...)
{
	va_list args;

	fputs("require: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

/* The sentence. It names what is missing, and behind a colon why or what to do about it. */
static const char *__attribute__((format(printf, 1, 2))) missing(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	return sentence;
}

static int file_open(const char *path, int flags)
{
	char full[SYSFILE_PATH_MAX];
	int ret, fd;

	ret = __sysfile_path(full, sizeof(full), path);
	if (ret)
		return ret;
	fd = open(full, flags | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int path_exists(const char *path)
{
	char full[SYSFILE_PATH_MAX];

	return !__sysfile_path(full, sizeof(full), path) && !access(full, F_OK);
}

static const char *kernel_release(void)
{
	static struct utsname name;

	return uname(&name) ? "?" : name.release;
}

static const char *path_option(const char *path)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(path_options); i++) {
		if (!strncmp(path, path_options[i].path, strlen(path_options[i].path)))
			return path_options[i].options;
	}
	return NULL;
}

/* Why the file cannot be opened, and what to do; @doing is "read" or "written". */
static const char *path_missing(const char *path, const char *doing, int error)
{
	const char *option = path_option(path);

	if (error == ENOENT && option)
		return missing("no %s: the kernel was built without %s, or a container hides it",
			       path, option);
	if (error == ENOENT)
		return missing("no %s on this machine", path);
	if (error == EROFS)
		return missing("%s is on a read-only file system: run outside the container", path);
	if ((error == EACCES || error == EPERM) && geteuid())
		return missing("%s cannot be %s by user %u: run as root", path, doing, geteuid());
	if (error == EACCES || error == EPERM)
		return missing("%s cannot be %s even by root: a container or lockdown forbids it",
			       path, doing);
	return missing("%s cannot be %s: %s", path, doing, strerror(error));
}

char require_kconfig(const char *option)
{
	if (strncmp(option, "CONFIG_", 7))
		caller_mistake("'%s' is no option: options begin with CONFIG_", option);
	return kconfig_value(option);
}

static const char *need_root(const char *arg)
{
	(void)arg;
	return geteuid() ? missing("user %u is not root: run as root", geteuid()) : NULL;
}

static const char *need_kconfig(const char *arg)
{
	switch (require_kconfig(arg)) {
	case 'y':
	case 'm':
		return NULL;
	case 'n':
		return missing("the kernel was built without %s", arg);
	default:
		return missing("unknown whether the kernel has %s: install /boot/config-%s",
			       arg, kernel_release());
	}
}

static const char *path_probe(const char *path, int flags, const char *doing)
{
	int fd;

	if (path[0] != '/')
		caller_mistake("'%s' is no absolute path", path);
	fd = file_open(path, flags);
	if (fd < 0)
		return path_missing(path, doing, -fd);
	close(fd);
	return NULL;
}

static const char *need_file(const char *arg)
{
	return path_probe(arg, O_RDONLY, "read");
}

static const char *need_writable(const char *arg)
{
	return path_probe(arg, O_WRONLY, "written");
}

static const char *need_sysctl(const char *arg)
{
	char path[SYSFILE_PATH_MAX];
	const char *option;
	char *p;

	if (snprintf(path, sizeof(path), "/proc/sys/%s", arg) >= (int)sizeof(path))
		caller_mistake("sysctl name too long: %s", arg);
	for (p = path + strlen("/proc/sys/"); *p; p++) {
		if (*p == '.')
			*p = '/';
	}
	if (path_exists(path))
		return NULL;

	option = path_option(path);
	if (option)
		return missing("no sysctl %s: the kernel was built without %s, or it is hidden",
			       arg, option);
	return missing("no sysctl %s: this kernel or container has no %s", arg, path);
}

/* Module names: '-' and '_' are the same. */
static bool module_name_equal(const char *a, const char *b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if ((a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i]))
			return false;
	}
	return true;
}

static bool module_is_loaded(const char *name)
{
	char path[SYSFILE_PATH_MAX];
	char *p;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	for (p = path + strlen("/sys/module/"); *p; p++) {
		if (*p == '-')
			*p = '_';
	}
	return path_exists(path);
}

/*
 * modules.builtin has a line "kernel/folder/name.ko" for each; most have no folder in /sys/module.
 * Returns 1, 0, or -errno when it cannot be read.
 */
static int module_is_builtin(const char *name)
{
	size_t size = 0, len = strlen(name);
	char path[SYSFILE_PATH_MAX];
	char *line = NULL, *base;
	int fd, found = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", kernel_release());
	fd = file_open(path, O_RDONLY);
	if (fd < 0)
		return fd;
	file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	while (!found && getline(&line, &size, file) >= 0) {
		base = strrchr(line, '/');
		base = base ? base + 1 : line;
		found = strlen(base) > len && module_name_equal(base, name, len) &&
			!strncmp(base + len, ".ko", 3);
	}
	free(line);
	fclose(file);
	return found;
}

/* Returns 1 when modprobe finds the module, 0 when it does not, or -errno when it cannot run. */
static int module_is_loadable(const char *name)
{
	char root[SYSFILE_PATH_MAX];
	char *argv[] = { "modprobe", "-n", "-q", "-d", root, "--", (char *)name, NULL };
	pid_t pid;
	int ret;

	if (__sysfile_path(root, sizeof(root), "/"))
		return -ENAMETOOLONG;
	ret = __command_start(argv, NULL, -1, -1, true, &pid);
	if (ret)
		return ret;
	ret = __command_wait(pid);
	return ret < 0 ? ret : !ret;
}

static const char *need_module(const char *arg)
{
	int builtin, ret;

	if (strlen(arg) >= SYSFILE_PATH_MAX / 2 || strchr(arg, '/'))
		caller_mistake("'%s' is no module name", arg);
	builtin = module_is_builtin(arg);
	if (module_is_loaded(arg) || builtin > 0)
		return NULL;
	if (!path_exists("/proc/modules"))
		return missing("no module %s: the kernel has no modules (CONFIG_MODULES) and %s",
			       arg, builtin < 0 ? "does not list what is built in" :
						  "does not have it built in");

	ret = module_is_loadable(arg);
	if (ret > 0)
		return NULL;
	if (ret < 0)
		return missing("module %s is not loaded and modprobe cannot look for it (%s): %s",
			       arg, strerror(-ret), "install kmod");
	return missing("no module %s, loaded, built in or in /lib/modules/%s: install it",
		       arg, kernel_release());
}

static const char *need_command(const char *arg)
{
	const char *path = getenv("PATH"), *end;
	char file[PATH_MAX];

	if (strchr(arg, '/'))
		caller_mistake("'%s' is a path, not a command's name", arg);
	for (; path && *path; path = *end ? end + 1 : end) {
		end = strchrnul(path, ':');
		if (snprintf(file, sizeof(file), "%.*s/%s", (int)(end - path), path, arg) <
		    (int)sizeof(file) && !access(file, X_OK))
			return NULL;
	}
	return missing("no command %s in $PATH: install the package that has it", arg);
}

/* A count with an optional K, M, G, T (powers of 1024) behind it. */
static uint64_t size_parse(const char *arg)
{
	static const char units[] = "KMGT";
	uint64_t size;
	char *end;
	const char *unit;

	errno = 0;
	size = strtoull(arg, &end, 10);
	if (!isdigit((unsigned char)*arg) || errno)
		caller_mistake("'%s' is no size", arg);
	if (!*end)
		return size;

	unit = strchr(units, *end);
	if (!unit || end[1] || size > UINT64_MAX >> (10 * (unit - units + 1)))
		caller_mistake("'%s' is no size: a number and K, M, G or T", arg);
	return size << (10 * (unit - units + 1));
}

static unsigned int count_parse(const char *arg)
{
	unsigned long count;
	char *end;

	errno = 0;
	count = strtoul(arg, &end, 10);
	if (!isdigit((unsigned char)*arg) || *end || errno || count > INT_MAX)
		caller_mistake("'%s' is no count", arg);
	return count;
}

static const char *need_memory(const char *arg)
{
	uint64_t available, wanted = size_parse(arg);
	int ret;

	ret = __memory_available(&available);
	if (ret)
		return missing("unknown how much memory is free: MemAvailable in /proc/meminfo: %s",
			       strerror(-ret));
	if (available >= wanted)
		return NULL;
	return missing("%s of memory is needed and %" PRIu64 "M available: free some, or add some",
		       arg, available >> 20);
}

/* How many numbers a list like "0-3,8" holds; 0 for an empty or broken one. */
static unsigned int list_count(const char *list)
{
	unsigned int first, last, count = 0;
	int used;

	while (*list) {
		if (sscanf(list, "%u%n", &first, &used) != 1)
			return 0;
		list += used;
		last = first;
		if (*list == '-') {
			if (sscanf(list + 1, "%u%n", &last, &used) != 1 || last < first)
				return 0;
			list += 1 + used;
		}
		count += last - first + 1;
		if (*list && *list++ != ',')
			return 0;
	}
	return count;
}

static const char *need_cpus(const char *arg)
{
	unsigned int wanted = count_parse(arg), count;
	char list[4096];
	ssize_t len;

	len = __sysfile_read("/sys/devices/system/cpu/online", list, sizeof(list));
	if (len < 0)
		return path_missing("/sys/devices/system/cpu/online", "read", -len);
	count = list_count(list);
	if (count >= wanted)
		return NULL;
	return missing("%u CPUs are needed and %u online", wanted, count);
}

static const char *need_nodes(const char *arg)
{
	unsigned int wanted = count_parse(arg), count = 1;
	char list[4096];
	ssize_t len;

	len = __sysfile_read("/sys/devices/system/node/has_memory", list, sizeof(list));
	if (len < 0 && len != -ENOENT)
		return path_missing("/sys/devices/system/node/has_memory", "read", -len);
	/* Without CONFIG_NUMA there is no such file, and all memory is one node. */
	if (len >= 0)
		count = list_count(list);
	if (count >= wanted)
		return NULL;
	return missing("%u NUMA nodes with memory are needed and %u here", wanted, count);
}

static const char *need_hugetlb(const char *arg)
{
	char path[SYSFILE_PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	(void)arg;
	if (__sysfile_path(path, sizeof(path), "/sys/kernel/mm/hugepages"))
		return missing("$LIBMM_ROOT is too long");
	dir = opendir(path);
	if (!dir)
		return path_missing("/sys/kernel/mm/hugepages", "read", errno);
	while (!found) {
		entry = readdir(dir);
		if (!entry)
			break;
		found = !strncmp(entry->d_name, "hugepages-", 10);
	}
	closedir(dir);
	if (found)
		return NULL;
	return missing("/sys/kernel/mm/hugepages is empty: this machine has no huge page size");
}

static const char *need_hvo(const char *arg)
{
	static const char option[] = "CONFIG_HUGETLB_PAGE_OPTIMIZE_VMEMMAP";

	(void)arg;
	if (path_exists("/proc/sys/vm/hugetlb_optimize_vmemmap"))
		return NULL;
	if (require_kconfig(option) == 'y')
		return missing("no vm.hugetlb_optimize_vmemmap in spite of %s: %s", option,
			       "no huge page size can be optimized, or a container hides it");
	return missing("no vm.hugetlb_optimize_vmemmap: the kernel was built without %s, %s",
		       option, "or its architecture has no such option");
}

static const char *secretmem_missing(int error)
{
	if (error == EPERM || error == EACCES)
		return missing("memfd_secret(2) is forbidden (%s): run outside the container",
			       strerror(error));
	if (error != ENOSYS)
		return missing("memfd_secret(2) fails: %s", strerror(error));
	if (require_kconfig("CONFIG_SECRETMEM") == 'n')
		return missing("no memfd_secret(2): the kernel was built without CONFIG_SECRETMEM");
	return missing("no memfd_secret(2): boot with secretmem.enable=1, %s",
		       "and on arm64 without rodata=off or rodata=noalias");
}

static const char *need_secretmem(const char *arg)
{
	long page = sysconf(_SC_PAGESIZE);
	const char *why = NULL;
	void *map;
	int fd;

	(void)arg;
	fd = syscall(__NR_memfd_secret, O_CLOEXEC);
	if (fd < 0)
		return secretmem_missing(errno);
	if (ftruncate(fd, page)) {
		why = missing("memfd_secret(2) gives a file that cannot grow: %s", strerror(errno));
		close(fd);
		return why;
	}

	map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		munmap(map, page);
	else if (errno == EAGAIN)
		why = missing("no room for secret memory in RLIMIT_MEMLOCK: ulimit -l unlimited");
	else
		why = missing("secret memory cannot be mapped: %s", strerror(errno));
	close(fd);
	return why;
}

static const char *need_bpf_filter(const char *arg)
{
	struct sock_filter accept_all = BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
	struct sock_fprog program = { .len = 1, .filter = &accept_all };
	const char *why = NULL;
	int pair[2];

	(void)arg;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return missing("no socket to attach a filter to (%s): it takes CONFIG_UNIX",
			       strerror(errno));
	if (setsockopt(pair[0], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		why = missing("a classic socket filter cannot be attached: %s%s", strerror(errno),
			      errno == ENOMEM ? ": raise net.core.optmem_max" : "");
	close(pair[0]);
	close(pair[1]);
	return why;
}

static const char *pmu_missing(int error)
{
	static const char paranoid[] = "kernel.perf_event_paranoid";
	char level[16];

	switch (error) {
	case EACCES:
	case EPERM:
		if (__sysfile_read("/proc/sys/kernel/perf_event_paranoid", level,
				   sizeof(level)) < 0)
			strcpy(level, "unknown");
		return missing("user %u may not count in the kernel (%s is %s): run as root",
			       geteuid(), paranoid, level);
	case ENOSYS:
		return missing("no perf_event_open(2): the kernel was built without %s",
			       "CONFIG_PERF_EVENTS, or a container forbids it");
	case ENOENT:
	case ENODEV:
	case EOPNOTSUPP:
		return missing("no hardware counters (%s): the machine or hypervisor has no PMU",
			       strerror(error));
	default:
		return missing("a hardware counter cannot be opened: %s", strerror(error));
	}
}

/* A hypervisor may offer a counter that never counts. */
static const char *need_pmu(const char *arg)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_user = 1,
		.exclude_hv = 1,
	};
	const char *why = NULL;
	uint64_t count;
	ssize_t n;
	int fd;

	(void)arg;
	fd = syscall(__NR_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return pmu_missing(errno);

	n = read(fd, &count, sizeof(count));
	if (n != sizeof(count))
		why = missing("a hardware counter opens but cannot be read: %s",
			      n < 0 ? strerror(errno) : "short read");
	else if (!count)
		why = missing("a hardware counter opens but does not count: %s",
			      "others use it up, or the hypervisor only pretends to have it");
	close(fd);
	return why;
}

static const char *need_kcore(const char *arg)
{
	char header[4];
	ssize_t n;
	int fd;

	(void)arg;
	fd = file_open("/proc/kcore", O_RDONLY);
	if (fd == -ENOENT && require_kconfig("CONFIG_PROC_KCORE") == 'n')
		return missing("no /proc/kcore: the kernel was built without CONFIG_PROC_KCORE");
	if (fd == -EPERM && !geteuid())
		return missing("/proc/kcore is forbidden even to root: %s",
			       "lockdown=confidentiality, or a container without CAP_SYS_RAWIO");
	if (fd < 0)
		return path_missing("/proc/kcore", "read", -fd);

	n = read(fd, header, sizeof(header));
	close(fd);
	if (n < 0)
		return missing("/proc/kcore cannot be read: %s", strerror(errno));
	if (n != sizeof(header) || memcmp(header, "\177ELF", sizeof(header)))
		return missing("/proc/kcore is hidden by a container: run outside of it");
	return NULL;
}

static const char *need_bbml2(const char *arg)
{
	const struct probe probe = bbml2_probe();

	(void)arg;
	return probe.answer == PROBE_YES ? NULL : missing("%s", probe.why);
}

static const char *need_destructive(const char *arg)
{
	const char *allowed = getenv("LIBMM_DESTRUCTIVE");

	(void)arg;
	if (allowed && !strcmp(allowed, "1"))
		return NULL;
	return missing("it may change the machine until reboot: the runner's -d allows that");
}

static const struct need {
	const char *word;
	bool takes_arg;
	const char *(*probe)(const char *arg);
} needs[] = {
	{ "root", false, need_root },
	{ "kconfig", true, need_kconfig },
	{ "file", true, need_file },
	{ "writable", true, need_writable },
	{ "sysctl", true, need_sysctl },
	{ "module", true, need_module },
	{ "command", true, need_command },
	{ "memory", true, need_memory },
	{ "cpus", true, need_cpus },
	{ "nodes", true, need_nodes },
	{ "hugetlb", false, need_hugetlb },
	{ "hvo", false, need_hvo },
	{ "secretmem", false, need_secretmem },
	{ "bpf-filter", false, need_bpf_filter },
	{ "pmu", false, need_pmu },
	{ "kcore", false, need_kcore },
	{ "bbml2", false, need_bbml2 },
	{ "destructive", false, need_destructive },
};

static const struct need *need_find(const char *text)
{
	size_t i, len = strcspn(text, ":");
	bool has_arg = text[len] && text[len + 1];

	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		if (strlen(needs[i].word) != len || strncmp(needs[i].word, text, len))
			continue;
		return needs[i].takes_arg ? has_arg ? &needs[i] : NULL :
					    text[len] ? NULL : &needs[i];
	}
	return NULL;
}

int require_known(const char *need)
{
	return !!need_find(need);
}

const char *require_need(const char *need)
{
	const struct need *found = need_find(need);

	if (!found)
		caller_mistake("unknown need '%s': see require.h for the words", need);
	return found->probe(found->takes_arg ? need + strlen(found->word) + 1 : NULL);
}

const char *require_needs(const char *needs)
{
	char need[NEED_MAX];
	const char *why;
	size_t len;

	while (*needs) {
		len = strcspn(needs, ",");
		if (len >= sizeof(need))
			caller_mistake("need too long: %s", needs);
		memcpy(need, needs, len);
		need[len] = '\0';

		why = require_need(need);
		if (why)
			return why;
		needs += len + !!needs[len];
	}
	return NULL;
}
