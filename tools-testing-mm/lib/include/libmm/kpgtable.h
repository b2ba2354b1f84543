/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kpgtable: the kernel's own page tables, read through kcore, in terms that fit every architecture.
 *
 * A level is a distance from the last one, so KPG_PMD maps a page full of page-table entries on
 * every geometry and the root of a four-level table is KPG_P4D.
 */
#ifndef LIBMM_KPGTABLE_H
#define LIBMM_KPGTABLE_H

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
 * Fill in @geo; -EINVAL for a combination that no kernel has. arm64: @page_shift 12, 14 or 16;
 * @va_bits NUMBER(VA_BITS), what the kernel was built for; @t1sz TCR_EL1.T1SZ, from which follows
 * what the hardware translates. x86-64: @levels 4 or 5.
 */
int kpg_geometry_arm64(struct kpg_geometry *geo, uint64_t page_shift, uint64_t va_bits,
		       uint64_t t1sz);
int kpg_geometry_x86(struct kpg_geometry *geo, unsigned int levels, uint64_t sme_mask);

unsigned int kpg_level_shift(const struct kpg_geometry *geo, enum kpg_level level);
/* Bytes that one entry of @level spans. */
uint64_t kpg_level_size(const struct kpg_geometry *geo, enum kpg_level level);
/* Entries in a table of @level, and which of them translates @va. */
unsigned int kpg_level_entries(const struct kpg_geometry *geo, enum kpg_level level);
unsigned int kpg_level_index(const struct kpg_geometry *geo, enum kpg_level level, uint64_t va);
/* "pte" to "pgd". */
const char *kpg_level_name(enum kpg_level level);

/* The limits of a path: those at its root, and @limits with the flags of the next entry applied. */
#define KPG_ROOT_LIMITS	KPG_USER
unsigned int kpg_limits_apply(unsigned int limits, unsigned int flags);

struct kpgtable;

/*
 * Find the page tables of the kernel that @kc shows; @kc must outlive them. On failure -errno and
 * one sentence in @reason, as with kcore_open().
 */
int kpgtable_open(struct kpgtable **pgt, const struct kcore *kc, char *reason, size_t len);
void kpgtable_close(struct kpgtable *pgt);
const struct kpg_geometry *kpgtable_geometry(const struct kpgtable *pgt);
const struct kcore *kpgtable_kcore(const struct kpgtable *pgt);
/* Physical address of the root table. */
uint64_t kpgtable_root(const struct kpgtable *pgt);

/*
 * @nr neighbouring entries of one table with equal flags, each @size bytes and mapping physical
 * memory that follows the one before. @va, @pa and the raw descriptor @desc are the first's. The
 * flags include the limits of the tables above.
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

/* One step on the path to an address. @pa: that of the descriptor. */
struct kpg_step {
	enum kpg_level level;
	unsigned int index;
	uint64_t pa;
	uint64_t desc;
	struct kpg_entry entry;
};

/*
 * The path from the root to an address. The kind of its last step says how it ends: KPG_LEAF with
 * @leaf filled in (@leaf.nr is 1), KPG_EMPTY or KPG_BAD without.
 */
struct kpg_path {
	unsigned int nr;
	struct kpg_step step[KPG_LEVELS];
	struct kpg_leaf leaf;
};

/*
 * Read the path to @va until it is the same twice. -EAGAIN when it never was, -EINVAL when @va is
 * no kernel address, -EFAULT when a table lies outside RAM.
 */
int __kpgtable_lookup(const struct kpgtable *pgt, uint64_t va, struct kpg_path *path);
void kpgtable_lookup(const struct kpgtable *pgt, uint64_t va, struct kpg_path *path);

#endif /* LIBMM_KPGTABLE_H */
