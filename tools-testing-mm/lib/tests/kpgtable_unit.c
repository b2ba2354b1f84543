// SPDX-License-Identifier: GPL-2.0
/*
 * kpgtable finds in page tables what was written into them.
 *
 * Method: a synthetic core file for every geometry that a kernel can have, its descriptors encoded
 * from the architecture manuals (synthetic_core.h). Tables that change under the reader are had by
 * standing in for pread(), so that each change happens at a chosen read.
 *
 * Limits: what hardware does with a descriptor is not tested here, only what kpgtable says of it.
 */

#include <libmm/kpgwalk.h>

#include "pread_hook.h"
#include "synthetic_core.h"
#include "kselftest_harness.h"

#define LEAVES_MAX	64
#define FUZZ_ROUNDS	200

#define BIT64(n)		(UINT64_C(1) << (n))

/* Descriptor bits by their numbers in the manuals. */
#define ARM64_AP1_USER		BIT64(6)
#define ARM64_AP2_RDONLY	BIT64(7)
#define ARM64_AF		BIT64(10)
#define ARM64_NT		BIT64(16)
#define ARM64_DBM		BIT64(51)
#define ARM64_CONT		BIT64(52)
#define ARM64_PXN		BIT64(53)
#define ARM64_PXNTABLE		BIT64(59)
#define ARM64_APTABLE0		BIT64(61)
#define ARM64_APTABLE1		BIT64(62)
#define X86_P			BIT64(0)
#define X86_RW			BIT64(1)
#define X86_US			BIT64(2)
#define X86_A			BIT64(5)
#define X86_PAT_LARGE		BIT64(12)
#define X86_XD			BIT64(63)
#define X86_PFN			0x000ffffffffff000ULL

struct leaves {
	struct kpg_leaf leaf[LEAVES_MAX];
	unsigned int nr;
};

static int leaf_keep(const struct kpg_leaf *leaf, void *arg)
{
	struct leaves *leaves = arg;

	if (leaves->nr == LEAVES_MAX)
		return -E2BIG;
	leaves->leaf[leaves->nr++] = *leaf;
	return 0;
}

FIXTURE(tables)
{
	struct synth core;
	const struct synth_layout *layout;
	struct kcore *kc;
	struct kpgtable *pgt;
	struct kpg_walk walk;
	struct leaves leaves;
	uint64_t va;	/* where the test maps: aligned to every leaf */
};

FIXTURE_VARIANT(tables)
{
	const struct synth_layout *layout;
};

FIXTURE_VARIANT_ADD(tables, arm64_4k_39)
{
	.layout = &synth_arm64_4k_39,
};

FIXTURE_VARIANT_ADD(tables, arm64_4k_48)
{
	.layout = &synth_arm64_4k_48,
};

FIXTURE_VARIANT_ADD(tables, arm64_4k_52)
{
	.layout = &synth_arm64_4k_52,
};

FIXTURE_VARIANT_ADD(tables, arm64_4k_52_on_48)
{
	.layout = &synth_arm64_4k_52_on_48,
};

FIXTURE_VARIANT_ADD(tables, arm64_16k_47)
{
	.layout = &synth_arm64_16k_47,
};

FIXTURE_VARIANT_ADD(tables, arm64_16k_48)
{
	.layout = &synth_arm64_16k_48,
};

FIXTURE_VARIANT_ADD(tables, arm64_16k_52)
{
	.layout = &synth_arm64_16k_52,
};

FIXTURE_VARIANT_ADD(tables, arm64_16k_52_on_47)
{
	.layout = &synth_arm64_16k_52_on_47,
};

FIXTURE_VARIANT_ADD(tables, arm64_64k_42)
{
	.layout = &synth_arm64_64k_42,
};

FIXTURE_VARIANT_ADD(tables, arm64_64k_48)
{
	.layout = &synth_arm64_64k_48,
};

FIXTURE_VARIANT_ADD(tables, arm64_64k_52)
{
	.layout = &synth_arm64_64k_52,
};

FIXTURE_VARIANT_ADD(tables, arm64_64k_52_on_48)
{
	.layout = &synth_arm64_64k_52_on_48,
};

FIXTURE_VARIANT_ADD(tables, x86_4)
{
	.layout = &synth_x86_4,
};

FIXTURE_VARIANT_ADD(tables, x86_5)
{
	.layout = &synth_x86_5,
};

FIXTURE_VARIANT_ADD(tables, x86_4_sme)
{
	.layout = &synth_x86_4_sme,
};

static uint64_t leaf_align(const struct synth_layout *layout)
{
	unsigned int top = layout->levels - 1;

	return synth_level_size(layout, layout->max_leaf < top ? layout->max_leaf : top);
}

static unsigned int max_leaf(const struct synth_layout *layout)
{
	return layout->max_leaf < layout->levels ? layout->max_leaf : layout->levels - 1;
}

FIXTURE_SETUP(tables)
{
	self->layout = variant->layout;
	synth_init(&self->core, self->layout);
	self->va = self->layout->kernel_start + leaf_align(self->layout);
}

FIXTURE_TEARDOWN(tables)
{
	read_hook = NULL;
	kpgtable_close(self->pgt);
	kcore_close(self->kc);
	synth_destroy(&self->core);
}

/* Write the core as it stands and open it. */
static int tables_open(FIXTURE_DATA(tables) * self)
{
	char why[KCORE_REASON_MAX];
	int ret;

	synth_finish(&self->core);
	ret = kcore_open(&self->kc, why, sizeof(why));
	if (!ret)
		ret = kpgtable_open(&self->pgt, self->kc, why, sizeof(why));
	if (ret)
		fprintf(stderr, "# %s\n", why);
	return ret;
}

/* Keep the leaves of a walk. */
static int tables_walk(FIXTURE_DATA(tables) * self, uint64_t start, uint64_t end)
{
	self->leaves.nr = 0;
	return kpgtable_walk(self->pgt, start, end, leaf_keep, &self->leaves, &self->walk);
}

TEST_F(tables, geometry)
{
	const struct kpg_geometry *geo;

	ASSERT_EQ(0, tables_open(self));
	geo = kpgtable_geometry(self->pgt);
	ASSERT_STREQ(self->layout->arch, geo->arch);
	ASSERT_EQ(self->layout->page_shift, geo->page_shift);
	ASSERT_EQ(self->layout->levels, geo->levels);
	ASSERT_EQ(self->layout->kernel_start, geo->kernel_start);
	ASSERT_EQ(self->layout->pmd_size, kpg_level_size(geo, KPG_PMD));
	ASSERT_EQ(self->layout->root_entries, kpg_level_entries(geo, geo->levels - 1));
	ASSERT_EQ((1U << self->layout->page_shift) / 8, kpg_level_entries(geo, KPG_PTE));
	ASSERT_EQ(self->layout->cont_pte, geo->contiguous[KPG_PTE]);
	ASSERT_EQ(self->layout->cont_pmd, geo->contiguous[KPG_PMD]);
}

/* The highest address bits land in odd places of a descriptor: use them. */
TEST_F(tables, leaf_of_every_level)
{
	unsigned int level;

	for (level = KPG_PTE; level <= max_leaf(self->layout); level++) {
		uint64_t size = synth_level_size(self->layout, level);
		uint64_t va = self->va + level * leaf_align(self->layout);
		uint64_t pa = (UINT64_C(1) << self->layout->pa_bits) - size;

		synth_map(&self->core, va, level, synth_leaf(self->layout, level, pa));
	}
	ASSERT_EQ(0, tables_open(self));

	for (level = KPG_PTE; level <= max_leaf(self->layout); level++) {
		uint64_t size = synth_level_size(self->layout, level);
		uint64_t va = self->va + level * leaf_align(self->layout);

		ASSERT_EQ(0, tables_walk(self, va, va + leaf_align(self->layout)));
		ASSERT_EQ(1, self->leaves.nr);
		ASSERT_EQ(va, self->leaves.leaf[0].va);
		ASSERT_EQ(size, self->leaves.leaf[0].size);
		ASSERT_EQ((UINT64_C(1) << self->layout->pa_bits) - size, self->leaves.leaf[0].pa);
		ASSERT_EQ(level, self->leaves.leaf[0].level);
		ASSERT_EQ(1, self->leaves.leaf[0].nr);
		ASSERT_EQ(KPG_PRESENT, self->leaves.leaf[0].flags);
	}
}

TEST_F(tables, top_of_the_address_space)
{
	uint64_t size = synth_level_size(self->layout, KPG_PTE), va = -2 * size;

	synth_map(&self->core, va, KPG_PTE, synth_leaf(self->layout, KPG_PTE, size));
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(0, tables_walk(self, self->layout->kernel_start, UINT64_MAX));
	ASSERT_EQ(1, self->leaves.nr);
	ASSERT_EQ(va, self->leaves.leaf[0].va);
}

static unsigned int flags_of(const struct synth_layout *layout, unsigned int level, uint64_t bits,
			     uint64_t without)
{
	struct kpg_geometry geo;
	int ret = synth_is_arm64(layout) ?
		  kpg_geometry_arm64(&geo, layout->page_shift, layout->va_bits, layout->t1sz) :
		  kpg_geometry_x86(&geo, layout->levels, layout->sme_mask);
	struct kpg_entry entry;

	if (ret)
		libmm_fail("the geometry is refused: %s", strerror(-ret));
	entry = geo.decode(&geo, level, (synth_leaf(layout, level, 0) | bits) & ~without);
	return entry.kind == KPG_LEAF ? entry.flags : ~0U;
}

TEST_F(tables, flags)
{
	const struct synth_layout *layout = self->layout;
	unsigned int level;

	for (level = KPG_PTE; level <= KPG_PMD; level++) {
		if (synth_is_arm64(layout)) {
			ASSERT_EQ(KPG_PRESENT | KPG_READONLY,
				  flags_of(layout, level, ARM64_AP2_RDONLY, 0));
			/* Writable and clean: hardware lifts the read-only bit at a write. */
			ASSERT_EQ(KPG_PRESENT,
				  flags_of(layout, level, ARM64_AP2_RDONLY | ARM64_DBM, 0));
			ASSERT_EQ(KPG_PRESENT | KPG_NOEXEC, flags_of(layout, level, ARM64_PXN, 0));
			ASSERT_EQ(KPG_PRESENT | KPG_USER,
				  flags_of(layout, level, ARM64_AP1_USER, 0));
			ASSERT_EQ(KPG_PRESENT | KPG_CONTIGUOUS,
				  flags_of(layout, level, ARM64_CONT, 0));
			ASSERT_EQ(KPG_INVALID, flags_of(layout, level, 0, 1));
		} else {
			ASSERT_EQ(KPG_PRESENT | KPG_READONLY, flags_of(layout, level, 0, X86_RW));
			ASSERT_EQ(KPG_PRESENT | KPG_NOEXEC, flags_of(layout, level, X86_XD, 0));
			ASSERT_EQ(KPG_PRESENT | KPG_USER, flags_of(layout, level, X86_US, 0));
			ASSERT_EQ(KPG_INVALID, flags_of(layout, level, 0, X86_P));
		}
	}
}

/* nT and PAT share bits with an address that needs them not. */
TEST_F(tables, block_attributes_are_no_address)
{
	const struct synth_layout *layout = self->layout;
	uint64_t pa = 3 * layout->pmd_size;

	synth_map(&self->core, self->va, KPG_PMD, synth_leaf(layout, KPG_PMD, pa) |
		  (synth_is_arm64(layout) ? ARM64_NT : X86_PAT_LARGE));
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(0, tables_walk(self, self->va, self->va + 1));
	ASSERT_EQ(pa, self->leaves.leaf[0].pa);
}

/* What a secretmem page leaves behind in the linear map. */
static uint64_t invalid_leaf(const struct synth_layout *layout, unsigned int level, uint64_t pa)
{
	uint64_t desc = synth_leaf(layout, level, pa) & ~UINT64_C(1);

	if (synth_is_arm64(layout))
		return desc;
	/* arch/x86 pte_pfn(): the PFN of an entry that is not present is stored inverted. */
	return (desc & ~layout->sme_mask) ^ (X86_PFN & ~layout->sme_mask);
}

TEST_F(tables, invalid_leaf_keeps_its_address)
{
	unsigned int level;

	for (level = KPG_PTE; level <= KPG_PMD && level < self->layout->levels; level++)
		synth_map(&self->core, self->va + level * leaf_align(self->layout), level,
			  invalid_leaf(self->layout, level, 3 * self->layout->pmd_size));
	ASSERT_EQ(0, tables_open(self));
	for (level = KPG_PTE; level <= KPG_PMD && level < self->layout->levels; level++) {
		uint64_t va = self->va + level * leaf_align(self->layout);

		ASSERT_EQ(0, tables_walk(self, va, va + 1));
		ASSERT_EQ(1, self->leaves.nr);
		ASSERT_EQ(3 * self->layout->pmd_size, self->leaves.leaf[0].pa);
		ASSERT_EQ(KPG_INVALID, self->leaves.leaf[0].flags & (KPG_INVALID | KPG_PRESENT));
		ASSERT_EQ(level, self->leaves.leaf[0].level);
	}
}

/* A table's limits reach what lies below it and nothing beside it. */
TEST_F(tables, limits_of_tables)
{
	const struct synth_layout *layout = self->layout;
	uint64_t page = synth_level_size(layout, KPG_PTE), beside = self->va + layout->pmd_size;
	uint64_t user = synth_is_arm64(layout) ? ARM64_AP1_USER : X86_US;
	uint64_t table, desc;
	unsigned int index;

	synth_map(&self->core, self->va, KPG_PTE, synth_leaf(layout, KPG_PTE, page) | user);
	synth_map(&self->core, beside, KPG_PTE, synth_leaf(layout, KPG_PTE, page) | user);
	table = synth_table_of(&self->core, self->va, KPG_PMD);
	index = synth_index(layout, KPG_PMD, self->va);
	desc = synth_desc_get(&self->core, table, index);
	if (synth_is_arm64(layout))
		desc |= ARM64_PXNTABLE | ARM64_APTABLE0 | ARM64_APTABLE1;
	else
		desc = (desc | X86_XD) & ~(X86_RW | X86_US);
	synth_desc_set(&self->core, table, index, desc);
	ASSERT_EQ(0, tables_open(self));

	ASSERT_EQ(0, tables_walk(self, self->va, beside + 1));
	ASSERT_EQ(2, self->leaves.nr);
	ASSERT_EQ(KPG_PRESENT | KPG_READONLY | KPG_NOEXEC, self->leaves.leaf[0].flags);
	ASSERT_EQ(KPG_PRESENT | KPG_USER, self->leaves.leaf[1].flags);
}

/* Sixteen pages in a row, of which one maps elsewhere and one is read-only. */
TEST_F(tables, runs)
{
	const struct synth_layout *layout = self->layout;
	uint64_t page = synth_level_size(layout, KPG_PTE), base = 64 * page;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		uint64_t desc = synth_leaf(layout, KPG_PTE, base + (i == 4 ? 100 : i) * page);

		if (i == 9)
			desc = synth_is_arm64(layout) ? desc | ARM64_AP2_RDONLY : desc & ~X86_RW;
		synth_map(&self->core, self->va + i * page, KPG_PTE, desc);
	}
	ASSERT_EQ(0, tables_open(self));

	ASSERT_EQ(0, tables_walk(self, self->va, self->va + 16 * page));
	ASSERT_EQ(5, self->leaves.nr);
	ASSERT_EQ(4, self->leaves.leaf[0].nr);
	ASSERT_EQ(1, self->leaves.leaf[1].nr);
	ASSERT_EQ(base + 100 * page, self->leaves.leaf[1].pa);
	ASSERT_EQ(4, self->leaves.leaf[2].nr);
	ASSERT_EQ(base + 5 * page, self->leaves.leaf[2].pa);
	ASSERT_EQ(1, self->leaves.leaf[3].nr);
	ASSERT_EQ(KPG_READONLY, self->leaves.leaf[3].flags & KPG_READONLY);
	ASSERT_EQ(6, self->leaves.leaf[4].nr);
	ASSERT_EQ(self->va + 10 * page, self->leaves.leaf[4].va);

	/* The walk's edges cut a run. */
	ASSERT_EQ(0, tables_walk(self, self->va + 2 * page, self->va + 3 * page));
	ASSERT_EQ(1, self->leaves.nr);
	ASSERT_EQ(1, self->leaves.leaf[0].nr);
	ASSERT_EQ(self->va + 2 * page, self->leaves.leaf[0].va);
}

/* Descriptors may follow each other by a page while the address they hold overflows. */
TEST_F(tables, run_ends_where_the_address_wraps)
{
	const struct synth_layout *layout = self->layout;
	uint64_t page = synth_level_size(layout, KPG_PTE), first;

	if (synth_is_lpa2(layout))
		first = synth_leaf(layout, KPG_PTE, (UINT64_C(1) << 50) - page);
	else if (synth_is_arm64(layout))
		first = synth_leaf(layout, KPG_PTE, (UINT64_C(1) << 48) - page);
	else
		first = synth_leaf(layout, KPG_PTE, 0) | (X86_PFN & ~layout->sme_mask);
	synth_map(&self->core, self->va, KPG_PTE, first);
	synth_map(&self->core, self->va + page, KPG_PTE, first + page);
	ASSERT_EQ(0, tables_open(self));

	ASSERT_EQ(0, tables_walk(self, self->va, self->va + 2 * page));
	ASSERT_EQ(2, self->leaves.nr);
	ASSERT_EQ(1, self->leaves.leaf[0].nr);
	ASSERT_EQ(0, self->leaves.leaf[1].pa);
}

TEST_F(tables, leaf_across_the_start)
{
	uint64_t pmd = self->layout->pmd_size;

	synth_map(&self->core, self->va, KPG_PMD, synth_leaf(self->layout, KPG_PMD, pmd));
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(0, tables_walk(self, self->va + pmd / 2, self->va + pmd));
	ASSERT_EQ(1, self->leaves.nr);
	ASSERT_EQ(self->va, self->leaves.leaf[0].va);
	ASSERT_EQ(0, tables_walk(self, self->va + pmd, self->va + 2 * pmd));
	ASSERT_EQ(0, self->leaves.nr);
}

TEST_F(tables, tables_are_counted)
{
	const struct synth_layout *layout = self->layout;
	uint64_t page = synth_level_size(layout, KPG_PTE);
	unsigned int level;

	synth_map(&self->core, self->va, KPG_PTE, synth_leaf(layout, KPG_PTE, page));
	synth_map(&self->core, self->va + layout->pmd_size, KPG_PTE,
		  synth_leaf(layout, KPG_PTE, page));
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(0, tables_walk(self, self->va, self->va + 2 * layout->pmd_size));
	ASSERT_EQ(2, self->walk.tables[KPG_PTE]);
	for (level = KPG_PMD; level < KPG_LEVELS; level++)
		ASSERT_EQ(level < layout->levels, self->walk.tables[level]);
}

TEST_F(tables, digest)
{
	const struct synth_layout *layout = self->layout;
	uint64_t page = synth_level_size(layout, KPG_PTE), digest, desc;

	/* Without the accessed bit, which the synthetic leaf comes with. */
	desc = synth_leaf(layout, KPG_PTE, page) & ~(synth_is_arm64(layout) ? ARM64_AF : X86_A);
	synth_map(&self->core, self->va, KPG_PTE, desc);
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(0, tables_walk(self, self->va, self->va + page));
	digest = self->walk.digest;

	/* The pass without a visitor is the same pass. */
	ASSERT_EQ(0, kpgtable_walk(self->pgt, self->va, self->va + page, NULL, NULL,
				   &self->walk));
	ASSERT_EQ(digest, self->walk.digest);
	ASSERT_EQ(1, self->walk.tables[KPG_PTE]);

	/* Hardware sets the accessed bit unasked: no change. */
	synth_map(&self->core, self->va, KPG_PTE, synth_leaf(layout, KPG_PTE, page));
	ASSERT_EQ(0, tables_walk(self, self->va, self->va + page));
	ASSERT_EQ(digest, self->walk.digest);

	synth_map(&self->core, self->va, KPG_PTE, synth_leaf(layout, KPG_PTE, 2 * page));
	ASSERT_EQ(0, tables_walk(self, self->va, self->va + page));
	ASSERT_NE(digest, self->walk.digest);
}

/* A multiplication alone never moves a change of the top bit: two of them must not cancel out. */
TEST_F(tables, digest_of_the_top_bit)
{
	const struct synth_layout *layout = self->layout;
	uint64_t page = synth_level_size(layout, KPG_PTE), digest;
	unsigned int i;

	for (i = 0; i < 2; i++)
		synth_map(&self->core, self->va + i * page, KPG_PTE,
			  synth_leaf(layout, KPG_PTE, i * page));
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(0, tables_walk(self, self->va, self->va + 2 * page));
	digest = self->walk.digest;
	for (i = 0; i < 2; i++)
		synth_map(&self->core, self->va + i * page, KPG_PTE,
			  synth_leaf(layout, KPG_PTE, i * page) | BIT64(63));
	ASSERT_EQ(0, tables_walk(self, self->va, self->va + 2 * page));
	ASSERT_NE(digest, self->walk.digest);
}

static int stop_at_once(const struct kpg_leaf *leaf, void *arg)
{
	(void)leaf;
	++*(int *)arg;
	return 77;
}

TEST_F(tables, visitor_ends_the_walk)
{
	uint64_t page = synth_level_size(self->layout, KPG_PTE);
	int calls = 0;

	synth_map(&self->core, self->va, KPG_PTE, synth_leaf(self->layout, KPG_PTE, page));
	synth_map(&self->core, self->va + 2 * page, KPG_PTE,
		  synth_leaf(self->layout, KPG_PTE, page));
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(77, kpgtable_walk(self->pgt, self->va, self->va + 4 * page, stop_at_once,
				    &calls, &self->walk));
	ASSERT_EQ(1, calls);
}

TEST_F(tables, ranges_that_are_none)
{
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(-EINVAL, tables_walk(self, self->va, self->va));
	ASSERT_EQ(-EINVAL, tables_walk(self, self->va + 1, self->va));
	ASSERT_EQ(-EINVAL, tables_walk(self, 0, self->va));
	ASSERT_EQ(-EINVAL, tables_walk(self, self->layout->kernel_start - 1, UINT64_MAX));
}

TEST_F(tables, lookup_path)
{
	const struct synth_layout *layout = self->layout;
	uint64_t page = synth_level_size(layout, KPG_PTE), va = self->va + 5 * page;
	struct kpg_path path;
	unsigned int i;

	synth_map(&self->core, va, KPG_PTE, synth_leaf(layout, KPG_PTE, 7 * page));
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(0, __kpgtable_lookup(self->pgt, va + page / 2, &path));
	ASSERT_EQ(layout->levels, path.nr);
	for (i = 0; i < path.nr; i++) {
		unsigned int level = layout->levels - 1 - i;
		uint64_t table = synth_table_of(&self->core, va, level);
		unsigned int index = synth_index(layout, level, va);

		ASSERT_EQ(level, path.step[i].level);
		ASSERT_EQ(index, path.step[i].index);
		ASSERT_EQ(table + index * 8ULL, path.step[i].pa);
		ASSERT_EQ(synth_desc_get(&self->core, table, index), path.step[i].desc);
		ASSERT_EQ(level ? KPG_TABLE : KPG_LEAF, path.step[i].entry.kind);
	}
	ASSERT_EQ(va, path.leaf.va);
	ASSERT_EQ(7 * page, path.leaf.pa);
	ASSERT_EQ(KPG_PRESENT, path.leaf.flags);
}

TEST_F(tables, lookup_of_nothing)
{
	uint64_t page = synth_level_size(self->layout, KPG_PTE);
	struct kpg_path path;

	synth_map(&self->core, self->va, KPG_PTE, synth_leaf(self->layout, KPG_PTE, page));
	ASSERT_EQ(0, tables_open(self));
	/* Beside the page, the way is as long; elsewhere it ends at the root. */
	ASSERT_EQ(0, __kpgtable_lookup(self->pgt, self->va + page, &path));
	ASSERT_EQ(self->layout->levels, path.nr);
	ASSERT_EQ(KPG_EMPTY, path.step[path.nr - 1].entry.kind);
	ASSERT_EQ(0, path.leaf.nr);
	ASSERT_EQ(0, __kpgtable_lookup(self->pgt, UINT64_MAX, &path));
	ASSERT_EQ(1, path.nr);
	ASSERT_EQ(KPG_EMPTY, path.step[0].entry.kind);
	ASSERT_EQ(-EINVAL, __kpgtable_lookup(self->pgt, self->layout->kernel_start - 1, &path));
}

static void swap_leaf(unsigned int nr, void *arg)
{
	FIXTURE_DATA(tables) * self = arg;
	uint64_t page = synth_level_size(self->layout, KPG_PTE);

	synth_map(&self->core, self->va, KPG_PTE,
		  synth_leaf(self->layout, KPG_PTE, (1 + nr) * page));
}

/* A reader that never sees the same thing twice must say so. */
TEST_F(tables, lookup_never_still)
{
	struct kpg_path path;

	swap_leaf(0, self);
	ASSERT_EQ(0, tables_open(self));
	read_hook = swap_leaf;
	read_hook_arg = self;
	ASSERT_EQ(-EAGAIN, __kpgtable_lookup(self->pgt, self->va, &path));
}

static void swap_leaf_once(unsigned int nr, void *arg)
{
	if (nr == 2)
		swap_leaf(nr, arg);
}

TEST_F(tables, lookup_settles)
{
	uint64_t page = synth_level_size(self->layout, KPG_PTE);
	struct kpg_path path;

	swap_leaf(0, self);
	ASSERT_EQ(0, tables_open(self));
	read_hook = swap_leaf_once;
	read_hook_arg = self;
	ASSERT_EQ(0, __kpgtable_lookup(self->pgt, self->va, &path));
	ASSERT_EQ(3 * page, path.leaf.pa);
}

/* A leaf at the root, or where the root may hold leaves, a block among the pages. */
TEST_F(tables, impossible_descriptor)
{
	const struct synth_layout *layout = self->layout;
	unsigned int top = layout->levels - 1;
	struct kpg_path path;
	char why[KCORE_REASON_MAX];
	uint64_t bad;

	bad = synth_leaf(layout, top, 0);
	if (layout->max_leaf >= top) {
		/* Of arm64 alone: a block at the last level is reserved. */
		bad = synth_leaf(layout, KPG_PMD, 0);
		top = KPG_PTE;
	}
	synth_map(&self->core, self->va, top, bad);
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(-EUCLEAN, tables_walk(self, self->va, self->va + 1));
	ASSERT_EQ(bad, self->walk.bad_desc);
	ASSERT_EQ(top, self->walk.bad_level);
	kpgtable_explain(-EUCLEAN, &self->walk, why, sizeof(why));
	ASSERT_NE(NULL, strstr(why, "which no kernel writes")) TH_LOG("%s", why);
	ASSERT_EQ(0, __kpgtable_lookup(self->pgt, self->va, &path));
	ASSERT_EQ(KPG_BAD, path.step[path.nr - 1].entry.kind);
}

/*
 * arm64 tells a table from a leaf in what is not valid too, and the kernel makes no table invalid.
 * On x86 what is not present is a leaf, with or without the bit that makes it large.
 */
TEST_F(tables, table_that_is_not_valid)
{
	const struct synth_layout *layout = self->layout;
	uint64_t desc = synth_table(layout, SYNTH_RAM_PA) & ~UINT64_C(1);

	synth_map(&self->core, self->va, KPG_PMD, desc);
	ASSERT_EQ(0, tables_open(self));
	if (synth_is_arm64(layout)) {
		ASSERT_EQ(-EUCLEAN, tables_walk(self, self->va, self->va + 1));
	} else {
		ASSERT_EQ(0, tables_walk(self, self->va, self->va + 1));
		ASSERT_EQ(1, self->leaves.nr);
		ASSERT_EQ(KPG_INVALID, self->leaves.leaf[0].flags & (KPG_INVALID | KPG_PRESENT));
	}
}

TEST_F(tables, table_outside_ram)
{
	const struct synth_layout *layout = self->layout;
	uint64_t desc = synth_table(layout, SYNTH_RAM_PA + 2 * SYNTH_RAM_SIZE);
	char why[KCORE_REASON_MAX];
	struct kpg_path path;

	synth_map(&self->core, self->va, KPG_PMD, desc);
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(-EFAULT, tables_walk(self, self->va, self->va + 1));
	ASSERT_EQ(desc, self->walk.bad_desc);
	ASSERT_EQ(KPG_PTE, self->walk.bad_level);
	kpgtable_explain(-EFAULT, &self->walk, why, sizeof(why));
	ASSERT_NE(NULL, strstr(why, "outside RAM")) TH_LOG("%s", why);
	ASSERT_EQ(-EFAULT, __kpgtable_lookup(self->pgt, self->va, &path));
}

/* The last table of RAM reaches past its end. */
TEST_F(tables, table_cut_off_by_the_end_of_ram)
{
	const struct synth_layout *layout = self->layout;
	uint64_t page = synth_level_size(layout, KPG_PTE);

	synth_map(&self->core, self->va, KPG_PMD,
		  synth_table(layout, SYNTH_RAM_PA + SYNTH_RAM_SIZE - page));
	self->core.phdr[2].p_filesz -= page / 2;
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(-EFAULT, tables_walk(self, self->va, self->va + 1));
}

TEST_F(tables, table_is_its_own_ancestor)
{
	const struct synth_layout *layout = self->layout;
	unsigned int top = layout->levels - 1;

	synth_map(&self->core, self->va, top, synth_table(layout, synth_root_table()));
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(-ELOOP, tables_walk(self, self->va, self->va + 1));
}

/* Every entry leads to one next table: not a loop, but more tables than a walk could ever read. */
TEST_F(tables, tables_without_end)
{
	const struct synth_layout *layout = self->layout;
	unsigned int entries = (1U << layout->page_shift) / 8, top = layout->levels - 1, level, i;

	for (level = top; level > KPG_PTE; level--) {
		uint64_t table = synth_table_of(&self->core, self->va, level);
		uint64_t next = synth_table_alloc(&self->core);
		unsigned int nr = level == top ? layout->root_entries : entries;

		for (i = 0; i < nr; i++)
			synth_desc_set(&self->core, table, i, synth_table(layout, next));
	}
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(-ELOOP, kpgtable_walk(self->pgt, layout->kernel_start, UINT64_MAX, NULL, NULL,
					&self->walk));
}

TEST_F(tables, truncated_file)
{
	uint64_t table;

	synth_map(&self->core, self->va, KPG_PTE, synth_leaf(self->layout, KPG_PTE, 0));
	table = synth_table_of(&self->core, self->va, KPG_PTE);
	ASSERT_EQ(0, tables_open(self));
	ASSERT_EQ(0, ftruncate(self->core.fd, (off_t)(synth_offset(table) + 8)));
	ASSERT_EQ(-EIO, tables_walk(self, self->va, self->va + 1));
}

static uint64_t xorshift(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void walk_all(struct kpgtable *pgt, const struct synth_layout *layout)
{
	struct kpg_walk walk;
	struct leaves leaves = { 0 };
	struct kpg_path path;
	char why[KCORE_REASON_MAX];
	int ret;

	ret = kpgtable_walk(pgt, layout->kernel_start, UINT64_MAX, leaf_keep, &leaves, &walk);
	kpgtable_explain(ret, &walk, why, sizeof(why));
	kpgtable_walk(pgt, layout->kernel_start, UINT64_MAX, NULL, NULL, &walk);
	__kpgtable_lookup(pgt, walk.bad_va, &path);
}

/*
 * Overwrite bytes of the headers, the notes or a table. What comes of it is any answer but a crash.
 */
static void damage(struct synth *core, uint64_t *seed)
{
	unsigned int nr = 1 + xorshift(seed) % 8;

	while (nr--) {
		uint64_t value = xorshift(seed), where = xorshift(seed);
		size_t len = 1 + xorshift(seed) % sizeof(value);

		if (where & 1)
			where = (where >> 1) % 2048;
		else
			where = SYNTH_RAM_OFFSET + (where >> 1) % (core->next_table - SYNTH_RAM_PA);
		synth_write(core, where, &value, len);
	}
}

TEST_F(tables, random_damage)
{
	const struct synth_layout *layout = self->layout;
	uint64_t page = synth_level_size(layout, KPG_PTE), seed = UINT64_C(88172645463325252);
	const char *more = getenv("LIBMM_FUZZ_ROUNDS");
	unsigned int rounds = more ? (unsigned int)atoi(more) : FUZZ_ROUNDS, i;
	char why[KCORE_REASON_MAX];

	while (rounds--) {
		struct kpgtable *pgt = NULL;
		struct kcore *kc = NULL;

		for (i = 0; i < 8; i++)
			synth_map(&self->core, self->va + i * page, KPG_PTE,
				  synth_leaf(layout, KPG_PTE, i * page));
		synth_finish(&self->core);
		damage(&self->core, &seed);
		if (!kcore_open(&kc, why, sizeof(why)) &&
		    !kpgtable_open(&pgt, kc, why, sizeof(why)))
			walk_all(pgt, layout);
		kpgtable_close(pgt);
		kcore_close(kc);
		/* Tables that were damaged stay so: start from none. */
		ASSERT_EQ(0, ftruncate(self->core.fd, (off_t)SYNTH_RAM_OFFSET));
		ASSERT_EQ(0, ftruncate(self->core.fd, (off_t)(SYNTH_RAM_OFFSET + SYNTH_RAM_SIZE)));
		self->core.next_table = SYNTH_RAM_PA + page;
	}
}

FIXTURE(geometry)
{
	struct kpg_geometry geo;
};

FIXTURE_SETUP(geometry)
{
	memset(&self->geo, 0, sizeof(self->geo));
}

FIXTURE_TEARDOWN(geometry)
{
}

/* The order of the bits of a descriptor, from the manuals, without the encoder of this test. */
TEST_F(geometry, descriptors_by_hand)
{
	struct kpg_entry entry;

	/* 4K page at 0x40000000: UXN, PXN, contiguous, AF, inner shareable, RDONLY, page. */
	ASSERT_EQ(0, kpg_geometry_arm64(&self->geo, 12, 48, 16));
	entry = self->geo.decode(&self->geo, KPG_PTE, 0x0070000040000783);
	ASSERT_EQ(KPG_LEAF, entry.kind);
	ASSERT_EQ(0x40000000, entry.pa);
	ASSERT_EQ(KPG_PRESENT | KPG_READONLY | KPG_NOEXEC | KPG_CONTIGUOUS, entry.flags);

	/* The same bits under LPA2: the shareability field is PA[51:50]. */
	ASSERT_EQ(0, kpg_geometry_arm64(&self->geo, 12, 52, 12));
	entry = self->geo.decode(&self->geo, KPG_PTE, 0x0070000040000783);
	ASSERT_EQ(0x000c000040000000, entry.pa);

	/* 64K: bits 15:12 are PA[51:48]. */
	ASSERT_EQ(0, kpg_geometry_arm64(&self->geo, 16, 52, 12));
	entry = self->geo.decode(&self->geo, KPG_PTE, 0x006000004000a703);
	ASSERT_EQ(0x000a000040000000, entry.pa);
	ASSERT_EQ(KPG_PRESENT | KPG_NOEXEC, entry.flags);

	/* x86 large page at 0x40000000: NX, PSE, dirty, accessed, no RW. */
	ASSERT_EQ(0, kpg_geometry_x86(&self->geo, 4, 0));
	entry = self->geo.decode(&self->geo, KPG_PMD, 0x80000000400000e1);
	ASSERT_EQ(KPG_LEAF, entry.kind);
	ASSERT_EQ(0x40000000, entry.pa);
	ASSERT_EQ(KPG_PRESENT | KPG_READONLY | KPG_NOEXEC, entry.flags);

	/* Not present, PFN 0x12345 inverted within bits 51:12. */
	entry = self->geo.decode(&self->geo, KPG_PTE, 0x800fffffedcba160);
	ASSERT_EQ(KPG_LEAF, entry.kind);
	ASSERT_EQ(0x12345000, entry.pa);
	ASSERT_EQ(KPG_INVALID | KPG_READONLY | KPG_NOEXEC, entry.flags);
}

TEST_F(geometry, of_no_kernel)
{
	ASSERT_EQ(-EINVAL, kpg_geometry_arm64(&self->geo, 13, 48, 16));
	ASSERT_EQ(-EINVAL, kpg_geometry_arm64(&self->geo, 12, 48, 11));
	ASSERT_EQ(-EINVAL, kpg_geometry_arm64(&self->geo, 12, 48, 12));
	ASSERT_EQ(-EINVAL, kpg_geometry_arm64(&self->geo, 12, 48, 64));
	ASSERT_EQ(-EINVAL, kpg_geometry_arm64(&self->geo, 12, 53, 16));
	ASSERT_EQ(-EINVAL, kpg_geometry_x86(&self->geo, 3, 0));
	ASSERT_EQ(-EINVAL, kpg_geometry_x86(&self->geo, 4, 3ULL << 47));
	ASSERT_EQ(-EINVAL, kpg_geometry_x86(&self->geo, 4, 1));
}

TEST_HARNESS_MAIN
