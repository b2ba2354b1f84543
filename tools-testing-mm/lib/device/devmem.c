// SPDX-License-Identifier: GPL-2.0
/* devmem: a device whose memory may be overwritten, through VFIO. */
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/base.h>
#include <libmm/devmem.h>
#include <libmm/fail.h>
#include <libmm/kconfig.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

#define DEFAULT_BAR "2"

struct probe devmem_find(struct devmem *mem)
{
	const char *name = getenv("PFNMAP_DEVICE"), *bar = getenv("PFNMAP_BAR");

	*mem = (struct devmem) { .vfio = { .container = -1, .group = -1, .fd = -1 } };
	if (!name)
		name = getenv("VFIO_SELFTESTS_BDF");
	if (!name)
		return probe_no("no PCI device is named in PFNMAP_DEVICE: " DEVMEM_SEE);
	if (!bar)
		bar = DEFAULT_BAR;
	mem->bar_index = bar[0] - '0';
	if (strlen(bar) != 1 || mem->bar_index > 5)
		return probe_no("PFNMAP_BAR is not 0 to 5: " DEVMEM_SEE);
	snprintf(mem->device, sizeof(mem->device), "%s", name);
	if (pci_bar_read(mem->device, mem->bar_index, &mem->bar) || !mem->bar.size)
		return probe_no("there is no BAR %u of %s: " DEVMEM_SEE, mem->bar_index,
				mem->device);
	return probe_yes();
}

void devmem_allow_huge(void)
{
	if (sysfile_readable(DEVMEM_THP_ENABLED))
		restore_set(DEVMEM_THP_ENABLED, "always");
}

struct probe devmem_open(struct devmem *mem)
{
	struct probe probe = vfio_open(&mem->vfio, mem->device);
	struct vfio_region region;
	int err;

	if (probe.answer != PROBE_YES)
		return probe_no("%s: " DEVMEM_SEE, probe.why);
	if (vfio_region_get(&mem->vfio, VFIO_PCI_BAR0_REGION_INDEX + mem->bar_index, &region) ||
	    !(region.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return probe_no("VFIO does not map BAR %u of %s: " DEVMEM_SEE, mem->bar_index,
				mem->device);
	devmem_allow_huge();
	err = vfio_memory_enable(&mem->vfio, true);
	if (err)
		return probe_no("the memory of %s cannot be switched on: %s", mem->device,
				strerror(-err));
	mem->offset = region.offset;
	return probe_yes();
}

void devmem_close(struct devmem *mem)
{
	vfio_close(&mem->vfio);
}

/* Whether the CPU has entries of 1G; an x86 without them has a PUD level all the same. */
static bool cpu_has_puds(void)
{
#if defined(__x86_64__)
	bool found = false;
	size_t size = 0;
	char *line = NULL;
	FILE *file = fopen("/proc/cpuinfo", "re");

	if (!file)
		libmm_fail("devmem: /proc/cpuinfo cannot be opened");
	while (!found && getline(&line, &size, file) >= 0)
		found = !strncmp(line, "flags", 5) && strstr(line, " pdpe1gb");
	free(line);
	fclose(file);
	return found;
#else
	return true;
#endif
}

void devmem_levels(struct devmem_levels *levels)
{
	levels->page = page_size();
	levels->pmd = levels->page / sizeof(uint64_t) * levels->page;
	levels->pud = levels->page / sizeof(uint64_t) * levels->pmd;
	levels->pmd_maps = kconfig_value(DEVMEM_PMD_OPTION) == 'y';
	levels->pud_maps = kconfig_value(DEVMEM_PUD_OPTION) == 'y' && cpu_has_puds();
}
