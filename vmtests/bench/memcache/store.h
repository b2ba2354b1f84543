/* SPDX-License-Identifier: GPL-2.0 */
/*
 * store: keys and values in one arena of huge pages, cut into shards.
 *
 * A shard has a lock, a hash table, and chunks of a few sizes (a slab). A key belongs to one shard
 * by its hash, so that threads meet only when they want keys of the same shard at the same time.
 * When a shard is full, a value of the same size class is given up, the oldest that nobody asked
 * for since it was last considered (second chance).
 */
#ifndef MEMCACHE_STORE_H
#define MEMCACHE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_KEY_MAX 250
/* As memcached's default: an item, that is key, value and what the store notes down about them. */
#define STORE_ITEM_MAX (1u << 20)

struct store;

struct store_config {
	uint64_t bytes;		/* of the arena, rounded up to whole shards */
	/* Values live in a memfd, that is in the page cache, instead of in the arena. */
	bool values_in_file;
};

enum store_result {
	STORE_OK,
	STORE_TOO_LARGE,	/* the old value is gone too, so that no reader sees a stale one */
	STORE_NO_MEMORY,
};

struct store_key {
	const char *text;
	size_t len;		/* 1 .. STORE_KEY_MAX */
};

/* Of a value in a file: while it is held, its bytes there do not change. */
struct store_hold {
	struct shard *shard;	/* NULL: nothing is held */
	struct item *item;
};

struct store_value {
	const char *data;	/* NULL when the value is in a file */
	int fd;			/* of that file, and where in it */
	uint64_t offset;
	struct store_hold hold;	/* what store_hold() would hold */
	uint32_t bytes;
	uint32_t flags;
};

/*
 * Returns 0, -EINVAL for no bytes, or -errno. The whole arena is touched. It comes from the pool of
 * hugetlb pages when that has enough of them, else transparent huge pages are asked for.
 */
int __store_create(struct store **store, const struct store_config *config);
void store_destroy(struct store *store);

/*
 * Call @found with the value of @key, under the shard's lock; what it returns is returned. Returns
 * -ENOENT without a call when there is none.
 */
int store_get(struct store *store, const struct store_key *key,
	      int (*found)(void *arg, const struct store_value *value), void *arg);

/*
 * Hold @value, of a store with values in a file; only from store_get()'s @found. When the key gets
 * another value meanwhile, or goes, the place of the old one is not used until store_release().
 */
struct store_hold store_hold(const struct store_value *value);
/* Also of a hold on nothing; @hold is one afterwards. */
void store_release(struct store_hold *hold);

/* Put in meta.bytes of @data with meta.flags, in place of what @key had. */
enum store_result store_set(struct store *store, const struct store_key *key, const char *data,
			    const struct store_value *meta);
/* Also of a key that has no value. */
void store_delete(struct store *store, const struct store_key *key);

/* Values that were given up for lack of room, since the start. */
uint64_t store_evictions(const struct store *store);

#endif
