/* SPDX-License-Identifier: GPL-2.0 */
/*
 * journal_file: the records of the journal, on disk. Private to restore/; see vmtests/journal.h for
 * the format.
 *
 * The file only grows until nothing in it is left to undo, then it is emptied. So a record that
 * was written whole is never rewritten, and one write(2) marks it undone, from a signal handler
 * too. Every process opens the file itself: flock(2) belongs to the open file, which fork() shares.
 */
#ifndef VMTESTS_JOURNAL_FILE_H
#define VMTESTS_JOURNAL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Who changed a setting: pid and start time, which together are unique within a boot. */
struct journal_owner {
	pid_t pid;
	uint64_t start;		/* in clock ticks since boot, as in /proc/PID/stat */
};

struct journal_record {
	char *kind;
	char *target;
	char *value;
	struct journal_owner owner;
	bool undone;
};

/* The records of a journal, oldest first. */
struct journal {
	struct journal_record *records;
	size_t n;
	size_t damaged;		/* lines of this boot that say nothing */
	char damage[128];	/* the first of them, made printable */
};

/* The calling process as an owner. Returns 0 or -errno. */
int journal_owner_self(struct journal_owner *owner);

/*
 * Whether the process is there at all. One whose first thread has ended while others go on is a
 * zombie to look at, and holds on to all that it has.
 */
bool journal_owner_present(const struct journal_owner *owner);

/* Whether the process is still there and no zombie. */
bool journal_owner_alive(const struct journal_owner *owner);

/*
 * The line of a record, with a newline, in memory of malloc(); with @undone the line that marks it
 * undone. NULL when there is no memory.
 */
char *journal_line(const char *kind, const char *target, const char *value,
		   const struct journal_owner *owner, bool undone);

/*
 * Append @line to the open journal, behind a header of this boot when the journal is empty, and
 * sync it. The caller holds the journal's lock. Returns 0 or -errno; nothing is left on failure.
 */
int journal_append(int fd, const char *line);

/*
 * Read all whole records of this boot. A last line without a newline was cut short by a crash,
 * before the change that it announces, and is cut off the file. Lines that are damaged are counted.
 * The caller holds the journal's lock. Returns 0, -EBADMSG when the journal is of another version,
 * or -errno.
 */
int journal_read(int fd, struct journal *journal);

void journal_free(struct journal *journal);

#endif
