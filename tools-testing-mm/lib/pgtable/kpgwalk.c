// SPDX-License-Identifier: GPL-2.0
/*
 * A walk of the kernel's page tables.
 *
 * A table is read whole: the reads, not the entries, are what a walk costs. Neighbouring entries
 * that map neighbouring memory alike are visited as one run; on a linear map that is most of them.
 *
 * Limits: a walk may meet a table that was freed and used anew, so nothing read is trusted. Tables
 * must lie in RAM, none may be its own ancestor, and there cannot be more than RAM has pages.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/kpgwalk.h>

/*
 * FNV-1a's constants, a word at a time: fast under emulation. A product's low bits know nothing of
 * its factors' high ones, where permissions are: the rotation brings those down.
 */
#define DIGEST_START	UINT64_C(0xcbf29ce484222325)
#define DIGEST_PRIME	UINT64_C(0x100000001b3)
#define DIGEST_ROTATE	29

struct pass {
	const struct kcore *kc;
	const struct kpg_geometry *geo;
	uint64_t first;
	uint64_t last;
	kpg_visit_fn visit;
	void *arg;
	struct kpg_walk *walk;
	uint64_t tables_left;
};

/* A table, the entry that led to it, and what the tables above impose on everything in it. */
struct table {
	const struct table *parent;
	enum kpg_level level;
	uint64_t pa;
	uint64_t va;
	uint64_t desc;
	unsigned int limits;
	uint64_t *descs;	/* room for its entries, and behind them for the tables below */
};

static int pass_fail(struct pass *pass, int err, enum kpg_level level, uint64_t va, uint64_t desc)
{
	pass->walk->bad_va = va;
	pass->walk->bad_desc = desc;
	pass->walk->bad_level = level;
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
	for (; nr > 1; nr /= 2) {
		struct kpg_entry last = geo->decode(geo, level, descs[nr - 1]);

		if (last.kind == KPG_LEAF && last.flags == first->flags &&
		    last.pa == first->pa + (nr - 1) * step)
			break;
	}
	return nr;
}

static int table_walk(struct pass *pass, const struct table *table);

/* Returns in @nr how many entries the visit covered, at most @max. */
static int entry_walk(struct pass *pass, const struct table *table, unsigned int index,
		      unsigned int max, unsigned int *nr)
{
	const uint64_t *descs = &table->descs[index];
	uint64_t size = kpg_level_size(pass->geo, table->level), va = table->va + index * size;
	struct kpg_entry entry = pass->geo->decode(pass->geo, table->level, *descs);
	unsigned int flags = kpg_limits_apply(table->limits, entry.flags);

	if (entry.kind == KPG_BAD)
		return pass_fail(pass, -EUCLEAN, table->level, va, *descs);
	if (entry.kind == KPG_TABLE) {
		struct table next = {
			table, table->level - 1, entry.pa, va, *descs, flags,
			table->descs + kpg_level_entries(pass->geo, KPG_PTE)
		};

		return table_walk(pass, &next);
	}
	if (entry.kind == KPG_LEAF && pass->visit) {
		struct kpg_leaf leaf = {
			.va = va, .pa = entry.pa, .size = size, .desc = *descs,
			.nr = run_length(pass->geo, table->level, descs, max, &entry),
			.flags = flags, .level = table->level,
		};

		*nr = leaf.nr;
		return pass->visit(&leaf, pass->arg);
	}
	return 0;
}

static int table_read(struct pass *pass, const struct table *table)
{
	size_t size = kpg_level_entries(pass->geo, table->level) * sizeof(*table->descs);
	const struct table *up;

	for (up = table->parent; up; up = up->parent)
		if (up->pa == table->pa)
			return -ELOOP;
	if (!pass->tables_left--)
		return -ELOOP;
	return kcore_read_pa(pass->kc, table->pa, table->descs, size);
}

static int table_walk(struct pass *pass, const struct table *table)
{
	unsigned int first = 0, last = kpg_level_entries(pass->geo, table->level) - 1, i, nr;
	uint64_t reach = kpg_level_size(pass->geo, table->level) * last;
	int ret = table_read(pass, table);

	if (ret)
		return pass_fail(pass, ret, table->level, table->va, table->desc);
	pass->walk->tables[table->level]++;
	if (pass->first > table->va)
		first = kpg_level_index(pass->geo, table->level, pass->first);
	if (pass->last - table->va < reach)
		last = kpg_level_index(pass->geo, table->level, pass->last);
	pass->walk->digest = digest_add(pass->walk->digest, &table->descs[first],
					last - first + 1, pass->geo->ignore);
	if (table->level == KPG_PTE && !pass->visit)
		return 0;
	for (i = first; i <= last && !ret; i += nr) {
		nr = 1;
		if (table->descs[i])
			ret = entry_walk(pass, table, i, last - i + 1, &nr);
	}
	return ret;
}

/*
 * Where the root's first entry would map: the root of 48-bit hardware may be cut from a 52-bit one.
 * arm64's root maps the kernel's half alone, x86's both.
 */
static uint64_t root_va(const struct kpg_geometry *geo)
{
	unsigned int top = geo->levels - 1;

	return geo->kernel_start & -(kpg_level_size(geo, top) * kpg_level_entries(geo, top));
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

int kpgtable_walk(const struct kpgtable *pgt, uint64_t start, uint64_t end, kpg_visit_fn visit,
		  void *arg, struct kpg_walk *walk)
{
	const struct kpg_geometry *geo = kpgtable_geometry(pgt);
	struct pass pass = {
		.kc = kpgtable_kcore(pgt), .geo = geo, .first = start, .last = end - 1,
		.visit = visit, .arg = arg, .walk = walk,
	};
	struct table root = {
		.level = geo->levels - 1, .pa = kpgtable_root(pgt), .va = root_va(geo),
		.limits = KPG_ROOT_LIMITS,
	};
	int ret;

	*walk = (struct kpg_walk) { .digest = DIGEST_START, .bad_va = start };
	if (start < geo->kernel_start || start >= end)
		return -EINVAL;
	pass.tables_left = KPG_LEVELS + (ram_bytes(pass.kc) >> geo->page_shift);
	root.descs = malloc((size_t)geo->levels << geo->page_shift);
	if (!root.descs)
		return -ENOMEM;
	ret = table_walk(&pass, &root);
	free(root.descs);
	return ret;
}

void kpgtable_explain(int err, const struct kpg_walk *walk, char *reason, size_t len)
{
	const char *what = strerror(-err);

	if (err == -EINVAL)
		what = "not the start of a range of kernel addresses";
	else if (err == -EUCLEAN)
		what = "an entry which no kernel writes";
	else if (err == -EFAULT)
		what = "a table that lies outside RAM";
	else if (err == -ELOOP)
		what = "a table that is its own ancestor, or more tables than RAM has pages";
	snprintf(reason, len, "walking the page tables: at %#" PRIx64 ", %s, entry %#" PRIx64 ": %s",
		 walk->bad_va, kpg_level_name(walk->bad_level), walk->bad_desc, what);
}
