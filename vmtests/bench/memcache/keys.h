/* SPDX-License-Identifier: GPL-2.0 */
/*
 * keys: which key is asked for next, and how long keys and values are.
 *
 * A key is a number; its text and the length of its value follow from the number alone, so that
 * an answer can be checked without a table.
 */
#ifndef MEMCACHE_KEYS_H
#define MEMCACHE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vmtests/random.h>

#define KEYS_TEXT_MAX 250
/* Of a value. The ETC model's tail has no end; about 1 of 10^7 values is cut here. */
#define KEYS_VALUE_MAX (64u << 10)

enum keys_choice { KEYS_UNIFORM, KEYS_ZIPF };
enum keys_sizes { KEYS_FIXED, KEYS_ETC };

struct keys {
	uint32_t nr;
	enum keys_choice choice;
	enum keys_sizes sizes;
	unsigned int key_bytes;		/* KEYS_FIXED */
	unsigned int value_bytes;
	/* Zipf, set by keys_init() */
	double skew;
	double first, last, shortcut;
};

/*
 * Complete @keys, of which nr, choice, sizes, key_bytes (10 .. KEYS_TEXT_MAX), value_bytes (up to
 * KEYS_VALUE_MAX) and, for KEYS_ZIPF, skew (above 0, not 1) are set. Returns 0 or -EINVAL.
 */
int __keys_init(struct keys *keys);

/* 0 .. nr - 1; with KEYS_ZIPF key 0 is the most popular. */
uint32_t keys_next(const struct keys *keys, struct random *r);

/* The text of key @id into @text (KEYS_TEXT_MAX bytes, no NUL); returns its length. */
size_t keys_text(const struct keys *keys, uint32_t id, char *text);
uint32_t keys_value_bytes(const struct keys *keys, uint32_t id);

#endif
