// SPDX-License-Identifier: GPL-2.0
/*
 * journal_file: the records of the journal, on disk.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <vmtests/procstat.h>
#include <libmm/sysfile.h>

#include "journal_file.h"

#define JOURNAL_NAME "vmtests-journal "
#define JOURNAL_MAGIC JOURNAL_NAME "1 "
#define JOURNAL_UNDONE "done"
#define BOOT_ID_SIZE 64
#define FIELDS_MAX 5

int journal_owner_self(struct journal_owner *owner)
{
	struct procstat stat;
	int err;

	owner->pid = getpid();
	err = __procstat_of(owner->pid, &stat);
	if (!err)
		owner->start = stat.start;
	return err;
}

bool journal_owner_present(const struct journal_owner *owner)
{
	struct procstat stat;

	return !__procstat_of(owner->pid, &stat) && stat.start == owner->start;
}

bool journal_owner_alive(const struct journal_owner *owner)
{
	struct procstat stat;

	return !__procstat_of(owner->pid, &stat) && stat.start == owner->start &&
	       stat.state != 'Z' && stat.state != 'X';
}

static char *field_encode(char *to, const char *from)
{
	for (; *from; from++) {
		if (*from > ' ' && *from <= '~' && *from != '%')
			*to++ = *from;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*from);
	}
	*to = '\0';
	return to;
}

static int hex_digit(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : toupper((unsigned char)c) - 'A' + 10;
}

static int field_decode(char *field)
{
	char *to = field;
	int high, low;

	for (; *field; field++) {
		if (*field != '%') {
			*to++ = *field;
			continue;
		}
		high = hex_digit(field[1]);
		low = high < 0 ? -1 : hex_digit(field[2]);
		if (low < 0 || !(high | low))
			return -EBADMSG;
		*to++ = high << 4 | low;
		field += 2;
	}
	*to = '\0';
	return 0;
}

char *journal_line(const char *kind, const char *target, const char *value,
		   const struct journal_owner *owner, bool undone)
{
	size_t size = 3 * (strlen(kind) + strlen(target) + strlen(value)) + 80;
	char *line = malloc(size), *p = line;

	if (!line)
		return NULL;
	if (undone)
		p = stpcpy(p, JOURNAL_UNDONE " ");
	p = field_encode(p, kind);
	*p++ = ' ';
	p = field_encode(p, target);
	*p++ = ' ';
	p = field_encode(p, value);
	sprintf(p, " %d.%" PRIu64 "\n", owner->pid, owner->start);
	return line;
}

static int boot_id_read(char *id, size_t size)
{
	ssize_t len = __sysfile_read("/proc/sys/kernel/random/boot_id", id, size);

	return len < 0 ? len : 0;
}

static int journal_write(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n = write(fd, text, len);

	if (n < 0)
		return -errno;
	if ((size_t)n != len)
		return -ENOSPC;
	return fdatasync(fd) ? -errno : 0;
}

int journal_append(int fd, const char *line)
{
	char id[BOOT_ID_SIZE], *text = NULL;
	struct stat st;
	int ret;

	if (fstat(fd, &st))
		return -errno;
	if (!st.st_size) {
		ret = boot_id_read(id, sizeof(id));
		if (ret)
			return ret;
		if (asprintf(&text, JOURNAL_MAGIC "%s\n%s", id, line) < 0)
			return -ENOMEM;
		line = text;
	}

	ret = journal_write(fd, line);
	free(text);
	if (ret && ftruncate(fd, st.st_size))
		return -EIO;
	return ret;
}

/* The whole file as a string. */
static int file_load(int fd, char **text, size_t *length)
{
	struct stat st;
	ssize_t n = 0;
	off_t len = 0;

	if (fstat(fd, &st))
		return -errno;
	*text = malloc(st.st_size + 1);
	if (!*text)
		return -ENOMEM;
	while (len < st.st_size) {
		n = pread(fd, *text + len, st.st_size - len, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += n;
	}
	if (n < 0) {
		n = -errno;
		free(*text);
		return n;
	}
	(*text)[len] = '\0';
	*length = len;
	return 0;
}

/* Cut a line that a crash left without its newline off @text and off the file. */
static int tail_drop(int fd, char *text, size_t *len)
{
	char *end = memrchr(text, '\n', *len);
	size_t whole = end ? end + 1 - text : 0;

	if (whole == *len)
		return 0;
	*len = whole;
	text[whole] = '\0';
	return ftruncate(fd, whole) ? -errno : 0;
}

/* Does what is in the file come from this boot, as far as the clock can tell? */
static int written_in_this_boot(int fd)
{
	struct timespec now, up;
	struct stat st;

	if (fstat(fd, &st) || clock_gettime(CLOCK_REALTIME, &now) ||
	    clock_gettime(CLOCK_BOOTTIME, &up))
		return -errno;
	return st.st_mtime >= now.tv_sec - up.tv_sec;
}

/* Returns 1 when @line is a header of this boot, 0 when of another, -EBADMSG when none. */
static int header_check(const char *line)
{
	char id[BOOT_ID_SIZE];
	int ret;

	if (strncmp(line, JOURNAL_MAGIC, strlen(JOURNAL_MAGIC)))
		return -EBADMSG;
	ret = boot_id_read(id, sizeof(id));
	return ret ? ret : !strcmp(line + strlen(JOURNAL_MAGIC), id);
}

static int record_add(struct journal *journal, char *const field[],
		      const struct journal_owner *owner)
{
	struct journal_record *record;

	record = realloc(journal->records, (journal->n + 1) * sizeof(*record));
	if (!record)
		return -ENOMEM;
	journal->records = record;
	record += journal->n;

	*record = (struct journal_record) {
		.kind = strdup(field[0]),
		.target = strdup(field[1]),
		.value = strdup(field[2]),
		.owner = *owner,
	};
	journal->n++;
	return record->kind && record->target && record->value ? 0 : -ENOMEM;
}

/*
 * Mark the newest record undone that says the same. There is none when a signal made its handler
 * undo what the interrupted code had undone a moment before.
 */
static void record_cancel(struct journal *journal, char *const field[],
			  const struct journal_owner *owner)
{
	struct journal_record *record;
	size_t i;

	for (i = journal->n; i; i--) {
		record = &journal->records[i - 1];
		if (record->undone || record->owner.pid != owner->pid ||
		    record->owner.start != owner->start || strcmp(record->kind, field[0]) ||
		    strcmp(record->target, field[1]) || strcmp(record->value, field[2]))
			continue;
		record->undone = true;
		return;
	}
}

static int line_parse(struct journal *journal, char *line)
{
	char *field[FIELDS_MAX], **first = field, *rest = line;
	struct journal_owner owner;
	int n = 0, used, i;
	bool undone;

	while (rest && n < FIELDS_MAX)
		field[n++] = strsep(&rest, " ");
	undone = n == FIELDS_MAX && !strcmp(field[0], JOURNAL_UNDONE);
	first += undone;
	if (rest || n - undone != FIELDS_MAX - 1)
		return -EBADMSG;

	for (i = 0; i < 3; i++) {
		if (!*first[i] || field_decode(first[i]))
			return -EBADMSG;
	}
	if (sscanf(first[3], "%d.%" SCNu64 "%n", &owner.pid, &owner.start, &used) != 2 ||
	    first[3][used])
		return -EBADMSG;
	if (!undone)
		return record_add(journal, first, &owner);
	record_cancel(journal, first, &owner);
	return 0;
}

static void damage_note(struct journal *journal, const char *line)
{
	if (journal->damaged++)
		return;
	snprintf(journal->damage, sizeof(journal->damage), "%s", line);
	for (char *c = journal->damage; *c; c++)
		*c = *c >= ' ' && *c <= '~' ? *c : '?';
}

/*
 * One line into @journal. The records behind a header are of its boot; @this_boot says of which
 * those are that have none.
 */
static int line_read(struct journal *journal, char *line, int *this_boot)
{
	char text[sizeof(journal->damage)];
	int ret = header_check(line);

	if (ret >= 0) {
		*this_boot = ret;
		return 0;
	}
	/* Whole, but of a version that this program cannot read, or it would be damaged too. */
	if (ret == -EBADMSG && !strncmp(line, JOURNAL_NAME, strlen(JOURNAL_NAME)))
		return ret;
	if (ret != -EBADMSG || !*this_boot)
		return ret == -EBADMSG ? 0 : ret;
	snprintf(text, sizeof(text), "%s", line);
	ret = line_parse(journal, line);
	if (ret == -EBADMSG)
		damage_note(journal, text);
	return ret == -EBADMSG ? 0 : ret;
}

/*
 * A newline ends a line, and so does a NUL byte, which no line has: blocks that a power cut kept
 * from the disk are full of them, and lines have been appended behind.
 */
static int lines_read(int fd, struct journal *journal, char *text, size_t len)
{
	int this_boot = written_in_this_boot(fd), ret = this_boot < 0 ? this_boot : 0;
	char *line = text, *end;

	while (!ret && line < text + len) {
		end = line + strcspn(line, "\n");
		if (*end) {
			*end++ = '\0';
			ret = line_read(journal, line, &this_boot);
		} else {
			if (this_boot)
				damage_note(journal, *line ? line : "zeros");
			while (end < text + len && !*end)
				end++;
		}
		line = end;
	}
	return ret;
}

int journal_read(int fd, struct journal *journal)
{
	char *text = NULL;
	size_t len = 0;
	int ret;

	*journal = (struct journal) { 0 };
	ret = file_load(fd, &text, &len);
	if (ret)
		return ret;
	ret = tail_drop(fd, text, &len);
	if (!ret)
		ret = lines_read(fd, journal, text, len);
	free(text);
	if (ret)
		journal_free(journal);
	return ret;
}

void journal_free(struct journal *journal)
{
	size_t i;

	for (i = 0; i < journal->n; i++) {
		free(journal->records[i].kind);
		free(journal->records[i].target);
		free(journal->records[i].value);
	}
	free(journal->records);
	*journal = (struct journal) { 0 };
}
