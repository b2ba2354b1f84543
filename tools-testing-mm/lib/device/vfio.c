// SPDX-License-Identifier: GPL-2.0
/* vfio: the group and container interface of VFIO. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <libmm/pci.h>
#include <libmm/sysfile.h>
#include <libmm/vfio.h>

static const struct vfio_device closed = { .container = -1, .group = -1, .fd = -1 };

static struct probe driver_check(const char *name)
{
	char driver[PCI_NAME_MAX];

	if (pci_link(name, "driver", driver, sizeof(driver)))
		return probe_unknown("the driver of %s cannot be read", name);
	if (!*driver)
		return probe_no("%s has no driver: bind it to " VFIO_DRIVER, name);
	return !strcmp(driver, VFIO_DRIVER) ? probe_yes() :
	       probe_no("%s is bound to %s, not to " VFIO_DRIVER, name, driver);
}

static struct probe file_open(int *fd, const char *path)
{
	char full[SYSFILE_PATH_MAX];

	*fd = __sysfile_path(full, sizeof(full), path) ? -1 : open(full, O_RDWR | O_CLOEXEC);
	if (*fd >= 0)
		return probe_yes();
	return probe_no("opening %s: %s%s", path, strerror(errno),
			errno == ENOENT ? ": modprobe vfio-pci" : "");
}

static struct probe group_join(struct vfio_device *dev, const char *group)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	if (ioctl(dev->group, VFIO_GROUP_GET_STATUS, &status))
		return probe_no("VFIO_GROUP_GET_STATUS of %s: %s", group, strerror(errno));
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return probe_no("other devices of IOMMU group %s have drivers", group);
	if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &dev->container))
		return probe_no("VFIO_GROUP_SET_CONTAINER: %s", strerror(errno));
	if (ioctl(dev->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return probe_no("VFIO_SET_IOMMU: %s: modprobe vfio_iommu_type1", strerror(errno));
	return probe_yes();
}

static struct probe device_open(struct vfio_device *dev, const char *name)
{
	char number[16], group[32];
	struct probe probe;

	if (pci_link(name, "iommu_group", number, sizeof(number)) || !*number)
		return probe_no("%s has no IOMMU group: switch an IOMMU on", name);
	snprintf(group, sizeof(group), "/dev/vfio/%s", number);
	probe = driver_check(name);
	if (probe.answer == PROBE_YES)
		probe = file_open(&dev->container, "/dev/vfio/vfio");
	if (probe.answer == PROBE_YES)
		probe = file_open(&dev->group, group);
	if (probe.answer == PROBE_YES)
		probe = group_join(dev, group);
	if (probe.answer != PROBE_YES)
		return probe;
	dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, name);
	return dev->fd >= 0 ? probe :
	       probe_no("VFIO_GROUP_GET_DEVICE_FD %s: %s", name, strerror(errno));
}

struct probe vfio_open(struct vfio_device *dev, const char *name)
{
	struct probe probe;

	*dev = closed;
	probe = device_open(dev, name);
	if (probe.answer != PROBE_YES)
		vfio_close(dev);
	return probe;
}

void vfio_close(struct vfio_device *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->group >= 0)
		close(dev->group);
	if (dev->container >= 0)
		close(dev->container);
	*dev = closed;
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
	struct vfio_region config;
	int ret = vfio_region_get(dev, VFIO_PCI_CONFIG_REGION_INDEX, &config);

	return ret ? ret : pci_memory_enable(dev->fd, config.offset, enable);
}
