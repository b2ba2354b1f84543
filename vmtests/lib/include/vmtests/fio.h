/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fio: run one job file of fio-jobs/ and read its JSON by field.
 */
#ifndef VMTESTS_FIO_H
#define VMTESTS_FIO_H

#include <stdint.h>

enum fio_direction { FIO_READ, FIO_WRITE };

struct fio_result {
	double iops;
	double bw_bytes;	/* bytes per second */
	double clat_mean_ns;
	double clat_p50_ns;
	double clat_p99_ns;
	double clat_p999_ns;
	uint64_t io_bytes;
};

/*
 * Run fio-jobs/@job.fio with @env ("NAME=VALUE" strings, NULL-terminated) added to the
 * environment. The job files lie in $VMTESTS_FIO_JOBS; fio's JSON goes to @json_path, which is
 * there only when it is whole (@json_path.part until then). Returns 0; -ENOENT without fio or job
 * file; -EIO when fio failed, counted an error, or moved no bytes in @direction; -EPROTO for output
 * that is not what fio 3 writes. fio's own messages go to stderr, never into the JSON. fio does not
 * outlive the caller (vmtests/undo.h).
 */
int __fio_run(const char *job, enum fio_direction direction, const char *const *env,
	      const char *json_path, struct fio_result *result);

/* Read @json_path as above: exposed for tests of the parser. */
int __fio_parse(const char *json_path, enum fio_direction direction, struct fio_result *result);

#endif
