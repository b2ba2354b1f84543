/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From directories to a dataset; docs/results.md defines the files.
 *
 * Everything below a label is untrusted: only regular files are opened, symbolic links never, with
 * a bound on every size; a violation of the schema is an error that names the file and the line.
 */
#ifndef VMCOMPARE_LOAD_H
#define VMCOMPARE_LOAD_H

#include "model/dataset.h"

/* Load the label or boot directory at path as the next label: 0, or -1 after saying why. */
int dataset_add(struct dataset *ds, const char *path);

/*
 * For dataset_add(), the fuzzer and the tests. fd is read to its end; name is for messages. Each
 * returns 0, or -1 after saying why.
 */
int run_read(struct boot *boot, int fd, const char *name);
int samples_read(struct dataset *ds, struct boot *boot, int fd, const char *name);
int samples_line(struct dataset *ds, struct boot *boot, const char *line, size_t len,
		 const char *where);
/* The same without the scanner. */
int samples_line_json(struct dataset *ds, struct boot *boot, const char *line, size_t len,
		      const char *where);
/* After the last line of samples.jsonl: put repeats in order, merge histograms. */
int samples_finish(const struct dataset *ds, struct boot *boot);
int outcomes_read(struct boot *boot, int fd, const char *name);
/* ktap/ below dir, the boot's directory, and one file of it. */
int ktap_read(struct boot *boot, int dir);
void ktap_file(struct boot *boot, int fd, const char *name);
/* perf/ and fio/ below dir, the boot's directory. */
int extras_read(struct dataset *ds, struct boot *boot, int dir);
/* One file of them, of this test. */
int extras_file(struct dataset *ds, struct boot *boot, enum extra_kind kind, int fd,
		const char *test, const char *name);

#endif
