/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmtctl: what run_vmtests.sh cannot do in shell. One file a subcommand, plus the pieces that they
 * share. Every subcommand returns the exit status of the process.
 */
#ifndef VMTESTS_CTL_H
#define VMTESTS_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <jansson.h>

#include <libmm/base.h>

/* Exit statuses, those of run_vmtests.sh. */
enum { CTL_PASS = 0, CTL_FAIL = 1, CTL_USAGE = 2, CTL_SKIP = 4, CTL_INTERRUPTED = 130 };

#define RESULTS_SCHEMA 1
#define VERDICTS_NAME "verdicts.jsonl"
#define STARTED_NAME "started.jsonl"

int ctl_locked(int argc, char **argv);
int ctl_device(int argc, char **argv);
int ctl_with_device(int argc, char **argv);
int ctl_needs(int argc, char **argv);
int ctl_label(int argc, char **argv);
int ctl_resume(int argc, char **argv);
int ctl_begin(int argc, char **argv);
int ctl_end(int argc, char **argv);
int ctl_run_test(int argc, char **argv);
int ctl_perf_check(int argc, char **argv);
int ctl_load(int argc, char **argv);

/* "vmtctl: " and the message on stderr; returns CTL_USAGE. */
int ctl_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* DIR/NAME into @path, PATH_MAX bytes. Returns 0 or -ENAMETOOLONG. */
int ctl_path(char *path, const char *dir, const char *name);

/* proc: one child and all that comes of it */

struct proc_watch {
	unsigned int timeout_s;		/* then SIGTERM, and SIGKILL to the whole tree */
	unsigned int grace_s;		/* between the two: time to put settings back */
	/* A line of the child's stdout or stderr, without its newline; < 0 stops the child. */
	int (*line)(const char *text, void *arg);
	/* About twice a second while the child runs. */
	void (*tick)(double seconds, void *arg);
	void *arg;
};

struct proc_end {
	int wait_status;		/* of the child, as from waitpid(2) */
	bool timed_out;
	int interrupted;		/* signal that asked this process to stop, or 0 */
	int line_error;			/* what line() returned when it stopped the child, or 0 */
	double seconds;
	unsigned int strays;		/* processes that outlived the child; all are dead now */
	char stray_names[128];		/* the first few, "name(pid) ..." */
};

/*
 * Run @argv and wait until it and every process it started, however daemonized, is gone. Returns 0
 * with @end filled, or -errno when the child could not be started.
 */
int proc_run(char *const argv[], const struct proc_watch *watch, struct proc_end *end);

/*
 * stuck: call @line for each line about where the threads of @pid stand, comments of KTAP all. A
 * process that is gone gives none. Returns 0 or what @line returned below 0.
 */
int stuck_report(pid_t pid, int (*line)(const char *text, void *arg), void *arg);

/* Has a program that ran as @pid ended? False for what cannot be known. */
bool process_dead(pid_t pid);

/* ktap: counts of a test's own output */

struct ktap_count {
	char cases_left[1024];		/* words: cases asked for that have no result yet */
	long planned;			/* -1: no plan seen */
	unsigned int pass, fail, skip;
	char skip_reason[256];		/* of the last skip */
	char last_comment[256];
	char first_fail[128];		/* name of the first "not ok" */
};

/* @cases: words, which results are expected of; may be empty. Returns 0 or -E2BIG. */
int ktap_begin(struct ktap_count *k, const char *cases);
void ktap_line(struct ktap_count *k, const char *text);

/* settings: what changed during a test, apart from what the journal puts back */

json_t *settings_snapshot(void);
/* Call @changed for each setting that is not as @before. Returns 0 or -ENOMEM. */
int settings_compare(const json_t *before,
		     void (*changed)(const char *path, const char *was, const char *is, void *arg),
		     void *arg);

/* perf: perf stat and perf record beside a test */

/*
 * Call @run_it in a child while both run, and write perf/RUN.TEST.* below @boot_dir. Returns what
 * it returned, CTL_FAIL when a signal ended it, or CTL_USAGE after a message.
 */
int perf_around(const char *boot_dir, unsigned long run, const char *test,
		int (*run_it)(void *arg), void *arg);

/* blocks: what a run splits of the linear map, for good */

/* What there is to count from, or JSON null. */
json_t *blocks_json(void);
/* Splits by level between two of those, {"pmd", "pud"}, or JSON null where that cannot be known. */
json_t *blocks_split(const json_t *then, const json_t *now);
void blocks_split_say(const json_t *split);

/* load: the mean number of runnable processes of the last minute, or JSON null */

json_t *load_json(void);

/* trust: what root may write to */

/*
 * Could anybody else make a write below @path, which need not exist yet, go elsewhere? Returns 0
 * when not, or when this is not root; 1 with what others can change in @culprit (PATH_MAX bytes);
 * or -errno.
 */
int path_untrusted(const char *path, char *culprit);

/* past: the newest unfinished run of a label, and the runs that it continues */

#define PAST_RUNS_MAX 1000

struct past {
	const char *label_dir;
	json_t *boots;			/* run.json of each */
	struct past_run {
		const char *boot_id;
		const json_t *root, *entry;	/* run.json, and its entry for this run */
		json_int_t run;
	} runs[PAST_RUNS_MAX];		/* the newest first */
	size_t n;
};

/* Returns CTL_PASS, or CTL_USAGE after a message. */
int past_load(struct past *past, const char *label_dir);
void past_free(struct past *past);
/* The first key of run.json that must be the same and is not in @now, or NULL. */
const char *past_difference(const struct past *past, const json_t *now);
/* Write a failure for each test that was running when its run died. 0, or not after a message. */
int past_deaths_record(const struct past *past, const char *boot_id);
/* All verdicts: test -> its line in verdicts.jsonl. NULL after a message. */
json_t *past_verdicts(const struct past *past);

/* json_file: whole files of JSON, never half written */

/*
 * Replace @path atomically and durably: temporary file, fsync, rename, fsync of the folder. Returns
 * 0 or -errno.
 */
int json_file_replace(const char *path, const json_t *value);
/* As json_load_file(), but nothing else than a regular file is waited for or read. */
json_t *json_file_load(const char *path, json_error_t *error);
/*
 * open(2) of a regular file that does not wait for anything, such as the other end of a FIFO.
 * Returns a descriptor, -ENOTSUP when it is something else, or -errno.
 */
int regular_open(const char *path, int flags, mode_t mode);
/* strerror() for what these return. */
const char *file_strerror(int err);
/* Make the name of the new file or folder @path as durable as its folder. Returns 0 or -errno. */
int path_name_sync(const char *path);

/* Now in RFC 3339, UTC, whole seconds: 21 bytes with the NUL. */
void rfc3339_now(char buf[21]);

#endif
