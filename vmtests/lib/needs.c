// SPDX-License-Identifier: GPL-2.0
/* needs: what a test or benchmark needs of the machine, as words. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <numa.h>

#include <libmm/base.h>
#include <libmm/bbml2.h>
#include <libmm/bpfprog.h>
#include <libmm/fail.h>
#include <libmm/hugetlb.h>
#include <libmm/hvo.h>
#include <libmm/kconfig.h>
#include <libmm/memory.h>
#include <libmm/secretmem.h>
#include <libmm/sysfile.h>
#include <vmtests/module.h>
#include <vmtests/needs.h>

#define NEED_MAX 256

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

static const char *path_option(const char *path)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(path_options); i++) {
		if (!strncmp(path, path_options[i].path, strlen(path_options[i].path)))
			return path_options[i].options;
	}
	return NULL;
}

static struct probe kconfig_need(const char *option)
{
	if (strncmp(option, "CONFIG_", 7))
		libmm_fail("needs: '%s' is no option: options begin with CONFIG_", option);
	switch (kconfig_value(option)) {
	case 'y':
	case 'm':
		return probe_yes();
	case 'n':
		return probe_no("the kernel was built without %s", option);
	default:
		return probe_unknown("unknown whether the kernel has %s: install its /boot/config-*",
				     option);
	}
}

/* What a file that is missing says of the kernel's configuration. */
static struct probe path_need(const char *path, struct probe (*probe)(const char *path))
{
	const char *option = path_option(path);
	char full[SYSFILE_PATH_MAX];

	if (path[0] != '/')
		libmm_fail("needs: '%s' is no absolute path", path);
	if (option && !__sysfile_path(full, sizeof(full), path) && access(full, F_OK) &&
	    errno == ENOENT)
		return probe_no("no %s: the kernel was built without %s, or a container hides it",
				path, option);
	return probe(path);
}

static struct probe file_need(const char *path)
{
	return path_need(path, probe_readable);
}

static struct probe writable_need(const char *path)
{
	return path_need(path, probe_writable);
}

static struct probe sysctl_need(const char *name)
{
	char path[SYSFILE_PATH_MAX], full[SYSFILE_PATH_MAX];
	const char *option;
	char *p;

	if (snprintf(path, sizeof(path), "/proc/sys/%s", name) >= (int)sizeof(path))
		libmm_fail("needs: sysctl name too long: %s", name);
	for (p = path + strlen("/proc/sys/"); *p; p++) {
		if (*p == '.')
			*p = '/';
	}
	if (!__sysfile_path(full, sizeof(full), path) && !access(full, F_OK))
		return probe_yes();
	option = path_option(path);
	if (option)
		return probe_no("no sysctl %s: the kernel was built without %s, or it is hidden",
				name, option);
	return probe_no("no sysctl %s: this kernel or container has no %s", name, path);
}

static struct probe module_need(const char *name)
{
	if (strlen(name) >= SYSFILE_PATH_MAX / 2 || strchr(name, '/'))
		libmm_fail("needs: '%s' is no module name", name);
	return module_probe(name);
}

static struct probe command_need(const char *name)
{
	const char *path = getenv("PATH"), *end;
	char file[PATH_MAX];

	if (strchr(name, '/'))
		libmm_fail("needs: '%s' is a path, not a command's name", name);
	for (; path && *path; path = *end ? end + 1 : end) {
		end = strchrnul(path, ':');
		if (snprintf(file, sizeof(file), "%.*s/%s", (int)(end - path), path, name) <
		    (int)sizeof(file) && !access(file, X_OK))
			return probe_yes();
	}
	return probe_no("no command %s in $PATH: install the package that has it", name);
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
		libmm_fail("needs: '%s' is no size", arg);
	if (!*end)
		return size;
	unit = strchr(units, *end);
	if (!unit || end[1] || size > UINT64_MAX >> (10 * (unit - units + 1)))
		libmm_fail("needs: '%s' is no size: a number and K, M, G or T", arg);
	return size << (10 * (unit - units + 1));
}

static unsigned int count_parse(const char *arg)
{
	unsigned long count;
	char *end;

	errno = 0;
	count = strtoul(arg, &end, 10);
	if (!isdigit((unsigned char)*arg) || *end || errno || count > INT_MAX)
		libmm_fail("needs: '%s' is no count", arg);
	return count;
}

static struct probe memory_need(const char *arg)
{
	uint64_t available, wanted = size_parse(arg);
	int err = __memory_available(&available);

	if (err)
		return probe_unknown("unknown how much memory is free: MemAvailable in /proc/meminfo: %s",
				     strerror(-err));
	if (available >= wanted)
		return probe_yes();
	return probe_no("%s of memory is needed and %" PRIu64 "M available: free some, or add some",
			arg, available >> 20);
}

static struct probe cpus_need(const char *arg)
{
	return probe_cpus(count_parse(arg));
}

/* A kernel without NUMA has one node. */
static struct probe nodes_need(const char *arg)
{
	unsigned int wanted = count_parse(arg), nr = 0;
	int node;

	if (numa_available() < 0)
		nr = 1;
	else
		for (node = 0; node <= numa_max_node(); node++)
			nr += numa_node_size64(node, NULL) > 0;
	if (nr >= wanted)
		return probe_yes();
	return probe_no("%u NUMA nodes with memory are needed and %u here", wanted, nr);
}

static struct probe pmu_missing(int error)
{
	char level[16];

	switch (error) {
	case EACCES:
	case EPERM:
		if (__sysfile_read("/proc/sys/kernel/perf_event_paranoid", level,
				   sizeof(level)) < 0)
			strcpy(level, "unknown");
		return probe_no("user %u may not count in the kernel (kernel.perf_event_paranoid is %s): run as root",
				geteuid(), level);
	case ENOSYS:
		return probe_no("no perf_event_open(2): the kernel was built without CONFIG_PERF_EVENTS, or a container forbids it");
	case ENOENT:
	case ENODEV:
	case EOPNOTSUPP:
		return probe_no("no hardware counters (%s): the machine or hypervisor has no PMU",
				strerror(error));
	default:
		return probe_no("a hardware counter cannot be opened: %s", strerror(error));
	}
}

/* A hypervisor may offer a counter that never counts. */
static struct probe pmu_probe(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_user = 1,
		.exclude_hv = 1,
	};
	uint64_t count = 0;
	ssize_t n;
	int fd;

	fd = syscall(__NR_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return pmu_missing(errno);
	n = read(fd, &count, sizeof(count));
	close(fd);
	if (n != sizeof(count))
		return probe_no("a hardware counter opens but cannot be read");
	if (!count)
		return probe_no("a hardware counter opens but does not count: others use it up, or the hypervisor only pretends to have it");
	return probe_yes();
}

static struct probe kcore_probe(void)
{
	static const char kcore[] = "/proc/kcore";
	struct probe probe = file_need(kcore);
	char path[SYSFILE_PATH_MAX], header[4];
	ssize_t n;
	int fd;

	if (probe.answer != PROBE_YES)
		return probe;
	if (__sysfile_path(path, sizeof(path), kcore))
		return probe_unknown("%s: the path is too long", kcore);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, header, sizeof(header));
	if (n < 0)
		probe = probe_no("%s cannot be read: %s", kcore, strerror(errno));
	else if (n != sizeof(header) || memcmp(header, "\177ELF", sizeof(header)))
		probe = probe_no("%s is hidden by a container: run outside of it", kcore);
	if (fd >= 0)
		close(fd);
	return probe;
}

static const struct need {
	const char *word;
	struct probe (*plain)(void);
	struct probe (*with_arg)(const char *arg);
} needs[] = {
	{ "root", probe_root, NULL },
	{ "kconfig", NULL, kconfig_need },
	{ "file", NULL, file_need },
	{ "writable", NULL, writable_need },
	{ "sysctl", NULL, sysctl_need },
	{ "module", NULL, module_need },
	{ "command", NULL, command_need },
	{ "memory", NULL, memory_need },
	{ "cpus", NULL, cpus_need },
	{ "nodes", NULL, nodes_need },
	{ "hugetlb", hugetlb_probe, NULL },
	{ "hvo", hugetlb_hvo_probe, NULL },
	{ "secretmem", secretmem_probe, NULL },
	{ "bpf-filter", bpfprog_probe, NULL },
	{ "pmu", pmu_probe, NULL },
	{ "kcore", kcore_probe, NULL },
	{ "bbml2", bbml2_probe, NULL },
	{ "destructive", probe_destructive, NULL },
};

static const struct need *need_find(const char *text)
{
	size_t i, len = strcspn(text, ":");
	bool has_arg = text[len] && text[len + 1];

	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		if (strlen(needs[i].word) != len || strncmp(needs[i].word, text, len))
			continue;
		return (needs[i].plain ? !text[len] : has_arg) ? &needs[i] : NULL;
	}
	return NULL;
}

bool need_is_known(const char *need)
{
	return need_find(need);
}

struct probe need_probe(const char *need)
{
	const struct need *found = need_find(need);

	if (!found)
		libmm_fail("needs: unknown need '%s': see vmtests/needs.h for the words", need);
	return found->plain ? found->plain() : found->with_arg(strchr(need, ':') + 1);
}

struct probe needs_probe(const char *needs)
{
	struct probe probe;
	char need[NEED_MAX];
	size_t len;

	while (*needs) {
		len = strcspn(needs, ",");
		if (len >= sizeof(need))
			libmm_fail("needs: need too long: %s", needs);
		memcpy(need, needs, len);
		need[len] = '\0';
		probe = need_probe(need);
		if (probe.answer != PROBE_YES)
			return probe;
		needs += len + !!needs[len];
	}
	return probe_yes();
}
