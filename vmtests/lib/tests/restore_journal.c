// SPDX-License-Identifier: GPL-2.0
/* The journal of restore_unit, away from the machine's own: in a directory of each run. */
#include <stdio.h>
#include <stdlib.h>

static void __attribute__((constructor)) journal_of_its_own(void)
{
	static char dir[] = "/tmp/restore_journal-XXXXXX";

	if (!mkdtemp(dir) || setenv("VMTESTS_STATE_DIR", dir, 1) || unsetenv("VMTESTS_LOCK_FD")) {
		perror("restore_journal");
		abort();
	}
}
