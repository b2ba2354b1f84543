// SPDX-License-Identifier: GPL-2.0
/*
 * perfcount_events: from what the kernel says of its PMU to the events that count TLB walks.
 *
 * Codes: Arm ARM, "PMU events" (DTLB_WALK, L2D_TLB_REFILL, INST_RETIRED); Intel's event lists,
 * DTLB_{LOAD,STORE}_MISSES.WALK_COMPLETED, which got other numbers with Golden Cove; AMD's
 * LsL1DTlbMiss, whose upper four mask bits are the misses of both levels.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/sysfile.h>

#include "perfcount_events.h"

#define DEVICES "/sys/bus/event_source/devices"
#define ARM_PREFIX "armv8"
#define AMD_ZEN_FAMILY 0x17
#define WALK_COMPLETED_ALL_SIZES (0x0e << 8)
#define AMD_WALKS 0xf045

static const char no_pmu[] =
	"no hardware counters: the kernel knows no PMU of this CPU (is it a virtual machine?)";
static const char hybrid[] =
	"this CPU has cores of several kinds, which count TLB walks differently: not supported";

/* By the name that the kernel gives the core: arch/x86/events/intel/core.c. */
static const struct intel_core {
	const char *name;
	unsigned int load;
	unsigned int store;
} intel_cores[] = {
	{ "haswell", 0x08, 0x49 },
	{ "broadwell", 0x08, 0x49 },
	{ "skylake", 0x08, 0x49 },
	{ "icelake", 0x08, 0x49 },
	{ "sapphire_rapids", 0x12, 0x13 },
	{ "granite_rapids", 0x12, 0x13 },
};

/* The best first: a refill of the last level is no walk on every core, so it is labelled. */
static const struct arm_event {
	const char *file;
	const char *label;
} arm_events[] = {
	{ "dtlb_walk", "arm64 DTLB_WALK" },
	{ "l2d_tlb_refill", "arm64 L2D_TLB_REFILL (fallback)" },
};

static const struct perfcount_hw_event generic_instructions = {
	PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS,
};

static const struct perfcount_hw_event generic_dtlb_misses = {
	PERF_TYPE_HW_CACHE,
	PERF_COUNT_HW_CACHE_DTLB | PERF_COUNT_HW_CACHE_OP_READ << 8 |
		PERF_COUNT_HW_CACHE_RESULT_MISS << 16,
};

static bool device_exists(const char *device)
{
	char path[SYSFILE_PATH_MAX];

	snprintf(path, sizeof(path), DEVICES "/%s/type", device);
	return sysfile_readable(path);
}

/* How many Arm PMUs there are; @name gets the last one's. */
static unsigned int arm_devices(char *name, size_t size)
{
	char path[SYSFILE_PATH_MAX];
	unsigned int count = 0;
	struct dirent *entry;
	DIR *dir;

	if (__sysfile_path(path, sizeof(path), DEVICES))
		return 0;
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, ARM_PREFIX, strlen(ARM_PREFIX)))
			continue;
		if (!device_exists(entry->d_name))
			continue;
		snprintf(name, size, "%s", entry->d_name);
		count++;
	}
	if (dir)
		closedir(dir);
	return count;
}

/* The number in a file "event=0x34". The file is there only if the CPU counts the event. */
static int arm_event_read(const char *device, const char *event, uint64_t *code)
{
	char path[SYSFILE_PATH_MAX], text[64];
	unsigned long number;
	ssize_t len;

	if ((size_t)snprintf(path, sizeof(path), DEVICES "/%s/events/%s", device, event) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	len = __sysfile_read(path, text, sizeof(text));
	if (len < 0)
		return len;
	if (sscanf(text, "event=%lx", &number) != 1)
		return -EINVAL;
	*code = number;
	return 0;
}

static int arm_choose(const char *device, struct perfcount_choice *choice, const char **why)
{
	char path[SYSFILE_PATH_MAX];
	uint64_t type, code;

	snprintf(path, sizeof(path), DEVICES "/%s/type", device);
	*why = "the CPU's PMU does not count retired instructions (INST_RETIRED)";
	if (__sysfile_read_u64(path, &type) || arm_event_read(device, "inst_retired", &code))
		return -ENODEV;
	choice->instructions = (struct perfcount_hw_event){ type, code };

	for (size_t i = 0; i < sizeof(arm_events) / sizeof(*arm_events); i++) {
		if (arm_event_read(device, arm_events[i].file, &code))
			continue;
		choice->walks[0] = (struct perfcount_hw_event){ type, code };
		choice->nr_walks = 1;
		snprintf(choice->source, sizeof(choice->source), "%s 0x%llx", arm_events[i].label,
			 (unsigned long long)code);
		return 0;
	}
	*why = "the CPU's PMU counts neither DTLB_WALK nor L2D_TLB_REFILL";
	return -ENODEV;
}

static void raw_walk_add(struct perfcount_choice *choice, uint64_t config)
{
	choice->walks[choice->nr_walks++] = (struct perfcount_hw_event){ PERF_TYPE_RAW, config };
}

static bool intel_choose(struct perfcount_choice *choice)
{
	char name[64];

	if (__sysfile_read(DEVICES "/cpu/caps/pmu_name", name, sizeof(name)) <= 0)
		return false;
	for (size_t i = 0; i < sizeof(intel_cores) / sizeof(*intel_cores); i++) {
		const struct intel_core *core = &intel_cores[i];

		if (strcmp(core->name, name))
			continue;
		raw_walk_add(choice, core->load | WALK_COMPLETED_ALL_SIZES);
		raw_walk_add(choice, core->store | WALK_COMPLETED_ALL_SIZES);
		snprintf(choice->source, sizeof(choice->source),
			 "%s DTLB_{LOAD,STORE}_MISSES.WALK_COMPLETED 0x%02x,0x%02x umask 0x0e",
			 name, core->load, core->store);
		return true;
	}
	return false;
}

/* Vendor and family of the first CPU, from "vendor_id : X" and "cpu family : N". */
static bool is_amd_zen(void)
{
	char text[4096], path[SYSFILE_PATH_MAX];
	unsigned int family = 0;
	const char *at;
	size_t len;
	FILE *file;

	if (__sysfile_path(path, sizeof(path), "/proc/cpuinfo"))
		return false;
	file = fopen(path, "re");
	if (!file)
		return false;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	if (!strstr(text, "AuthenticAMD") && !strstr(text, "HygonGenuine"))
		return false;
	at = strstr(text, "cpu family");
	return at && sscanf(at, "cpu family : %u", &family) == 1 && family >= AMD_ZEN_FAMILY;
}

static void x86_choose(struct perfcount_choice *choice)
{
	choice->instructions = generic_instructions;
	if (is_amd_zen()) {
		raw_walk_add(choice, AMD_WALKS);
		snprintf(choice->source, sizeof(choice->source),
			 "AMD LsL1DTlbMiss 0x45 umask 0xf0");
	} else if (!intel_choose(choice)) {
		choice->walks[choice->nr_walks++] = generic_dtlb_misses;
		snprintf(choice->source, sizeof(choice->source),
			 "generic dTLB-load-misses (fallback)");
	}
}

int perfcount_choose(struct perfcount_choice *choice, const char **why)
{
	char arm[NAME_MAX + 1];
	unsigned int arms = arm_devices(arm, sizeof(arm));

	memset(choice, 0, sizeof(*choice));
	*why = hybrid;
	if (arms > 1 || device_exists("cpu_core"))
		return -EOPNOTSUPP;
	if (arms)
		return arm_choose(arm, choice, why);
	*why = no_pmu;
	if (!device_exists("cpu"))
		return -ENODEV;
	x86_choose(choice);
	return 0;
}
