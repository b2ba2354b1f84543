/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Windows of an emulator's TLB model (lab/plugins/tlb-model): what a benchmark says to it, and what
 * comes back. Anywhere else nobody listens, and nothing here does anything.
 *
 * A message is a structure in this program's memory and a sequence of instructions that has no
 * effect on any machine and ends in a load from that structure. The emulator's plugin knows the
 * sequence, finds the structure by the load, and writes its answer into it before the next
 * instruction.
 */
#ifndef VMTESTS_TLBMODEL_H
#define VMTESTS_TLBMODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLBMODEL_VERSION	2
/* "vmt:tlb?", and "vmt:tlb!" when the model has answered. */
#define TLBMODEL_ASK		UINT64_C(0x3f626c743a746d76)
#define TLBMODEL_ANSWER		UINT64_C(0x21626c743a746d76)

/* The sequence: on arm64 two moves to the zero register, on x86 a long no-op's displacement. */
#define TLBMODEL_MARK_1		0x766d
#define TLBMODEL_MARK_2		0x746c
#define TLBMODEL_MARK		0x746c766d

enum tlbmodel_command {
	TLBMODEL_HELLO,		/* here are the kernel's page tables and ranges */
	TLBMODEL_BEGIN,
	TLBMODEL_END,		/* counts since the last BEGIN, please */
};

/* Where an address lies. */
enum tlbmodel_class {
	TLBMODEL_LINEAR,
	TLBMODEL_VMEMMAP,
	TLBMODEL_KERNEL,	/* the rest: image, modules, vmalloc, fixmap */
	TLBMODEL_USER,
	TLBMODEL_CLASSES
};

enum tlbmodel_mode {
	TLBMODEL_IN_KERNEL,
	TLBMODEL_IN_USER,
	TLBMODEL_MODES
};

#define TLBMODEL_LEVELS		5
/* Other sizes of the second level that are counted beside the model's own. */
#define TLBMODEL_REACHES	8

/*
 * Counts of every CPU. [mode]: where the accessing instruction is, which is what a PMU's
 * exclude_user goes by; [class]: the address accessed.
 */
struct tlbmodel_counts {
	uint64_t insns[TLBMODEL_MODES];
	uint64_t accesses[TLBMODEL_MODES];	/* of data */
	uint64_t l1_misses[TLBMODEL_MODES][TLBMODEL_CLASSES];
	uint64_t walks[TLBMODEL_MODES][TLBMODEL_CLASSES];
	uint64_t reads[TLBMODEL_MODES][TLBMODEL_CLASSES];
	uint64_t fetch_l1_misses[TLBMODEL_MODES];
	uint64_t fetch_walks[TLBMODEL_MODES];
	uint64_t reads_by_level[TLBMODEL_LEVELS];	/* data and fetch */
	uint64_t untranslated;		/* accesses that the page tables do not explain */
	uint64_t disagreed;		/* walks that led elsewhere than the emulator went */
	uint64_t unseen;		/* instructions whose accesses the emulator does not tell */
	uint64_t invalidations;		/* instructions that invalidate anything */
	uint64_t reach_walks[TLBMODEL_REACHES];	/* in the kernel, for the linear map */
};

struct tlbmodel_range {
	uint64_t start;
	uint64_t end;
};

/* What HELLO tells of the kernel; as kpgtable.h has the words. */
struct tlbmodel_kernel {
	uint64_t root;
	uint32_t page_shift;
	uint32_t levels;
	uint32_t va_bits;
	uint32_t t1sz;
	uint64_t encrypted;
	struct tlbmodel_range range[TLBMODEL_CLASSES];
};

/* Aligned to a power of two that holds it, so that it lies in one page. */
struct tlbmodel_message {
	uint64_t magic;
	uint32_t version;
	uint32_t command;
	int32_t status;		/* the model's: 0 or -errno */
	char preset[36];
	uint32_t reach_entries[TLBMODEL_REACHES];	/* the model's; 0: no more */
	struct tlbmodel_kernel kernel;
	struct tlbmodel_counts counts;
} __attribute__((aligned(1024)));

/*
 * Say hello. Returns 0 when a model answered, -ENODEV when nobody did, or -errno of what the model
 * could not be told, with a sentence in @reason.
 */
int __tlbmodel_open(char *reason, size_t len);

/* For a child that is not to disturb its parent's windows: it has no model from here on. */
void tlbmodel_close(void);

/* From __tlbmodel_open()'s 0 to tlbmodel_close() or the end: whether there is a model. */
bool tlbmodel_present(void);

/* Of the second level whose walks are counts.reach_walks[@nr]; 0 when there is none. */
unsigned int tlbmodel_reach_entries(unsigned int nr);

/* Begin a window; end it, and add what was counted to @counts. Without a model they do nothing. */
void tlbmodel_begin(void);
void tlbmodel_end(struct tlbmodel_counts *counts);

#endif
