// SPDX-License-Identifier: GPL-2.0
/*
 * pci: devices and their drivers, through sysfs. Source of the files and of what they take:
 * Documentation/ABI/testing/sysfs-bus-pci.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/pci.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

#define DEVICES		"/sys/bus/pci/devices"
#define NO_OVERRIDE	"(null)"	/* what the kernel prints for it */
#define NR_BARS		6
#define KIND		"pcidriver"
#define NO_DRIVER	"absent"	/* what a device goes back to that had none */
#define RESOURCE_MAX	4096

/* PATH/FILE of a device; a name is one component of a path and nothing else. */
static int device_path(char *path, size_t size, const char *name, const char *file)
{
	int n;

	if (!*name || strchr(name, '/') || *name == '.')
		return -EINVAL;
	n = snprintf(path, size, DEVICES "/%s/%s", name, file);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int attribute_write(const char *name, const char *file, const char *value)
{
	char path[SYSFILE_PATH_MAX];
	int ret = device_path(path, sizeof(path), name, file);

	return ret ? ret : __sysfile_write(path, value);
}

static bool device_is(const char *name, unsigned int vendor, unsigned int device)
{
	char path[SYSFILE_PATH_MAX];
	uint64_t id;

	if (device_path(path, sizeof(path), name, "vendor") || __sysfile_read_u64(path, &id) ||
	    id != vendor)
		return false;
	return !device_path(path, sizeof(path), name, "device") &&
	       !__sysfile_read_u64(path, &id) && id == device;
}

int __pci_find(unsigned int vendor, unsigned int device, char *name, size_t size)
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

int __pci_bar(const char *name, unsigned int index, struct pci_bar *bar)
{
	char path[SYSFILE_PATH_MAX], text[RESOURCE_MAX], *line = text;
	uint64_t first, last;
	ssize_t len;
	int ret;

	if (index >= NR_BARS)
		return -EINVAL;
	ret = device_path(path, sizeof(path), name, "resource");
	if (ret)
		return ret;
	len = __sysfile_read(path, text, sizeof(text));
	if (len < 0)
		return len;
	while (index-- && line) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line || sscanf(line, "%" SCNx64 " %" SCNx64, &first, &last) != 2)
		return -EINVAL;
	bar->start = first;
	bar->size = last > first ? last - first + 1 : 0;
	return 0;
}

int __pci_driver(const char *name, char *driver, size_t size)
{
	char path[SYSFILE_PATH_MAX], link[SYSFILE_PATH_MAX], target[PATH_MAX];
	ssize_t n;
	int ret;

	ret = device_path(path, sizeof(path), name, "driver");
	if (!ret)
		ret = __sysfile_path(link, sizeof(link), path);
	if (ret)
		return ret;
	n = readlink(link, target, sizeof(target) - 1);
	if (n < 0 && errno != ENOENT)
		return -errno;
	target[n < 0 ? 0 : n] = '\0';
	return snprintf(driver, size, "%s", n < 0 ? "" : basename(target)) < (int)size ?
	       0 : -ENAMETOOLONG;
}

static bool is_overridden(const char *name)
{
	char path[SYSFILE_PATH_MAX], value[PCI_NAME_MAX + 1];

	return !device_path(path, sizeof(path), name, "driver_override") &&
	       __sysfile_read(path, value, sizeof(value)) && strcmp(value, NO_OVERRIDE);
}

static bool driver_is_loaded(const char *driver)
{
	char path[SYSFILE_PATH_MAX], file[SYSFILE_PATH_MAX];

	return snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s", driver) <
	       (int)sizeof(path) &&
	       !__sysfile_path(file, sizeof(file), path) && !access(file, F_OK);
}

/* @value: the driver that the device goes back to, or NO_DRIVER. */
static int driver_undo(const char *target, const char *value)
{
	char driver[PCI_NAME_MAX], path[SYSFILE_PATH_MAX];
	int ret;

	ret = attribute_write(target, "driver_override", "\n");
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = __pci_driver(target, driver, sizeof(driver));
	if (ret || !strcmp(driver, value))
		return ret;
	if (*driver)
		ret = attribute_write(target, "driver/unbind", target);
	if (ret || !strcmp(value, NO_DRIVER))
		return ret;
	if (snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", value) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	return __sysfile_write(path, target);
}

int pci_restore_register(void)
{
	return restore_register(KIND, driver_undo);
}

/* Give @name to @driver: @present has it now, or none does (""). */
static int driver_change(const char *name, const char *present, const char *driver)
{
	char now[PCI_NAME_MAX];
	int ret;

	ret = pci_restore_register();
	if (!ret)
		ret = __restore_note(KIND, name, *present ? present : NO_DRIVER);
	if (!ret && *present)
		ret = attribute_write(name, "driver/unbind", name);
	if (!ret)
		ret = attribute_write(name, "driver_override", driver);
	if (!ret)
		ret = __sysfile_write("/sys/bus/pci/drivers_probe", name);
	if (!ret)
		ret = __pci_driver(name, now, sizeof(now));
	return !ret && strcmp(now, driver) ? -ENODEV : ret;
}

/* @take: from a driver that has it, unless someone would miss that. */
static int bind(const char *name, const char *driver, bool take, char *reason, size_t len)
{
	char present[PCI_NAME_MAX], path[SYSFILE_PATH_MAX];
	int ret;

	ret = device_path(path, sizeof(path), name, "vendor");
	if (ret || !sysfile_readable(path))
		return libmm_refuse(-ENOENT, reason, len, "no PCI device %s", name);
	ret = __pci_driver(name, present, sizeof(present));
	if (ret)
		return libmm_refuse(ret, reason, len, "no driver of %s can be read: %s", name,
				    strerror(-ret));
	if (!strcmp(present, driver))
		return 0;
	if (*present && !take)
		return libmm_refuse(-EBUSY, reason, len, "%s is in use by %s: unbind it first",
				    name, present);
	if (is_overridden(name))
		return libmm_refuse(-EBUSY, reason, len, "%s has a driver_override: it is for others",
				    name);
	if (!driver_is_loaded(driver))
		return libmm_refuse(-ENOENT, reason, len, "no driver %s: modprobe %s", driver,
				    driver);
	ret = *present ? __pci_use(name, reason, len) : 0;
	if (ret)
		return ret;
	ret = driver_change(name, present, driver);
	if (ret)
		return libmm_refuse(ret, reason, len, "%s does not take %s (%s): see the kernel log",
				    driver, name, strerror(-ret));
	return 0;
}

int __pci_bind(const char *name, const char *driver, char *reason, size_t len)
{
	return bind(name, driver, false, reason, len);
}

int __pci_take(const char *name, const char *driver, char *reason, size_t len)
{
	return bind(name, driver, true, reason, len);
}
