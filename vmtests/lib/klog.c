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
#include <string.h>

#include <libmm/base.h>
#include <libmm/kmsg.h>
#include <libmm/sysfile.h>
#include <vmtests/klog.h>

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

struct judge {
	void (*line)(const char *text, bool bad, void *arg);
	void *arg;
	int nr_bad;
};

static void line_judge(const char *text, bool kernel, void *arg)
{
	bool counts = kernel || text_begins(text, KLOG_FORGED_PREFIX);
	bool bad = counts && klog_line_is_bad(text);
	struct judge *judge = arg;

	judge->nr_bad += bad;
	if (judge->line)
		judge->line(text, bad, judge->arg);
}

int __klog_mark(struct klog_mark *mark)
{
	int ret = __sysfile_read_u64(TAINT_PATH, &mark->taint);

	return ret ? ret : kmsg_end(&mark->seq);
}

int __klog_since(const struct klog_mark *mark, void (*line)(const char *text, bool bad, void *arg),
		 void *arg)
{
	struct judge judge = { .line = line, .arg = arg };
	int ret = kmsg_lines(mark->seq, line_judge, &judge);

	return ret ? ret : judge.nr_bad;
}

uint64_t klog_taint_since(const struct klog_mark *mark)
{
	uint64_t taint;

	if (__sysfile_read_u64(TAINT_PATH, &taint))
		taint = UINT64_MAX;
	return taint & ~mark->taint;
}
