// SPDX-License-Identifier: GPL-2.0
/*
 * x86-64 page-table entries, 4 and 5 levels, on any machine.
 *
 * Sources: Intel SDM volume 3, "Paging"; the kernel's pgtable_types.h and pgtable-invert.h.
 *
 * Limits: a TDX guest's shared bit is not exported and shows in the pa of a page it shares.
 */
#include <errno.h>

#include <libmm/kpgtable.h>

#define BIT64(n)		(UINT64_C(1) << (n))

#define ENTRY_PRESENT		BIT64(0)
#define ENTRY_RW		BIT64(1)
#define ENTRY_USER		BIT64(2)
#define ENTRY_ACCESSED		BIT64(5)
#define ENTRY_DIRTY		BIT64(6)
#define ENTRY_PSE		BIT64(7)	/* at the last level: PAT */
#define ENTRY_NX		BIT64(63)
#define ENTRY_ADDRESS		((BIT64(52) - 1) & ~(BIT64(12) - 1))

#define PAGE_SHIFT		12
#define INDEX_BITS		9

static struct kpg_entry x86_decode(const struct kpg_geometry *geo, enum kpg_level level,
				   uint64_t desc)
{
	bool present = desc & ENTRY_PRESENT;
	/* The kernel inverts the PFN of an entry that is not present, against L1TF. */
	uint64_t pa = (present ? desc : ~desc) & ENTRY_ADDRESS & ~geo->encrypted;
	unsigned int flags = (desc & ENTRY_RW ? 0 : KPG_READONLY) |
			     (desc & ENTRY_NX ? KPG_NOEXEC : 0) |
			     (desc & ENTRY_USER ? KPG_USER : 0);

	if (!desc)
		return (struct kpg_entry) { .kind = KPG_EMPTY };
	if (present && level > KPG_PTE && !(desc & ENTRY_PSE))
		return (struct kpg_entry) { KPG_TABLE, pa, flags };
	if (level > geo->max_leaf)
		return (struct kpg_entry) { .kind = KPG_BAD };
	/* A large page's low address bits hold other things, PAT for one. */
	pa &= ~(kpg_level_size(geo, level) - 1);
	return (struct kpg_entry) { KPG_LEAF, pa, flags | (present ? KPG_PRESENT : KPG_INVALID) };
}

int kpg_geometry_x86(struct kpg_geometry *geo, unsigned int levels, uint64_t sme_mask)
{
	if (levels != 4 && levels != 5)
		return -EINVAL;
	/* No bit or one address bit. */
	if ((sme_mask & (sme_mask - 1)) || (sme_mask & ~ENTRY_ADDRESS))
		return -EINVAL;
	*geo = (struct kpg_geometry) {
		.arch = "x86_64",
		.page_shift = PAGE_SHIFT,
		.levels = levels,
		.va_bits = PAGE_SHIFT + levels * INDEX_BITS,
		.index_bits = PAGE_SHIFT + levels * INDEX_BITS,
		.max_leaf = KPG_PUD,
		.kernel_start = -BIT64(PAGE_SHIFT + levels * INDEX_BITS - 1),
		.ignore = ENTRY_ACCESSED | ENTRY_DIRTY,
		.encrypted = sme_mask,
		.decode = x86_decode,
	};
	return 0;
}
