// SPDX-License-Identifier: GPL-2.0
/*
 * Simulate a trace (trace.h) again, with any TLB.
 *
 * usage: tlb_replay [-e ENTRIES] PRESET TRACE
 *
 *   -e ENTRIES   the second level has so many, in as many ways as before
 *
 * Prints "D1 D2 F1 F2 READS" as the last line of a trace has them, then the number of accesses of
 * data and of fetches that the trace holds. Exit: 0, 1 not a trace, 2 usage.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace.h"

#define LINE_MAX_BYTES	256
#define REASON_MAX	512
#define TABLE_START	4096	/* a power of two */

struct page {
	uint64_t page;
	unsigned int space;
	bool used;
	struct tlb_translation t;
};

/* Open addressing; at most half full. */
struct pages {
	struct page *page;
	uint64_t room;
	uint64_t nr;
};

struct replay {
	struct pages pages;
	struct tlb *tlb;
	struct trace_counts counts;
	uint64_t accesses[TLB_KINDS];
	uint64_t line;
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "tlb_replay: %s: %s\n", what, why);
	exit(1);
}

static struct page *page_slot(const struct pages *pages, unsigned int space, uint64_t page)
{
	uint64_t hash = (page ^ (uint64_t)space << 52) * UINT64_C(0x9e3779b97f4a7c15);
	uint64_t i = hash >> 20 & (pages->room - 1);

	while (pages->page[i].used &&
	       (pages->page[i].page != page || pages->page[i].space != space))
		i = (i + 1) & (pages->room - 1);
	return &pages->page[i];
}

static void pages_resize(struct pages *pages, uint64_t room)
{
	struct pages old = *pages;
	uint64_t i;

	pages->page = calloc(room, sizeof(*pages->page));
	if (!pages->page)
		die("memory for the trace's pages", strerror(ENOMEM));
	pages->room = room;
	for (i = 0; i < old.room; i++)
		if (old.page[i].used)
			*page_slot(pages, old.page[i].space, old.page[i].page) = old.page[i];
	free(old.page);
}

static bool replay_translate(void *arg, unsigned int space, uint64_t va, struct tlb_translation *t)
{
	struct replay *replay = arg;
	const struct page *page = page_slot(&replay->pages, space, va >> TRACE_PAGE_SHIFT);

	if (page->used)
		*t = page->t;
	return page->used;
}

static bool translation_read(struct replay *replay, const char *line)
{
	struct page read = { .used = true };
	struct tlb_translation *t = &read.t;
	struct page *slot;

	if (sscanf(line, "t %x %" SCNx64 " %" SCNx64 " %u %u %u %" SCNx64 " %" SCNx64 " %" SCNx64
		   " %" SCNx64, &read.space, &read.page, &t->desc, &t->span, &t->leaf, &t->root,
		   &t->table[1], &t->table[2], &t->table[3], &t->table[4]) != 10 ||
	    t->leaf > t->root || t->root >= TLB_LEVELS || t->span > 63)
		return false;
	read.page >>= TRACE_PAGE_SHIFT;
	slot = page_slot(&replay->pages, read.space, read.page);
	replay->pages.nr += !slot->used;
	*slot = read;
	if (replay->pages.nr > replay->pages.room / 2)
		pages_resize(&replay->pages, 2 * replay->pages.room);
	return true;
}

static bool access_read(struct replay *replay, const char *line)
{
	enum tlb_access_kind kind;
	struct tlb_walk walk;
	unsigned int space;
	uint64_t va;
	char letter;

	if (sscanf(line, "a %c %x %" SCNx64, &letter, &space, &va) != 3 ||
	    (letter != 'D' && letter != 'F'))
		return false;
	kind = letter == 'D' ? TLB_DATA : TLB_FETCH;
	replay->accesses[kind]++;
	switch (tlb_access(replay->tlb, kind, space, va, &walk)) {
	case TLB_HIT_L1:
		return true;
	case TLB_HIT_L2:
		break;
	case TLB_WALK:
		replay->counts.walks[kind]++;
		replay->counts.reads += tlb_walk_reads(&walk);
		break;
	case TLB_NO_TRANSLATION:
		return false;
	}
	replay->counts.l1_misses[kind]++;
	return true;
}

static bool line_replay(struct replay *replay, const char *line)
{
	switch (*line) {
	case 't':
		return translation_read(replay, line);
	case 'a':
		return access_read(replay, line);
	case 'd':
		tlb_distrust(replay->tlb);
		return true;
	case 'f':
		tlb_flush(replay->tlb);
		return true;
	default:
		return *line == 'c';
	}
}

static void trace_replay(struct replay *replay, const char *path)
{
	char line[LINE_MAX_BYTES], where[32];
	FILE *file = fopen(path, "re");

	if (!file)
		die(path, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		replay->line++;
		if (line_replay(replay, line))
			continue;
		snprintf(where, sizeof(where), "not a trace at line %" PRIu64, replay->line);
		die(path, where);
	}
	if (ferror(file))
		die(path, "cannot read on");
	fclose(file);
}

static void counts_print(const struct replay *replay)
{
	const struct trace_counts *c = &replay->counts;

	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
	       c->l1_misses[TLB_DATA], c->walks[TLB_DATA], c->l1_misses[TLB_FETCH],
	       c->walks[TLB_FETCH], c->reads, replay->accesses[TLB_DATA],
	       replay->accesses[TLB_FETCH]);
}

static int wrong_use(void)
{
	fputs("usage: tlb_replay [-e ENTRIES] PRESET TRACE\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct replay replay = { .line = 0 };
	const char *entries = NULL;
	struct tlb_config config;
	char reason[REASON_MAX];
	int option;

	while ((option = getopt(argc, argv, "e:")) != -1) {
		if (option != 'e')
			return wrong_use();
		entries = optarg;
	}
	if (argc - optind != 2)
		return wrong_use();
	if (__tlb_config_read(&config, argv[optind], reason, sizeof(reason)))
		die("preset", reason);
	if (entries && __tlb_config_resize(&config, (unsigned int)strtoul(entries, NULL, 10)))
		die(entries, "does not divide into the second level's ways");
	pages_resize(&replay.pages, TABLE_START);
	replay.tlb = tlb_new(&config, TRACE_PAGE_SHIFT, replay_translate, &replay);
	if (!replay.tlb)
		die("memory for the model", strerror(ENOMEM));
	trace_replay(&replay, argv[optind + 1]);
	counts_print(&replay);
	tlb_free(replay.tlb);
	free(replay.pages.page);
	return 0;
}
