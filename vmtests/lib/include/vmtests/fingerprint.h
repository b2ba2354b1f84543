/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fingerprint: who this kernel and this machine are, as the run.json of docs/results.md. Whatever
 * cannot be found out is null, never an invented value. cpu.midr and cpu.governor list their
 * different values with commas when the CPUs are not alike.
 */
#ifndef VMTESTS_FINGERPRINT_H
#define VMTESTS_FINGERPRINT_H

#include <jansson.h>

/* kernel, cpu, memory, settings, directmap, rodata: a new object, or NULL when memory ran out. */
json_t *fingerprint_machine(void);

/*
 * How the kernel protects its read-only data, found by what it did: "on" or "off" on x86, while the
 * kernel log reaches back to boot; "unknown" else.
 */
const char *fingerprint_rodata(void);

/*
 * The kernel's page tables as docs/results.md has them, or JSON null with one sentence why in
 * @reason (KCORE_REASON_MAX bytes). NULL when memory ran out.
 */
json_t *fingerprint_census(char *reason, size_t len);

/* sha256 in hex of @path into @hex (65 bytes). Returns 0 or -errno. */
int __fingerprint_sha256(const char *path, char *hex);

/*
 * Program name -> sha256 of every executable file in @dirs (NULL-terminated), null for one that
 * cannot be read.
 */
json_t *fingerprint_binaries(const char *const *dirs);

/* fio, numactl, cryptsetup, perf: version or null. */
json_t *fingerprint_tools(void);

#endif
