/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fingerprint: who this kernel and this machine are, as the run.json of docs/results.md. Whatever
 * cannot be found out is null, never an invented value.
 */
#ifndef LIBMM_FINGERPRINT_H
#define LIBMM_FINGERPRINT_H

#include <jansson.h>

/* kernel, cpu, memory, settings, directmap, rodata: a new object, or NULL when memory ran out. */
json_t *fingerprint_machine(void);

/* sha256 in hex of @path into @hex (65 bytes). Returns 0 or -errno. */
int __fingerprint_sha256(const char *path, char *hex);

/* Program name -> sha256 of every executable file in @dirs (NULL-terminated). */
json_t *fingerprint_binaries(const char *const *dirs);

/* fio, numactl, cryptsetup, perf: version or null. */
json_t *fingerprint_tools(void);

#endif
