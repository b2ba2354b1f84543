/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own page tables, read through kcore and told in words that fit every architecture.
 *
 * A level is a distance from the last one, so KPG_PMD maps a page full of page-table entries on
 * every geometry and the root of a four-level table is KPG_P4D.
 */
#ifndef LIBMM_KPGTABLE_H
#define LIBMM_KPGTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmm/kcore.h>

enum kpg_level {
	KPG_PTE,
	KPG_PMD,
	KPG_PUD,
	KPG_P4D,
	KPG_PGD,
	KPG_LEVELS
};

enum kpg_flag {
	KPG_PRESENT	= 1 << 0,	/* the hardware translates through it */
	KPG_INVALID	= 1 << 1,	/* populated, but an access faults: a secretmem page, say */
	KPG_READONLY	= 1 << 2,
	KPG_NOEXEC	= 1 << 3,	/* for the kernel */
	KPG_USER	= 1 << 4,	/* user space may access it */
	KPG_CONTIGUOUS	= 1 << 5,	/* one of a group that a TLB entry may cover (arm64) */
};

enum kpg_kind {
	KPG_EMPTY,
	KPG_TABLE,
	KPG_LEAF,
	KPG_BAD,	/* a descriptor that no kernel writes at this level */
};

/*
 * One descriptor, decoded. @pa: the next table's, or what a leaf maps, aligned to the leaf's size.
 * Of a table, the flags are limits on everything below it: KPG_USER is the absence of one.
 */
struct kpg_entry {
	enum kpg_kind kind;
	uint64_t pa;
	unsigned int flags;
};

/* How this kernel's tables are laid out: data, so that any machine can decode any other's. */
struct kpg_geometry {
	const char *arch;		/* "arm64" or "x86_64" */
	unsigned int page_shift;
	unsigned int levels;
	unsigned int va_bits;		/* that the hardware translates */
	unsigned int index_bits;	/* that the root's index is cut from: see arm64 */
	enum kpg_level max_leaf;	/* the highest level that may hold a leaf */
	uint64_t kernel_start;		/* where the kernel's half of the addresses begins */
	uint64_t ignore;		/* descriptor bits that hardware sets unasked */
	uint64_t encrypted;		/* x86: sme_mask, not part of an address */
	bool lpa2;			/* arm64: PA[51:50] in bits 9:8 */
	unsigned int contiguous[KPG_LEVELS];	/* entries in a group, 0 where there are none */
	struct kpg_entry (*decode)(const struct kpg_geometry *geo, enum kpg_level level,
				   uint64_t desc);
};

/*
 * Fill in @geo. arm64: @page_shift 12, 14 or 16; @va_bits NUMBER(VA_BITS), what the kernel was
 * built for; @t1sz TCR_EL1.T1SZ, from which follows what the hardware translates. x86-64: @levels 4
 * or 5. -EINVAL for a combination that no kernel has.
 */
int kpg_geometry_arm64(struct kpg_geometry *geo, unsigned int page_shift, unsigned int va_bits,
		       unsigned int t1sz);
int kpg_geometry_x86(struct kpg_geometry *geo, unsigned int levels, uint64_t sme_mask);

unsigned int kpg_level_shift(const struct kpg_geometry *geo, enum kpg_level level);
/* Bytes that one entry of @level spans. */
uint64_t kpg_level_size(const struct kpg_geometry *geo, enum kpg_level level);
/* Entries in a table of @level. */
unsigned int kpg_level_entries(const struct kpg_geometry *geo, enum kpg_level level);
/* Which of them translates @va. */
unsigned int kpg_level_index(const struct kpg_geometry *geo, enum kpg_level level, uint64_t va);
/* "pte" to "pgd". */
const char *kpg_level_name(enum kpg_level level);

struct kpgtable;

/*
 * Find the page tables of the kernel that @kc shows. @kc must outlive it. On failure -errno and
 * one sentence in @reason, as with kcore_open(). A kpgtable holds the buffers of its walk:
 * one thread at a time.
 */
int kpgtable_open(struct kpgtable **pgt, const struct kcore *kc, char *reason, size_t len);
void kpgtable_close(struct kpgtable *pgt);
const struct kpg_geometry *kpgtable_geometry(const struct kpgtable *pgt);
const struct kcore *kpgtable_kcore(const struct kpgtable *pgt);

/*
 * What a walk meets: @nr neighbouring entries of one table with equal flags, each @size bytes and
 * mapping physical memory that follows the one before. @va and @pa are the first's; @va may lie
 * below the start of the walk when an entry reaches across it. @desc is the first raw descriptor.
 * The flags include what the tables above impose.
 */
struct kpg_leaf {
	uint64_t va;
	uint64_t pa;
	uint64_t size;
	uint64_t desc;
	unsigned int nr;
	unsigned int flags;
	enum kpg_level level;
};

/* Return nonzero to end the walk, which then returns it; negative is an error. */
typedef int (*kpg_visit_fn)(const struct kpg_leaf *leaf, void *arg);

/*
 * What a walk found besides leaves. @tables: the tables of each level that it read, the root too.
 * @digest: over every descriptor read but the geometry's @ignore bits; two walks with one digest
 * saw the same tables. @bad_*: where an error happened.
 */
struct kpg_walk {
	uint64_t tables[KPG_LEVELS];
	uint64_t digest;
	uint64_t bad_va;
	uint64_t bad_desc;
	enum kpg_level bad_level;
};

/*
 * Visit every populated leaf of [@start, @end) in the order of addresses; without @visit only
 * the digest and tables are made, faster. One pass over live tables without a lock: whatever the
 * kernel changes meanwhile may be seen before, after, or as the garbage of a table freed under the
 * reader. Walk until two digests agree to know otherwise, or use census, which does.
 *
 * -EINVAL, not a range of kernel addresses; -EUCLEAN, a descriptor no kernel writes; -EFAULT, a
 * table outside RAM; -ELOOP, a table that is its own ancestor, or more tables than RAM has pages.
 */
int __kpgtable_walk(struct kpgtable *pgt, uint64_t start, uint64_t end, kpg_visit_fn visit,
		    void *arg, struct kpg_walk *walk);
int kpgtable_walk(struct kpgtable *pgt, uint64_t start, uint64_t end, kpg_visit_fn visit, void *arg,
		  struct kpg_walk *walk);

/* One step of the way to an address. @pa: that of the descriptor. */
struct kpg_step {
	enum kpg_level level;
	unsigned int index;
	uint64_t pa;
	uint64_t desc;
	struct kpg_entry entry;
};

/*
 * The way from the root to @va. The last step's kind says how it ends: KPG_LEAF with @leaf filled
 * in (@leaf.nr is 1), KPG_EMPTY or KPG_BAD without.
 */
struct kpg_path {
	unsigned int nr;
	struct kpg_step step[KPG_LEVELS];
	struct kpg_leaf leaf;
};

/*
 * Read the path until it is twice the same. -EAGAIN when it never was; -EINVAL and -EFAULT as with
 * the walk.
 */
int __kpgtable_lookup(struct kpgtable *pgt, uint64_t va, struct kpg_path *path);
void kpgtable_lookup(struct kpgtable *pgt, uint64_t va, struct kpg_path *path);

/*
 * Read kernel memory that is mapped: -EFAULT when any part is not, where kcore alone gives zeros.
 * -EAGAIN when the mapping kept changing.
 */
int __kpgtable_read(struct kpgtable *pgt, uint64_t va, void *buf, size_t len);
void kpgtable_read(struct kpgtable *pgt, uint64_t va, void *buf, size_t len);

/* One sentence about the error of a walk. */
void kpgtable_explain(int err, const struct kpg_walk *walk, char *reason, size_t len);

#endif /* LIBMM_KPGTABLE_H */
