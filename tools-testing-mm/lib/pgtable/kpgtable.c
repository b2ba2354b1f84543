// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's page tables, walked from swapper_pg_dir through /proc/kcore.
 *
 * A table is read whole: the reads, not the entries, are what a walk costs. Neighbouring entries
 * that map neighbouring memory alike are visited as one run; on a linear map that is most of them.
 *
 * Limits: there is no lock to take, so a pass may meet a table that was freed and used anew.
 * Nothing read is trusted: tables must lie in RAM, none may be its own ancestor, and there cannot
 * be more than RAM has pages. The digest tells two equal passes from two different ones.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/fail.h>
#include <libmm/kpgtable.h>

#define DESC_SIZE	sizeof(uint64_t)

/* A path changes only while its own page is remapped, so few reads in a row ever lose. */
#define LOOKUP_TRIES	16

/*
 * FNV-1a's constants, a word at a time: fast under emulation. A product's low bits know nothing of
 * its factors' high ones, where permissions are: the rotation brings those down.
 */
#define DIGEST_START	UINT64_C(0xcbf29ce484222325)
#define DIGEST_PRIME	UINT64_C(0x100000001b3)
#define DIGEST_ROTATE	29

struct kpgtable {
	const struct kcore *kc;
	struct kpg_geometry geo;
	uint64_t root_pa;
	uint64_t max_tables;
	uint64_t *table[KPG_LEVELS];	/* the table being walked, by level */
};

/* One pass. @pa: the tables on the way to the current entry, by level. */
struct pass {
	struct kpgtable *pgt;
	uint64_t first;
	uint64_t last;
	kpg_visit_fn visit;
	void *arg;
	struct kpg_walk *walk;
	uint64_t nr_tables;
	uint64_t pa[KPG_LEVELS];
};

/* A table and what the tables above it impose on everything in it. */
struct table {
	enum kpg_level level;
	uint64_t pa;
	uint64_t va;
	unsigned int limits;
};

static enum kpg_level root_level(const struct kpg_geometry *geo)
{
	return (enum kpg_level)(geo->levels - 1);
}

/*
 * Restrictions add up on the way down; the right of user space to access must be given throughout.
 */
static unsigned int limits_apply(unsigned int limits, unsigned int flags)
{
	unsigned int user = limits & flags & KPG_USER;

	return ((limits | flags) & ~(unsigned int)KPG_USER) | user;
}

/* What the hardware starts from: no restriction. */
static const unsigned int root_limits = KPG_USER;

static int number_read(const struct kcore *kc, const char *name, uint64_t *value, char *reason,
		       size_t len)
{
	int ret = kcore_number(kc, name, value);

	if (ret)
		libmm_refuse(ret, reason, len,
			     "VMCOREINFO has no usable NUMBER(%s): the kernel is too old", name);
	return ret;
}

static int page_shift_read(const struct kcore *kc, unsigned int *shift, char *reason, size_t len)
{
	uint64_t size;

	if (kcore_line(kc, "PAGESIZE", 10, &size) || !size || (size & (size - 1)))
		return libmm_refuse(-ENODATA, reason, len, "VMCOREINFO has no usable PAGESIZE");
	*shift = (unsigned int)__builtin_ctzll(size);
	return 0;
}

static int arm64_geometry_read(const struct kcore *kc, struct kpg_geometry *geo, char *reason,
			       size_t len)
{
	uint64_t va_bits = 0, t1sz = 0;
	unsigned int shift = 0;
	int ret;

	ret = page_shift_read(kc, &shift, reason, len);
	if (!ret)
		ret = number_read(kc, "VA_BITS", &va_bits, reason, len);
	if (!ret)
		ret = number_read(kc, "TCR_EL1_T1SZ", &t1sz, reason, len);
	if (ret)
		return ret;
	if (va_bits > 64 || t1sz > 64 ||
	    kpg_geometry_arm64(geo, shift, (unsigned int)va_bits, (unsigned int)t1sz))
		return libmm_refuse(-EINVAL, reason, len,
				    "no arm64: page shift %u, VA_BITS %" PRIu64 ", T1SZ %" PRIu64,
				    shift, va_bits, t1sz);
	return 0;
}

static int x86_geometry_read(const struct kcore *kc, struct kpg_geometry *geo, char *reason,
			     size_t len)
{
	uint64_t five = 0, sme_mask = 0;
	int ret;

	ret = number_read(kc, "pgtable_l5_enabled", &five, reason, len);
	if (!ret)
		ret = number_read(kc, "sme_mask", &sme_mask, reason, len);
	if (ret)
		return ret;
	if (kpg_geometry_x86(geo, five ? 5 : 4, sme_mask))
		return libmm_refuse(-EINVAL, reason, len,
				    "sme_mask %#" PRIx64 " is not an address bit", sme_mask);
	return 0;
}

static int geometry_read(const struct kcore *kc, struct kpg_geometry *geo, char *reason, size_t len)
{
	switch (kc->machine) {
	case EM_AARCH64:
		return arm64_geometry_read(kc, geo, reason, len);
	case EM_X86_64:
		return x86_geometry_read(kc, geo, reason, len);
	default:
		return libmm_refuse(-EOPNOTSUPP, reason, len,
				    "unknown page tables: ELF machine %u is not arm64 or x86-64",
				    kc->machine);
	}
}

static uint64_t ram_bytes(const struct kcore *kc)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < kc->nr_segments; i++)
		if (kc->segments[i].kind == KCORE_RAM)
			bytes += kc->segments[i].size;
	return bytes;
}

static int root_find(struct kpgtable *pgt, char *reason, size_t len)
{
	uint64_t root;

	if (kcore_symbol(pgt->kc, "swapper_pg_dir", &root))
		return libmm_refuse(-ENODATA, reason, len,
				    "VMCOREINFO has no SYMBOL(swapper_pg_dir)");
	if (!kcore_va_to_pa(pgt->kc, root, &pgt->root_pa))
		return libmm_refuse(-EFAULT, reason, len,
				    "swapper_pg_dir (%#" PRIx64 ") is in no PT_LOAD of /proc/kcore",
				    root);
	return 0;
}

static int tables_alloc(struct kpgtable *pgt, char *reason, size_t len)
{
	unsigned int level;

	for (level = KPG_PTE; level < pgt->geo.levels; level++) {
		pgt->table[level] = calloc(kpg_level_entries(&pgt->geo, level), DESC_SIZE);
		if (!pgt->table[level])
			return libmm_refuse(-ENOMEM, reason, len,
					    "no memory for the tables of a walk");
	}
	return 0;
}

int kpgtable_open(struct kpgtable **out, const struct kcore *kc, char *reason, size_t len)
{
	struct kpgtable *pgt = calloc(1, sizeof(*pgt));
	int ret;

	if (!pgt)
		return libmm_refuse(-ENOMEM, reason, len, "no memory to open the page tables");
	pgt->kc = kc;
	ret = geometry_read(kc, &pgt->geo, reason, len);
	if (!ret)
		ret = root_find(pgt, reason, len);
	if (!ret)
		ret = tables_alloc(pgt, reason, len);
	if (ret) {
		kpgtable_close(pgt);
		return ret;
	}
	pgt->max_tables = KPG_LEVELS + (ram_bytes(kc) >> pgt->geo.page_shift);
	*out = pgt;
	return 0;
}

void kpgtable_close(struct kpgtable *pgt)
{
	unsigned int level;

	if (!pgt)
		return;
	for (level = KPG_PTE; level < KPG_LEVELS; level++)
		free(pgt->table[level]);
	free(pgt);
}

const struct kpg_geometry *kpgtable_geometry(const struct kpgtable *pgt)
{
	return &pgt->geo;
}

const struct kcore *kpgtable_kcore(const struct kpgtable *pgt)
{
	return pgt->kc;
}

static bool range_valid(const struct kpg_geometry *geo, uint64_t start, uint64_t end)
{
	return start >= geo->kernel_start && start < end;
}

static int pass_fail(struct pass *pass, int err, const struct table *table, uint64_t va,
		     uint64_t desc)
{
	pass->walk->bad_va = va;
	pass->walk->bad_desc = desc;
	pass->walk->bad_level = table->level;
	return err;
}

static uint64_t digest_add(uint64_t digest, const uint64_t *descs, size_t nr, uint64_t ignore)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		digest = (digest ^ (descs[i] & ~ignore)) * DIGEST_PRIME;
		digest = digest << DIGEST_ROTATE | digest >> (64 - DIGEST_ROTATE);
	}
	return digest;
}

static bool is_ancestor(const struct pass *pass, const struct table *table)
{
	unsigned int level;

	for (level = table->level + 1; level < pass->pgt->geo.levels; level++)
		if (pass->pa[level] == table->pa)
			return true;
	return false;
}

static bool entry_follows(const struct kpg_entry *first, const struct kpg_entry *last,
			  uint64_t bytes)
{
	return last->kind == KPG_LEAF && last->flags == first->flags &&
	       last->pa == first->pa + bytes;
}

/*
 * Entries from @first on that only differ by the step of their address: then the flags are equal
 * and the memory follows, unless the address overflowed into other bits, which decoding the last
 * tells.
 */
static unsigned int run_length(const struct kpg_geometry *geo, enum kpg_level level,
			       const uint64_t *descs, unsigned int max,
			       const struct kpg_entry *first)
{
	uint64_t step = kpg_level_size(geo, level);
	unsigned int nr = 1;

	while (nr < max && descs[nr] == descs[0] + nr * step)
		nr++;
	while (nr > 1) {
		struct kpg_entry last = geo->decode(geo, level, descs[nr - 1]);

		if (entry_follows(first, &last, (nr - 1) * step))
			break;
		nr /= 2;
	}
	return nr;
}

static int leaf_visit(struct pass *pass, const struct table *table, uint64_t va, unsigned int max,
		      const uint64_t *descs, const struct kpg_entry *entry, unsigned int *nr)
{
	const struct kpg_geometry *geo = &pass->pgt->geo;
	struct kpg_leaf leaf;

	*nr = 1;
	if (!pass->visit)
		return 0;
	*nr = run_length(geo, table->level, descs, max, entry);
	leaf = (struct kpg_leaf) {
		.va = va,
		.pa = entry->pa,
		.size = kpg_level_size(geo, table->level),
		.desc = descs[0],
		.nr = *nr,
		.flags = limits_apply(table->limits, entry->flags),
		.level = table->level,
	};
	return pass->visit(&leaf, pass->arg);
}

static int table_walk(struct pass *pass, const struct table *table);

static int entries_walk(struct pass *pass, const struct table *table, unsigned int first,
			unsigned int last)
{
	const struct kpg_geometry *geo = &pass->pgt->geo;
	const uint64_t *descs = pass->pgt->table[table->level];
	uint64_t size = kpg_level_size(geo, table->level);
	unsigned int i, nr;
	int ret = 0;

	for (i = first; i <= last && !ret; i += nr) {
		uint64_t va = table->va + i * size;
		struct kpg_entry entry;
		struct table next;

		nr = 1;
		if (!descs[i])
			continue;
		entry = geo->decode(geo, table->level, descs[i]);
		switch (entry.kind) {
		case KPG_EMPTY:
			break;
		case KPG_LEAF:
			ret = leaf_visit(pass, table, va, last - i + 1, &descs[i], &entry, &nr);
			break;
		case KPG_TABLE:
			next = (struct table) {
				.level = table->level - 1,
				.pa = entry.pa,
				.va = va,
				.limits = limits_apply(table->limits, entry.flags),
			};
			ret = table_walk(pass, &next);
			/* The reader of a table is who knows the entry that led to it. */
			if (ret && !pass->walk->bad_desc)
				pass->walk->bad_desc = descs[i];
			break;
		case KPG_BAD:
			ret = pass_fail(pass, -EUCLEAN, table, va, descs[i]);
			break;
		}
	}
	return ret;
}

static int table_walk(struct pass *pass, const struct table *table)
{
	struct kpgtable *pgt = pass->pgt;
	const struct kpg_geometry *geo = &pgt->geo;
	unsigned int shift = kpg_level_shift(geo, table->level);
	unsigned int entries = kpg_level_entries(geo, table->level);
	uint64_t reach = ((uint64_t)entries << shift) - 1;
	unsigned int first = 0, last = entries - 1;
	int ret;

	if (is_ancestor(pass, table) || pass->nr_tables >= pgt->max_tables)
		return pass_fail(pass, -ELOOP, table, table->va, 0);
	ret = kcore_read_pa(pgt->kc, table->pa, pgt->table[table->level], entries * DESC_SIZE);
	if (ret)
		return pass_fail(pass, ret, table, table->va, 0);
	pass->nr_tables++;
	pass->pa[table->level] = table->pa;
	pass->walk->tables[table->level]++;

	if (pass->first > table->va)
		first = kpg_level_index(geo, table->level, pass->first);
	if (pass->last - table->va < reach)
		last = kpg_level_index(geo, table->level, pass->last);
	pass->walk->digest = digest_add(pass->walk->digest, &pgt->table[table->level][first],
					last - first + 1, geo->ignore);
	if (table->level == KPG_PTE && !pass->visit)
		return 0;
	return entries_walk(pass, table, first, last);
}

/*
 * Where the root's first entry would map: the root of 48-bit hardware may be cut from a 52-bit one.
 */
static uint64_t root_va(const struct kpg_geometry *geo)
{
	unsigned int level = root_level(geo);
	unsigned int bits = kpg_level_shift(geo, level) +
			    (unsigned int)__builtin_ctz(kpg_level_entries(geo, level));

	/* arm64's root maps the kernel's half alone, x86's both. */
	return geo->kernel_start & ~((UINT64_C(1) << bits) - 1);
}

int __kpgtable_walk(struct kpgtable *pgt, uint64_t start, uint64_t end, kpg_visit_fn visit,
		    void *arg, struct kpg_walk *walk)
{
	struct pass pass = {
		.pgt = pgt, .first = start, .last = end - 1,
		.visit = visit, .arg = arg, .walk = walk,
	};
	struct table root = {
		.level = root_level(&pgt->geo), .pa = pgt->root_pa, .limits = root_limits,
	};

	*walk = (struct kpg_walk) { .digest = DIGEST_START, .bad_va = start };
	if (!range_valid(&pgt->geo, start, end))
		return -EINVAL;
	root.va = root_va(&pgt->geo);
	return table_walk(&pass, &root);
}

int kpgtable_walk(struct kpgtable *pgt, uint64_t start, uint64_t end, kpg_visit_fn visit, void *arg,
		  struct kpg_walk *walk)
{
	int ret = __kpgtable_walk(pgt, start, end, visit, arg, walk);
	char reason[KCORE_REASON_MAX];

	if (ret >= 0)
		return ret;
	kpgtable_explain(ret, walk, reason, sizeof(reason));
	libmm_fail("kpgtable: %s", reason);
}

void kpgtable_explain(int err, const struct kpg_walk *walk, char *reason, size_t len)
{
	const char *level = kpg_level_name(walk->bad_level);

	switch (err) {
	case -EINVAL:
		snprintf(reason, len, "%#" PRIx64 " does not begin a range of kernel addresses",
			 walk->bad_va);
		break;
	case -EUCLEAN:
		snprintf(reason, len, "the %s entry of %#" PRIx64 " is %#" PRIx64
			 ", which no kernel writes", level, walk->bad_va, walk->bad_desc);
		break;
	case -EFAULT:
		snprintf(reason, len, "the %s table of %#" PRIx64 " (entry %#" PRIx64
			 ") lies outside RAM", level, walk->bad_va, walk->bad_desc);
		break;
	case -ELOOP:
		snprintf(reason, len, "the %s table of %#" PRIx64 " (entry %#" PRIx64
			 ") is its own ancestor, or tables outnumber the pages of RAM",
			 level, walk->bad_va, walk->bad_desc);
		break;
	default:
		snprintf(reason, len, "reading the %s table of %#" PRIx64 ": %s", level,
			 walk->bad_va, strerror(-err));
		break;
	}
}

static void path_leaf_set(const struct kpg_geometry *geo, struct kpg_path *path, uint64_t va,
			  unsigned int limits)
{
	const struct kpg_step *step = &path->step[path->nr - 1];
	uint64_t size = kpg_level_size(geo, step->level);

	path->leaf = (struct kpg_leaf) {
		.va = va & ~(size - 1),
		.pa = step->entry.pa,
		.size = size,
		.desc = step->desc,
		.nr = 1,
		.flags = limits_apply(limits, step->entry.flags),
		.level = step->level,
	};
}

static int path_read(const struct kpgtable *pgt, uint64_t va, struct kpg_path *path)
{
	const struct kpg_geometry *geo = &pgt->geo;
	unsigned int level = geo->levels, limits = root_limits;
	uint64_t table = pgt->root_pa;

	memset(path, 0, sizeof(*path));
	while (level--) {
		struct kpg_step *step = &path->step[path->nr++];
		int ret;

		step->level = level;
		step->index = kpg_level_index(geo, level, va);
		step->pa = table + step->index * DESC_SIZE;
		ret = kcore_read_pa(pgt->kc, step->pa, &step->desc, sizeof(step->desc));
		if (ret)
			return ret;
		step->entry = geo->decode(geo, level, step->desc);
		if (step->entry.kind != KPG_TABLE)
			break;
		limits = limits_apply(limits, step->entry.flags);
		table = step->entry.pa;
	}
	if (path->step[path->nr - 1].entry.kind == KPG_LEAF)
		path_leaf_set(geo, path, va, limits);
	return 0;
}

static bool path_equal(const struct kpg_geometry *geo, const struct kpg_path *a,
		       const struct kpg_path *b)
{
	unsigned int i;

	if (a->nr != b->nr)
		return false;
	for (i = 0; i < a->nr; i++)
		if (a->step[i].pa != b->step[i].pa ||
		    (a->step[i].desc ^ b->step[i].desc) & ~geo->ignore)
			return false;
	return true;
}

int __kpgtable_lookup(struct kpgtable *pgt, uint64_t va, struct kpg_path *path)
{
	struct kpg_path before;
	int ret, tries;

	if (va < pgt->geo.kernel_start)
		return -EINVAL;
	ret = path_read(pgt, va, path);
	for (tries = 1; tries < LOOKUP_TRIES; tries++) {
		int last = ret;

		before = *path;
		ret = path_read(pgt, va, path);
		if (ret == last && path_equal(&pgt->geo, &before, path))
			return ret;
	}
	return -EAGAIN;
}

void kpgtable_lookup(struct kpgtable *pgt, uint64_t va, struct kpg_path *path)
{
	int ret = __kpgtable_lookup(pgt, va, path);

	if (ret)
		libmm_fail("kpgtable: looking up %#" PRIx64 ": %s", va, strerror(-ret));
}

/* Read within one leaf: mapped before and mapped the same after. */
static int mapped_read(struct kpgtable *pgt, uint64_t va, void *buf, size_t len, size_t *done)
{
	struct kpg_path before, after;
	int ret, tries;

	for (tries = 0; tries < LOOKUP_TRIES; tries++) {
		uint64_t left;

		ret = __kpgtable_lookup(pgt, va, &before);
		if (ret)
			return ret;
		if (!(before.leaf.flags & KPG_PRESENT))
			return -EFAULT;
		left = before.leaf.size - (va - before.leaf.va);
		*done = left < len ? left : len;
		ret = __kcore_read(pgt->kc, va, buf, *done);
		if (ret)
			return ret;
		ret = __kpgtable_lookup(pgt, va, &after);
		if (ret)
			return ret;
		if (path_equal(&pgt->geo, &before, &after))
			return 0;
	}
	return -EAGAIN;
}

int __kpgtable_read(struct kpgtable *pgt, uint64_t va, void *buf, size_t len)
{
	char *to = buf;

	while (len) {
		size_t done;
		int ret = mapped_read(pgt, va, to, len, &done);

		if (ret)
			return ret;
		to += done;
		va += done;
		len -= done;
	}
	return 0;
}

void kpgtable_read(struct kpgtable *pgt, uint64_t va, void *buf, size_t len)
{
	int ret = __kpgtable_read(pgt, va, buf, len);

	if (ret)
		libmm_fail("kpgtable: reading %zu bytes at %#" PRIx64 ": %s", len, va,
			   strerror(-ret));
}
