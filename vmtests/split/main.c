// SPDX-License-Identifier: GPL-2.0
/*
 * linear_map_split: map the whole linear map by base pages, so that one boot holds both sides of a
 * comparison: with blocks, and without. Only a reboot brings the blocks back. run_vmtests.sh -S
 * runs it between two measurements.
 *
 * Method. A page of memfd_secret(2) leaves the linear map, and the kernel splits the block around
 * it down to pages. One such page in each block would do, but nobody can choose which page it gets.
 * What can be chosen is how many other pages of the same block are used up before the next one is
 * asked for. These must be unmovable kernel pages too, or the allocator takes them from elsewhere,
 * and they should cost next to nothing: one byte written to a pipe in packet mode takes a whole
 * page (fs/pipe.c, anon_pipe_write()) and neither copies nor flushes anything. While fragments are
 * being used up, 1/16 of a block lies between two secret pages, so that blocks with little free
 * memory are reached too.
 *
 * Each split takes one more page, for the block's page table, which stays for good. It would be the
 * neighbour of the secret page, and no block of 2 MiB would ever be free again: what is measured
 * after the split would have no huge pages. So of whole blocks one page in each 7/8 of a block is
 * only marked at first. When a batch is marked, one marked page after the other is given back and a
 * secret page is asked for: the allocator hands out first what came back last, so the marked page
 * becomes secret; and what it hands out next are the neighbours of the last mark, which become the
 * page tables of the whole batch. At the end everything is given back; the blocks stay split, for
 * neither architecture merges them again.
 *
 * What is measured before should have the same memory as what is measured after: a host gives a
 * guest its memory when it is first touched, and takes its time; free memory that was in use is in
 * another order. A dry run takes and gives back memory in the same way, without a secret page.
 *
 * Memory. The page cache is dropped first. The taking ends while what is free is still above every
 * zone's low watermark and its reserve against this kind of allocation, so that neither kswapd nor
 * the OOM killer has a reason to act; should others run out meanwhile, this process is the first
 * that the OOM killer takes.
 *
 * Limits. A block in which others hold every page cannot be reached, nor can boot-time memory such
 * as struct pages. arm64 splits to pages, but leaves the contiguous bit on those groups of 16 that
 * hold no secret page (arch/arm64/mm/mmu.c, split_pmd()): the census shows how many. In the naive
 * way page tables stay where they are taken, and free huge pages are few until the reboot.
 *
 * Exit: 0 at least 90 % of the blocks are split, 1 fewer are, or an error, 2 wrong use, 4 this
 * kernel's map has no blocks, or they cannot be split.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vmtests/needs.h>
#include <libmm/sysfile.h>

#include "split.h"

enum { EXIT_SPLIT = 0, EXIT_TOO_FEW = 1, EXIT_USAGE = 2, EXIT_CANNOT = 4 };

#define PERCENT_WANTED 90
/* A map with less than this in blocks counts as split: the rest is what cannot be reached. */
#define PERCENT_OF_BLOCKS_NEEDED 10

static char reason[KCORE_REASON_MAX];

static int page_cache_drop(void)
{
	sync();
	return __sysfile_write("/proc/sys/vm/drop_caches", "3");
}

static int fail(const char *what, int err)
{
	fprintf(stderr, "linear_map_split: %s: %s\n", what, strerror(-err));
	return EXIT_TOO_FEW;
}

static int cannot(const char *why)
{
	fprintf(stderr, "linear_map_split: %s\n", why);
	return EXIT_CANNOT;
}

/*
 * EXIT_SPLIT when the map can be split, with what it is in @map; else a message and EXIT_CANNOT. A
 * dry run does not ask for blocks: what it takes and how long is the same without.
 */
static int check(struct map *map, bool dry)
{
	const struct probe probe = needs_probe("root,secretmem");
	char text[128];

	if (probe.answer != PROBE_YES)
		return cannot(probe.why);
	if (__map_read(map, reason, sizeof(reason)))
		return cannot(reason);
	if (!dry && map->blocks * 100 < (map->blocks + map->pages) * PERCENT_OF_BLOCKS_NEEDED) {
		snprintf(text, sizeof(text),
			 "the linear map is made of pages already: %" PRIu64 " of %" PRIu64
			 " MiB are in blocks", map->blocks / MIB, (map->blocks + map->pages) / MIB);
		return cannot(text);
	}
	if (__room_unlimited(reason, sizeof(reason)))
		return cannot(reason);
	return EXIT_SPLIT;
}

static int result_print(const struct taker *s, const struct map *before)
{
	struct map after;
	double percent;
	int err = __map_read(&after, reason, sizeof(reason));

	if (err)
		return fail("cannot read how the linear map is made now", err);
	percent = before->blocks > after.blocks ?
		  100.0 * (before->blocks - after.blocks) / before->blocks : 0;
	printf("split %.1f %% of %" PRIu64 " MiB of blocks, %" PRIu64 " MiB are left, in %.2f s: %zu secret pages, %zu others\n",
	       percent, before->blocks / MIB, after.blocks / MIB, s->seconds, s->secrets,
	       s->filled);
	printf("free in whole blocks: %" PRIu64 " MiB before, %" PRIu64 " MiB now\n",
	       s->whole_before / MIB,
	       room_whole_blocks(s->page, s->block_pages * s->page) / MIB);
	if (percent >= PERCENT_WANTED)
		return EXIT_SPLIT;
	fprintf(stderr,
		"linear_map_split: %d %% are wanted: others hold the memory of the blocks that are left: end what can be ended and try again\n",
		PERCENT_WANTED);
	return EXIT_TOO_FEW;
}

static int dry_print(const struct taker *s, const struct map *before)
{
	struct map after;
	int err = __map_read(&after, reason, sizeof(reason));

	if (err)
		return fail("cannot read how the linear map is made now", err);
	printf("took and gave back %" PRIu64 " MiB in %.2f s\n", s->filled * s->page / MIB,
	       s->seconds);
	printf("blocks of the linear map: %" PRIu64 " MiB before, %" PRIu64 " MiB now\n",
	       before->blocks / MIB, after.blocks / MIB);
	return EXIT_SPLIT;
}

static int map_split(struct taker *s, const struct map *before)
{
	uint64_t kills_before, kills;
	int err;

	err = __sysfile_write("/proc/self/oom_score_adj", "1000");
	if (err)
		return fail("cannot become the OOM killer's first choice", err);
	err = __sysfile_read_key("/proc/vmstat", "oom_kill", &kills_before);
	if (!err)
		err = page_cache_drop();
	if (!err)
		err = __take_begin(s);
	if (err)
		return fail("cannot prepare", err);

	err = __take_all(s);
	take_end(s);
	if (err == -EDQUOT) {
		fprintf(stderr, "linear_map_split: only %zu secret pages may be locked, and part of the map is done: raise the limit, ulimit -l, or run with CAP_SYS_RESOURCE\n",
			s->secrets);
		return EXIT_TOO_FEW;
	}
	if (err)
		return fail("cannot use up memory", err);
	err = __sysfile_read_key("/proc/vmstat", "oom_kill", &kills);
	if (err || kills != kills_before) {
		fprintf(stderr, "linear_map_split: the OOM killer ran meanwhile: see the kernel log\n");
		return EXIT_TOO_FEW;
	}
	return s->dry ? dry_print(s, before) : result_print(s, before);
}

static void print_usage(FILE *to)
{
	fputs("usage: linear_map_split [-c | -d | -n] [-h]\n"
	      "Split every block of the kernel's linear map to pages; only a reboot undoes it.\n"
	      "  -c  only say why it cannot be done here, with exit status 4\n"
	      "  -d  dry: take all memory in the same way and give it back, and split nothing\n"
	      "  -n  the naive way, all memory page by page as secret memory: to compare with\n",
	      to);
}

int main(int argc, char **argv)
{
	struct taker s = {};
	bool check_only = false;
	struct map before;
	int opt, status;

	while ((opt = getopt(argc, argv, "cdnh")) != -1) {
		if (opt == 'h') {
			print_usage(stdout);
			return EXIT_SPLIT;
		}
		if (opt == 'c')
			check_only = true;
		else if (opt == 'd')
			s.dry = true;
		else if (opt == 'n')
			s.naive = true;
		else
			break;
	}
	if (opt != -1 || optind < argc || check_only + s.dry + s.naive > 1) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = check(&before, s.dry);
	if (status != EXIT_SPLIT || check_only)
		return status;
	if (!s.dry)
		printf("splitting %" PRIu64 " MiB of blocks of the linear map: only a reboot undoes this\n",
		       before.blocks / MIB);
	return map_split(&s, &before);
}
