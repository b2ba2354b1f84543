// SPDX-License-Identifier: GPL-2.0
/*
 * klog: did the kernel complain between two points in time?
 *
 * A complaint is recognised by the form in which the kernel prints it, anchored to the start of the
 * line wherever the kernel does so too, because a process can choose its name and many messages
 * quote names. The forms are those of 6.1 to 7.2; where they differ both are here.
 *
 * Limits: a complaint of a form that is not in the table is missed unless it taints the kernel, so
 * callers look at the taint mask as well.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/klog.h>
#include <libmm/sysfile.h>

/* One read(2) of /dev/kmsg gives one record of at most 8 KiB, and -EINVAL to a smaller buffer. */
#define KMSG_BUFFER_SIZE 16384
/* A record's first field is priority | facility << 3, as in syslog(3). */
#define KMSG_FACILITY_SHIFT 3
/* How /dev/kmsg writes a newline inside a record. */
#define KMSG_NEWLINE "\\x0a"


#define TAINT_PATH "/proc/sys/kernel/tainted"

/* What the files that print complaints put in front of them with pr_fmt(). */
static const char * const line_prefixes[] = {
	"watchdog: ", "NMI watchdog: ", "rcu: ",
};

/* A line that begins with the first string and holds each of the others behind it. */
static const char * const complaints_anchored[][3] = {
	/* WARN(): "CPU: n PID: n at file:line" of old, "file:line at function, CPU#n: comm/pid" */
	{ "WARNING: CPU: ", " at " },
	{ "WARNING: ", "at ", ", CPU#" },

	/* BUG: and everything that says so: faults, Bad page, K*SAN, soft lockup, sleeping, ... */
	{ "BUG: " },
	{ "kernel BUG at " },
	{ "BUG ", "ainted" },		/* slub: "BUG kmalloc-64 (Not tainted): ..." */
	{ "Slab corruption " },			/* slab, up to 6.4 */
	{ "Oops: " },
	{ "Oops - " },
	{ "Internal error: " },			/* arm64 */
	{ "Unable to handle kernel " },		/* arm64 */
	{ "general protection fault" },		/* a process's: "traps: comm[pid] general..." */
	{ "Kernel panic - not syncing" },
	{ "UBSAN: " },
	{ "pagealloc: ", "memory corruption" },
	{ "pagealloc: ", "single bit error" },
	{ "refcount_t: " },
	{ "list_add corruption" },
	{ "list_add double add" },
	{ "list_del corruption" },

	{ "INFO: task ", " blocked", " for more than " },
	{ "INFO: rcu", "detected ", "stall" },

	/* lockdep */
	{ "WARNING: possible ", "detected" },
	{ "WARNING: ", "lock order detected" },
	{ "WARNING: inconsistent lock state" },
	{ "WARNING: bad unlock balance detected" },
	{ "WARNING: bad contention detected" },
	{ "WARNING: held lock freed" },
	{ "WARNING: ", "still has locks held" },
	{ "WARNING: lock held when returning to user space" },
	{ "WARNING: suspicious RCU usage" },
	{ "WARNING: Nested lock was not taken" },
	{ "WARNING: chain_key collision" },
	{ "INFO: trying to register non-static key" },
	{ "[ BUG: " },
};

/* Forms that the kernel prints behind a function, a file and line, or an architecture's name. */
static const char * const complaints_inside[] = {
	"Watchdog detected hard LOCKUP",
	": bad pte ", ": bad pmd ", ": bad pud ", ": bad p4d ", ": bad pgd ",
	": Bad swap ", ": Unused swap ",
	"Checked W+X mappings: FAILED",
	" new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
};

static bool text_begins(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

static const char *prefix_skip(const char *text, const char *prefix)
{
	return text_begins(text, prefix) ? text + strlen(prefix) : text;
}

/* x86 and arm64 die(): "<what>: <error code in hex> [#<count>]", whatever <what> is. */
static bool line_is_die_header(const char *text)
{
	const char *mark = strstr(text, " [#"), *digit = mark;

	if (!mark || !isdigit((unsigned char)mark[3]))
		return false;
	while (digit > text && isxdigit((unsigned char)digit[-1]))
		digit--;
	return mark - digit >= 4 && digit - text >= 2 && digit[-1] == ' ' && digit[-2] == ':';
}

/* Lockdep gives up when its tables are full, which says nothing about the kernel's locking. */
static bool line_is_lockdep_limit(const char *text)
{
	return text_begins(text, "BUG: MAX_") && strstr(text, " too low!");
}

static bool line_is_anchored(const char *text)
{
	const char * const *form;
	const char *rest;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(complaints_anchored); i++) {
		form = complaints_anchored[i];
		if (!text_begins(text, form[0]))
			continue;
		rest = text + strlen(form[0]);
		if ((!form[1] || strstr(rest, form[1])) && (!form[2] || strstr(rest, form[2])))
			return true;
	}
	return false;
}

bool klog_line_is_bad(const char *text)
{
	size_t i;

	text = prefix_skip(text, KLOG_FORGED_PREFIX);
	for (i = 0; i < ARRAY_SIZE(line_prefixes); i++)
		text = prefix_skip(text, line_prefixes[i]);

	if (line_is_lockdep_limit(text))
		return false;
	if (line_is_anchored(text) || line_is_die_header(text))
		return true;
	for (i = 0; i < ARRAY_SIZE(complaints_inside); i++) {
		if (strstr(text, complaints_inside[i]))
			return true;
	}
	return false;
}

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

static void text_clean(char *text)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			*text = ' ';
	}
}

/* Hand on each line of one record; returns how many are bad. */
static int record_visit(char *text, bool kernel,
			void (*line)(const char *text, bool bad, void *arg), void *arg)
{
	bool counts = kernel || text_begins(text, KLOG_FORGED_PREFIX), bad;
	char *next;
	int n = 0;

	text_clean(text);
	for (; text; text = next) {
		next = strstr(text, KMSG_NEWLINE);
		if (next) {
			*next = '\0';
			next += strlen(KMSG_NEWLINE);
		}
		bad = counts && klog_line_is_bad(text);
		n += bad;
		if (line && (*text || bad))
			line(text, bad, arg);
	}
	return n;
}

int __klog_mark(struct klog_mark *mark)
{
	unsigned int facility;
	char *line = NULL;
	size_t size = 0;
	uint64_t seq;
	FILE *file;
	int ret;

	ret = __sysfile_read_u64(TAINT_PATH, &mark->taint);
	if (ret)
		return ret;
	ret = kmsg_open(&file);
	if (ret)
		return ret;

	/* There is no call that tells the next sequence number: read up to the end. */
	mark->seq = 0;
	while ((ret = kmsg_line(file, &line, &size)) > 0) {
		if (record_parse(line, &facility, &seq))
			mark->seq = seq + 1;
	}
	free(line);
	fclose(file);
	return ret;
}

int __klog_since(const struct klog_mark *mark, void (*line)(const char *text, bool bad, void *arg),
		 void *arg)
{
	uint64_t seq, next = 0, expected = mark->seq;
	unsigned int facility;
	char *buf = NULL, *text;
	bool lost = false;
	size_t size = 0;
	int ret, bad = 0;
	FILE *file;

	ret = kmsg_open(&file);
	if (ret)
		return ret;

	while ((ret = kmsg_line(file, &buf, &size)) > 0) {
		text = record_parse(buf, &facility, &seq);
		if (!text)
			continue;
		next = seq + 1;
		if (seq < mark->seq)
			continue;
		lost |= seq > expected;
		expected = next;
		bad += record_visit(text, !facility, line, arg);
	}
	free(buf);
	fclose(file);
	if (ret)
		return ret;
	if (next < mark->seq)
		return -ESTALE;
	return lost ? -EPIPE : bad;
}

uint64_t klog_taint_since(const struct klog_mark *mark)
{
	uint64_t taint;

	if (__sysfile_read_u64(TAINT_PATH, &taint))
		taint = UINT64_MAX;
	return taint & ~mark->taint;
}
