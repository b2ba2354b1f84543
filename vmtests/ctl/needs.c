// SPDX-License-Identifier: GPL-2.0
/*
 * needs: print the first need that this machine does not meet; exit 4 then, 0 when all are met.
 */
#include <vmtests/needs.h>

#include "ctl.h"

int ctl_needs(int argc, char **argv)
{
	struct probe probe;

	if (argc != 2)
		return ctl_error("needs: one list of needs, as root,hugetlb");
	probe = needs_probe(argv[1]);
	if (probe.answer == PROBE_YES)
		return CTL_PASS;
	puts(probe.why);
	return CTL_SKIP;
}
