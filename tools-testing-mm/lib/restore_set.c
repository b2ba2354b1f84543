// SPDX-License-Identifier: GPL-2.0
/* restore: what ends the test, the same for every back end. */
#include <errno.h>
#include <string.h>

#include <libmm/fail.h>
#include <libmm/restore.h>

void restore_set(const char *path, const char *value)
{
	char got[SETTING_VALUE_MAX], reason[RESTORE_REASON_MAX];
	int err;

	if (__restore_begin(reason, sizeof(reason)))
		libmm_fail("restore: %s", reason);
	err = __restore_set(path, value, got);
	if (err == -EBADE)
		libmm_fail("restore: wrote '%s' to %s and the kernel kept '%s'", value, path, got);
	if (err)
		libmm_fail("restore: cannot set %s to '%s': %s", path, value, strerror(-err));
}

void restore_all(void)
{
	int err = __restore_all();

	if (err)
		libmm_fail("restore: not every setting was put back (%s): see above",
			   strerror(-err));
}
