/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of the translation lookaside buffers of one CPU: which accesses hit, which walk the page
 * tables, and how many descriptors each walk reads. It knows neither an emulator nor a page table's
 * format; docs/tlb-model.md says what is modelled and what is not.
 */
#ifndef TLB_MODEL_TLB_H
#define TLB_MODEL_TLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLB_LEVELS	5	/* of page tables, the last one 0 */
#define TLB_ARRAYS	16
#define TLB_NAME	32

/* Of addresses that are the same in every address space. */
#define TLB_SPACE_GLOBAL 0

enum tlb_access_kind {
	TLB_DATA,
	TLB_FETCH,
	TLB_KINDS
};

enum tlb_role {
	TLB_L1,
	TLB_L2,
	TLB_WALK_CACHE,		/* of descriptors that point to tables */
};

enum tlb_replacement {
	TLB_LRU,
	TLB_FIFO,
	TLB_RANDOM,
};

/*
 * One array of entries. @sizes: bit N is set when an entry may span 2^N bytes; a translation that
 * spans more is stored by the part that fits, one that spans less than all of them is not stored.
 * @levels, of a walk cache: bit N is set when it holds descriptors of level N.
 */
struct tlb_array_config {
	enum tlb_role role;
	bool kinds[TLB_KINDS];
	unsigned int entries;
	unsigned int ways;	/* divides entries; equal to them: fully associative */
	uint64_t sizes;
	unsigned int levels;
};

struct tlb_config {
	char name[TLB_NAME];
	enum tlb_replacement replacement;
	bool contiguous;		/* arm64: a contiguous group is one translation */
	unsigned int coalesce;		/* log2 of the pages that hardware joins unasked; 0: none */
	unsigned int nr_arrays;
	struct tlb_array_config array[TLB_ARRAYS];
};

/*
 * Read a preset: docs/tlb-model.md has the format. Returns 0, or -errno with a sentence in @reason
 * that names the file and the line.
 */
int __tlb_config_read(struct tlb_config *config, const char *path, char *reason, size_t len);

/*
 * Give every array of the second level so many entries, in as many ways as before, or fully
 * associative as before. Returns 0, or -EINVAL when they do not divide into those, are none or too
 * many, or there is no second level.
 */
int __tlb_config_resize(struct tlb_config *config, unsigned int entries);

/*
 * Leave out the first level. What misses in the first level of a TLB does not depend on its second,
 * so a TLB without the former, told of those misses alone, does as one with both.
 */
void tlb_config_drop_l1(struct tlb_config *config);

/*
 * What the page tables say of an address. Two translations of an address are the same when @desc
 * is. @span: log2 of the bytes around it that one entry may translate, a contiguous group or
 * coalesced pages included. @table[n]: the descriptor of level n on the way, above @leaf.
 */
struct tlb_translation {
	uint64_t desc;
	uint64_t table[TLB_LEVELS];
	unsigned int span;
	unsigned int leaf;		/* level of the last descriptor read */
	unsigned int root;		/* level of the first */
};

/* Fill in @t; false when nothing translates @va, and the access is then not modelled. */
typedef bool (*tlb_translate_fn)(void *arg, unsigned int space, uint64_t va,
				 struct tlb_translation *t);

struct tlb;

/*
 * @page_shift: of the page tables, log2 of bytes. @arg is passed to @translate. NULL when there is
 * no memory.
 */
struct tlb *tlb_new(const struct tlb_config *config, unsigned int page_shift,
		    tlb_translate_fn translate, void *arg);
void tlb_free(struct tlb *tlb);

enum tlb_result {
	TLB_HIT_L1,
	TLB_HIT_L2,
	TLB_WALK,
	TLB_NO_TRANSLATION,
};

/* After TLB_WALK: what the walk read, from level @first down to level @leaf. */
struct tlb_walk {
	unsigned int first;
	unsigned int leaf;
	unsigned int span;	/* of the translation found, as above */
};

/*
 * One access to @va in @space; kernel addresses are in TLB_SPACE_GLOBAL. @walk is filled in after
 * TLB_WALK alone.
 */
enum tlb_result tlb_access(struct tlb *tlb, enum tlb_access_kind kind, unsigned int space,
			   uint64_t va, struct tlb_walk *walk);

/* Descriptors that @walk read. */
unsigned int tlb_walk_reads(const struct tlb_walk *walk);

/* Everything is invalid. */
void tlb_flush(struct tlb *tlb);

/*
 * Something was invalidated and nobody knows what: before an entry is next used, it is looked up
 * again in the page tables, and is gone if they say something else than when it was made.
 */
void tlb_distrust(struct tlb *tlb);

#endif
