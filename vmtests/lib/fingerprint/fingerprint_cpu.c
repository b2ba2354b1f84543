// SPDX-License-Identifier: GPL-2.0
/*
 * fingerprint_cpu: the processors, what stands between them and the hardware, and how far the
 * kernel trusts them.
 *
 * Emulation: QEMU's TCG names itself in x86's hypervisor leaf. arm64 has no such leaf, but a MIDR
 * of implementer 0, which the architecture reserves for software, is no hardware's; whoever starts
 * a guest with a real processor's MIDR puts vmtests.emulated=1 on its kernel command line.
 */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <libmm/sysfile.h>

#include "fingerprint_parts.h"

#define EMULATED_WORD "vmtests.emulated=1"
#define MIDR_IMPLEMENTER_SHIFT 24
#define CPUID_HYPERVISOR 0x40000000
#define TCG_SIGNATURE "TCGTCGTCGTCG"
#define MAX_CPUS 8192

/*
 * Vendors of virtual machines in the SMBIOS tables, for arm64, where no instruction tells. Some of
 * them sell whole machines too: those say so in their product's name.
 */
static const struct vendor {
	const char *vendor;
	const char *metal;	/* in the product name of a machine without hypervisor */
	const char *hypervisor;
} vendors[] = {
	{ "QEMU", NULL, "qemu" },
	{ "KVM", NULL, "kvm" },
	{ "OpenStack", NULL, "kvm" },
	{ "KubeVirt", NULL, "kvm" },
	{ "Amazon EC2", ".metal", "amazon" },
	{ "Google", "-metal", "google" },
	{ "Alibaba Cloud", "ebm", "alibaba" },
	{ "VMware", NULL, "vmware" },
	{ "Xen", NULL, "xen" },
	{ "Parallels", NULL, "parallels" },
	{ "Apple Virtualization", NULL, "apple" },
	{ "Microsoft Corporation", NULL, "microsoft" },
	{ "BHYVE", NULL, "bhyve" },
};

struct cpuinfo {
	char model[256];
	char microcode[64];
	bool hypervisor_flag;
};

static bool arch_is(const char *arch, const char *wanted)
{
	return !strcmp(arch, wanted);
}

/* As the kernel names itself, where "setarch" cannot change it; arm64 by the name of its folder. */
static void arch_read(char *arch, size_t size)
{
	struct utsname name;

	if (__sysfile_read("/proc/sys/kernel/arch", arch, size) <= 0)
		snprintf(arch, size, "%s", uname(&name) ? "" : name.machine);
	if (!strcmp(arch, "aarch64"))
		snprintf(arch, size, "arm64");
}

/* The value of "key<tab>: value", or NULL. */
static char *cpuinfo_value(char *line, const char *key)
{
	size_t len = strlen(key);
	char *colon = strchr(line, ':');

	if (!colon || strncmp(line, key, len) || !isspace((unsigned char)line[len]))
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return colon[1] == ' ' ? colon + 2 : colon + 1;
}

static void cpuinfo_line(struct cpuinfo *info, char *line)
{
	const char *value;

	value = cpuinfo_value(line, "model name");
	if (value && !*info->model)
		snprintf(info->model, sizeof(info->model), "%s", value);
	value = cpuinfo_value(line, "microcode");
	if (value && !*info->microcode)
		snprintf(info->microcode, sizeof(info->microcode), "%s", value);
	value = cpuinfo_value(line, "flags");
	if (value && strstr(value, " hypervisor"))
		info->hypervisor_flag = true;
}

static void cpuinfo_read(struct cpuinfo *info)
{
	char path[SYSFILE_PATH_MAX], *line = NULL;
	size_t size = 0;
	FILE *file;

	memset(info, 0, sizeof(*info));
	if (__sysfile_path(path, sizeof(path), "/proc/cpuinfo"))
		return;
	file = fopen(path, "re");
	if (!file)
		return;
	while (getline(&line, &size, file) > 0)
		cpuinfo_line(info, line);
	free(line);
	fclose(file);
}

static json_t *text_or_null(const char *text)
{
	return *text ? fp_text(text) : json_null();
}

/* Calls @visit for each CPU of a list as "0-3,8". Returns how many there are, or -errno. */
static long cpu_list_each(const char *path, void (*visit)(unsigned int cpu, void *arg), void *arg)
{
	char text[FP_TEXT_MAX], *rest = text, *range;
	long count = 0;

	if (__sysfile_read(path, text, sizeof(text)) < 0)
		return -ENOENT;
	while ((range = strsep(&rest, ","))) {
		unsigned int first, last;
		int found = sscanf(range, "%u-%u", &first, &last);

		if (found < 1)
			return -EINVAL;
		if (found == 1)
			last = first;
		if (last < first || last >= MAX_CPUS)
			return -EINVAL;
		for (unsigned int cpu = first; cpu <= last; cpu++) {
			visit(cpu, arg);
			count++;
		}
	}
	return count;
}

/* The different contents of a file that every CPU has, in the order of the CPUs. */
struct variety {
	const char *format;
	char text[256];
	int (*normalize)(char *value, size_t size);
};

static bool variety_has(const struct variety *v, const char *value)
{
	size_t len = strlen(value);
	const char *at = v->text;

	while ((at = strstr(at, value))) {
		if ((at == v->text || at[-1] == ',') && (!at[len] || at[len] == ','))
			return true;
		at += len;
	}
	return false;
}

static void variety_add(unsigned int cpu, void *arg)
{
	char path[SYSFILE_PATH_MAX], value[64];
	struct variety *v = arg;
	size_t used = strlen(v->text);

	snprintf(path, sizeof(path), v->format, cpu);
	if (__sysfile_read(path, value, sizeof(value)) <= 0)
		return;
	if (v->normalize && v->normalize(value, sizeof(value)))
		return;
	if (!variety_has(v, value))
		snprintf(v->text + used, sizeof(v->text) - used, "%s%s", used ? "," : "", value);
}

static void variety_read(struct variety *v)
{
	if (cpu_list_each("/sys/devices/system/cpu/online", variety_add, v) < 0)
		v->text[0] = '\0';
}

/* The file has 16 digits, of which the upper half is reserved as zero. */
static int midr_normalize(char *value, size_t size)
{
	unsigned long long midr;
	char *end;

	errno = 0;
	midr = strtoull(value, &end, 16);
	if (errno || *end)
		return -EINVAL;
	snprintf(value, size, "0x%08llx", midr);
	return 0;
}

static bool midr_is_software(const char *midr)
{
	return *midr && !(strtoull(midr, NULL, 16) >> MIDR_IMPLEMENTER_SHIFT & 0xff);
}

static void cpu_ignore(unsigned int cpu, void *arg)
{
	(void)cpu;
	(void)arg;
}

static json_t *online_count(void)
{
	long count = cpu_list_each("/sys/devices/system/cpu/online", cpu_ignore, NULL);

	return count < 0 ? json_null() : json_integer(count);
}

static int mitigation_add(const char *name, void *arg)
{
	char path[SYSFILE_PATH_MAX];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/vulnerabilities/%s", name);
	return json_object_set_new(arg, name, fp_file_text(path)) ? -ENOMEM : 0;
}

static json_t *mitigations(void)
{
	json_t *object = json_object();
	int err;

	if (!object)
		return NULL;
	err = fp_dir_each("/sys/devices/system/cpu/vulnerabilities", mitigation_add, object);
	if (!err)
		return object;
	json_decref(object);
	return err == -ENOMEM ? NULL : json_null();
}

#if defined(__x86_64__)
/* The hypervisor's signature of 12 characters. Intel SDM and KVM's cpuid.rst: leaf 0x40000000. */
static void hypervisor_signature(char *name, size_t size)
{
	unsigned int leaf, part[3];

	__cpuid(CPUID_HYPERVISOR, leaf, part[0], part[1], part[2]);
	(void)leaf;
	snprintf(name, size, "%.12s", (const char *)part);
	for (char *c = name; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	if (!*name)
		snprintf(name, size, "unknown");
}
#else
static void hypervisor_signature(char *name, size_t size)
{
	snprintf(name, size, "unknown");
}
#endif

static const struct vendor *vendor_find(const char *name)
{
	for (size_t i = 0; i < sizeof(vendors) / sizeof(*vendors); i++)
		if (!strncmp(name, vendors[i].vendor, strlen(vendors[i].vendor)))
			return &vendors[i];
	return NULL;
}

/* False when this machine has no SMBIOS tables. */
static bool hypervisor_of_dmi(char *name, size_t size)
{
	const struct vendor *found;
	char vendor[256], product[256];

	if (__sysfile_read("/sys/class/dmi/id/sys_vendor", vendor, sizeof(vendor)) <= 0)
		return false;
	if (__sysfile_read("/sys/class/dmi/id/product_name", product, sizeof(product)) < 0)
		*product = '\0';
	found = vendor_find(vendor);
	if (!found || (found->metal && strstr(product, found->metal)))
		*name = '\0';
	else
		snprintf(name, size, "%s", found->hypervisor);
	return true;
}

/* False when this machine has no devicetree. Its strings end with NUL, lists have several. */
static bool hypervisor_of_devicetree(char *name, size_t size)
{
	char text[FP_TEXT_MAX];

	if (__sysfile_read("/sys/firmware/devicetree/base/hypervisor/compatible", text,
			   sizeof(text)) > 0) {
		snprintf(name, size, "%s", text);
		return true;
	}
	if (__sysfile_read("/sys/firmware/devicetree/base/compatible", text, sizeof(text)) <= 0)
		return false;
	/* The compatible of QEMU's, kvmtool's and crosvm's generic board. */
	snprintf(name, size, "%s", strcmp(text, "linux,dummy-virt") ? "" : text);
	return true;
}

/* Returns false when nothing here can tell a virtual machine from a real one. */
static bool hypervisor_read(const char *arch, const struct cpuinfo *info, char *name, size_t size)
{
	if (arch_is(arch, "x86_64")) {
		*name = '\0';
		if (info->hypervisor_flag)
			hypervisor_signature(name, size);
		return true;
	}
	return hypervisor_of_devicetree(name, size) || hypervisor_of_dmi(name, size);
}

static bool is_emulated(const char *hypervisor, const char *midr)
{
	return fp_cmdline_has(EMULATED_WORD) || !strcmp(hypervisor, TCG_SIGNATURE) ||
		midr_is_software(midr);
}

/*
 * "CPU features: detected: BBM Level 2 without TLB conflict abort" in arm64's cpufeature.c of 7.2.
 * The line is said once, at boot; a log without it that begins at boot means no.
 */
static json_t *bbml2(const char *arch)
{
	static const char *const long_form[] = { "CPU features: detected: ", "BBM Level 2", NULL };
	static const char *const short_form[] = { "CPU features: detected: ", "BBML2", NULL };
	int ret;

	if (!arch_is(arch, "arm64"))
		return json_null();
	ret = fp_boot_log_has(long_form);
	if (!ret)
		ret = fp_boot_log_has(short_form);
	return ret < 0 ? json_null() : json_boolean(ret);
}

json_t *fp_cpu(void)
{
	struct variety governor = {
		.format = "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor",
	};
	struct variety midr = {
		.format = "/sys/devices/system/cpu/cpu%u/regs/identification/midr_el1",
		.normalize = midr_normalize,
	};
	char arch[128], hypervisor[FP_TEXT_MAX] = "";
	struct cpuinfo info;
	bool knows;

	arch_read(arch, sizeof(arch));
	cpuinfo_read(&info);
	variety_read(&governor);
	variety_read(&midr);
	knows = hypervisor_read(arch, &info, hypervisor, sizeof(hypervisor));

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}",
			 "arch", fp_text(arch), "model", text_or_null(info.model),
			 "midr", text_or_null(midr.text),
			 "microcode", text_or_null(info.microcode), "online", online_count(),
			 "smt", fp_file_text("/sys/devices/system/cpu/smt/control"),
			 "governor", text_or_null(governor.text),
			 "hypervisor", knows ? fp_text(hypervisor) : json_null(),
			 "emulated", is_emulated(hypervisor, midr.text), "bbml2", bbml2(arch),
			 "mitigations", mitigations());
}
