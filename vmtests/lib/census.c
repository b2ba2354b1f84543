// SPDX-License-Identifier: GPL-2.0
/*
 * A count of how a range of kernel addresses is mapped.
 *
 * The tables are live, so they are read until two passes in a row have one digest. The second pass
 * makes the digest only, which costs a fraction of a count: on a kernel at rest, that is all.
 *
 * Limits: a change that was undone between two passes is not seen.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libmm/kpgwalk.h>
#include <vmtests/census.h>

/* Churn that outruns so many passes outruns more: the census then says that it is unstable. */
#define PASSES_MAX	8

static int leaf_count(const struct kpg_leaf *leaf, void *arg)
{
	struct census *census = arg;
	bool writable = !(leaf->flags & KPG_READONLY), exec = !(leaf->flags & KPG_NOEXEC);

	if (leaf->flags & KPG_INVALID) {
		census->leaves[CENSUS_INVALID][leaf->level] += leaf->nr;
		return 0;
	}
	census->leaves[CENSUS_MAPPED][leaf->level] += leaf->nr;
	if (leaf->flags & KPG_CONTIGUOUS)
		census->leaves[CENSUS_CONTIGUOUS][leaf->level] += leaf->nr;
	if (!writable)
		census->leaves[CENSUS_READONLY][leaf->level] += leaf->nr;
	if (exec)
		census->leaves[CENSUS_EXEC][leaf->level] += leaf->nr;
	if (writable && exec)
		census->leaves[CENSUS_WX][leaf->level] += leaf->nr;
	return 0;
}

static int pass_count(const struct kpgtable *pgt, struct census *census, struct kpg_walk *walk)
{
	const struct kpg_geometry *geo = kpgtable_geometry(pgt);
	int ret;

	memset(census->leaves, 0, sizeof(census->leaves));
	ret = kpgtable_walk(pgt, census->start, census->end, leaf_count, census, walk);
	memcpy(census->tables, walk->tables, sizeof(census->tables));
	census->tables[geo->levels - 1] = 0;
	return ret;
}

/* An error may be as passing as any other sight of a live table: it counts when seen twice. */
static int passes_run(const struct kpgtable *pgt, struct census *census, struct kpg_walk *walk)
{
	int ret = pass_count(pgt, census, walk);

	for (census->passes = 1; census->passes < PASSES_MAX && !census->stable;) {
		struct kpg_walk before = *walk;
		int last = ret;

		/* Only a range at rest can be told by its digest alone. */
		if (census->passes++ == 1 && !last)
			ret = kpgtable_walk(pgt, census->start, census->end, NULL, NULL, walk);
		else
			ret = pass_count(pgt, census, walk);
		census->stable = ret == last && walk->digest == before.digest;
	}
	return ret;
}

int census_count(const struct kpgtable *pgt, const char *name, uint64_t start, uint64_t end,
		 struct census *census, char *reason, size_t len)
{
	const struct kpg_geometry *geo = kpgtable_geometry(pgt);
	struct kpg_walk walk;
	int ret;

	*census = (struct census) {
		.start = start, .end = end, .page_size = UINT64_C(1) << geo->page_shift,
		.va_bits = geo->va_bits, .levels = geo->levels,
	};
	snprintf(census->name, sizeof(census->name), "%s", name);
	snprintf(census->arch, sizeof(census->arch), "%s", geo->arch);
	ret = passes_run(pgt, census, &walk);
	if (ret)
		kpgtable_explain(ret, &walk, reason, len);
	return ret;
}

uint64_t census_leaf_size(const struct census *census, enum kpg_level level)
{
	unsigned int shift = (unsigned int)__builtin_ctzll(census->page_size);

	return UINT64_C(1) << (shift + level * (shift - 3));
}

uint64_t census_leaves(const struct census *census, enum census_attr attr)
{
	uint64_t leaves = 0;
	unsigned int level;

	for (level = KPG_PTE; level < census->levels; level++)
		leaves += census->leaves[attr][level];
	return leaves;
}

uint64_t census_bytes(const struct census *census, enum census_attr attr)
{
	uint64_t bytes = 0;
	unsigned int level;

	for (level = KPG_PTE; level < census->levels; level++)
		bytes += census->leaves[attr][level] * census_leaf_size(census, level);
	return bytes;
}
