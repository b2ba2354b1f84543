// SPDX-License-Identifier: GPL-2.0
/*
 * hvo/churn: allocating and freeing hugetlb pages while their struct pages are remapped.
 *
 * With HVO (vm.hugetlb_optimize_vmemmap) the kernel frees most struct pages of each huge page that
 * it adds to a pool: it splits the vmemmap's block and lets all but the first PTE point at one
 * read-only page. Freeing the huge page undoes that. Both rewrite live kernel mappings and flush
 * TLBs on all CPUs, and whoever reads a struct page at that moment may have to wait.
 *
 *   LEVEL.HVO.NODES.shareN   pool grown by N % of MemAvailable and shrunk again by nr_hugepages
 *   LEVEL.HVO.FILE.shareN    the same over and over, with threads that read FILE all the time
 *
 * LEVEL is the page-table level that maps a huge page (pmd, pud, contpte...). HVO is off or on; a
 * kernel without HVO runs "off", which is what it does, and skips "on". NODES is all, local (the
 * node that the churn runs on) or remote (another one). Sizes and nodes are in the diagnostics
 * only, so that the names are the same on every machine.
 *
 * Readers: each is pinned to a CPU other than the churn's as long as there are others, and times
 * single reads of the entries whose struct pages fill one page of vmemmap. kpageflags and
 * kpagecount read the page frames that the pool has just had, found by the HUGE flag in
 * /proc/kpageflags; frames_reused is the part of the pool after the churn that they had been.
 * pagemap reads the reader's own memory, which is not churned: it is the control that shows what
 * TLB flushes and contention alone do to a reader. Percentiles are of all readers and of one
 * repeat, "idle" just before the churn and "reader" during it.
 *
 * Pages that were in the pool before stay in it, but the kernel may free one of them in place of
 * one of ours. What it cannot show: a wait shorter than the read itself, or who took the CPU away:
 * on a busy machine, and in a virtual one, the idle percentiles tell how much that is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/base.h>
#include <libmm/hugetlb.h>
#include <vmtests/bench.h>

#include "pool.h"
#include "readers.h"

#define MAX_CASES 512

static const unsigned int quick_shares[] = { 1, 5 };
static const unsigned int full_shares[] = { 1, 5, 12, 25, 50 };
/* Of both tables: the share for single nodes and for readers. */
#define ONE_SHARE 1

static const char *const read_files[] = {
	"/proc/kpageflags",
	"/proc/kpagecount",
	"/proc/self/pagemap",
};

static const char *const node_names[] = { "all", "local", "remote" };

static struct churn churns[MAX_CASES];

static struct churn *churn_add(long *nr, uint64_t size, bool hvo, unsigned int share)
{
	struct churn *churn = &churns[*nr];

	if (*nr == MAX_CASES) {
		fprintf(stderr, "hvo_churn: more than %d cases\n", MAX_CASES);
		abort();
	}
	churn->size = size;
	churn->hvo = hvo;
	churn->share = share;
	(*nr)++;
	return churn;
}

/* A gigantic page takes a tenth of a second, so the quick tier has one kind of reader for it. */
static size_t read_files_of(uint64_t size)
{
	bool few = !bench_tier_full() && !strcmp(hugetlb_level(size, page_size()), "pud");

	return few ? 1 : ARRAY_SIZE(read_files);
}

static void churn_name(struct churn *churn, const char *what)
{
	snprintf(churn->name, sizeof(churn->name), "%s.%s.%s.share%u",
		 hugetlb_level(churn->size, page_size()), churn->hvo ? "on" : "off", what,
		 churn->share);
}

static void churns_add(long *nr, uint64_t size, bool hvo)
{
	bool full = bench_tier_full();
	const unsigned int *shares = full ? full_shares : quick_shares;
	size_t i, nr_shares = full ? ARRAY_SIZE(full_shares) : ARRAY_SIZE(quick_shares);
	struct churn *churn;

	for (i = 0; i < nr_shares; i++)
		churn_name(churn_add(nr, size, hvo, shares[i]), node_names[NODES_ALL]);
	for (i = NODES_LOCAL; i <= NODES_REMOTE; i++) {
		churn = churn_add(nr, size, hvo, shares[ONE_SHARE]);
		churn->nodes = i;
		churn_name(churn, node_names[i]);
	}
	for (i = 0; i < read_files_of(size); i++) {
		churn = churn_add(nr, size, hvo, shares[ONE_SHARE]);
		churn->file = read_files[i];
		churn_name(churn, strrchr(read_files[i], '/') + 1);
	}
}

static long cases_build(struct bench_case **cases)
{
	uint64_t sizes[HUGETLB_MAX_SIZES];
	size_t i, nr_sizes = hugetlb_sizes(sizes, ARRAY_SIZE(sizes));
	long nr = 0, n;

	for (i = 0; i < nr_sizes; i++) {
		churns_add(&nr, sizes[i], false);
		churns_add(&nr, sizes[i], true);
	}
	*cases = calloc(nr + 1, sizeof(**cases));
	if (!*cases)
		return -ENOMEM;
	for (n = 0; n < nr; n++) {
		bool reads = churns[n].file;

		(*cases)[n] = (struct bench_case) {
			.name = churns[n].name, .needs = "root,hugetlb", .ctx = &churns[n],
			.setup = reads ? readers_setup : churn_setup,
			.before = reads ? readers_before : pool_before,
			.phases = reads ? &readers_phase : pool_phases,
			.nr_phases = reads ? 1 : ARRAY_SIZE(pool_phases),
			.after = reads ? readers_after : pool_after,
			.teardown = reads ? readers_teardown : churn_teardown,
		};
	}
	return nr;
}

int main(int argc, char **argv)
{
	static const struct bench hvo_churn = {
		.name = "hvo/churn", .needs = "root,hugetlb", .build = cases_build,
	};

	return bench_main(argc, argv, &hvo_churn);
}
