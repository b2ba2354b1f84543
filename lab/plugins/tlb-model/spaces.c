// SPDX-License-Identifier: GPL-2.0
/*
 * User address spaces by their page tables.
 *
 * Two spaces in which an address leads to the same memory cannot be told apart by it: a child right
 * after its fork passes for its parent until something else of it is asked for.
 */
#include <stdlib.h>

#include "spaces.h"

#define SPACES_MAX	64	/* that are remembered */
/* A search reads all of RAM; what cannot be found must not be looked for at every access. */
#define SEARCHES_MAX	1024

struct space {
	uint64_t root;
	unsigned int id;	/* 0: unused */
	uint64_t used;
};

struct spaces {
	const struct guest *guest;
	int locked;
	struct space space[SPACES_MAX];
	unsigned int last_id;
	uint64_t now;
	unsigned int searches;
	unsigned int searches_failed;
};

struct spaces *spaces_new(const struct guest *guest)
{
	struct spaces *spaces = calloc(1, sizeof(*spaces));

	if (spaces)
		spaces->guest = guest;
	return spaces;
}

void spaces_free(struct spaces *spaces)
{
	free(spaces);
}

/* Few threads want it, for a moment but for a search, and those are rare. */
static void spaces_lock(struct spaces *spaces)
{
	while (__atomic_exchange_n(&spaces->locked, 1, __ATOMIC_ACQUIRE))
		;
}

static void spaces_unlock(struct spaces *spaces)
{
	__atomic_store_n(&spaces->locked, 0, __ATOMIC_RELEASE);
}

static bool root_translate(const struct spaces *spaces, uint64_t root, uint64_t va,
			   struct tlb_translation *t, uint64_t *pa)
{
	return guest_translate(spaces->guest, root, guest_user_level(spaces->guest), va, t, pa);
}

static struct space *space_known(struct spaces *spaces, uint64_t va, uint64_t pa)
{
	struct tlb_translation t;
	struct space *best = NULL;
	uint64_t led;
	size_t i;

	for (i = 0; i < SPACES_MAX; i++) {
		struct space *s = &spaces->space[i];

		if (s->id && (!best || s->used > best->used) &&
		    root_translate(spaces, s->root, va, &t, &led) && led == pa)
			best = s;
	}
	return best;
}

static struct space *space_add(struct spaces *spaces, uint64_t root)
{
	struct space *oldest = &spaces->space[0];
	size_t i;

	for (i = 0; i < SPACES_MAX; i++)
		if (spaces->space[i].used < oldest->used)
			oldest = &spaces->space[i];
	*oldest = (struct space) { .root = root, .id = ++spaces->last_id };
	return oldest;
}

static struct space *space_search(struct spaces *spaces, uint64_t va, uint64_t pa)
{
	uint64_t root;

	if (spaces->searches == SEARCHES_MAX)
		return NULL;
	spaces->searches++;
	if (guest_root_find(spaces->guest, va, pa, &root))
		return space_add(spaces, root);
	spaces->searches_failed++;
	return NULL;
}

unsigned int spaces_find(struct spaces *spaces, uint64_t va, uint64_t pa)
{
	unsigned int id = 0;
	struct space *s;

	spaces_lock(spaces);
	s = space_known(spaces, va, pa);
	if (!s)
		s = space_search(spaces, va, pa);
	if (s) {
		s->used = ++spaces->now;
		id = s->id;
	}
	spaces_unlock(spaces);
	return id;
}

static bool space_root(struct spaces *spaces, unsigned int id, uint64_t *root)
{
	bool found = false;
	size_t i;

	spaces_lock(spaces);
	for (i = 0; i < SPACES_MAX && !found; i++) {
		found = spaces->space[i].id == id;
		if (found)
			*root = spaces->space[i].root;
	}
	spaces_unlock(spaces);
	return found;
}

bool spaces_translate(struct spaces *spaces, unsigned int id, uint64_t va,
		      struct tlb_translation *t, uint64_t *pa)
{
	uint64_t root;

	return space_root(spaces, id, &root) && root_translate(spaces, root, va, t, pa);
}

void spaces_searches(const struct spaces *spaces, unsigned int *all, unsigned int *failed)
{
	*all = spaces->searches;
	*failed = spaces->searches_failed;
}
