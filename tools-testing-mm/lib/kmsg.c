// SPDX-License-Identifier: GPL-2.0
/* kmsg: the kernel's log. Source of the format: Documentation/ABI/testing/dev-kmsg. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/kmsg.h>
#include <libmm/sysfile.h>

/* One read(2) of /dev/kmsg gives one record of at most 8 KiB, and -EINVAL to a smaller buffer. */
#define KMSG_BUFFER_SIZE 16384
/* A record's first field is priority | facility << 3, as in syslog(3). */
#define KMSG_FACILITY_SHIFT 3
/* How /dev/kmsg writes a newline inside a record. */
#define KMSG_NEWLINE "\\x0a"

static int kmsg_open(FILE **file)
{
	/* Given NULL, setvbuf() of glibc keeps its own buffer, which is too small. */
	static char buffer[KMSG_BUFFER_SIZE];
	char path[SYSFILE_PATH_MAX];
	int ret, fd;

	ret = __sysfile_path(path, sizeof(path), "/dev/kmsg");
	if (ret)
		return ret;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*file = fdopen(fd, "r");
	if (!*file) {
		ret = -errno;
		close(fd);
		return ret;
	}
	setvbuf(*file, buffer, _IOFBF, sizeof(buffer));
	return 0;
}

/*
 * The next line of the log without its newline. Returns 1, 0 at the end, or -errno. That records
 * were overwritten under the reader (EPIPE) shows in the next sequence number.
 */
static int kmsg_line(FILE *file, char **line, size_t *size)
{
	ssize_t len;

	do {
		errno = 0;
		len = getline(line, size, file);
		if (len >= 0) {
			if (len && (*line)[len - 1] == '\n')
				(*line)[len - 1] = '\0';
			return 1;
		}
		clearerr(file);
	} while (errno == EPIPE || errno == EINTR);
	return errno == EAGAIN ? 0 : -errno;
}

/*
 * "priority,sequence,time,flags[,more];text". A line that begins with white space belongs to the
 * record before it (its dictionary) and is none. Returns the text, or NULL.
 */
static char *record_parse(char *line, unsigned int *facility, uint64_t *seq)
{
	unsigned int priority;
	char *text;

	if (isspace((unsigned char)*line) ||
	    sscanf(line, "%u,%" SCNu64 ",", &priority, seq) != 2)
		return NULL;
	text = strchr(line, ';');
	if (!text)
		return NULL;

	*facility = priority >> KMSG_FACILITY_SHIFT;
	return text + 1;
}

/* Hand on each line of one record, cleaned of control characters. */
static void record_visit(char *text, bool kernel, kmsg_line_fn line, void *arg)
{
	char *next, *p;

	for (p = text; *p; p++) {
		if (iscntrl((unsigned char)*p))
			*p = ' ';
	}
	for (; text; text = next) {
		next = strstr(text, KMSG_NEWLINE);
		if (next) {
			*next = '\0';
			next += strlen(KMSG_NEWLINE);
		}
		if (*text)
			line(text, kernel, arg);
	}
}

int kmsg_lines(uint64_t from, kmsg_line_fn line, void *arg)
{
	uint64_t seq, next = 0, expected = from;
	unsigned int facility;
	char *buf = NULL, *text;
	bool lost = false;
	size_t size = 0;
	FILE *file;
	int ret;

	ret = kmsg_open(&file);
	if (ret)
		return ret;

	while ((ret = kmsg_line(file, &buf, &size)) > 0) {
		text = record_parse(buf, &facility, &seq);
		if (!text)
			continue;
		next = seq + 1;
		if (seq < from)
			continue;
		lost |= seq > expected;
		expected = next;
		record_visit(text, !facility, line, arg);
	}
	free(buf);
	fclose(file);
	if (ret)
		return ret;
	if (next < from)
		return -ESTALE;
	return lost ? -EPIPE : 0;
}

/* There is no call that tells the next sequence number: read up to the end. */
int kmsg_end(uint64_t *seq)
{
	unsigned int facility;
	char *line = NULL;
	size_t size = 0;
	uint64_t last;
	FILE *file;
	int ret;

	ret = kmsg_open(&file);
	if (ret)
		return ret;
	*seq = 0;
	while ((ret = kmsg_line(file, &line, &size)) > 0) {
		if (record_parse(line, &facility, &last))
			*seq = last + 1;
	}
	free(line);
	fclose(file);
	return ret;
}
