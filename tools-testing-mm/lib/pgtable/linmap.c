// SPDX-License-Identifier: GPL-2.0
/* linmap: kcore and the page tables in one handle. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/fail.h>
#include <libmm/kpgwalk.h>
#include <libmm/krange.h>
#include <libmm/linmap.h>

/* A change of the linear map takes microseconds: so many walks in a row do not meet one each. */
#define SNAP_TRIES	16

struct linmap {
	struct kcore *kc;
	struct kpgtable *pgt;
};

struct probe linmap_open(struct linmap **out)
{
	struct linmap *lm = calloc(1, sizeof(*lm));
	char reason[KCORE_REASON_MAX];

	*out = NULL;
	if (!lm)
		libmm_fail("linmap: no memory");
	if (kcore_open(&lm->kc, reason, sizeof(reason)) ||
	    kpgtable_open(&lm->pgt, lm->kc, reason, sizeof(reason))) {
		linmap_close(lm);
		return probe_no("%s", reason);
	}
	*out = lm;
	return probe_yes();
}

void linmap_close(struct linmap *lm)
{
	if (!lm)
		return;
	if (lm->pgt)
		kpgtable_close(lm->pgt);
	if (lm->kc)
		kcore_close(lm->kc);
	free(lm);
}

const struct kcore *linmap_kcore(const struct linmap *lm)
{
	return lm->kc;
}

const struct kpg_geometry *linmap_geometry(const struct linmap *lm)
{
	return kpgtable_geometry(lm->pgt);
}

struct kpg_leaf linmap_leaf(const struct linmap *lm, struct phys pa)
{
	uint64_t va;

	if (!kcore_pa_to_va(lm->kc, pa.addr, &va))
		libmm_fail("linmap: %#" PRIx64 " is not RAM to /proc/kcore", pa.addr);
	return linmap_leaf_at(lm, va);
}

struct kpg_leaf linmap_leaf_at(const struct linmap *lm, uint64_t va)
{
	struct kpg_path path;

	kpgtable_lookup(lm->pgt, va, &path);
	return path.leaf;
}

struct probe linmap_range(const struct linmap *lm, const char *name, uint64_t *start, uint64_t *end)
{
	char reason[KCORE_REASON_MAX];

	if (krange_find(lm->kc, name, start, end, reason, sizeof(reason)))
		return probe_no("%s", reason);
	return probe_yes();
}

static int leaf_keep(const struct kpg_leaf *leaf, void *arg)
{
	struct linmap_snap *snap = arg;

	if (snap->nr == snap->room) {
		snap->room = snap->room ? 2 * snap->room : 1024;
		snap->leaf = reallocarray(snap->leaf, snap->room, sizeof(*snap->leaf));
		if (!snap->leaf)
			libmm_fail("linmap: no memory for %zu leaves", snap->room);
	}
	snap->leaf[snap->nr++] = *leaf;
	return 0;
}

void linmap_snap_between(const struct linmap *lm, uint64_t start, uint64_t end,
			 struct linmap_snap *snap)
{
	struct kpg_walk walk;
	char reason[KCORE_REASON_MAX];
	uint64_t last = 0;
	int tries, ret;

	*snap = (struct linmap_snap) {};
	for (tries = 0; tries < SNAP_TRIES; tries++) {
		snap->nr = 0;
		ret = kpgtable_walk(lm->pgt, start, end, leaf_keep, snap, &walk);
		if (ret) {
			kpgtable_explain(ret, &walk, reason, sizeof(reason));
			libmm_fail("linmap: %s", reason);
		}
		if (tries && walk.digest == last) {
			memcpy(snap->tables, walk.tables, sizeof(snap->tables));
			return;
		}
		last = walk.digest;
	}
	libmm_fail("linmap: %#" PRIx64 " to %#" PRIx64 " changed during each of %d walks", start,
		   end, tries);
}

void linmap_snap(const struct linmap *lm, const char *range, struct linmap_snap *snap)
{
	uint64_t start, end;
	struct probe probe = linmap_range(lm, range, &start, &end);

	if (probe.answer != PROBE_YES)
		libmm_fail("linmap: %s", probe.why);
	linmap_snap_between(lm, start, end, snap);
}

void linmap_snap_free(struct linmap_snap *snap)
{
	free(snap->leaf);
	*snap = (struct linmap_snap) {};
}

uint64_t linmap_snap_count(const struct linmap_snap *snap, unsigned int mask, unsigned int flags)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < snap->nr; i++)
		if ((snap->leaf[i].flags & mask) == flags)
			count += snap->leaf[i].nr;
	return count;
}

static int run_compare(const void *key, const void *item)
{
	const struct kpg_leaf *run = item;
	uint64_t va = *(const uint64_t *)key;

	if (va < run->va)
		return -1;
	return va - run->va >= run->size * run->nr;
}

bool linmap_snap_find(const struct linmap_snap *snap, uint64_t va, struct kpg_leaf *leaf)
{
	const struct kpg_leaf *run = NULL;
	uint64_t skip;

	if (snap->nr)
		run = bsearch(&va, snap->leaf, snap->nr, sizeof(*run), run_compare);
	if (!run)
		return false;
	*leaf = *run;
	skip = (va - run->va) / run->size * run->size;
	leaf->va += skip;
	leaf->pa += skip;
	leaf->nr = 1;
	return true;
}
