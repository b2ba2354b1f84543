// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: fingerprint gives run.json's part of docs/results.md, as the files of the machine have it,
 * and null for what they do not tell.
 * Method: two made-up machines below a replaceable root, each with its whole expected JSON; the
 * hashes are those of the texts by sha256sum. Then one property at a time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vmtests/fingerprint.h>

#include "fakeroot.h"

#include <kselftest_harness.h>

#define CPU "/sys/devices/system/cpu"
#define DT "/sys/firmware/devicetree/base"

struct fake_file {
	const char *path;
	const char *text;
};

static const struct fake_file x86_files[] = {
	{ "/proc/sys/kernel/osrelease", "7.2.13-amd64\n" },
	{ "/proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC\n" },
	{ "/proc/sys/kernel/arch", "x86_64\n" },
	{ "/proc/sys/kernel/tainted", "512\n" },
	{ "/proc/cmdline", "root=/dev/sda1 quiet\n" },
	{ "/boot/config-7.2.13-amd64", "CONFIG_MMU=y\nCONFIG_HUGETLBFS=y\n" },
	{ "/dev/kmsg", "6,0,1,-;Write protecting the kernel read-only data: 26624k\n" },
	{ "/proc/cpuinfo",
	  "processor\t: 0\nmodel name\t: A CPU @ 2.0GHz\nmicrocode\t: 0x2b\nflags\t\t: fpu sse\n\n"
	  "processor\t: 1\nmodel name\t: A CPU @ 2.0GHz\nmicrocode\t: 0x2b\nflags\t\t: fpu sse\n" },
	{ CPU "/online", "0-1,4\n" },
	{ CPU "/smt/control", "on\n" },
	{ CPU "/cpu0/cpufreq/scaling_governor", "performance\n" },
	{ CPU "/cpu1/cpufreq/scaling_governor", "performance\n" },
	{ CPU "/cpu4/cpufreq/scaling_governor", "powersave\n" },
	{ CPU "/vulnerabilities/meltdown", "Not affected\n" },
	{ CPU "/vulnerabilities/retbleed", "Mitigation: IBRS\n" },
	{ "/proc/meminfo",
	  "MemTotal:       16384 kB\nMemFree:         8192 kB\nSwapTotal:       1024 kB\n"
	  "DirectMap4k:     4096 kB\nDirectMap2M:     8192 kB\nDirectMap1G:           0 kB\n" },
	{ "/sys/devices/system/node/node0/meminfo", "Node 0 MemTotal:        10000 kB\n" },
	{ "/sys/devices/system/node/node10/meminfo", "Node 10 MemTotal:        384 kB\n" },
	{ "/sys/devices/system/node/node2/meminfo", "Node 2 MemTotal:        6000 kB\n" },
	{ "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0\n" },
	{ "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "7\n" },
	{ "/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n" },
};

static const char x86_golden[] =
	"{'kernel': {'release': '7.2.13-amd64', 'version': '#1 SMP PREEMPT_DYNAMIC',\n"
	" 'build_id': null, 'cmdline': 'root=/dev/sda1 quiet', 'tainted': 512,\n"
	" 'config': 'CONFIG_MMU=y\\nCONFIG_HUGETLBFS=y\\n', 'config_sha256':\n"
	" '1429ee3028a69f7e916f66674d433e850cc3cb4eed7e1603ac4fc2afbca42f36'},\n"
	" 'cpu': {'arch': 'x86_64', 'model': 'A CPU @ 2.0GHz', 'midr': null, 'microcode': '0x2b',\n"
	" 'online': 3, 'smt': 'on', 'governor': 'performance,powersave', 'hypervisor': '',\n"
	" 'emulated': false, 'bbml2': null, 'mitigations': {'meltdown': 'Not affected',\n"
	" 'retbleed': 'Mitigation: IBRS'}},\n"
	" 'memory': {'page_size': 0, 'total': 16777216, 'free_at_start': 8388608,\n"
	" 'nodes': [{'node': 0, 'total': 10240000}, {'node': 2, 'total': 6144000},\n"
	" {'node': 10, 'total': 393216}], 'hugepage_sizes': [2097152, 1073741824],\n"
	" 'thp': 'madvise', 'swap': 1048576},\n"
	" 'settings': {'/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages': '0',\n"
	" '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages': '7',\n"
	" '/sys/kernel/mm/transparent_hugepage/enabled': 'madvise',\n"
	" '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor': 'performance',\n"
	" '/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor': 'performance',\n"
	" '/sys/devices/system/cpu/cpu4/cpufreq/scaling_governor': 'powersave'},\n"
	" 'directmap': {'4k': 4194304, '2M': 8388608, '1G': 0}, 'rodata': 'on'}";

/* An emulated Ampere1, as "-cpu max,midr=0xc00fac30" makes one: only the command line tells. */
static const struct fake_file arm64_files[] = {
	{ "/proc/sys/kernel/osrelease", "7.2.13-arm64\n" },
	{ "/proc/sys/kernel/version", "#1 SMP\n" },
	{ "/proc/sys/kernel/arch", "aarch64\n" },
	{ "/proc/sys/kernel/tainted", "0\n" },
	{ "/proc/cmdline", "console=ttyAMA0 vmtests.emulated=1\n" },
	{ "/lib/modules/7.2.13-arm64/config", "CONFIG_ARM64=y\n" },
	{ "/dev/kmsg",
	  "6,0,1,-;CPU features: detected: BBM Level 2 without TLB conflict abort\n" },
	{ "/proc/cpuinfo", "processor\t: 0\nCPU implementer\t: 0xc0\n" },
	{ CPU "/online", "0\n" },
	{ CPU "/cpu0/regs/identification/midr_el1", "0x00000000c00fac30\n" },
	{ DT "/compatible", "linux,dummy-virt" },
	{ "/proc/meminfo", "MemTotal:  16384 kB\nMemFree:  8192 kB\nSwapTotal:  0 kB\n" },
};

static const char arm64_golden[] =
	"{'kernel': {'release': '7.2.13-arm64', 'version': '#1 SMP', 'build_id': null,\n"
	" 'cmdline': 'console=ttyAMA0 vmtests.emulated=1', 'tainted': 0,\n"
	" 'config': 'CONFIG_ARM64=y\\n', 'config_sha256':\n"
	" 'bfcff368d33361c0c1e93ab9c112fbdedd6c69df8ac75557a2efdd6d642994ca'},\n"
	" 'cpu': {'arch': 'arm64', 'model': null, 'midr': '0xc00fac30', 'microcode': null,\n"
	" 'online': 1, 'smt': null, 'governor': null, 'hypervisor': 'linux,dummy-virt',\n"
	" 'emulated': true, 'bbml2': true, 'mitigations': null},\n"
	" 'memory': {'page_size': 0, 'total': 16777216, 'free_at_start': 8388608, 'nodes': null,\n"
	" 'hugepage_sizes': [], 'thp': null, 'swap': 0},\n"
	" 'settings': {}, 'directmap': null, 'rodata': 'unknown'}";

FIXTURE(fingerprint)
{
	struct fakeroot root;
};

FIXTURE_SETUP(fingerprint)
{
	fakeroot_create(&self->root);
}

FIXTURE_TEARDOWN(fingerprint)
{
	fakeroot_remove(&self->root);
}

static void files_write(const struct fakeroot *root, const struct fake_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fakeroot_write(root, files[i].path, files[i].text);
}

/* Single quotes stand for double ones; the page size is that of the machine that runs this. */
static json_t *golden_load(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	json_t *golden;

	for (char *c = copy; c && *c; c++)
		if (*c == '\'')
			*c = '"';
	golden = copy ? json_loads(copy, 0, &error) : NULL;
	free(copy);
	if (golden)
		json_object_set_new(json_object_get(golden, "memory"), "page_size",
				    json_integer(sysconf(_SC_PAGESIZE)));
	return golden;
}

static bool machine_matches(const char *text)
{
	json_t *golden = golden_load(text);
	json_t *machine = fingerprint_machine();
	bool equal = golden && machine && json_equal(golden, machine);

	if (!equal) {
		fputs("# expected: ", stderr);
		json_dumpf(golden, stderr, JSON_COMPACT | JSON_SORT_KEYS);
		fputs("\n# got:      ", stderr);
		json_dumpf(machine, stderr, JSON_COMPACT | JSON_SORT_KEYS);
		fputs("\n", stderr);
	}
	json_decref(golden);
	json_decref(machine);
	return equal;
}

/* One value of the machine, as text; static storage. */
static const char *machine_value(const char *object, const char *key)
{
	static char text[256];
	json_t *machine = fingerprint_machine();
	char *value = json_dumps(json_object_get(json_object_get(machine, object), key),
				 JSON_ENCODE_ANY);

	snprintf(text, sizeof(text), "%s", value ? value : "missing");
	free(value);
	json_decref(machine);
	return text;
}

TEST_F(fingerprint, x86_machine_is_the_golden_one)
{
	files_write(&self->root, x86_files, ARRAY_SIZE(x86_files));
	EXPECT_TRUE(machine_matches(x86_golden));
}

TEST_F(fingerprint, arm64_machine_is_the_golden_one)
{
	files_write(&self->root, arm64_files, ARRAY_SIZE(arm64_files));
	EXPECT_TRUE(machine_matches(arm64_golden));
}

TEST_F(fingerprint, empty_machine_is_null_not_zero)
{
	EXPECT_STREQ("null", machine_value("memory", "total"));
	EXPECT_STREQ("null", machine_value("kernel", "release"));
	EXPECT_STREQ("null", machine_value("kernel", "tainted"));
	EXPECT_STREQ("null", machine_value("cpu", "online"));
	EXPECT_STREQ("unknown", fingerprint_rodata());
}

TEST_F(fingerprint, build_id_is_found_among_other_notes)
{
	/* Xen's note (type 6, 5 bytes: padded), then GNU's with a build id of four bytes. */
	static const unsigned char notes[] = {
		4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 'X', 'e', 'n', 0, 1, 2, 3, 4, 5, 0, 0, 0,
		4, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0, 0xde, 0xad, 0x0a, 0x20,
	};
	FILE *file;

	fakeroot_write(&self->root, "/sys/kernel/notes", "");
	file = fopen(fakeroot_path(&self->root, "/sys/kernel/notes"), "w");
	ASSERT_NE(NULL, file);
	ASSERT_EQ(1u, fwrite(notes, sizeof(notes), 1, file));
	ASSERT_EQ(0, fclose(file));
	EXPECT_STREQ("\"dead0a20\"", machine_value("kernel", "build_id"));

	/* Cut short in the middle of the id. */
	ASSERT_EQ(0, truncate(fakeroot_path(&self->root, "/sys/kernel/notes"), sizeof(notes) - 1));
	EXPECT_STREQ("null", machine_value("kernel", "build_id"));
}

TEST_F(fingerprint, software_midr_is_emulation)
{
	fakeroot_write(&self->root, CPU "/online", "0\n");
	fakeroot_write(&self->root, CPU "/cpu0/regs/identification/midr_el1",
		       "0x00000000000f0510\n");
	EXPECT_STREQ("true", machine_value("cpu", "emulated"));
	fakeroot_write(&self->root, CPU "/cpu0/regs/identification/midr_el1",
		       "0x00000000410fd842\n");
	EXPECT_STREQ("false", machine_value("cpu", "emulated"));
}

TEST_F(fingerprint, emulated_word_must_stand_alone)
{
	fakeroot_write(&self->root, "/proc/cmdline", "xvmtests.emulated=1 vmtests.emulated=10\n");
	EXPECT_STREQ("false", machine_value("cpu", "emulated"));
	fakeroot_write(&self->root, "/proc/cmdline", "quiet vmtests.emulated=1\n");
	EXPECT_STREQ("true", machine_value("cpu", "emulated"));
}

TEST_F(fingerprint, bbml2_is_no_only_with_a_log_from_boot_on)
{
	fakeroot_write(&self->root, "/proc/sys/kernel/arch", "aarch64\n");
	fakeroot_write(&self->root, "/dev/kmsg", "6,0,1,-;Booting Linux\n");
	EXPECT_STREQ("false", machine_value("cpu", "bbml2"));
	fakeroot_write(&self->root, "/dev/kmsg", "6,812,1,-;something later\n");
	EXPECT_STREQ("null", machine_value("cpu", "bbml2"));
}

TEST_F(fingerprint, arm64_cloud_machine_is_told_from_its_virtual_one)
{
	fakeroot_write(&self->root, "/proc/sys/kernel/arch", "aarch64\n");
	EXPECT_STREQ("null", machine_value("cpu", "hypervisor"));
	fakeroot_write(&self->root, "/sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
	fakeroot_write(&self->root, "/sys/class/dmi/id/product_name", "m6g.large\n");
	EXPECT_STREQ("\"amazon\"", machine_value("cpu", "hypervisor"));
	fakeroot_write(&self->root, "/sys/class/dmi/id/product_name", "m6g.metal\n");
	EXPECT_STREQ("\"\"", machine_value("cpu", "hypervisor"));
}

TEST_F(fingerprint, binaries_are_the_executable_files)
{
	const char *const dirs[] = { self->root.dir, "/nonexistent", NULL };
	json_t *binaries;

	fakeroot_write(&self->root, "/a test", "#!/bin/sh\n");
	fakeroot_write(&self->root, "/a test.d", "dependencies\n");
	ASSERT_EQ(0, chmod(fakeroot_path(&self->root, "/a test"), 0755));
	binaries = fingerprint_binaries(dirs);
	ASSERT_EQ(1u, json_object_size(binaries));
	EXPECT_STREQ("a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf",
		     json_string_value(json_object_get(binaries, "a test")));
	json_decref(binaries);
}

TEST_F(fingerprint, hash_of_nothing_is_an_error)
{
	char hex[65];

	EXPECT_EQ(-ENOENT, __fingerprint_sha256("/nonexistent", hex));
	EXPECT_EQ(-EIO, __fingerprint_sha256("/", hex));
}

TEST_F(fingerprint, tools_are_versions_or_null)
{
	json_t *tools = fingerprint_tools();
	const char *name;
	json_t *version;

	ASSERT_EQ(5u, json_object_size(tools));
	json_object_foreach(tools, name, version) {
		if (json_is_null(version))
			continue;
		EXPECT_LE('0', json_string_value(version)[0]);
		EXPECT_GE('9', json_string_value(version)[0]);
	}
	json_decref(tools);
}

TEST_HARNESS_MAIN
