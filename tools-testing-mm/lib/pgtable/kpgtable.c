// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's page tables: where swapper_pg_dir is, how it is laid out, the path to an address.
 *
 * Limits: there is no lock to take, so a read may meet a table that was freed and used anew.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/fail.h>
#include <libmm/kpgtable.h>

/* A path changes only while its own page is remapped, so few reads in a row ever lose. */
#define LOOKUP_TRIES	16

struct kpgtable {
	const struct kcore *kc;
	struct kpg_geometry geo;
	uint64_t root_pa;
};

static int arm64_read(const struct kcore *kc, struct kpg_geometry *geo)
{
	uint64_t page, va_bits, t1sz;

	if (kcore_line(kc, "PAGESIZE", 10, &page) || kcore_number(kc, "VA_BITS", &va_bits) ||
	    kcore_number(kc, "TCR_EL1_T1SZ", &t1sz) || !page)
		return -ENODATA;
	return kpg_geometry_arm64(geo, (unsigned int)__builtin_ctzll(page), va_bits, t1sz);
}

static int x86_read(const struct kcore *kc, struct kpg_geometry *geo)
{
	uint64_t five, sme_mask;

	if (kcore_number(kc, "pgtable_l5_enabled", &five) ||
	    kcore_number(kc, "sme_mask", &sme_mask))
		return -ENODATA;
	return kpg_geometry_x86(geo, five ? 5 : 4, sme_mask);
}

static int geometry_read(const struct kcore *kc, struct kpg_geometry *geo, char *reason, size_t len)
{
	int ret;

	switch (kc->machine) {
	case EM_AARCH64:
		ret = arm64_read(kc, geo);
		break;
	case EM_X86_64:
		ret = x86_read(kc, geo);
		break;
	default:
		return libmm_refuse(-EOPNOTSUPP, reason, len,
				    "unknown page tables: ELF machine %u is not arm64 or x86-64",
				    kc->machine);
	}
	if (ret)
		libmm_refuse(ret, reason, len,
			     "VMCOREINFO does not describe the page tables: the kernel is too old");
	return ret;
}

int kpgtable_open(struct kpgtable **out, const struct kcore *kc, char *reason, size_t len)
{
	struct kpgtable *pgt = calloc(1, sizeof(*pgt));
	uint64_t root;
	int ret;

	if (!pgt)
		return libmm_refuse(-ENOMEM, reason, len, "no memory to open the page tables");
	pgt->kc = kc;
	ret = geometry_read(kc, &pgt->geo, reason, len);
	if (!ret && (kcore_symbol(kc, "swapper_pg_dir", &root) ||
		     !kcore_va_to_pa(kc, root, &pgt->root_pa)))
		ret = libmm_refuse(-ENODATA, reason, len,
				   "VMCOREINFO does not say where swapper_pg_dir is");
	if (ret)
		free(pgt);
	else
		*out = pgt;
	return ret;
}

void kpgtable_close(struct kpgtable *pgt)
{
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

uint64_t kpgtable_root(const struct kpgtable *pgt)
{
	return pgt->root_pa;
}

static int path_read(const struct kpgtable *pgt, uint64_t va, struct kpg_path *path)
{
	const struct kpg_geometry *geo = &pgt->geo;
	unsigned int level = geo->levels, flags = KPG_ROOT_LIMITS;
	uint64_t table = pgt->root_pa, size;
	struct kpg_step *step;
	int ret;

	memset(path, 0, sizeof(*path));
	do {
		step = &path->step[path->nr++];
		step->level = --level;
		step->index = kpg_level_index(geo, level, va);
		step->pa = table + step->index * sizeof(step->desc);
		ret = kcore_read_pa(pgt->kc, step->pa, &step->desc, sizeof(step->desc));
		if (ret)
			return ret;
		step->entry = geo->decode(geo, level, step->desc);
		flags = kpg_limits_apply(flags, step->entry.flags);
		table = step->entry.pa;
	} while (step->entry.kind == KPG_TABLE && level);
	if (step->entry.kind != KPG_LEAF)
		return 0;
	size = kpg_level_size(geo, level);
	path->leaf = (struct kpg_leaf) {
		.va = va & ~(size - 1), .pa = step->entry.pa, .size = size, .desc = step->desc,
		.nr = 1, .flags = flags, .level = level,
	};
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

int __kpgtable_lookup(const struct kpgtable *pgt, uint64_t va, struct kpg_path *path)
{
	struct kpg_path before;
	int ret, last, tries;

	if (va < pgt->geo.kernel_start)
		return -EINVAL;
	ret = path_read(pgt, va, path);
	for (tries = 1; tries < LOOKUP_TRIES; tries++) {
		before = *path;
		last = ret;
		ret = path_read(pgt, va, path);
		if (ret == last && path_equal(&pgt->geo, &before, path))
			return ret;
	}
	return -EAGAIN;
}

void kpgtable_lookup(const struct kpgtable *pgt, uint64_t va, struct kpg_path *path)
{
	int ret = __kpgtable_lookup(pgt, va, path);

	if (ret)
		libmm_fail("kpgtable: looking up %#" PRIx64 ": %s", va, strerror(-ret));
}
