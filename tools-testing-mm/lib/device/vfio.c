// SPDX-License-Identifier: GPL-2.0
/*
 * vfio: the group and container interface of VFIO, which every kernel with VFIO has.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/sysfile.h>
#include <libmm/vfio.h>

#define CONTAINER "/dev/vfio/vfio"

/* The number of the device's IOMMU group, as a string. */
static int group_find(const char *name, char *group, size_t size, char *reason, size_t len)
{
	char path[SYSFILE_PATH_MAX], link[SYSFILE_PATH_MAX], target[PATH_MAX];
	ssize_t n;

	if (snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", name) >=
	    (int)sizeof(path) || __sysfile_path(link, sizeof(link), path))
		return libmm_refuse(-ENAMETOOLONG, reason, len, "%s is no name of a device", name);
	n = readlink(link, target, sizeof(target) - 1);
	if (n < 0)
		return libmm_refuse(-ENODEV, reason, len, "%s has no IOMMU group: switch an IOMMU on",
				    name);
	target[n] = '\0';
	return snprintf(group, size, "%s", basename(target)) < (int)size ? 0 : -ENAMETOOLONG;
}

int __vfio_iommu(const char *name, char *reason, size_t len)
{
	char group[32];

	return group_find(name, group, sizeof(group), reason, len);
}

static int container_open(struct vfio_device *dev, char *reason, size_t len)
{
	char path[SYSFILE_PATH_MAX];
	int ret = __sysfile_path(path, sizeof(path), CONTAINER);

	if (ret)
		return libmm_refuse(ret, reason, len, "opening %s: %s", CONTAINER, strerror(-ret));
	dev->container = open(path, O_RDWR | O_CLOEXEC);
	if (dev->container < 0)
		return libmm_refuse(-errno, reason, len, "opening %s: %s: modprobe vfio-pci",
				    CONTAINER, strerror(errno));
	if (ioctl(dev->container, VFIO_GET_API_VERSION) != VFIO_API_VERSION)
		return libmm_refuse(-EPROTO, reason, len, CONTAINER " speaks another version");
	return 0;
}

static int group_open(struct vfio_device *dev, const char *group, char *reason, size_t len)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	dev->group = open(path, O_RDWR | O_CLOEXEC);
	if (dev->group < 0)
		return libmm_refuse(-errno, reason, len, "opening %s: %s", path, strerror(errno));
	if (ioctl(dev->group, VFIO_GROUP_GET_STATUS, &status))
		return libmm_refuse(-errno, reason, len, "the state of %s: %s", path,
				    strerror(errno));
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return libmm_refuse(-EBUSY, reason, len, "IOMMU group %s has other devices in use",
				    group);
	return 0;
}

static int device_open(struct vfio_device *dev, const char *name, char *reason, size_t len)
{
	if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &dev->container))
		return libmm_refuse(-errno, reason, len, "VFIO_GROUP_SET_CONTAINER: %s",
				    strerror(errno));
	if (ioctl(dev->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return libmm_refuse(-errno, reason, len, "VFIO_SET_IOMMU: %s: %s", strerror(errno),
				    "modprobe vfio_iommu_type1");
	dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, name);
	if (dev->fd < 0)
		return libmm_refuse(-errno, reason, len, "VFIO_GROUP_GET_DEVICE_FD %s: %s", name,
				    strerror(errno));
	return 0;
}

int __vfio_open(struct vfio_device *dev, const char *name, char *reason, size_t len)
{
	char group[32];
	int ret;

	*dev = (struct vfio_device) { .container = -1, .group = -1, .fd = -1 };
	ret = group_find(name, group, sizeof(group), reason, len);
	if (!ret)
		ret = container_open(dev, reason, len);
	if (!ret)
		ret = group_open(dev, group, reason, len);
	if (!ret)
		ret = device_open(dev, name, reason, len);
	if (ret)
		vfio_close(dev);
	return ret;
}

void vfio_close(struct vfio_device *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->group >= 0)
		close(dev->group);
	if (dev->container >= 0)
		close(dev->container);
	*dev = (struct vfio_device) { .container = -1, .group = -1, .fd = -1 };
}

int __vfio_region(const struct vfio_device *dev, unsigned int index, struct vfio_region *region)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, &info))
		return -errno;
	*region = (struct vfio_region) {
		.size = info.size, .offset = info.offset, .flags = info.flags,
	};
	return 0;
}

int __vfio_memory_enable(const struct vfio_device *dev, int enable)
{
	struct vfio_region config;
	unsigned char command[2];
	int ret;

	ret = __vfio_region(dev, VFIO_PCI_CONFIG_REGION_INDEX, &config);
	if (ret)
		return ret;
	if (pread(dev->fd, command, sizeof(command), config.offset + PCI_COMMAND) !=
	    sizeof(command))
		return -EIO;
	/* Configuration space is little endian. */
	command[0] = enable ? command[0] | PCI_COMMAND_MEMORY : command[0] & ~PCI_COMMAND_MEMORY;
	if (pwrite(dev->fd, command, sizeof(command), config.offset + PCI_COMMAND) !=
	    sizeof(command))
		return -EIO;
	return 0;
}
