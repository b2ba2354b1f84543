// SPDX-License-Identifier: GPL-2.0
/*
 * undo_mount: file systems that must not stay mounted.
 *
 * Whoever used the file system has a record of its own, newer than the mount's, so it is dead by
 * the time of the unmount: no forced or lazy unmount is needed, and neither would do, because the
 * device below has to be free afterwards.
 */
#include <errno.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include <vmtests/journal.h>
#include <vmtests/undo.h>

#include "undo.h"

#define LINE_MAX_BYTES 8192

/* Whether something is mounted on @target: 1, 0, or -errno. */
static int is_mounted(const char *target)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char line[LINE_MAX_BYTES];
	struct mntent entry;
	bool found = false;

	if (!mounts)
		return -errno;
	while (!found && getmntent_r(mounts, &entry, line, sizeof(line)))
		found = !strcmp(entry.mnt_dir, target);
	endmntent(mounts);
	return found;
}

int undo_mount(const char *target, const char *value)
{
	int mounted = is_mounted(target);

	(void)value;
	if (mounted <= 0)
		return mounted;
	if (!umount2(target, UMOUNT_NOFOLLOW))
		return 0;
	if (errno != EBUSY)
		return -errno;
	undo_udev_settle();
	return umount2(target, UMOUNT_NOFOLLOW) ? -errno : 0;
}

int __undo_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const char *data)
{
	int ret = __journal_note(UNDO_MOUNT, target, UNDO_UNMOUNTED);

	if (ret)
		return ret;
	return mount(source, target, type, flags, data) ? -errno : 0;
}
