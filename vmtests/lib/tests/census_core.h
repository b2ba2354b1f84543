/* SPDX-License-Identifier: GPL-2.0 */
/* A synthetic core, the page tables in it, and a census of them: for the unit tests of censuses. */
#ifndef CENSUS_CORE_H
#define CENSUS_CORE_H

#include <vmtests/census.h>

#include "synthetic_core.h"

#define PAGE		UINT64_C(4096)
#define PMD		(512 * PAGE)
#define PUD		(512 * PMD)

/* The arm64 descriptor bits that a census tells apart. */
#define RDONLY		(UINT64_C(1) << 7)
#define CONT		(UINT64_C(1) << 52)
#define PXN		(UINT64_C(1) << 53)

struct census_core {
	struct synth synth;
	struct kcore *kc;
	struct kpgtable *pgt;
	struct census census;	/* the last that was taken */
	uint64_t va;		/* where tests map */
	char why[KCORE_REASON_MAX];
};

static inline void census_core_init(struct census_core *cc)
{
	synth_init(&cc->synth, &synth_arm64_4k_48);
	cc->va = cc->synth.layout->kernel_start + PUD;
}

static inline void census_core_destroy(struct census_core *cc)
{
	kpgtable_close(cc->pgt);
	kcore_close(cc->kc);
	synth_destroy(&cc->synth);
}

static inline int census_core_open(struct census_core *cc)
{
	int ret;

	synth_finish(&cc->synth);
	ret = kcore_open(&cc->kc, cc->why, sizeof(cc->why));
	if (!ret)
		ret = kpgtable_open(&cc->pgt, cc->kc, cc->why, sizeof(cc->why));
	if (ret)
		fprintf(stderr, "# %s\n", cc->why);
	return ret;
}

static inline int census_core_count(struct census_core *cc, uint64_t start, uint64_t end)
{
	return census_count(cc->pgt, "here", start, end, &cc->census, cc->why, sizeof(cc->why));
}

static inline void census_core_map(struct census_core *cc, uint64_t va, unsigned int level,
				   uint64_t bits)
{
	synth_map(&cc->synth, va, level, synth_leaf(cc->synth.layout, level, PUD) | bits);
}

/* One PUD, two PMDs, five PTEs, no two alike in what is counted. */
static inline void census_core_mix(struct census_core *cc)
{
	uint64_t at = cc->va;

	census_core_map(cc, at, KPG_PUD, PXN);
	at += PUD;
	census_core_map(cc, at, KPG_PMD, PXN | CONT);
	census_core_map(cc, at + PMD, KPG_PMD, RDONLY);
	at += 2 * PMD;
	census_core_map(cc, at, KPG_PTE, 0);
	census_core_map(cc, at + PAGE, KPG_PTE, RDONLY | PXN);
	census_core_map(cc, at + 2 * PAGE, KPG_PTE, RDONLY | PXN | CONT);
	census_core_map(cc, at + 3 * PAGE, KPG_PTE, PXN);
	synth_map(&cc->synth, at + 4 * PAGE, KPG_PTE,
		  (synth_leaf(cc->synth.layout, KPG_PTE, PUD) | RDONLY | CONT) & ~UINT64_C(1));
}

#endif
