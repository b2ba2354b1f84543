// SPDX-License-Identifier: GPL-2.0
/*
 * Recording of what a TLB is asked. A page's translation is written when it is first met after
 * entries were distrusted, and only when it is another than before.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "trace.h"

/* A power of two. A page that loses its place is written again. */
#define PAGES	(UINT64_C(1) << 20)

struct page {
	uint64_t page;
	uint64_t desc;
	unsigned int space;
	unsigned int span;
	uint32_t epoch;		/* of the trace, when it was last asked about; 0: never */
};

struct trace {
	FILE *file;
	uint64_t left;
	tlb_translate_fn translate;
	void *arg;
	uint32_t epoch;
	uint64_t last[TLB_KINDS];
	struct page *pages;
};

struct trace *trace_create(const char *path, uint64_t most, tlb_translate_fn translate, void *arg)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return NULL;
	trace->pages = calloc(PAGES, sizeof(*trace->pages));
	trace->file = trace->pages ? fopen(path, "we") : NULL;
	if (!trace->file) {
		free(trace->pages);
		free(trace);
		return NULL;
	}
	trace->left = most;
	trace->translate = translate;
	trace->arg = arg;
	trace->epoch = 1;
	return trace;
}

static void translation_write(struct trace *trace, unsigned int space, uint64_t page,
			      const struct tlb_translation *t)
{
	unsigned int level;

	fprintf(trace->file, "t %x %" PRIx64 " %" PRIx64 " %u %u %u", space,
		page << TRACE_PAGE_SHIFT, t->desc, t->span, t->leaf, t->root);
	for (level = 1; level < TLB_LEVELS; level++)
		fprintf(trace->file, " %" PRIx64, t->table[level]);
	fputc('\n', trace->file);
}

/* False when nothing translates it: such an access is not modelled either. */
static bool page_ask(struct trace *trace, unsigned int space, uint64_t page)
{
	/* Fibonacci hashing: the golden ratio of 64 bits. */
	uint64_t hash = (page ^ (uint64_t)space << 52) * UINT64_C(0x9e3779b97f4a7c15);
	struct page *p = &trace->pages[hash >> 44 & (PAGES - 1)];
	bool known = p->epoch && p->page == page && p->space == space;
	struct tlb_translation t = { .desc = 0 };

	if (known && p->epoch == trace->epoch)
		return true;
	if (!trace->translate(trace->arg, space, page << TRACE_PAGE_SHIFT, &t))
		return false;
	if (!known || p->desc != t.desc || p->span != t.span)
		translation_write(trace, space, page, &t);
	*p = (struct page) {
		.page = page, .desc = t.desc, .space = space, .span = t.span, .epoch = trace->epoch,
	};
	return true;
}

void trace_access(struct trace *trace, enum tlb_access_kind kind, unsigned int space, uint64_t va)
{
	uint64_t page = va >> TRACE_PAGE_SHIFT;
	/* No page of any space is all ones. */
	uint64_t last = ~(page ^ (uint64_t)space << 52);

	if (!trace->left || trace->last[kind] == last)
		return;
	if (!page_ask(trace, space, page))
		return;
	trace->last[kind] = last;
	trace->left--;
	fprintf(trace->file, "a %c %x %" PRIx64 "\n", kind == TLB_DATA ? 'D' : 'F', space,
		page << TRACE_PAGE_SHIFT);
}

static void event_write(struct trace *trace, char event)
{
	unsigned int kind;

	if (!trace->left)
		return;
	trace->epoch++;
	for (kind = 0; kind < TLB_KINDS; kind++)
		trace->last[kind] = 0;
	fprintf(trace->file, "%c\n", event);
}

void trace_distrust(struct trace *trace)
{
	event_write(trace, 'd');
}

void trace_flush(struct trace *trace)
{
	event_write(trace, 'f');
}

bool trace_full(const struct trace *trace)
{
	return !trace->left;
}

int __trace_close(struct trace *trace, const struct trace_counts *counts)
{
	int err;

	fprintf(trace->file, "c %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		counts->l1_misses[TLB_DATA], counts->walks[TLB_DATA],
		counts->l1_misses[TLB_FETCH], counts->walks[TLB_FETCH], counts->reads);
	err = ferror(trace->file) ? -EIO : 0;
	if (fclose(trace->file) && !err)
		err = -errno;
	free(trace->pages);
	free(trace);
	return err;
}
