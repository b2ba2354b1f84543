// SPDX-License-Identifier: GPL-2.0
/*
 * arm64 stage 1 descriptors of the kernel's (TTBR1) tables, on any machine.
 *
 * Sources: Arm ARM, "VMSAv8-64 descriptor formats"; the kernel's pgtable-hwdef.h and
 * pgtable-prot.h.
 *
 * Limits: permission indirection (FEAT_S1PIE) makes an index of the permission bits; the kernel
 * keeps RDONLY and WRITE in agreement with it. A realm's shared bit is not exported and shows in
 * the pa of a page that it shares.
 */
#include <errno.h>

#include <libmm/kpgtable.h>

#define BIT64(n)		(UINT64_C(1) << (n))
#define BITS64(high, low)	((UINT64_MAX >> (63 - (high))) & (UINT64_MAX << (low)))

#define DESC_VALID		BIT64(0)
#define DESC_TABLE		BIT64(1)	/* at the last level: a page */
#define DESC_USER		BIT64(6)	/* AP[1] */
#define DESC_RDONLY		BIT64(7)	/* AP[2] */
#define DESC_AF			BIT64(10)
#define DESC_WRITE		BIT64(51)	/* DBM: a write to it lifts RDONLY */
#define DESC_CONT		BIT64(52)
#define DESC_PXN		BIT64(53)
#define TABLE_PXN		BIT64(59)
#define TABLE_NO_USER		BIT64(61)	/* APTable[0] */
#define TABLE_RDONLY		BIT64(62)	/* APTable[1] */

#define VA_BITS_LPA		48	/* up to here without FEAT_LPA2, with 4K and 16K pages */

static uint64_t desc_address(const struct kpg_geometry *geo, uint64_t desc)
{
	unsigned int shift = geo->page_shift;

	if (shift == 16)
		return (desc & BITS64(47, 16)) | (desc & BITS64(15, 12)) << 36;
	if (geo->lpa2)
		return (desc & BITS64(49, shift)) | (desc & BITS64(9, 8)) << 42;
	return desc & BITS64(47, shift);
}

static struct kpg_entry table_decode(const struct kpg_geometry *geo, uint64_t desc)
{
	return (struct kpg_entry) {
		.kind = KPG_TABLE,
		.pa = desc_address(geo, desc),
		.flags = (desc & TABLE_PXN ? KPG_NOEXEC : 0) |
			 (desc & TABLE_RDONLY ? KPG_READONLY : 0) |
			 (desc & TABLE_NO_USER ? 0 : KPG_USER),
	};
}

static struct kpg_entry leaf_decode(const struct kpg_geometry *geo, enum kpg_level level,
				    uint64_t desc)
{
	return (struct kpg_entry) {
		.kind = KPG_LEAF,
		/* A block's low address bits hold other things, nT for one. */
		.pa = desc_address(geo, desc) & ~(kpg_level_size(geo, level) - 1),
		.flags = (desc & DESC_VALID ? KPG_PRESENT : KPG_INVALID) |
			 ((desc & DESC_RDONLY) && !(desc & DESC_WRITE) ? KPG_READONLY : 0) |
			 (desc & DESC_PXN ? KPG_NOEXEC : 0) | (desc & DESC_USER ? KPG_USER : 0) |
			 (desc & DESC_CONT ? KPG_CONTIGUOUS : 0),
	};
}

static struct kpg_entry arm64_decode(const struct kpg_geometry *geo, enum kpg_level level,
				     uint64_t desc)
{
	bool table = desc & DESC_TABLE, last = level == KPG_PTE;

	if (!desc)
		return (struct kpg_entry) { .kind = KPG_EMPTY };
	/*
	 * The kernel takes DESC_VALID away from leaves and keeps the rest. It never does so to a
	 * table, so what is not valid is a leaf, wherever a leaf may be.
	 */
	if (!last && table && (desc & DESC_VALID))
		return table_decode(geo, desc);
	/* At the last level that bit says page, and without it the entry is reserved. */
	if (level > geo->max_leaf || table != last)
		return (struct kpg_entry) { .kind = KPG_BAD };
	return leaf_decode(geo, level, desc);
}

/*
 * FEAT_LPA2 lets a block sit one level higher; so does a 52-bit physical address with 64K pages,
 * which the tables of those kernels do not tell from 48-bit ones.
 */
static void granule_set(struct kpg_geometry *geo)
{
	switch (geo->page_shift) {
	case 12:
		geo->max_leaf = geo->lpa2 ? KPG_P4D : KPG_PUD;
		geo->contiguous[KPG_PTE] = 16;
		geo->contiguous[KPG_PMD] = 16;
		geo->contiguous[KPG_PUD] = 16;
		break;
	case 14:
		geo->max_leaf = geo->lpa2 ? KPG_PUD : KPG_PMD;
		geo->contiguous[KPG_PTE] = 128;
		geo->contiguous[KPG_PMD] = 32;
		break;
	default:
		geo->max_leaf = KPG_PUD;
		geo->contiguous[KPG_PTE] = 32;
		geo->contiguous[KPG_PMD] = 32;
		break;
	}
}

int kpg_geometry_arm64(struct kpg_geometry *geo, uint64_t page_shift, uint64_t va_bits,
		       uint64_t t1sz)
{
	unsigned int translated = (unsigned int)(64 - t1sz);

	if (page_shift != 12 && page_shift != 14 && page_shift != 16)
		return -EINVAL;
	if (t1sz > 64 - 36 || t1sz < 64 - 52 || va_bits < translated || va_bits > 52)
		return -EINVAL;
	*geo = (struct kpg_geometry) {
		.arch = "arm64",
		.page_shift = (unsigned int)page_shift,
		/* ARM64_HW_PGTABLE_LEVELS() */
		.levels = (translated - 4) / ((unsigned int)page_shift - 3),
		.va_bits = translated,
		/*
		 * A 64K kernel built for 52 bits keeps its 52-bit root on hardware that has 48, and
		 * points TTBR1 into it. With 4K and 16K pages that kernel has a level less instead.
		 */
		.index_bits = page_shift == 16 ? (unsigned int)va_bits : translated,
		.kernel_start = -BIT64(translated),
		.ignore = DESC_AF,
		.lpa2 = page_shift < 16 && translated > VA_BITS_LPA,
		.decode = arm64_decode,
	};
	granule_set(geo);
	return 0;
}
