// SPDX-License-Identifier: GPL-2.0
/*
 * pci_bind: devices change drivers through sysfs. Source of the files and of what they take:
 * Documentation/ABI/testing/sysfs-bus-pci.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>
#include <vmtests/pci.h>
#include <vmtests/undo.h>

#define DEVICES		"/sys/bus/pci/devices"
#define NO_OVERRIDE	"(null)"	/* what the kernel prints for it */

static bool device_is(const char *name, unsigned int vendor, unsigned int device)
{
	char path[SYSFILE_PATH_MAX];
	uint64_t id;

	if (pci_path(path, sizeof(path), name, "vendor") || __sysfile_read_u64(path, &id) ||
	    id != vendor)
		return false;
	return !pci_path(path, sizeof(path), name, "device") && !__sysfile_read_u64(path, &id) &&
	       id == device;
}

int pci_find(unsigned int vendor, unsigned int device, char *name, size_t size)
{
	char path[SYSFILE_PATH_MAX];
	struct dirent **entries;
	int i, n, ret;

	ret = __sysfile_path(path, sizeof(path), DEVICES);
	if (ret)
		return ret;
	n = scandir(path, &entries, NULL, alphasort);
	if (n < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	ret = -ENODEV;
	for (i = 0; i < n; i++) {
		if (ret == -ENODEV && device_is(entries[i]->d_name, vendor, device))
			ret = snprintf(name, size, "%s", entries[i]->d_name) < (int)size ?
			      0 : -ENAMETOOLONG;
		free(entries[i]);
	}
	free(entries);
	return ret;
}

static bool is_overridden(const char *name)
{
	char path[SYSFILE_PATH_MAX], value[PCI_NAME_MAX + 1];

	return !pci_path(path, sizeof(path), name, "driver_override") &&
	       __sysfile_read(path, value, sizeof(value)) && strcmp(value, NO_OVERRIDE);
}

static bool driver_is_loaded(const char *driver)
{
	char path[SYSFILE_PATH_MAX], file[SYSFILE_PATH_MAX];

	return snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s", driver) <
	       (int)sizeof(path) &&
	       !__sysfile_path(file, sizeof(file), path) && !access(file, F_OK);
}

static int attribute_write(const char *name, const char *file, const char *value)
{
	char path[SYSFILE_PATH_MAX];
	int ret = pci_path(path, sizeof(path), name, file);

	return ret ? ret : __sysfile_write(path, value);
}

/* Give @name to @driver: @present has it now, or no driver does (""). */
static int driver_change(const char *name, const char *present, const char *driver)
{
	char now[PCI_NAME_MAX] = "";
	int ret;

	ret = __undo_pci_driver(name, present);
	if (!ret && *present)
		ret = attribute_write(name, "driver/unbind", name);
	if (!ret)
		ret = attribute_write(name, "driver_override", driver);
	if (!ret)
		ret = __sysfile_write("/sys/bus/pci/drivers_probe", name);
	if (!ret)
		ret = pci_link(name, "driver", now, sizeof(now));
	return !ret && strcmp(now, driver) ? -ENODEV : ret;
}

/* @take: from a driver that has it, unless the device is in use. */
static int bind(const char *name, const char *driver, bool take, char *reason, size_t len)
{
	char present[PCI_NAME_MAX], path[SYSFILE_PATH_MAX];
	int ret;

	ret = pci_path(path, sizeof(path), name, "vendor");
	if (ret || !sysfile_readable(path))
		return libmm_refuse(-ENOENT, reason, len, "no PCI device %s", name);
	ret = pci_link(name, "driver", present, sizeof(present));
	if (ret)
		return libmm_refuse(ret, reason, len, "no driver of %s can be read: %s", name,
				    strerror(-ret));
	if (!strcmp(present, driver))
		return 0;
	if (*present && !take)
		return libmm_refuse(-EBUSY, reason, len, "%s is in use by %s: unbind it first",
				    name, present);
	if (is_overridden(name))
		return libmm_refuse(-EBUSY, reason, len,
				    "%s has a driver_override: it is reserved for that driver",
				    name);
	if (!driver_is_loaded(driver))
		return libmm_refuse(-ENOENT, reason, len, "no driver %s: modprobe %s", driver,
				    driver);
	ret = *present ? pci_use(name, reason, len) : 0;
	if (ret)
		return ret;
	ret = driver_change(name, present, driver);
	if (ret)
		return libmm_refuse(ret, reason, len, "%s does not take %s (%s): see the kernel log",
				    driver, name, strerror(-ret));
	return 0;
}

int pci_bind(const char *name, const char *driver, char *reason, size_t len)
{
	return bind(name, driver, false, reason, len);
}

int pci_take(const char *name, const char *driver, char *reason, size_t len)
{
	return bind(name, driver, true, reason, len);
}
