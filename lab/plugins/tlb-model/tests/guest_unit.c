// SPDX-License-Identifier: GPL-2.0
/*
 * Reading of page tables in RAM that is a file, made by hand: every size of entry on every
 * geometry, the root found again without being told, and the instructions that the model must know.
 *
 * Descriptors are put together here from the manuals' bit numbers, not with the code under test.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include <vmtests/tlbmodel.h>

#include "guest.h"
#include "insn.h"
#include "spaces.h"

#define BIT64(n)	(UINT64_C(1) << (n))
#define MIB		(UINT64_C(1) << 20)
#define RAM_BYTES	(16 * MIB)
#define ENTRY		sizeof(uint64_t)

#define ARM64_TABLE	3ull
#define ARM64_PAGE	(3ull | BIT64(10))
#define ARM64_BLOCK	(1ull | BIT64(10))
#define ARM64_CONT	BIT64(52)
#define X86_TABLE	(BIT64(0) | BIT64(1) | BIT64(2))
#define X86_PAGE	(BIT64(0) | BIT64(1) | BIT64(2))
#define X86_PSE		BIT64(7)

FIXTURE(guest)
{
	struct guest guest;
	uint64_t used;		/* bytes of RAM that tables take so far */
};

FIXTURE_VARIANT(guest)
{
	const char *arch;
	unsigned int page_shift, va_bits, t1sz, levels;
	uint64_t table, page, block;	/* the low bits of descriptors */
	unsigned int contiguous;	/* log2 of a group of pages */
};

FIXTURE_VARIANT_ADD(guest, arm64_4k_48)
{
	.arch = "aarch64", .page_shift = 12, .va_bits = 48, .t1sz = 16,
	.table = ARM64_TABLE, .page = ARM64_PAGE, .block = ARM64_BLOCK, .contiguous = 4,
};

FIXTURE_VARIANT_ADD(guest, arm64_4k_52)
{
	.arch = "aarch64", .page_shift = 12, .va_bits = 52, .t1sz = 12,
	.table = ARM64_TABLE, .page = ARM64_PAGE, .block = ARM64_BLOCK, .contiguous = 4,
};

FIXTURE_VARIANT_ADD(guest, arm64_16k)
{
	.arch = "aarch64", .page_shift = 14, .va_bits = 48, .t1sz = 16,
	.table = ARM64_TABLE, .page = ARM64_PAGE, .block = ARM64_BLOCK, .contiguous = 7,
};

FIXTURE_VARIANT_ADD(guest, x86_4)
{
	.arch = "x86_64", .page_shift = 12, .levels = 4,
	.table = X86_TABLE, .page = X86_PAGE, .block = X86_PAGE | X86_PSE,
};

FIXTURE_VARIANT_ADD(guest, x86_5)
{
	.arch = "x86_64", .page_shift = 12, .levels = 5,
	.table = X86_TABLE, .page = X86_PAGE, .block = X86_PAGE | X86_PSE,
};

static int ram_make(struct guest *guest, const char *arch)
{
	char path[] = "/tmp/guest_unit.XXXXXX", reason[256];
	int fd = mkstemp(path), ret;

	if (fd < 0 || ftruncate(fd, RAM_BYTES))
		return -errno;
	close(fd);
	ret = __guest_open(guest, arch, path, reason, sizeof(reason));
	unlink(path);
	return ret;
}

FIXTURE_SETUP(guest)
{
	int ret;

	ASSERT_EQ(0, ram_make(&self->guest, variant->arch));
	if (variant->levels)
		ret = kpg_geometry_x86(&self->guest.geo, variant->levels, 0);
	else
		ret = kpg_geometry_arm64(&self->guest.geo, variant->page_shift, variant->va_bits,
					 variant->t1sz);
	ASSERT_EQ(0, ret);
	/* What is not a table yet: no descriptor in it may be met by chance. */
	self->used = MIB;
}

FIXTURE_TEARDOWN(guest)
{
	guest_close(&self->guest);
}

static void desc_write(struct guest *guest, uint64_t table, unsigned int index, uint64_t desc)
{
	uint64_t offset = 0;

	if (!guest_offset(guest, table + index * ENTRY, &offset))
		abort();
	memcpy(guest->ram + offset, &desc, ENTRY);
}

static uint64_t desc_at(struct guest *guest, uint64_t table, unsigned int index)
{
	uint64_t offset = 0, desc;

	if (!guest_offset(guest, table + index * ENTRY, &offset))
		abort();
	memcpy(&desc, guest->ram + offset, ENTRY);
	return desc;
}

static uint64_t table_new(FIXTURE_DATA(guest) * self)
{
	uint64_t table = guest_pa(&self->guest, self->used);

	self->used += UINT64_C(1) << self->guest.geo.page_shift;
	return table;
}

/* Map @va by @desc at level @leaf, from the table @root of level @top on. */
static void map(FIXTURE_DATA(guest) * self, uint64_t table_bits, uint64_t root,
		enum kpg_level top, uint64_t va, enum kpg_level leaf, uint64_t desc)
{
	struct guest *guest = &self->guest;
	uint64_t table = root, address = BIT64(48) - (UINT64_C(1) << guest->geo.page_shift);
	unsigned int level;

	for (level = top; level > leaf; level--) {
		unsigned int index = kpg_level_index(&guest->geo, (enum kpg_level)level, va);
		uint64_t next = desc_at(guest, table, index) & address;

		if (!next) {
			next = table_new(self);
			desc_write(guest, table, index, next | table_bits);
		}
		table = next;
	}
	desc_write(guest, table, kpg_level_index(&guest->geo, leaf, va), desc);
}

#define TOP(self)	((enum kpg_level)((self)->guest.geo.levels - 1))
#define USER_VA		UINT64_C(0x123456789000)

TEST_F(guest, page)
{
	uint64_t root = table_new(self), pa = guest_pa(&self->guest, 8 * MIB), led = 0;
	uint64_t va = USER_VA & ~((UINT64_C(1) << variant->page_shift) - 1);
	struct tlb_translation t = { .desc = 0 };

	map(self, variant->table, root, TOP(self), va, KPG_PTE, pa | variant->page);
	ASSERT_TRUE(guest_translate(&self->guest, root, TOP(self), va + 0x123, &t, &led));
	ASSERT_EQ(pa + 0x123, led);
	ASSERT_EQ(variant->page_shift, t.span);
	ASSERT_EQ(0, t.leaf);
	ASSERT_EQ(self->guest.geo.levels - 1, t.root);
	/* The neighbour is not mapped, and neither is what another root would have to map. */
	ASSERT_FALSE(guest_translate(&self->guest, root, TOP(self),
				     va + (UINT64_C(1) << variant->page_shift), &t, &led));
	ASSERT_FALSE(guest_translate(&self->guest, table_new(self), TOP(self), va, &t, &led));
}

TEST_F(guest, block)
{
	uint64_t root = table_new(self), size = kpg_level_size(&self->guest.geo, KPG_PMD), led = 0;
	uint64_t va = USER_VA & ~(size - 1), pa = 64 * size;
	struct tlb_translation t = { .desc = 0 };

	map(self, variant->table, root, TOP(self), va, KPG_PMD, pa | variant->block);
	ASSERT_TRUE(guest_translate(&self->guest, root, TOP(self), va + size - 8, &t, &led));
	ASSERT_EQ(pa + size - 8, led);
	ASSERT_EQ(size, UINT64_C(1) << t.span);
	ASSERT_EQ(KPG_PMD, t.leaf);
}

/* On x86, where that bit is software's, it changes nothing. */
TEST_F(guest, contiguous)
{
	uint64_t page = UINT64_C(1) << variant->page_shift, pa = guest_pa(&self->guest, 8 * MIB);
	uint64_t group = page << variant->contiguous, va = USER_VA & ~(group - 1);
	uint64_t root = table_new(self), led = 0, i, in_group = variant->contiguous ? 3 * page : 0;
	struct tlb_translation t = { .desc = 0 };

	for (i = 0; i < 1u << variant->contiguous; i++)
		map(self, variant->table, root, TOP(self), va + i * page, KPG_PTE,
		    (pa + i * page) | variant->page | ARM64_CONT);
	ASSERT_TRUE(guest_translate(&self->guest, root, TOP(self), va + in_group, &t, &led));
	ASSERT_EQ(variant->page_shift, t.span);
	self->guest.contiguous = true;
	ASSERT_TRUE(guest_translate(&self->guest, root, TOP(self), va + in_group, &t, &led));
	ASSERT_EQ(variant->page_shift + variant->contiguous, t.span);
	ASSERT_EQ(pa + in_group, led);
}

/* Four pages that follow each other join; three of them, or four not aligned, join less. */
TEST_F(guest, coalesced)
{
	uint64_t page = UINT64_C(1) << variant->page_shift, pa = guest_pa(&self->guest, 8 * MIB);
	uint64_t va = USER_VA & ~(8 * page - 1), root = table_new(self), led = 0, i;
	struct tlb_translation t = { .desc = 0 };

	self->guest.coalesce = 2;
	for (i = 0; i < 4; i++)
		map(self, variant->table, root, TOP(self), va + i * page, KPG_PTE,
		    (pa + i * page) | variant->page);
	/* Their neighbours are each one page further on than would follow. */
	for (i = 4; i < 8; i++)
		map(self, variant->table, root, TOP(self), va + i * page, KPG_PTE,
		    (pa + (i + 1) * page) | variant->page);
	for (i = 0; i < 4; i++) {
		ASSERT_TRUE(guest_translate(&self->guest, root, TOP(self), va + i * page, &t,
					    &led));
		ASSERT_EQ(variant->page_shift + 2, t.span);
	}
	ASSERT_TRUE(guest_translate(&self->guest, root, TOP(self), va + 5 * page, &t, &led));
	ASSERT_EQ(variant->page_shift, t.span);

	map(self, variant->table, root, TOP(self), va + 3 * page, KPG_PTE, 0);
	ASSERT_TRUE(guest_translate(&self->guest, root, TOP(self), va, &t, &led));
	ASSERT_EQ(variant->page_shift + 1, t.span);
}

/* Two programs with an address in common: each root is found by where the address leads. */
TEST_F(guest, spaces)
{
	uint64_t page = UINT64_C(1) << variant->page_shift, va = USER_VA & ~(page - 1), led = 0;
	uint64_t pa[2] = { guest_pa(&self->guest, 8 * MIB), guest_pa(&self->guest, 9 * MIB) };
	struct spaces *spaces = spaces_new(&self->guest);
	enum kpg_level top = guest_user_level(&self->guest);
	unsigned int id[2], all, failed, i;
	struct tlb_translation t;
	uint64_t root[2], found;

	ASSERT_NE(NULL, spaces);
	for (i = 0; i < 2; i++) {
		root[i] = table_new(self);
		map(self, variant->table, root[i], top, va, KPG_PTE, pa[i] | variant->page);
		ASSERT_TRUE(guest_root_find(&self->guest, va, pa[i], &found));
		ASSERT_EQ(root[i], found);
		id[i] = spaces_find(spaces, va, pa[i]);
		ASSERT_NE(0, id[i]);
	}
	ASSERT_NE(id[0], id[1]);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(id[i], spaces_find(spaces, va, pa[i]));
		ASSERT_TRUE(spaces_translate(spaces, id[i], va, &t, &led));
		ASSERT_EQ(pa[i], led);
	}
	spaces_searches(spaces, &all, &failed);
	ASSERT_EQ(2, all);
	ASSERT_EQ(0, failed);
	ASSERT_EQ(0, spaces_find(spaces, va, guest_pa(&self->guest, 10 * MIB)));
	spaces_searches(spaces, &all, &failed);
	ASSERT_EQ(1, failed);
	spaces_free(spaces);
}

/* Above 4 GiB on x86: the file goes on where the hole below is. */
TEST(q35_layout)
{
	struct guest guest = {
		.size = 6 * 1024 * MIB, .low_size = 2 * 1024 * MIB, .high_base = 4 * 1024 * MIB,
	};
	uint64_t offset;

	ASSERT_TRUE(guest_offset(&guest, 2 * 1024 * MIB - 8, &offset));
	ASSERT_EQ(2 * 1024 * MIB - 8, offset);
	ASSERT_FALSE(guest_offset(&guest, 2 * 1024 * MIB, &offset));
	ASSERT_TRUE(guest_offset(&guest, 4 * 1024 * MIB, &offset));
	ASSERT_EQ(2 * 1024 * MIB, offset);
	ASSERT_EQ(4 * 1024 * MIB, guest_pa(&guest, offset));
	ASSERT_TRUE(guest_offset(&guest, 8 * 1024 * MIB - 8, &offset));
	ASSERT_FALSE(guest_offset(&guest, 8 * 1024 * MIB, &offset));
}

static enum insn_meaning arm64(uint32_t insn)
{
	return insn_arm64((const uint8_t *)&insn, sizeof(insn));
}

/* As GNU as writes them. */
TEST(arm64_insns)
{
	ASSERT_EQ(INSN_FLUSH, arm64(0xd508831f));		/* tlbi vmalle1is */
	ASSERT_EQ(INSN_FLUSH, arm64(0xd508871f));		/* tlbi vmalle1 */
	ASSERT_EQ(INSN_FLUSH, arm64(0xd508811f));		/* tlbi vmalle1os */
	ASSERT_EQ(INSN_INVALIDATE, arm64(0xd5088320));		/* tlbi vae1is, x0 */
	ASSERT_EQ(INSN_INVALIDATE, arm64(0xd50883e3));		/* tlbi vaale1is, x3 */
	ASSERT_EQ(INSN_INVALIDATE, arm64(0xd5088341));		/* tlbi aside1is, x1 */
	ASSERT_EQ(INSN_INVALIDATE, arm64(0xd5088225));		/* tlbi rvae1is, x5 */
	ASSERT_EQ(INSN_SPACE, arm64(0xd5182000));		/* msr ttbr0_el1, x0 */
	ASSERT_EQ(INSN_SPACE, arm64(0xd5182013));		/* msr ttbr0_el1, x19 */
	ASSERT_EQ(INSN_PLAIN, arm64(0xd5182020));		/* msr ttbr1_el1, x0 */
	ASSERT_EQ(INSN_PLAIN, arm64(0xd50b7e20));		/* dc civac, x0 */
	ASSERT_EQ(INSN_UNSEEN, arm64(0xd50b7420));		/* dc zva, x0 */
	ASSERT_EQ(INSN_UNSEEN, arm64(0xd50b7428));		/* dc zva, x8 */
	ASSERT_EQ(INSN_MARK_FIRST, arm64(0xd28ecdbf));		/* mov xzr, #0x766d */
	ASSERT_EQ(INSN_MARK, arm64(0xd28e8d9f));		/* mov xzr, #0x746c */
	ASSERT_EQ(INSN_PLAIN, arm64(0xd28e8d80));		/* mov x0, #0x746c */
}

#define X86(...) insn_x86((const uint8_t[]) { __VA_ARGS__ }, sizeof((uint8_t[]) { __VA_ARGS__ }))

TEST(x86_insns)
{
	ASSERT_EQ(INSN_SPACE, X86(0x0f, 0x22, 0xd8));		/* mov %rax, %cr3 */
	ASSERT_EQ(INSN_SPACE, X86(0x41, 0x0f, 0x22, 0xd8));	/* mov %r8, %cr3 */
	ASSERT_EQ(INSN_FLUSH, X86(0x0f, 0x22, 0xe7));		/* mov %rdi, %cr4 */
	ASSERT_EQ(INSN_PLAIN, X86(0x0f, 0x22, 0xc0));		/* mov %rax, %cr0 */
	ASSERT_EQ(INSN_INVALIDATE, X86(0x0f, 0x01, 0x3f));	/* invlpg (%rdi) */
	ASSERT_EQ(INSN_INVALIDATE, X86(0x41, 0x0f, 0x01, 0x3c, 0x24));
	ASSERT_EQ(INSN_INVALIDATE, X86(0x66, 0x0f, 0x38, 0x82, 0x04, 0x24));
	ASSERT_EQ(INSN_PLAIN, X86(0x0f, 0x01, 0xf9));		/* rdtscp */
	ASSERT_EQ(INSN_PLAIN, X86(0x0f, 0x01, 0xf8));		/* swapgs */
	ASSERT_EQ(INSN_PLAIN, X86(0x0f, 0x01, 0x07));		/* sgdt (%rdi) */
	ASSERT_EQ(INSN_MARK, X86(0x0f, 0x1f, 0x84, 0x00, 0x6d, 0x76, 0x6c, 0x74));
	ASSERT_EQ(INSN_PLAIN, X86(0x0f, 0x1f, 0x84, 0x00, 0, 0, 0, 0));
	ASSERT_EQ(INSN_PLAIN, X86(0x0f, 0x1f, 0x04, 0x00));
	ASSERT_EQ(INSN_PLAIN, X86(0x90));
}

TEST_HARNESS_MAIN
