/* SPDX-License-Identifier: GPL-2.0 */
/*
 * probe: what a test needs of the machine, found out by trying it, never from a version number.
 *
 * An answer other than yes comes with one sentence, without a full stop, that names what is missing
 * and, where something can be done about it, what. Modules have probes of their own beside what
 * they probe: hugetlb_probe(), secretmem_probe(), and so on. REQUIRE() of harness.h skips with the
 * sentence.
 */
#ifndef LIBMM_PROBE_H
#define LIBMM_PROBE_H

#define PROBE_WHY_MAX 256

enum probe_answer { PROBE_NO, PROBE_YES, PROBE_UNKNOWN };

struct probe {
	enum probe_answer answer;
	char why[PROBE_WHY_MAX];	/* empty when the answer is yes */
};

/* For those who write probes. */
struct probe probe_yes(void);
struct probe probe_no(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct probe probe_unknown(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Effective user id 0. */
struct probe probe_root(void);

/* The absolute @path can be opened for reading, or for writing. Below $LIBMM_ROOT as sysfile.h. */
struct probe probe_readable(const char *path);
struct probe probe_writable(const char *path);

/* At least @nr CPUs are online. */
struct probe probe_cpus(unsigned int nr);

/*
 * The caller allows what may change the machine until the next boot: $LIBMM_DESTRUCTIVE is 1, which
 * a runner sets when it is given -d.
 */
struct probe probe_destructive(void);

#endif
