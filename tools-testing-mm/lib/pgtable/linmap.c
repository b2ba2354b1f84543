// SPDX-License-Identifier: GPL-2.0
/*
 * linmap: kcore, page tables and the range of the linear map in one handle.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/census.h>
#include <libmm/fail.h>
#include <libmm/kpgwalk.h>
#include <libmm/linmap.h>

/* A change of the linear map takes microseconds: so many walks in a row do not meet one each. */
#define SNAP_TRIES	16

struct linmap {
	struct kcore *kc;
	struct kpgtable *pgt;
};

int __linmap_open(struct linmap **out, char *reason, size_t len)
{
	struct linmap *lm = calloc(1, sizeof(*lm));
	int ret;

	if (!lm) {
		snprintf(reason, len, "no memory to open the linear map");
		return -ENOMEM;
	}
	ret = kcore_open(&lm->kc, reason, len);
	if (!ret)
		ret = kpgtable_open(&lm->pgt, lm->kc, reason, len);
	if (ret) {
		linmap_close(lm);
		return ret;
	}
	*out = lm;
	return 0;
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

struct kpgtable *linmap_tables(const struct linmap *lm)
{
	return lm->pgt;
}

const struct kpg_geometry *linmap_geometry(const struct linmap *lm)
{
	return kpgtable_geometry(lm->pgt);
}

int __linmap_va(const struct linmap *lm, uint64_t pfn, uint64_t *va)
{
	uint64_t pa = pfn << linmap_geometry(lm)->page_shift;

	return kcore_pa_to_va(lm->kc, pa, va) ? 0 : -ENOENT;
}

uint64_t linmap_va(const struct linmap *lm, uint64_t pfn)
{
	uint64_t va;

	if (__linmap_va(lm, pfn, &va))
		libmm_fail("linmap: page frame %#" PRIx64 " is not RAM to /proc/kcore", pfn);
	return va;
}

int __linmap_leaf(const struct linmap *lm, uint64_t pfn, struct kpg_leaf *leaf)
{
	struct kpg_path path;
	uint64_t va;
	int ret;

	ret = __linmap_va(lm, pfn, &va);
	if (!ret)
		ret = __kpgtable_lookup(lm->pgt, va, &path);
	if (ret)
		return ret;
	if (path.step[path.nr - 1].entry.kind != KPG_LEAF)
		return -ENOENT;
	*leaf = path.leaf;
	return 0;
}

void linmap_leaf(const struct linmap *lm, uint64_t pfn, struct kpg_leaf *leaf)
{
	int ret = __linmap_leaf(lm, pfn, leaf);

	if (ret)
		libmm_fail("linmap: the leaf of page frame %#" PRIx64 ": %s", pfn, strerror(-ret));
}

static int leaf_keep(const struct kpg_leaf *leaf, void *arg)
{
	struct linmap_snap *snap = arg;

	if (snap->nr == snap->room) {
		size_t room = snap->room ? 2 * snap->room : 1024;
		struct kpg_leaf *grown = reallocarray(snap->leaf, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		snap->leaf = grown;
		snap->room = room;
	}
	snap->leaf[snap->nr++] = *leaf;
	return 0;
}

int __linmap_snap(const struct linmap *lm, const char *range, struct linmap_snap *snap,
		  char *reason, size_t len)
{
	uint64_t start, end, digest = 0;
	struct kpg_walk walk;
	int tries, ret;

	*snap = (struct linmap_snap) {};
	ret = census_range(lm->kc, range, &start, &end, reason, len);
	for (tries = 0; !ret && tries < SNAP_TRIES; tries++) {
		snap->nr = 0;
		ret = __kpgtable_walk(lm->pgt, start, end, leaf_keep, snap, &walk);
		if (ret) {
			kpgtable_explain(ret, &walk, reason, len);
			break;
		}
		if (tries && walk.digest == digest) {
			memcpy(snap->tables, walk.tables, sizeof(snap->tables));
			return 0;
		}
		digest = walk.digest;
	}
	if (!ret) {
		ret = -EAGAIN;
		snprintf(reason, len, "the page tables of %s changed during each of %d walks",
			 range, SNAP_TRIES);
	}
	linmap_snap_free(snap);
	return ret;
}

void linmap_snap(const struct linmap *lm, const char *range, struct linmap_snap *snap)
{
	char reason[KCORE_REASON_MAX];

	if (__linmap_snap(lm, range, snap, reason, sizeof(reason)))
		libmm_fail("linmap: %s", reason);
}

void linmap_snap_free(struct linmap_snap *snap)
{
	free(snap->leaf);
	*snap = (struct linmap_snap) {};
}

int __linmap_snap_find(const struct linmap_snap *snap, uint64_t va, struct kpg_leaf *leaf)
{
	size_t low = 0, high = snap->nr;
	const struct kpg_leaf *run;
	uint64_t skip;

	/* The last run that begins at or below @va. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (snap->leaf[mid].va <= va)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return -ENOENT;
	run = &snap->leaf[low - 1];
	skip = (va - run->va) / run->size;
	if (skip >= run->nr)
		return -ENOENT;

	*leaf = *run;
	leaf->va += skip * run->size;
	leaf->pa += skip * run->size;
	leaf->nr = 1;
	return 0;
}
