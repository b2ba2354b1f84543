// SPDX-License-Identifier: GPL-2.0
/*
 * with-device: run a program with a PCI device bound to vfio-pci, and give the device back however
 * the program ends.
 *
 * The device is the one that $PFNMAP_DEVICE names, which is taken from its driver unless it is in
 * use; without it the first ivshmem of QEMU, if that has no driver. A device that cannot be had is
 * no failure: a comment says why, and the program does what it can without.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <vmtests/journal.h>
#include <libmm/vfio.h>
#include <vmtests/pci.h>
#include <vmtests/undo.h>

#include "ctl.h"

#define IVSHMEM_VENDOR	0x1af4
#define IVSHMEM_DEVICE	0x1110

/* vfio-pci takes no device that has no IOMMU in front. */
static bool has_iommu(const char *name)
{
	char group[16];

	return !pci_link(name, "iommu_group", group, sizeof(group)) && *group;
}

/* Bind the device and leave its name in $PFNMAP_DEVICE. Returns 0, or -errno and a sentence. */
static int device_get(char *why, size_t len)
{
	const char *name = getenv("PFNMAP_DEVICE");
	char found[PCI_NAME_MAX];

	if (!name && pci_find(IVSHMEM_VENDOR, IVSHMEM_DEVICE, found, sizeof(found)))
		return libmm_refuse(-ENODEV, why, len, "no ivshmem device, and no other is named");
	if (!has_iommu(name ? name : found))
		return libmm_refuse(-ENODEV, why, len, "%s has no IOMMU group: switch an IOMMU on",
				    name ? name : found);
	if (name)
		return pci_take(name, VFIO_DRIVER, why, len);
	if (setenv("PFNMAP_DEVICE", found, 1))
		return libmm_refuse(-errno, why, len, "out of memory");
	return pci_bind(found, VFIO_DRIVER, why, len);
}

/* Beside this process, which the record of the device belongs to. Ends as the program does. */
static int program_run(char **argv)
{
	int status, ret;
	pid_t pid;

	ret = __undo_process_start(argv, NULL, -1, -1, false, &pid);
	if (ret)
		return ctl_error("cannot start %s: %s", argv[0], strerror(-ret));
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return ctl_error("waiting for %s: %s", argv[0], strerror(errno));
	}
	if (WIFSIGNALED(status))
		raise(WTERMSIG(status));
	return WEXITSTATUS(status);
}

int ctl_with_device(int argc, char **argv)
{
	char why[PCI_REASON_MAX];
	int ret;

	if (argc < 2)
		return ctl_error("with-device: a program and its arguments");
	if (geteuid() == 0) {
		ret = __journal_guard();
		if (ret)
			return ctl_error("with-device: no way back for the device: %s",
					 strerror(-ret));
		if (device_get(why, sizeof(why)))
			printf("# %s\n", why);
		fflush(stdout);
	}
	return program_run(argv + 1);
}
