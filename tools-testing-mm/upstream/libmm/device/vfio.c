// SPDX-License-Identifier: GPL-2.0
/*
 * vfio: a device through the library of selftests/vfio. That fails a test where something is
 * missing, so what a machine may lack is asked for before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libvfio.h>

#include <libmm/pci.h>
#include <libmm/vfio.h>

static const struct vfio_device closed = { .container = -1, .group = -1, .fd = -1 };

/* A process has one open at a time. */
static struct vfio_pci_device *opened;

static bool is_bound(const char *name)
{
	char *driver = sysfs_driver_get(name);
	bool bound = driver && !strcmp(driver, VFIO_DRIVER);

	free(driver);
	return bound;
}

struct probe vfio_open(struct vfio_device *dev, const char *name)
{
	struct probe probe;
	char group[256];

	*dev = closed;
	if (pci_path(group, sizeof(group), name, "iommu_group"))
		return probe_no("%s is no name of a device", name);
	if (access(group, F_OK))
		return probe_no("%s has no IOMMU group: switch an IOMMU on", name);
	if (!is_bound(name))
		return probe_no("%s is not bound to " VFIO_DRIVER ": run vfio/scripts/setup.sh",
				name);
	probe = probe_writable("/dev/vfio/vfio");
	if (probe.answer != PROBE_YES)
		return probe;

	opened = vfio_pci_device_init(name, iommu_init(MODE_VFIO_TYPE1V2_IOMMU));
	*dev = (struct vfio_device) {
		.container = opened->iommu->container_fd,
		.group = opened->group_fd,
		.fd = opened->fd,
	};
	return probe_yes();
}

void vfio_close(struct vfio_device *dev)
{
	struct iommu *iommu;

	*dev = closed;
	if (!opened)
		return;
	iommu = opened->iommu;
	vfio_pci_device_cleanup(opened);
	iommu_cleanup(iommu);
	opened = NULL;
}

int vfio_region_get(const struct vfio_device *dev, unsigned int index, struct vfio_region *region)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };
	int ret = ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &info) ? -errno : 0;

	*region = (struct vfio_region) {
		.size = info.size, .offset = info.offset, .flags = info.flags,
	};
	return ret;
}

int vfio_memory_enable(const struct vfio_device *dev, bool enable)
{
	return pci_memory_enable(dev->fd, opened->config_space.offset, enable);
}
