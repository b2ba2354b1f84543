/* SPDX-License-Identifier: GPL-2.0 */
/*
 * undos: in memory, what a signal handler puts back. Private to restore/.
 *
 * An undo is a setting that this process has changed: a child inherits the list and leaves alone
 * what is its parent's.
 */
#ifndef VMTESTS_UNDOS_H
#define VMTESTS_UNDOS_H

#include <stdbool.h>

#include "journal_file.h"

#define UNDO_SETTING "set"	/* the kind of its record */

struct undo;

/* The calling process' own descriptor of the journal, in which the handler marks what is undone. */
void undos_journal(int fd);

/*
 * Make an undo that writes @value to the setting @path, and let the handler see it, or free it.
 * undo_new() returns 0 or -errno.
 */
int undo_new(const char *path, const char *value, const struct journal_owner *owner,
	     struct undo **made);
void undo_publish(struct undo *undo);
void undo_free(struct undo *undo);

/* Whether the setting @path is to be put back already. */
bool undos_have(const char *path);

/* The setting @target has been put back to @value. */
void undo_done(const char *target, const char *value);

/* Put back all of the calling process' settings now. Async-signal-safe. */
void undos_now(void);

/* Forget what is undone. */
void undos_collect(void);

/*
 * Put them back on every signal whose default action ends the process and that is at its default.
 * Returns 0 or -errno.
 */
int undos_arm(void);

#endif
