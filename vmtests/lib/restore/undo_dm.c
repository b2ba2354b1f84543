// SPDX-License-Identifier: GPL-2.0
/*
 * undo_dm: device-mapper devices that must not stay.
 *
 * Through the device mapper's own interface (linux/dm-ioctl.h), because it also removes what the
 * program that was to make the device left half made: a device without a table, which cryptsetup
 * does not take for one of its own. Removing a crypt device wipes its key.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <vmtests/journal.h>
#include <vmtests/undo.h>

#include "undo.h"

#define CONTROL "/dev/" DM_DIR "/" DM_CONTROL_NODE

/* One command on the device @name, without payload. Returns 0 or -errno. */
static int dm_command(const char *name, unsigned long command)
{
	struct dm_ioctl io = {
		/* The oldest interface that has the command: the kernel takes any older one. */
		.version = { DM_VERSION_MAJOR, 0, 0 },
		.data_size = sizeof(io),
	};
	int fd, ret;

	if (strlen(name) >= sizeof(io.name))
		return -ENAMETOOLONG;
	strcpy(io.name, name);
	fd = open(CONTROL, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	ret = ioctl(fd, command, &io) ? -errno : 0;
	close(fd);
	return ret;
}

/* Without udev, libdevmapper makes the node itself, and nobody else removes it. */
static int node_remove(const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "/dev/" DM_DIR "/%s", name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

int undo_dm(const char *target, const char *value)
{
	int ret = dm_command(target, DM_DEV_REMOVE);

	(void)value;
	if (ret == -EBUSY) {
		undo_udev_settle();
		ret = dm_command(target, DM_DEV_REMOVE);
	}
	if (ret && ret != -ENXIO && ret != -ENODEV)
		return ret;
	return node_remove(target);
}

int __undo_dm(const char *name)
{
	int ret = dm_command(name, DM_DEV_STATUS);

	if (!ret)
		return -EEXIST;
	return ret == -ENXIO ? __journal_note(UNDO_DM, name, UNDO_ABSENT) : ret;
}
