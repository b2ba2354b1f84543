/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A core file of a kernel that never ran, for the unit tests of kcore, kpgtable and census: RAM, an
 * image whose first page is the root table, and page tables of any geometry. Sparse, so RAM costs
 * only what is written to it.
 *
 * It encodes descriptors from the architecture manuals, and shares nothing with the decoders that
 * it tests. What goes wrong here ends the test: it is not the test's subject.
 */
#ifndef SYNTHETIC_CORE_H
#define SYNTHETIC_CORE_H

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/kpgtable.h>

#define SYNTH_RAM_PA		UINT64_C(0x80000000)
#define SYNTH_RAM_SIZE		UINT64_C(0x4000000)
#define SYNTH_RAM_OFFSET	UINT64_C(0x100000)	/* headers and notes lie below */
#define SYNTH_IMAGE_VA		UINT64_C(0xffffffff81000000)
#define SYNTH_IMAGE_SIZE	UINT64_C(0x200000)
#define SYNTH_NOTES_MAX		4096
#define SYNTH_PHDRS_MAX		16

/*
 * A geometry as its documentation gives it. @levels, @root_entries, @pmd_size and @kernel_start are
 * not computed: they are what the code under test must find.
 */
struct synth_layout {
	const char *arch;
	unsigned int page_shift;
	unsigned int va_bits;		/* arm64: what the kernel was built for */
	unsigned int t1sz;		/* arm64 */
	uint64_t sme_mask;		/* x86 */
	unsigned int levels;
	unsigned int root_entries;
	uint64_t pmd_size;
	uint64_t kernel_start;
	unsigned int pa_bits;
	enum kpg_level max_leaf;
	unsigned int cont_pte;
	unsigned int cont_pmd;
};

struct synth {
	const struct synth_layout *layout;
	char root[PATH_MAX - 32];
	char path[PATH_MAX];
	int fd;
	uint64_t linear_va;	/* of SYNTH_RAM_PA */
	uint64_t next_table;
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[SYNTH_PHDRS_MAX];
	unsigned int nr_phdrs;
	char info[SYNTH_NOTES_MAX];
};

static inline bool synth_is_arm64(const struct synth_layout *layout)
{
	return !strcmp(layout->arch, "arm64");
}

static inline bool synth_is_lpa2(const struct synth_layout *layout)
{
	return synth_is_arm64(layout) && layout->page_shift < 16 && 64 - layout->t1sz > 48;
}

static inline uint64_t synth_level_size(const struct synth_layout *layout, unsigned int level)
{
	uint64_t size = UINT64_C(1) << layout->page_shift;

	while (level--)
		size *= (UINT64_C(1) << layout->page_shift) / 8;
	return size;
}

static inline uint64_t synth_bits(unsigned int high, unsigned int low)
{
	uint64_t mask = 0;
	unsigned int bit;

	for (bit = low; bit <= high; bit++)
		mask |= UINT64_C(1) << bit;
	return mask;
}

/* Arm ARM, "Output address" of a stage 1 descriptor, for each granule. */
static inline uint64_t synth_arm64_address(const struct synth_layout *layout, uint64_t pa)
{
	if (layout->page_shift == 16)
		return (pa & synth_bits(47, 16)) | ((pa >> 48) & 0xf) << 12;
	if (synth_is_lpa2(layout))
		return (pa & synth_bits(49, layout->page_shift)) | ((pa >> 50) & 0x3) << 8;
	return pa & synth_bits(47, layout->page_shift);
}

/* A table descriptor that imposes nothing. */
static inline uint64_t synth_table(const struct synth_layout *layout, uint64_t pa)
{
	if (synth_is_arm64(layout))
		return synth_arm64_address(layout, pa) | 3;
	/* Present, writable, user, accessed; x86 allows only what every level allows. */
	return pa | layout->sme_mask | 0x27;
}

/* A valid, writable, kernel-only leaf that may be executed. */
static inline uint64_t synth_leaf(const struct synth_layout *layout, unsigned int level,
				  uint64_t pa)
{
	if (synth_is_arm64(layout))
		return synth_arm64_address(layout, pa) | (level ? 1 : 3) | 1 << 10;
	return pa | layout->sme_mask | 0x63 | (level ? 0x80 : 0);
}

static inline uint64_t synth_offset(uint64_t pa)
{
	return SYNTH_RAM_OFFSET + (pa - SYNTH_RAM_PA);
}

static inline void synth_write(struct synth *s, uint64_t offset, const void *buf, size_t len)
{
	if (pwrite(s->fd, buf, len, (off_t)offset) != (ssize_t)len)
		libmm_fail("synthetic core: writing %zu bytes to %s: %s", len, s->path,
			   strerror(errno));
}

static inline uint64_t synth_desc_get(struct synth *s, uint64_t table, unsigned int index)
{
	uint64_t desc;

	/* lseek and read: a test may replace pread to change tables under a reader. */
	if (lseek(s->fd, (off_t)(synth_offset(table) + index * 8ULL), SEEK_SET) < 0 ||
	    read(s->fd, &desc, sizeof(desc)) != sizeof(desc))
		libmm_fail("synthetic core: reading %s: %s", s->path, strerror(errno));
	return desc;
}

static inline void synth_desc_set(struct synth *s, uint64_t table, unsigned int index,
				  uint64_t desc)
{
	synth_write(s, synth_offset(table) + index * 8ULL, &desc, sizeof(desc));
}

static inline uint64_t synth_root_table(void)
{
	return SYNTH_RAM_PA;
}

static inline uint64_t synth_table_alloc(struct synth *s)
{
	uint64_t pa = s->next_table;

	s->next_table += UINT64_C(1) << s->layout->page_shift;
	if (s->next_table > SYNTH_RAM_PA + SYNTH_RAM_SIZE)
		libmm_fail("synthetic core: out of tables");
	return pa;
}

static inline unsigned int synth_index(const struct synth_layout *layout, unsigned int level,
				       uint64_t va)
{
	unsigned int entries = (1U << layout->page_shift) / 8;

	if (level == layout->levels - 1)
		entries = layout->root_entries;
	return va / synth_level_size(layout, level) % entries;
}

static inline uint64_t synth_table_pa(const struct synth_layout *layout, uint64_t desc)
{
	/* All tables lie in RAM, far below the bits that an architecture moves about. */
	return desc & synth_bits(39, layout->page_shift);
}

/* The table of @level on the way to @va, made when there is none. */
static inline uint64_t synth_table_of(struct synth *s, uint64_t va, unsigned int level)
{
	uint64_t table = synth_root_table();
	unsigned int at;

	for (at = s->layout->levels - 1; at > level; at--) {
		unsigned int index = synth_index(s->layout, at, va);
		uint64_t desc = synth_desc_get(s, table, index);

		if (!desc) {
			desc = synth_table(s->layout, synth_table_alloc(s));
			synth_desc_set(s, table, index, desc);
		}
		table = synth_table_pa(s->layout, desc);
	}
	return table;
}

static inline void synth_map(struct synth *s, uint64_t va, unsigned int level, uint64_t desc)
{
	synth_desc_set(s, synth_table_of(s, va, level), synth_index(s->layout, level, va), desc);
}

__printf(2, 3)
static inline void synth_info(struct synth *s, const char *fmt, ...)
{
	size_t used = strlen(s->info);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(s->info + used, sizeof(s->info) - used, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(s->info) - used)
		libmm_fail("synthetic core: too much VMCOREINFO");
}

static inline Elf64_Phdr *synth_segment(struct synth *s, uint64_t va, uint64_t pa, uint64_t size,
					uint64_t offset)
{
	Elf64_Phdr *phdr = &s->phdr[s->nr_phdrs++];

	if (s->nr_phdrs > SYNTH_PHDRS_MAX)
		libmm_fail("synthetic core: too many segments");
	*phdr = (Elf64_Phdr) {
		.p_type = PT_LOAD, .p_offset = offset, .p_vaddr = va, .p_paddr = pa,
		.p_filesz = size, .p_memsz = size,
	};
	return phdr;
}

static inline void synth_arch_info(struct synth *s)
{
	const struct synth_layout *layout = s->layout;

	synth_info(s, "OSRELEASE=7.2.0-synthetic\nPAGESIZE=%u\n", 1U << layout->page_shift);
	synth_info(s, "SYMBOL(swapper_pg_dir)=%" PRIx64 "\n", SYNTH_IMAGE_VA);
	synth_info(s, "SYMBOL(_stext)=%" PRIx64 "\n", SYNTH_IMAGE_VA + 0x10000);
	if (synth_is_arm64(layout)) {
		synth_info(s, "NUMBER(VA_BITS)=%u\n", layout->va_bits);
		synth_info(s, "NUMBER(TCR_EL1_T1SZ)=0x%x\n", layout->t1sz);
		return;
	}
	synth_info(s, "NUMBER(pgtable_l5_enabled)=%d\n", layout->levels == 5);
	synth_info(s, "NUMBER(sme_mask)=%" PRId64 "\n", (int64_t)layout->sme_mask);
}

static inline void synth_paths(struct synth *s)
{
	const char *tmp = getenv("TMPDIR");
	char proc[PATH_MAX];

	snprintf(s->root, sizeof(s->root), "%s/libmm-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(s->root))
		libmm_fail("synthetic core: making %s: %s", s->root, strerror(errno));
	snprintf(proc, sizeof(proc), "%s/proc", s->root);
	snprintf(s->path, sizeof(s->path), "%s/proc/kcore", s->root);
	if (mkdir(proc, 0755) || setenv("LIBMM_ROOT", s->root, 1))
		libmm_fail("synthetic core: making %s: %s", proc, strerror(errno));
}

/*
 * A core of @layout with RAM, an image and an empty root table. synth_finish() makes it readable.
 */
static inline void synth_init(struct synth *s, const struct synth_layout *layout)
{
	memset(s, 0, sizeof(*s));
	s->layout = layout;
	synth_paths(s);
	s->fd = open(s->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (s->fd < 0 || ftruncate(s->fd, (off_t)(SYNTH_RAM_OFFSET + SYNTH_RAM_SIZE)))
		libmm_fail("synthetic core: making %s: %s", s->path, strerror(errno));
	/* The root of 64K pages and 42 bits fills its page; none is larger. */
	s->next_table = SYNTH_RAM_PA + (UINT64_C(1) << layout->page_shift);
	s->linear_va = layout->kernel_start + SYNTH_RAM_PA;
	s->ehdr = (Elf64_Ehdr) {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = synth_is_arm64(layout) ? EM_AARCH64 : EM_X86_64,
		.e_phoff = sizeof(Elf64_Ehdr), .e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
	};
	synth_segment(s, 0, 0, 0, 0)->p_type = PT_NOTE;
	/* The image is the start of RAM, seen at another address. */
	synth_segment(s, SYNTH_IMAGE_VA, SYNTH_RAM_PA, SYNTH_IMAGE_SIZE, SYNTH_RAM_OFFSET);
	synth_segment(s, s->linear_va, SYNTH_RAM_PA, SYNTH_RAM_SIZE, SYNTH_RAM_OFFSET);
	synth_arch_info(s);
}

static inline size_t synth_note_put(char *to, const char *name, const char *desc)
{
	Elf64_Nhdr nhdr = {
		.n_namesz = (Elf64_Word)strlen(name) + 1, .n_descsz = (Elf64_Word)strlen(desc),
	};
	size_t used = sizeof(nhdr);

	memcpy(to, &nhdr, sizeof(nhdr));
	memcpy(to + used, name, nhdr.n_namesz);
	used += (nhdr.n_namesz + 3) & ~3U;
	memcpy(to + used, desc, nhdr.n_descsz);
	return used + ((nhdr.n_descsz + 3) & ~3U);
}

/* Write headers and notes, as they stand in @s: a test may have damaged them first. */
static inline void synth_finish(struct synth *s)
{
	char notes[SYNTH_NOTES_MAX + 256] = "";
	uint64_t at = sizeof(s->ehdr) + sizeof(s->phdr);
	size_t len = synth_note_put(notes, "CORE", "odd");

	len += synth_note_put(notes + len, "VMCOREINFO", s->info);
	if (!s->phdr[0].p_filesz)
		s->phdr[0].p_filesz = len;
	s->phdr[0].p_offset = at;
	if (!s->ehdr.e_phnum)
		s->ehdr.e_phnum = (Elf64_Half)s->nr_phdrs;
	synth_write(s, 0, &s->ehdr, sizeof(s->ehdr));
	synth_write(s, sizeof(s->ehdr), s->phdr, sizeof(s->phdr));
	synth_write(s, at, notes, len);
}

static inline void synth_destroy(struct synth *s)
{
	char proc[PATH_MAX];

	close(s->fd);
	snprintf(proc, sizeof(proc), "%s/proc", s->root);
	if ((unlink(s->path) && errno != ENOENT) || rmdir(proc) || rmdir(s->root))
		libmm_fail("synthetic core: removing %s: %s", s->root, strerror(errno));
}

/*
 * Every geometry that a 7.2 kernel can be built with or fall back to, with the figures of
 * Documentation/arch/arm64/memory.rst and Documentation/arch/x86/x86_64/mm.rst, and of the Arm ARM
 * for the groups of the contiguous bit. 64K kernels do not tell whether they have 52-bit physical
 * addresses, with which a PUD may be a leaf, so all of them are read as if.
 */
#define SYNTH_ARM64_4K	.arch = "arm64", .page_shift = 12, .pmd_size = 2ULL << 20, \
			.cont_pte = 16, .cont_pmd = 16
#define SYNTH_ARM64_16K	.arch = "arm64", .page_shift = 14, .pmd_size = 32ULL << 20, \
			.cont_pte = 128, .cont_pmd = 32
#define SYNTH_ARM64_64K	.arch = "arm64", .page_shift = 16, .pmd_size = 512ULL << 20, \
			.cont_pte = 32, .cont_pmd = 32
#define SYNTH_X86	.arch = "x86_64", .page_shift = 12, .pmd_size = 2ULL << 20, \
			.root_entries = 512, .pa_bits = 46, .max_leaf = KPG_PUD

#ifndef __maybe_unused
#define __maybe_unused	__attribute__((__unused__))
#endif

static const struct synth_layout __maybe_unused synth_arm64_4k_39 = {
	SYNTH_ARM64_4K, .va_bits = 39, .t1sz = 25, .levels = 3, .root_entries = 512,
	.kernel_start = 0xffffff8000000000, .pa_bits = 48, .max_leaf = KPG_PUD,
};

static const struct synth_layout __maybe_unused synth_arm64_4k_48 = {
	SYNTH_ARM64_4K, .va_bits = 48, .t1sz = 16, .levels = 4, .root_entries = 512,
	.kernel_start = 0xffff000000000000, .pa_bits = 48, .max_leaf = KPG_PUD,
};

static const struct synth_layout __maybe_unused synth_arm64_4k_52 = {
	SYNTH_ARM64_4K, .va_bits = 52, .t1sz = 12, .levels = 5, .root_entries = 16,
	.kernel_start = 0xfff0000000000000, .pa_bits = 52, .max_leaf = KPG_P4D,
};

/* Built for 52 bits, on hardware without FEAT_LPA2. */
static const struct synth_layout __maybe_unused synth_arm64_4k_52_on_48 = {
	SYNTH_ARM64_4K, .va_bits = 52, .t1sz = 16, .levels = 4, .root_entries = 512,
	.kernel_start = 0xffff000000000000, .pa_bits = 48, .max_leaf = KPG_PUD,
};

static const struct synth_layout __maybe_unused synth_arm64_16k_47 = {
	SYNTH_ARM64_16K, .va_bits = 47, .t1sz = 17, .levels = 3, .root_entries = 2048,
	.kernel_start = 0xffff800000000000, .pa_bits = 48, .max_leaf = KPG_PMD,
};

static const struct synth_layout __maybe_unused synth_arm64_16k_48 = {
	SYNTH_ARM64_16K, .va_bits = 48, .t1sz = 16, .levels = 4, .root_entries = 2,
	.kernel_start = 0xffff000000000000, .pa_bits = 48, .max_leaf = KPG_PMD,
};

static const struct synth_layout __maybe_unused synth_arm64_16k_52 = {
	SYNTH_ARM64_16K, .va_bits = 52, .t1sz = 12, .levels = 4, .root_entries = 32,
	.kernel_start = 0xfff0000000000000, .pa_bits = 52, .max_leaf = KPG_PUD,
};

static const struct synth_layout __maybe_unused synth_arm64_16k_52_on_47 = {
	SYNTH_ARM64_16K, .va_bits = 52, .t1sz = 17, .levels = 3, .root_entries = 2048,
	.kernel_start = 0xffff800000000000, .pa_bits = 48, .max_leaf = KPG_PMD,
};

static const struct synth_layout __maybe_unused synth_arm64_64k_42 = {
	SYNTH_ARM64_64K, .va_bits = 42, .t1sz = 22, .levels = 2, .root_entries = 8192,
	.kernel_start = 0xfffffc0000000000, .pa_bits = 48, .max_leaf = KPG_PMD,
};

static const struct synth_layout __maybe_unused synth_arm64_64k_48 = {
	SYNTH_ARM64_64K, .va_bits = 48, .t1sz = 16, .levels = 3, .root_entries = 64,
	.kernel_start = 0xffff000000000000, .pa_bits = 48, .max_leaf = KPG_PUD,
};

static const struct synth_layout __maybe_unused synth_arm64_64k_52 = {
	SYNTH_ARM64_64K, .va_bits = 52, .t1sz = 12, .levels = 3, .root_entries = 1024,
	.kernel_start = 0xfff0000000000000, .pa_bits = 52, .max_leaf = KPG_PUD,
};

/* Built for 52 bits, on hardware without FEAT_LVA: the root stays that of 52. */
static const struct synth_layout __maybe_unused synth_arm64_64k_52_on_48 = {
	SYNTH_ARM64_64K, .va_bits = 52, .t1sz = 16, .levels = 3, .root_entries = 1024,
	.kernel_start = 0xffff000000000000, .pa_bits = 52, .max_leaf = KPG_PUD,
};

static const struct synth_layout __maybe_unused synth_x86_4 = {
	SYNTH_X86, .levels = 4, .kernel_start = 0xffff800000000000,
};

static const struct synth_layout __maybe_unused synth_x86_5 = {
	SYNTH_X86, .levels = 5, .kernel_start = 0xff00000000000000,
};

/* AMD memory encryption with the C-bit at 51, as EPYC has it. */
static const struct synth_layout __maybe_unused synth_x86_4_sme = {
	SYNTH_X86, .levels = 4, .kernel_start = 0xffff800000000000, .sme_mask = 1ULL << 51,
};

#endif /* SYNTHETIC_CORE_H */
