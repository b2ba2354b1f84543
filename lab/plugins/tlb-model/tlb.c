// SPDX-License-Identifier: GPL-2.0
/*
 * The TLB model itself.
 *
 * Every use of an entry is numbered and the entry carries the number of its last, so the least
 * recently used of a set is the one with the lowest. Most accesses hit what the last ones hit: a
 * small table of hints, by page number, leads to an L1 entry without a search. A hint is checked
 * like any entry that a search finds, so it changes no count.
 */
#include <stdlib.h>
#include <string.h>

#include "tlb.h"

#define HINTS		64u	/* a power of two */
#define HINT_SHIFT	12
#define SHIFTS		64

struct entry {
	uint64_t tag;		/* address >> shift */
	uint64_t made_by;	/* the address to ask the page tables about again */
	uint64_t desc;
	uint64_t used;
	uint32_t trust;
	uint32_t space;
	uint8_t shift;
	uint8_t span;
	bool valid;
};

struct array {
	const struct tlb_array_config *config;
	unsigned int sets;
	uint64_t shifts;		/* that valid entries have had: only those are searched */
	struct entry *entry;		/* way by way within set by set */
};

struct tlb {
	struct tlb_config config;
	tlb_translate_fn translate;
	void *arg;
	unsigned int level_shift[TLB_LEVELS];
	uint64_t now;
	uint64_t random;
	uint32_t trust;
	struct array array[TLB_ARRAYS];
	struct entry *hint[TLB_KINDS][HINTS];
};

static uint64_t random_next(struct tlb *tlb)
{
	/* xorshift64* (Vigna, 2014) */
	tlb->random ^= tlb->random >> 12;
	tlb->random ^= tlb->random << 25;
	tlb->random ^= tlb->random >> 27;
	return tlb->random * 2685821657736338717ull;
}

static void walk_cache_sizes(struct tlb *tlb, struct tlb_array_config *config)
{
	unsigned int level;

	config->sizes = 0;
	for (level = 0; level < TLB_LEVELS; level++)
		if (config->levels & 1u << level)
			config->sizes |= UINT64_C(1) << tlb->level_shift[level];
}

static bool array_init(struct tlb *tlb, unsigned int nr)
{
	struct array *array = &tlb->array[nr];
	struct tlb_array_config *config = &tlb->config.array[nr];

	if (config->role == TLB_WALK_CACHE)
		walk_cache_sizes(tlb, config);
	array->config = config;
	array->sets = config->entries / config->ways;
	array->entry = calloc(config->entries, sizeof(*array->entry));
	return array->entry;
}

struct tlb *tlb_new(const struct tlb_config *config, unsigned int page_shift,
		    tlb_translate_fn translate, void *arg)
{
	struct tlb *tlb = calloc(1, sizeof(*tlb));
	unsigned int i;

	if (!tlb)
		return NULL;
	tlb->config = *config;
	tlb->translate = translate;
	tlb->arg = arg;
	tlb->random = 1;
	for (i = 0; i < TLB_LEVELS; i++)
		tlb->level_shift[i] = page_shift + i * (page_shift - 3);
	for (i = 0; i < config->nr_arrays; i++) {
		if (!array_init(tlb, i)) {
			tlb_free(tlb);
			return NULL;
		}
	}
	return tlb;
}

void tlb_free(struct tlb *tlb)
{
	unsigned int i;

	if (!tlb)
		return;
	for (i = 0; i < TLB_ARRAYS; i++)
		free(tlb->array[i].entry);
	free(tlb);
}

static bool entry_matches(const struct entry *e, unsigned int space, uint64_t va)
{
	return e->valid && va >> e->shift == e->tag && e->space == space;
}

/* False, and the entry is gone, when the page tables do not say any more what it says. */
static bool entry_trusted(struct tlb *tlb, struct entry *e)
{
	struct tlb_translation t;

	if (e->trust == tlb->trust)
		return true;
	e->valid = tlb->translate(tlb->arg, e->space, e->made_by, &t) && t.desc == e->desc &&
		   t.span == e->span;
	e->trust = tlb->trust;
	return e->valid;
}

static struct entry *set_of(const struct array *array, unsigned int shift, uint64_t va)
{
	return array->entry + (va >> shift) % array->sets * array->config->ways;
}

static struct entry *set_search(const struct array *array, struct entry *set, unsigned int space,
				uint64_t va)
{
	unsigned int way;

	for (way = 0; way < array->config->ways; way++)
		if (entry_matches(&set[way], space, va))
			return &set[way];
	return NULL;
}

/* The entry that translates @va, by the smallest size first. One set holds every size. */
static struct entry *array_search(const struct array *array, unsigned int space, uint64_t va)
{
	uint64_t shifts = array->sets == 1 ? array->shifts & -array->shifts : array->shifts;

	for (; shifts; shifts &= shifts - 1) {
		unsigned int shift = (unsigned int)__builtin_ctzll(shifts);
		struct entry *e = set_search(array, set_of(array, shift, va), space, va);

		if (e)
			return e;
	}
	return NULL;
}

static struct entry *set_victim(struct tlb *tlb, const struct array *array, struct entry *set)
{
	struct entry *victim = set;
	unsigned int way;

	for (way = 0; way < array->config->ways; way++) {
		if (!set[way].valid)
			return &set[way];
		if (set[way].used < victim->used)
			victim = &set[way];
	}
	if (tlb->config.replacement == TLB_RANDOM)
		return &set[random_next(tlb) % array->config->ways];
	return victim;
}

/* Where an array keeps what spans @span; SHIFTS when it does not. */
static unsigned int size_for(const struct tlb_array_config *config, unsigned int span)
{
	uint64_t fitting = config->sizes & (UINT64_MAX >> (SHIFTS - 1 - span));

	return fitting ? SHIFTS - 1 - (unsigned int)__builtin_clzll(fitting) : SHIFTS;
}

static struct entry *array_insert(struct tlb *tlb, struct array *array, unsigned int shift,
				  uint64_t va, const struct entry *content)
{
	struct entry *e = set_victim(tlb, array, set_of(array, shift, va));

	*e = *content;
	e->shift = (uint8_t)shift;
	e->tag = va >> shift;
	e->used = ++tlb->now;
	array->shifts |= UINT64_C(1) << shift;
	return e;
}

static void entry_use(struct tlb *tlb, struct entry *e)
{
	if (tlb->config.replacement == TLB_LRU)
		e->used = ++tlb->now;
}

/* Search every array of @role and @kind. */
static struct entry *role_search(struct tlb *tlb, enum tlb_role role, enum tlb_access_kind kind,
				 unsigned int space, uint64_t va)
{
	unsigned int i;

	for (i = 0; i < tlb->config.nr_arrays; i++) {
		struct array *array = &tlb->array[i];
		struct entry *e;

		if (array->config->role != role || !array->config->kinds[kind])
			continue;
		e = array_search(array, space, va);
		if (e && entry_trusted(tlb, e)) {
			entry_use(tlb, e);
			return e;
		}
	}
	return NULL;
}

/* Into the one array of @role and @kind that can hold the most of it. */
static struct entry *role_insert(struct tlb *tlb, enum tlb_role role, enum tlb_access_kind kind,
				 uint64_t va, const struct entry *content)
{
	struct array *best = NULL;
	unsigned int best_shift = 0, i;

	for (i = 0; i < tlb->config.nr_arrays; i++) {
		struct array *array = &tlb->array[i];
		unsigned int shift;

		if (array->config->role != role || !array->config->kinds[kind])
			continue;
		shift = size_for(array->config, content->span);
		if (shift < SHIFTS && shift > best_shift) {
			best = array;
			best_shift = shift;
		}
	}
	return best ? array_insert(tlb, best, best_shift, va, content) : NULL;
}

static struct array *walk_cache_of(struct tlb *tlb, unsigned int level)
{
	unsigned int i;

	for (i = 0; i < tlb->config.nr_arrays; i++)
		if (tlb->config.array[i].role == TLB_WALK_CACHE &&
		    tlb->config.array[i].levels & 1u << level)
			return &tlb->array[i];
	return NULL;
}

/*
 * Whether the descriptor of @level that leads to @va is cached. The page tables have just been
 * read, so an entry need not be trusted: it is compared.
 */
static bool walk_cache_hit(struct tlb *tlb, struct array *array, unsigned int level,
			   unsigned int space, uint64_t va, uint64_t desc)
{
	struct entry *set = set_of(array, tlb->level_shift[level], va);
	unsigned int way;

	for (way = 0; way < array->config->ways; way++) {
		struct entry *e = &set[way];

		if (e->shift != tlb->level_shift[level] || !entry_matches(e, space, va))
			continue;
		if (e->desc != desc) {
			e->valid = false;
			return false;
		}
		entry_use(tlb, e);
		return true;
	}
	return false;
}

static void walk_cache_fill(struct tlb *tlb, unsigned int level, unsigned int space, uint64_t va,
			    uint64_t desc)
{
	struct array *array = walk_cache_of(tlb, level);
	const struct entry content = {
		.made_by = va, .desc = desc, .space = space, .valid = true,
	};

	if (array)
		array_insert(tlb, array, tlb->level_shift[level], va, &content);
}

static void walk_model(struct tlb *tlb, unsigned int space, uint64_t va,
		       const struct tlb_translation *t, struct tlb_walk *walk)
{
	unsigned int level;

	*walk = (struct tlb_walk) { .first = t->root, .leaf = t->leaf, .span = t->span };
	for (level = t->leaf + 1; level <= t->root; level++) {
		struct array *array = walk_cache_of(tlb, level);

		if (array && walk_cache_hit(tlb, array, level, space, va, t->table[level])) {
			walk->first = level - 1;
			break;
		}
	}
	for (level = walk->first; level > t->leaf; level--)
		walk_cache_fill(tlb, level, space, va, t->table[level]);
}

static struct entry **hint_of(struct tlb *tlb, enum tlb_access_kind kind, uint64_t va)
{
	return &tlb->hint[kind][va >> HINT_SHIFT & (HINTS - 1)];
}

static enum tlb_result access_l2(struct tlb *tlb, enum tlb_access_kind kind, unsigned int space,
				 uint64_t va, struct entry *content, struct tlb_walk *walk)
{
	struct tlb_translation t;
	struct entry *e = role_search(tlb, TLB_L2, kind, space, va);

	if (e) {
		*content = *e;
		return TLB_HIT_L2;
	}
	if (!tlb->translate(tlb->arg, space, va, &t))
		return TLB_NO_TRANSLATION;
	walk_model(tlb, space, va, &t, walk);
	*content = (struct entry) {
		.made_by = va, .desc = t.desc, .trust = tlb->trust, .space = space,
		.span = (uint8_t)t.span, .valid = true,
	};
	role_insert(tlb, TLB_L2, kind, va, content);
	return TLB_WALK;
}

enum tlb_result tlb_access(struct tlb *tlb, enum tlb_access_kind kind, unsigned int space,
			   uint64_t va, struct tlb_walk *walk)
{
	struct entry **hint = hint_of(tlb, kind, va), *e = *hint, content;
	enum tlb_result result;

	if (e && e->trust == tlb->trust && entry_matches(e, space, va)) {
		entry_use(tlb, e);
		return TLB_HIT_L1;
	}
	e = role_search(tlb, TLB_L1, kind, space, va);
	if (e) {
		*hint = e;
		return TLB_HIT_L1;
	}
	result = access_l2(tlb, kind, space, va, &content, walk);
	if (result != TLB_NO_TRANSLATION)
		*hint = role_insert(tlb, TLB_L1, kind, va, &content);
	return result;
}

unsigned int tlb_walk_reads(const struct tlb_walk *walk)
{
	return walk->first - walk->leaf + 1;
}

void tlb_flush(struct tlb *tlb)
{
	unsigned int i;

	for (i = 0; i < tlb->config.nr_arrays; i++) {
		struct array *array = &tlb->array[i];

		memset(array->entry, 0, array->config->entries * sizeof(*array->entry));
		array->shifts = 0;
	}
}

void tlb_distrust(struct tlb *tlb)
{
	tlb->trust++;
}
