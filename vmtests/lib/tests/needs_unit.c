// SPDX-License-Identifier: GPL-2.0
/*
 * A need that is not met answers with a sentence that names what is missing.
 *
 * Needs that only the machine itself can answer (secretmem, bpf-filter, pmu) are not tested here.
 */
#include <errno.h>
#include <signal.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <libmm/kconfig.h>
#include <vmtests/needs.h>

#include "kselftest_harness.h"
#include "fakeroot.h"

static struct fakeroot root;

static const char *release_path(const char *format)
{
	static char path[256];
	struct utsname name;

	uname(&name);
	snprintf(path, sizeof(path), format, name.release);
	return path;
}

static int says(const char *need, const char *part)
{
	const struct probe probe = need_probe(need);
	const char *why = probe.why;

	if (probe.answer != PROBE_YES && strstr(why, part) && !strchr(why, '\n') &&
	    why[strlen(why) - 1] != '.')
		return 1;
	fprintf(stderr, "# %s: '%s' lacks '%s'\n", need, *why ? why : "(met)", part);
	return 0;
}

static int met(const char *need)
{
	const struct probe probe = needs_probe(need);

	if (probe.answer != PROBE_YES)
		fprintf(stderr, "# %s: '%s'\n", need, probe.why);
	return probe.answer == PROBE_YES;
}

/* How a child ends that asks for @need. */
static int asks_and_ends(const char *need)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	fakeroot_must(pid >= 0, "fork");
	if (!pid) {
		needs_probe(need);
		_exit(0);
	}
	fakeroot_must(waitpid(pid, &status, 0) == pid, "waitpid");
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

FIXTURE(needs) {
	int unused;
};

FIXTURE_SETUP(needs)
{
	self->unused = 0;
	fakeroot_create(&root);
	fakeroot_write(&root, "/proc/sys/kernel/osrelease", release_path("%s"));
	fakeroot_write(&root, "/proc/empty", "");
}

FIXTURE_TEARDOWN(needs)
{
	fakeroot_remove(&root);
}

TEST_F(needs, words_are_known)
{
	EXPECT_EQ(1, need_is_known("root"));
	EXPECT_EQ(1, need_is_known("memory:1G"));
	EXPECT_EQ(1, need_is_known("bpf-filter"));
	EXPECT_EQ(0, need_is_known("roo"));
	EXPECT_EQ(0, need_is_known("roots"));
	EXPECT_EQ(0, need_is_known("root:0"));
	EXPECT_EQ(0, need_is_known("memory"));
	EXPECT_EQ(0, need_is_known("memory:"));
	EXPECT_EQ(0, need_is_known(""));
}

TEST_F(needs, mistakes_of_the_caller_abort)
{
	static const char * const mistakes[] = {
		"rooot", "memory:x", "memory:1X", "memory:1GG", "memory:99999999999T", "cpus:-1",
		"cpus:2x", "kconfig:NUMA", "file:etc", "module:a/b", "command:/bin/sh",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++) {
		EXPECT_EQ(SIGABRT, asks_and_ends(mistakes[i])) {
			TH_LOG("%s", mistakes[i]);
		}
	}
}

TEST_F(needs, files)
{
	fakeroot_write(&root, "/proc/x", "1");
	EXPECT_TRUE(met("file:/proc/x,writable:/proc/x"));
	EXPECT_TRUE(says("file:/proc/kpageflags", "no /proc/kpageflags: "));
	EXPECT_TRUE(says("file:/proc/kpageflags", "CONFIG_PROC_PAGE_MONITOR"));
	EXPECT_TRUE(says("file:/proc/other", "no /proc/other"));
	EXPECT_TRUE(says("writable:/proc", "/proc cannot be written: "));
}

TEST_F(needs, list_answers_with_the_first_unmet)
{
	struct probe probe;

	fakeroot_write(&root, "/proc/x", "1");
	probe = needs_probe("file:/proc/x,file:/proc/y,file:/proc/z");
	EXPECT_EQ(PROBE_NO, probe.answer);
	EXPECT_EQ(&probe.why[0], strstr(probe.why, "no /proc/y: "));
	EXPECT_TRUE(met(""));
}

TEST_F(needs, ordinary_user)
{
	if (!geteuid()) {
		EXPECT_TRUE(met("root"));
	}
	ASSERT_EQ(0, chmod(root.dir, 0755));
	fakeroot_write(&root, "/proc/secret", "1");
	ASSERT_EQ(0, chmod(fakeroot_path(&root, "/proc/secret"), 0));
	if (!geteuid()) {
		ASSERT_EQ(0, seteuid(65534));
	}
	EXPECT_TRUE(says("file:/proc/secret", "/proc/secret cannot be read by user "));
	EXPECT_TRUE(says("writable:/proc/secret", "/proc/secret cannot be written by user "));
	EXPECT_TRUE(says("root", "is not root"));
	if (!getuid()) {
		ASSERT_EQ(0, seteuid(0));
	}
}

TEST_F(needs, sysctls)
{
	fakeroot_write(&root, "/proc/sys/net/core/bpf_jit_enable", "1");
	EXPECT_TRUE(met("sysctl:net.core.bpf_jit_enable"));
	EXPECT_TRUE(says("sysctl:net.core.bpf_jit_harden", "CONFIG_BPF_JIT"));
	EXPECT_TRUE(says("sysctl:vm.other", "no sysctl vm.other"));
}

TEST_F(needs, configuration_from_boot)
{
	EXPECT_EQ('?', kconfig_value("CONFIG_A"));
	EXPECT_TRUE(says("kconfig:CONFIG_A", "unknown whether the kernel has CONFIG_A"));

	fakeroot_write(&root, release_path("/boot/config-%s"),
		       "#\n# Linux\n#\nCONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_D=64\n"
		       "CONFIG_E=\"x\"\nCONFIG_AA=n\n");
	EXPECT_EQ('y', kconfig_value("CONFIG_A"));
	EXPECT_EQ('m', kconfig_value("CONFIG_B"));
	EXPECT_EQ('n', kconfig_value("CONFIG_C"));
	EXPECT_EQ('y', kconfig_value("CONFIG_D"));
	EXPECT_EQ('y', kconfig_value("CONFIG_E"));
	EXPECT_EQ('n', kconfig_value("CONFIG_AA"));
	EXPECT_EQ('n', kconfig_value("CONFIG_F"));
	EXPECT_TRUE(met("kconfig:CONFIG_A,kconfig:CONFIG_B"));
	EXPECT_TRUE(says("kconfig:CONFIG_C", "built without CONFIG_C"));
}

TEST_F(needs, configuration_from_proc)
{
	char command[1024];

	snprintf(command, sizeof(command), "printf 'CONFIG_A=m\\n' | gzip > %s",
		 fakeroot_path(&root, "/proc/config.gz"));
	ASSERT_EQ(0, system(command));
	fakeroot_write(&root, release_path("/boot/config-%s"), "CONFIG_A=y\nCONFIG_B=y\n");
	EXPECT_EQ('m', kconfig_value("CONFIG_A"));
	EXPECT_EQ('n', kconfig_value("CONFIG_B"));

	/* What cannot be unpacked to its end is not believed. */
	snprintf(command, sizeof(command), "printf 'CONFIG_A=m\\n' | gzip | head -c -4 > %s",
		 fakeroot_path(&root, "/proc/config.gz"));
	ASSERT_EQ(0, system(command));
	EXPECT_EQ('y', kconfig_value("CONFIG_A"));
	fakeroot_write(&root, "/proc/config.gz", "CONFIG_B=n\n");
	EXPECT_EQ('y', kconfig_value("CONFIG_B"));
}

TEST_F(needs, modules)
{
	EXPECT_TRUE(says("module:brd", "does not list what is built in"));
	fakeroot_write(&root, release_path("/lib/modules/%s/modules.builtin"),
		       "kernel/drivers/block/brd.ko\nkernel/fs/dm-crypt.ko\n");
	EXPECT_TRUE(met("module:brd,module:dm_crypt,module:dm-crypt"));
	EXPECT_TRUE(says("module:br", "does not have it built in"));
	fakeroot_write(&root, "/sys/module/vfio_pci/refcnt", "0\n");
	EXPECT_TRUE(met("module:vfio-pci,module:vfio_pci"));
	fakeroot_write(&root, "/proc/modules", "");
	EXPECT_TRUE(says("module:nope", "module nope"));
}

TEST_F(needs, commands)
{
	EXPECT_TRUE(met("command:sh"));
	EXPECT_TRUE(says("command:no-such-command", "no command no-such-command in $PATH"));
	setenv("PATH", "", 1);
	EXPECT_TRUE(says("command:sh", "no command sh"));
}

TEST_F(needs, memory)
{
	EXPECT_TRUE(says("memory:1", "unknown how much memory"));
	fakeroot_write(&root, "/proc/meminfo", "MemTotal: 9999999 kB\nMemAvailable: 2097152 kB\n");
	EXPECT_TRUE(met("memory:2G,memory:2048M,memory:2097152K,memory:2147483648"));
	EXPECT_TRUE(says("memory:2147483649", "2048M available"));
	EXPECT_TRUE(says("memory:3G", "3G of memory is needed"));
}

TEST_F(needs, cpus_and_nodes)
{
	EXPECT_TRUE(met("cpus:1,nodes:1"));
	EXPECT_TRUE(says("cpus:999999", "999999 CPUs are needed and "));
	EXPECT_TRUE(says("nodes:999999", "999999 NUMA nodes"));
}

TEST_F(needs, hugetlb_and_hvo)
{
	EXPECT_TRUE(says("hugetlb", "CONFIG_HUGETLBFS"));
	EXPECT_TRUE(says("hvo", "CONFIG_HUGETLB_PAGE_OPTIMIZE_VMEMMAP"));
	fakeroot_write(&root, "/sys/kernel/mm/hugepages/other", "");
	EXPECT_TRUE(says("hugetlb", "no huge page size"));
	fakeroot_write(&root, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0");
	fakeroot_write(&root, "/proc/sys/vm/hugetlb_optimize_vmemmap", "0");
	EXPECT_TRUE(met("hugetlb,hvo"));
}

TEST_F(needs, kcore)
{
	EXPECT_TRUE(says("kcore", "CONFIG_PROC_KCORE"));
	fakeroot_write(&root, "/proc/kcore", "");
	EXPECT_TRUE(says("kcore", "hidden by a container"));
	fakeroot_write(&root, "/proc/kcore", "\177ELFxxxx");
	EXPECT_TRUE(met("kcore"));
}

TEST_F(needs, bbml2)
{
	struct utsname name;

	uname(&name);
	if (strcmp(name.machine, "aarch64"))
		EXPECT_TRUE(says("bbml2", "not arm64"));
}

TEST_F(needs, destructive)
{
	unsetenv("LIBMM_DESTRUCTIVE");
	EXPECT_TRUE(says("destructive", "the runner's -d"));
	setenv("LIBMM_DESTRUCTIVE", "0", 1);
	EXPECT_TRUE(says("destructive", "the runner's -d"));
	setenv("LIBMM_DESTRUCTIVE", "1", 1);
	EXPECT_TRUE(met("destructive"));
}

TEST_HARNESS_MAIN
