// SPDX-License-Identifier: GPL-2.0
/* The journal of restore_unit, away from the machine's own: in a directory of each run. */
#include "fakeroot.h"

static struct fakeroot state = { "/tmp/restore_journal-XXXXXX" };
static pid_t owner;

static void __attribute__((constructor)) journal_of_its_own(void)
{
	owner = getpid();
	fakeroot_must(mkdtemp(state.dir), "mkdtemp");
	fakeroot_must(!setenv("VMTESTS_STATE_DIR", state.dir, 1), "setenv");
	fakeroot_must(!unsetenv("VMTESTS_LOCK_FD"), "unsetenv");
}

/* Not when a test's child exits. */
static void __attribute__((destructor)) journal_remove(void)
{
	if (getpid() == owner)
		fakeroot_remove(&state);
}
