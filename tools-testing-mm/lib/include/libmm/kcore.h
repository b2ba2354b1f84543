/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bounded reads of kernel memory through /proc/kcore, and the VMCOREINFO that describes it.
 * It is looked for below $LIBMM_ROOT, as sysfile.h has it.
 */
#ifndef LIBMM_KCORE_H
#define LIBMM_KCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any reason that the open functions of kcore and kpgtable give. */
#define KCORE_REASON_MAX	256

enum kcore_kind {
	KCORE_RAM,	/* the linear map of a stretch of RAM */
	KCORE_IMAGE,	/* the kernel image: the segment that holds _stext */
	KCORE_VIRTUAL,	/* vmalloc, modules, vmemmap: no one physical address */
};

/*
 * One PT_LOAD. Addresses and sizes are in bytes; va + size never wraps. pa: not of KCORE_VIRTUAL.
 */
struct kcore_segment {
	enum kcore_kind kind;
	uint64_t va;
	uint64_t pa;
	uint64_t size;
	uint64_t offset;
};

struct kcore;

/*
 * Open the kernel's core file and read its headers. Memory that is hot-plugged later is not seen.
 * On failure: -errno, and in @reason (@len bytes, KCORE_REASON_MAX is enough) one sentence that
 * names what is missing, for a skip. The errors: -ENOENT, -EACCES, -EPERM as open(2) has them;
 * -ENOEXEC, not a 64-bit little-endian core file or a damaged one; -ENODATA, no VMCOREINFO;
 * -EIO, truncated; -ENOMEM.
 */
int kcore_open(struct kcore **kc, char *reason, size_t len);
void kcore_close(struct kcore *kc);

/*
 * Read @len bytes at kernel virtual address @va or physical address @pa.
 *
 * The kernel answers a read of anything with zeros and success. An address that no PT_LOAD holds is
 * -EFAULT here instead; a core file that ends early is -EIO. What a PT_LOAD cannot tell is whether
 * a page inside it is mapped now: __kpgtable_read() asks the page tables for that. Pages that
 * the kernel withholds (offline, poisoned, unaccepted memory) read as zeros and nothing tells.
 */
int __kcore_read(const struct kcore *kc, uint64_t va, void *buf, size_t len);
void kcore_read(const struct kcore *kc, uint64_t va, void *buf, size_t len);
int __kcore_read_pa(const struct kcore *kc, uint64_t pa, void *buf, size_t len);
void kcore_read_pa(const struct kcore *kc, uint64_t pa, void *buf, size_t len);

/* Linear map address of @pa; false when @pa is not RAM. */
bool kcore_pa_to_va(const struct kcore *kc, uint64_t pa, uint64_t *va);
/* Physical address of @va in the linear map or the kernel image; false elsewhere. */
bool kcore_va_to_pa(const struct kcore *kc, uint64_t va, uint64_t *pa);

/* Every PT_LOAD, in the file's order. */
const struct kcore_segment *kcore_segments(const struct kcore *kc, size_t *nr);
/* The first segment that holds @va, or NULL. */
const struct kcore_segment *kcore_segment_find(const struct kcore *kc, uint64_t va);
/* Bytes of RAM that the linear map segments cover. */
uint64_t kcore_ram_bytes(const struct kcore *kc);
/* ELF e_machine, for example EM_AARCH64. */
unsigned int kcore_machine(const struct kcore *kc);

/*
 * VMCOREINFO (kernel/vmcore_info.c and each architecture's): kcore_symbol(kc, "_stext", &v) reads
 * SYMBOL(_stext), and so on. Negative numbers arrive as their two's complement. -ENOENT when
 * this kernel does not export it, -EINVAL when its value is not a number.
 */
int kcore_symbol(const struct kcore *kc, const char *name, uint64_t *value);
int kcore_number(const struct kcore *kc, const char *name, uint64_t *value);
int kcore_size(const struct kcore *kc, const char *name, uint64_t *value);
int kcore_offset(const struct kcore *kc, const char *name, uint64_t *value);
/* A line of its own, for example "OSRELEASE". -ENAMETOOLONG when it does not fit @len bytes. */
int kcore_string(const struct kcore *kc, const char *key, char *buf, size_t len);

#endif /* LIBMM_KCORE_H */
