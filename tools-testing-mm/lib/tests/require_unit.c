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

#include <libmm/require.h>

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
	const char *why = require_need(need);

	if (why && strstr(why, part) && !strchr(why, '\n') && why[strlen(why) - 1] != '.')
		return 1;
	fprintf(stderr, "# %s: '%s' lacks '%s'\n", need, why ? why : "(met)", part);
	return 0;
}

static int met(const char *need)
{
	const char *why = require_needs(need);

	if (why)
		fprintf(stderr, "# %s: '%s'\n", need, why);
	return !why;
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
		require_needs(need);
		_exit(0);
	}
	fakeroot_must(waitpid(pid, &status, 0) == pid, "waitpid");
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

FIXTURE(require) {
	int unused;
};

FIXTURE_SETUP(require)
{
	self->unused = 0;
	fakeroot_create(&root);
	fakeroot_write(&root, "/proc/sys/kernel/osrelease", release_path("%s"));
	fakeroot_write(&root, "/proc/empty", "");
}

FIXTURE_TEARDOWN(require)
{
	fakeroot_remove(&root);
}

TEST_F(require, words_are_known)
{
	EXPECT_EQ(1, require_known("root"));
	EXPECT_EQ(1, require_known("memory:1G"));
	EXPECT_EQ(1, require_known("bpf-filter"));
	EXPECT_EQ(0, require_known("roo"));
	EXPECT_EQ(0, require_known("roots"));
	EXPECT_EQ(0, require_known("root:0"));
	EXPECT_EQ(0, require_known("memory"));
	EXPECT_EQ(0, require_known("memory:"));
	EXPECT_EQ(0, require_known(""));
}

TEST_F(require, mistakes_of_the_caller_abort)
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

TEST_F(require, files)
{
	fakeroot_write(&root, "/proc/x", "1");
	EXPECT_TRUE(met("file:/proc/x,writable:/proc/x"));
	EXPECT_TRUE(says("file:/proc/kpageflags", "no /proc/kpageflags: "));
	EXPECT_TRUE(says("file:/proc/kpageflags", "CONFIG_PROC_PAGE_MONITOR"));
	EXPECT_TRUE(says("file:/proc/other", "no /proc/other"));
	EXPECT_TRUE(says("writable:/proc", "/proc cannot be written: "));
}

TEST_F(require, list_answers_with_the_first_unmet)
{
	const char *why;

	fakeroot_write(&root, "/proc/x", "1");
	why = require_needs("file:/proc/x,file:/proc/y,file:/proc/z");
	ASSERT_NE(NULL, why);
	EXPECT_STREQ("no /proc/y on this machine", why);
	EXPECT_EQ(NULL, require_needs(""));
}

TEST_F(require, ordinary_user)
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

TEST_F(require, sysctls)
{
	fakeroot_write(&root, "/proc/sys/net/core/bpf_jit_enable", "1");
	EXPECT_TRUE(met("sysctl:net.core.bpf_jit_enable"));
	EXPECT_TRUE(says("sysctl:net.core.bpf_jit_harden", "CONFIG_BPF_JIT"));
	EXPECT_TRUE(says("sysctl:vm.other", "no sysctl vm.other"));
}

TEST_F(require, configuration_from_boot)
{
	EXPECT_EQ('?', require_kconfig("CONFIG_A"));
	EXPECT_TRUE(says("kconfig:CONFIG_A", "unknown whether the kernel has CONFIG_A"));

	fakeroot_write(&root, release_path("/boot/config-%s"),
		       "#\n# Linux\n#\nCONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_D=64\n"
		       "CONFIG_E=\"x\"\nCONFIG_AA=n\n");
	EXPECT_EQ('y', require_kconfig("CONFIG_A"));
	EXPECT_EQ('m', require_kconfig("CONFIG_B"));
	EXPECT_EQ('n', require_kconfig("CONFIG_C"));
	EXPECT_EQ('y', require_kconfig("CONFIG_D"));
	EXPECT_EQ('y', require_kconfig("CONFIG_E"));
	EXPECT_EQ('n', require_kconfig("CONFIG_AA"));
	EXPECT_EQ('n', require_kconfig("CONFIG_F"));
	EXPECT_TRUE(met("kconfig:CONFIG_A,kconfig:CONFIG_B"));
	EXPECT_TRUE(says("kconfig:CONFIG_C", "built without CONFIG_C"));
}

TEST_F(require, configuration_from_proc)
{
	char command[1024];

	snprintf(command, sizeof(command), "printf 'CONFIG_A=m\\n' | gzip > %s",
		 fakeroot_path(&root, "/proc/config.gz"));
	ASSERT_EQ(0, system(command));
	fakeroot_write(&root, release_path("/boot/config-%s"), "CONFIG_A=y\nCONFIG_B=y\n");
	EXPECT_EQ('m', require_kconfig("CONFIG_A"));
	EXPECT_EQ('n', require_kconfig("CONFIG_B"));

	/* What cannot be unpacked to its end is not believed. */
	snprintf(command, sizeof(command), "printf 'CONFIG_A=m\\n' | gzip | head -c -4 > %s",
		 fakeroot_path(&root, "/proc/config.gz"));
	ASSERT_EQ(0, system(command));
	EXPECT_EQ('y', require_kconfig("CONFIG_A"));
	fakeroot_write(&root, "/proc/config.gz", "CONFIG_B=n\n");
	EXPECT_EQ('y', require_kconfig("CONFIG_B"));
}

TEST_F(require, modules)
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

TEST_F(require, commands)
{
	EXPECT_TRUE(met("command:sh"));
	EXPECT_TRUE(says("command:no-such-command", "no command no-such-command in $PATH"));
	setenv("PATH", "", 1);
	EXPECT_TRUE(says("command:sh", "no command sh"));
}

TEST_F(require, memory)
{
	EXPECT_TRUE(says("memory:1", "unknown how much memory"));
	fakeroot_write(&root, "/proc/meminfo", "MemTotal: 9999999 kB\nMemAvailable: 2097152 kB\n");
	EXPECT_TRUE(met("memory:2G,memory:2048M,memory:2097152K,memory:2147483648"));
	EXPECT_TRUE(says("memory:2147483649", "2048M available"));
	EXPECT_TRUE(says("memory:3G", "3G of memory is needed"));
}

TEST_F(require, cpus_and_nodes)
{
	EXPECT_TRUE(says("cpus:1", "/sys/devices/system/cpu/online"));
	fakeroot_write(&root, "/sys/devices/system/cpu/online", "0-2,8,10-11\n");
	EXPECT_TRUE(met("cpus:6"));
	EXPECT_TRUE(says("cpus:7", "7 CPUs are needed and 6 online"));
	EXPECT_TRUE(met("nodes:1"));
	EXPECT_TRUE(says("nodes:2", "2 NUMA nodes"));
	fakeroot_write(&root, "/sys/devices/system/node/has_memory", "0,4\n");
	EXPECT_TRUE(met("nodes:2"));
	EXPECT_TRUE(says("nodes:3", "and 2 here"));
}

TEST_F(require, hugetlb_and_hvo)
{
	EXPECT_TRUE(says("hugetlb", "CONFIG_HUGETLBFS"));
	EXPECT_TRUE(says("hvo", "CONFIG_HUGETLB_PAGE_OPTIMIZE_VMEMMAP"));
	fakeroot_write(&root, "/sys/kernel/mm/hugepages/other", "");
	EXPECT_TRUE(says("hugetlb", "no huge page size"));
	fakeroot_write(&root, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0");
	fakeroot_write(&root, "/proc/sys/vm/hugetlb_optimize_vmemmap", "0");
	EXPECT_TRUE(met("hugetlb,hvo"));
	ASSERT_EQ(0, unlink(fakeroot_path(&root, "/proc/sys/vm/hugetlb_optimize_vmemmap")));
	fakeroot_write(&root, release_path("/boot/config-%s"),
		       "CONFIG_HUGETLB_PAGE_OPTIMIZE_VMEMMAP=y\n");
	EXPECT_TRUE(says("hvo", "in spite of"));
}

TEST_F(require, kcore)
{
	EXPECT_TRUE(says("kcore", "CONFIG_PROC_KCORE"));
	fakeroot_write(&root, "/proc/kcore", "");
	EXPECT_TRUE(says("kcore", "hidden by a container"));
	fakeroot_write(&root, "/proc/kcore", "\177ELFxxxx");
	EXPECT_TRUE(met("kcore"));
}

TEST_F(require, bbml2)
{
	struct utsname name;

	uname(&name);
	if (strcmp(name.machine, "aarch64"))
		EXPECT_TRUE(says("bbml2", "not arm64"));
}

TEST_F(require, destructive)
{
	unsetenv("LIBMM_DESTRUCTIVE");
	EXPECT_TRUE(says("destructive", "the runner's -d"));
	setenv("LIBMM_DESTRUCTIVE", "0", 1);
	EXPECT_TRUE(says("destructive", "the runner's -d"));
	setenv("LIBMM_DESTRUCTIVE", "1", 1);
	EXPECT_TRUE(met("destructive"));
}

TEST_HARNESS_MAIN
