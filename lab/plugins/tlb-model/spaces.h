/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's user address spaces: which page tables there are, and which an access went through.
 */
#ifndef TLB_MODEL_SPACES_H
#define TLB_MODEL_SPACES_H

#include <stdbool.h>
#include <stdint.h>

#include "guest.h"

struct spaces;

/* Of @guest, whose geometry must be set before any is looked for. NULL without memory. */
struct spaces *spaces_new(const struct guest *guest);
void spaces_free(struct spaces *spaces);

/*
 * The space in which user address @va leads to @pa, as the emulator says that it does: of those
 * known that agree the last used, else one that a search of RAM finds. Numbers begin at 1 and are
 * not used again; 0 when there is none. Any thread may ask.
 */
unsigned int spaces_find(struct spaces *spaces, uint64_t va, uint64_t pa);

/* Translate @va in space @id, as guest_translate(). */
bool spaces_translate(struct spaces *spaces, unsigned int id, uint64_t va,
		      struct tlb_translation *t, uint64_t *pa);

/* How many searches there were, and how many found nothing. */
void spaces_searches(const struct spaces *spaces, unsigned int *all, unsigned int *failed);

#endif
