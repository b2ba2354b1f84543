// SPDX-License-Identifier: GPL-2.0
/*
 * device: say why a PCI device cannot be given to the tests; exit 2 then, 0 when it can.
 */
#include <vmtests/pci.h>

#include "ctl.h"

int ctl_device(int argc, char **argv)
{
	char why[PCI_REASON_MAX];

	if (argc != 2)
		return ctl_error("device: one PCI device, as 0000:01:00.0");
	return pci_use(argv[1], why, sizeof(why)) ? ctl_error("%s", why) : CTL_PASS;
}
