/* SPDX-License-Identifier: GPL-2.0 */
/* state_dir: where the journal lies. Private to restore/; see vmtests/journal.h. */
#ifndef VMTESTS_STATE_DIR_H
#define VMTESTS_STATE_DIR_H

/* Its path, whether it is there or not. */
const char *state_dir(void);

/*
 * Open the directory, made if absent, or a file in it. Return a descriptor, -EPERM when it is of
 * another user or others may write to it, or -errno.
 */
int state_dir_open(void);
int state_file_open(int dir_fd, const char *name, int flags);

#endif
