/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kcore: reads of kernel memory through /proc/kcore (below $LIBMM_ROOT, as in sysfile.h), and the
 * VMCOREINFO that describes it.
 */
#ifndef LIBMM_KCORE_H
#define LIBMM_KCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any reason that kcore, kpgtable and census give. */
#define KCORE_REASON_MAX	256

enum kcore_kind {
	KCORE_RAM,	/* the linear map of a stretch of RAM */
	KCORE_IMAGE,	/* the kernel image: the segment that holds _stext */
	KCORE_VIRTUAL,	/* vmalloc, modules, vmemmap: no single physical address */
};

/* One PT_LOAD, in bytes. va + size never wraps. @pa means nothing for KCORE_VIRTUAL. */
struct kcore_segment {
	enum kcore_kind kind;
	uint64_t va;
	uint64_t pa;
	uint64_t size;
	uint64_t offset;
};

/* To be read only. */
struct kcore {
	int fd;
	unsigned int machine;			/* ELF e_machine, for example EM_AARCH64 */
	struct kcore_segment *segments;		/* every PT_LOAD, in the file's order */
	size_t nr_segments;
	char *info;				/* VMCOREINFO */
};

/*
 * Open /proc/kcore and read its headers. Memory that is hot-plugged later is not seen. On failure
 * -errno, and in @reason (@len bytes) one sentence that names what is missing, for a skip.
 */
int kcore_open(struct kcore **kc, char *reason, size_t len);
void kcore_close(struct kcore *kc);

/*
 * Read @len bytes at kernel virtual address @va or physical address @pa. -EFAULT unless one PT_LOAD
 * holds them all, where the kernel gives zeros and success. Pages inside a PT_LOAD that are
 * unmapped or that the kernel withholds (offline, poisoned, unaccepted) still read as zeros.
 */
int __kcore_read(const struct kcore *kc, uint64_t va, void *buf, size_t len);
void kcore_read(const struct kcore *kc, uint64_t va, void *buf, size_t len);
int kcore_read_pa(const struct kcore *kc, uint64_t pa, void *buf, size_t len);

/* Linear map address of @pa; false when @pa is not RAM. */
bool kcore_pa_to_va(const struct kcore *kc, uint64_t pa, uint64_t *va);
/* Physical address of @va in the linear map or the kernel image; false elsewhere. */
bool kcore_va_to_pa(const struct kcore *kc, uint64_t va, uint64_t *pa);

/*
 * VMCOREINFO: kcore_symbol(kc, "_stext", &v) reads SYMBOL(_stext), and so on. Negative numbers
 * arrive as their two's complement. -ENOENT when this kernel does not export it, -EINVAL when its
 * value is not a number.
 */
int kcore_symbol(const struct kcore *kc, const char *name, uint64_t *value);
int kcore_number(const struct kcore *kc, const char *name, uint64_t *value);
int kcore_size(const struct kcore *kc, const char *name, uint64_t *value);
/* The number of a line of its own, in @base: PAGESIZE and KERNELOFFSET. */
int kcore_line(const struct kcore *kc, const char *key, int base, uint64_t *value);

#endif /* LIBMM_KCORE_H */
