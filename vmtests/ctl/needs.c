// SPDX-License-Identifier: GPL-2.0
/*
 * needs: print the first need that this machine does not meet; exit 4 then, 0 when all are met.
 */
#include <libmm/require.h>

#include "ctl.h"

int ctl_needs(int argc, char **argv)
{
	const char *missing;

	if (argc != 2)
		return ctl_error("needs: one list of needs, as root,hugetlb");
	missing = require_needs(argv[1]);
	if (!missing)
		return CTL_PASS;
	puts(missing);
	return CTL_SKIP;
}
