// SPDX-License-Identifier: GPL-2.0
/*
 * devmem: a device whose memory may be overwritten, through VFIO.
 */
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/devmem.h>
#include <libmm/fail.h>
#include <libmm/kconfig.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

#define IVSHMEM_VENDOR	0x1af4
#define IVSHMEM_DEVICE	0x1110
#define IVSHMEM_BAR	2
#define SEE		DEVMEM_SEE

static const struct vfio_device closed = { .container = -1, .group = -1, .fd = -1 };

static int bar_index(unsigned int *index)
{
	const char *text = getenv("PFNMAP_BAR");

	*index = IVSHMEM_BAR;
	if (!text)
		return 0;
	*index = text[0] - '0';
	return strlen(text) == 1 && *index < 6 ? 0 : -EINVAL;
}

int __devmem_find(struct devmem *mem, char *reason, size_t len)
{
	const char *name = getenv("PFNMAP_DEVICE");

	*mem = (struct devmem) { .named = name, .vfio = closed };
	if (bar_index(&mem->bar_index))
		return libmm_refuse(-ENODEV, reason, len, "PFNMAP_BAR is not 0 to 5: " SEE);
	if (!name && __pci_find(IVSHMEM_VENDOR, IVSHMEM_DEVICE, mem->device, sizeof(mem->device)))
		return libmm_refuse(-ENODEV, reason, len,
				    "no ivshmem device, and no other is named: " SEE);
	if (name)
		snprintf(mem->device, sizeof(mem->device), "%s", name);
	if (__pci_bar(mem->device, mem->bar_index, &mem->bar) || !mem->bar.size)
		return libmm_refuse(-ENODEV, reason, len, "there is no BAR %u of %s: " SEE,
				    mem->bar_index, mem->device);
	return 0;
}

static int driver_set(const struct devmem *mem, char *reason, size_t len)
{
	return mem->named ? __pci_take(mem->device, "vfio-pci", reason, len) :
			    __pci_bind(mem->device, "vfio-pci", reason, len);
}

void devmem_allow_huge(void)
{
	if (sysfile_readable(DEVMEM_THP_ENABLED))
		restore_set(DEVMEM_THP_ENABLED, "always");
}

int __devmem_open(struct devmem *mem, char *reason, size_t len)
{
	struct vfio_region region;
	char why[PCI_REASON_MAX];
	int ret;

	ret = __vfio_iommu(mem->device, why, sizeof(why));
	if (!ret)
		ret = driver_set(mem, why, sizeof(why));
	if (!ret)
		ret = __vfio_open(&mem->vfio, mem->device, why, sizeof(why));
	if (ret)
		return libmm_refuse(ret, reason, len, "%s: " SEE, why);
	ret = __vfio_region(&mem->vfio, VFIO_PCI_BAR0_REGION_INDEX + mem->bar_index, &region);
	if (ret || !(region.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return libmm_refuse(ret ? ret : -ENODEV, reason, len,
				    "VFIO does not map BAR %u of %s: " SEE, mem->bar_index,
				    mem->device);
	devmem_allow_huge();
	ret = __vfio_memory_enable(&mem->vfio, 1);
	if (ret)
		return libmm_refuse(ret, reason, len, "the memory of %s cannot be switched on: %s",
				    mem->device, strerror(-ret));
	mem->offset = region.offset;
	return 0;
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
		libmm_fail("devmem: /proc/cpuinfo: %s", strerror(errno));
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
	levels->page = getpagesize();
	levels->pmd = levels->page / sizeof(uint64_t) * levels->page;
	levels->pud = levels->page / sizeof(uint64_t) * levels->pmd;
	levels->pmd_maps = kconfig_value(DEVMEM_PMD_OPTION) == 'y';
	levels->pud_maps = kconfig_value(DEVMEM_PUD_OPTION) == 'y' && cpu_has_puds();
}
