// SPDX-License-Identifier: GPL-2.0
/*
 * undo_pci: a PCI device goes back to the driver that it had.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libmm/pci.h>
#include <vmtests/journal.h>
#include <libmm/sysfile.h>
#include <vmtests/undo.h>

#include "undo.h"

int __undo_pci_driver(const char *name, const char *driver)
{
	return __journal_note(UNDO_PCI_DRIVER, name, *driver ? driver : UNDO_ABSENT);
}

static int attribute_write(const char *name, const char *file, const char *value)
{
	char path[SYSFILE_PATH_MAX];
	int ret = pci_path(path, sizeof(path), name, file);

	return ret ? ret : __sysfile_write(path, value);
}

int undo_pci_driver(const char *target, const char *value)
{
	char driver[PCI_NAME_MAX], path[SYSFILE_PATH_MAX];
	int ret;

	ret = attribute_write(target, "driver_override", "\n");
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = pci_link(target, "driver", driver, sizeof(driver));
	if (ret || !strcmp(driver, value))
		return ret;
	if (*driver)
		ret = attribute_write(target, "driver/unbind", target);
	if (ret || !strcmp(value, UNDO_ABSENT))
		return ret;
	if (snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", value) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	return __sysfile_write(path, target);
}
