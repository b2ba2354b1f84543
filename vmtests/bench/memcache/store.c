// SPDX-License-Identifier: GPL-2.0
/*
 * store: see store.h.
 *
 * A shard's region of the arena:
 *
 *   | hash table | slab | slab | ... | not yet used |
 *
 * Places within a region are 32-bit counts of UNIT bytes; 0 is the hash table and so means "none".
 */
#include <errno.h>
#include <linux/mman.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libmm/sysfile.h>

#include "store.h"

#define UNIT 8u
#define CACHE_LINE 64
#define MAX_SHARDS 4096u
/* A region holds a few items of the largest size, and slabs of all small sizes. */
#define REGION_MIN (8ull << 20)
/* One bucket for so many bytes of the region: a small item, so that chains are short. */
#define BYTES_PER_BUCKET 256
#define SLAB_MIN (16u << 10)
#define CHUNK_MIN 64u
#define NR_CLASSES 48
#define HUGE_PAGE_FALLBACK (2ull << 20)

struct item {
	uint32_t next;		/* in the hash chain */
	uint32_t newer;		/* in the list of its class; next of a free chunk */
	uint32_t older;
	uint32_t hash;
	uint32_t flags;
	uint32_t bytes;
	uint32_t holds;
	uint8_t key_len;
	uint8_t class;
	uint8_t wanted;		/* read since it was last considered for eviction */
	uint8_t removed;	/* and the last hold's release frees the chunk */
	char data[];		/* the key, then the value */
};

struct class {
	uint32_t chunk;		/* bytes */
	uint32_t free;
	uint32_t newest;
	uint32_t oldest;
};

struct shard {
	pthread_mutex_t lock;
	char *region;
	uint64_t used;		/* bytes of the region, from its start */
	uint64_t evictions;
	struct class classes[NR_CLASSES];
} __attribute__((aligned(CACHE_LINE)));

struct store {
	struct shard *shards;
	unsigned int nr_shards;		/* a power of two */
	char *arena;
	uint64_t bytes;
	uint64_t region_bytes;
	uint32_t bucket_mask;
	int fd;				/* -1, or the file of the values */
};

/*
 * FNV-1a (Fowler, Noll, Vo), its bits mixed by MurmurHash3's finalizer (Appleby): FNV alone leaves
 * the upper bits of short keys alike, and they choose the shard.
 */
static uint64_t key_hash(const struct store_key *key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < key->len; i++)
		hash = (hash ^ (unsigned char)key->text[i]) * UINT64_C(0x100000001b3);
	hash = (hash ^ (hash >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ (hash >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ (hash >> 33);
}

static struct shard *hash_shard(struct store *store, uint64_t hash)
{
	return &store->shards[(hash >> 32) & (store->nr_shards - 1)];
}

static struct item *item_at(const struct shard *shard, uint32_t place)
{
	return place ? (struct item *)(shard->region + (uint64_t)place * UNIT) : NULL;
}

static uint32_t item_place(const struct shard *shard, const struct item *item)
{
	return ((const char *)item - shard->region) / UNIT;
}

static uint32_t *bucket_of(const struct store *store, const struct shard *shard, uint32_t hash)
{
	return (uint32_t *)shard->region + (hash & store->bucket_mask);
}

static void class_link(struct shard *shard, struct item *item)
{
	struct class *class = &shard->classes[item->class];
	uint32_t place = item_place(shard, item);

	item->newer = 0;
	item->older = class->newest;
	if (class->newest)
		item_at(shard, class->newest)->newer = place;
	else
		class->oldest = place;
	class->newest = place;
}

static void class_unlink(struct shard *shard, struct item *item)
{
	struct class *class = &shard->classes[item->class];

	if (item->newer)
		item_at(shard, item->newer)->older = item->older;
	else
		class->newest = item->older;
	if (item->older)
		item_at(shard, item->older)->newer = item->newer;
	else
		class->oldest = item->newer;
}

static void chunk_free(struct shard *shard, struct item *item)
{
	struct class *class = &shard->classes[item->class];

	item->newer = class->free;
	class->free = item_place(shard, item);
}

static void item_remove(struct store *store, struct shard *shard, struct item *item)
{
	uint32_t *link = bucket_of(store, shard, item->hash);
	uint32_t place = item_place(shard, item);

	while (*link != place)
		link = &item_at(shard, *link)->next;
	*link = item->next;
	class_unlink(shard, item);
	if (item->holds)
		item->removed = 1;
	else
		chunk_free(shard, item);
}

static struct item *item_find(const struct store *store, const struct shard *shard, uint32_t hash,
			      const struct store_key *key)
{
	struct item *item = item_at(shard, *bucket_of(store, shard, hash));

	while (item && (item->hash != hash || item->key_len != key->len ||
			memcmp(item->data, key->text, key->len)))
		item = item_at(shard, item->next);
	return item;
}

static void item_insert(struct store *store, struct shard *shard, struct item *item)
{
	uint32_t *bucket = bucket_of(store, shard, item->hash);

	item->next = *bucket;
	*bucket = item_place(shard, item);
	class_link(shard, item);
}

/* Cut a new slab into chunks of the class. False when the region has no room for one. */
static bool slab_add(struct store *store, struct shard *shard, unsigned int nr)
{
	struct class *class = &shard->classes[nr];
	uint32_t slab = class->chunk > SLAB_MIN ? class->chunk : SLAB_MIN;
	uint32_t at;

	if (store->region_bytes - shard->used < slab)
		return false;
	for (at = 0; at + class->chunk <= slab; at += class->chunk) {
		struct item *item = (struct item *)(shard->region + shard->used + at);

		item->class = nr;
		chunk_free(shard, item);
	}
	shard->used += slab;
	return true;
}

static bool class_evict(struct store *store, struct shard *shard, unsigned int nr)
{
	struct class *class = &shard->classes[nr];

	if (!class->oldest)
		return false;
	/* Ends: each turn clears one mark, and nobody sets marks under the lock. */
	while (item_at(shard, class->oldest)->wanted) {
		struct item *item = item_at(shard, class->oldest);

		item->wanted = 0;
		class_unlink(shard, item);
		class_link(shard, item);
	}
	item_remove(store, shard, item_at(shard, class->oldest));
	shard->evictions++;
	return true;
}

static struct item *chunk_alloc(struct store *store, struct shard *shard, uint64_t size)
{
	unsigned int nr = 0;
	struct item *item;

	while (shard->classes[nr].chunk < size)
		nr++;
	/* Ends: an eviction of a value that is held frees nothing, but there is one fewer. */
	while (!shard->classes[nr].free)
		if (!slab_add(store, shard, nr) && !class_evict(store, shard, nr))
			return NULL;
	item = item_at(shard, shard->classes[nr].free);
	shard->classes[nr].free = item->newer;
	return item;
}

/* Where the value of @item is in the file: the place that it would have in the arena. */
static uint64_t value_offset(const struct store *store, const struct item *item)
{
	return item->data + item->key_len - store->arena;
}

static bool value_write(struct store *store, struct item *item, const char *data)
{
	if (store->fd < 0) {
		memcpy(item->data + item->key_len, data, item->bytes);
		return true;
	}
	return pwrite(store->fd, data, item->bytes, value_offset(store, item)) == item->bytes;
}

static struct store_value item_value(const struct store *store, struct shard *shard,
				     struct item *item)
{
	struct store_value value = {
		.data = item->data + item->key_len,
		.fd = store->fd,
		.hold = { .shard = shard, .item = item },
		.bytes = item->bytes,
		.flags = item->flags,
	};

	if (store->fd >= 0) {
		value.data = NULL;
		value.offset = value_offset(store, item);
	}
	return value;
}

int store_get(struct store *store, const struct store_key *key,
	      int (*found)(void *arg, const struct store_value *value), void *arg)
{
	uint64_t hash = key_hash(key);
	struct shard *shard = hash_shard(store, hash);
	struct store_value value;
	struct item *item;
	int ret = -ENOENT;

	pthread_mutex_lock(&shard->lock);
	item = item_find(store, shard, hash, key);
	if (item) {
		/* Written only when it changes: a hot key's line stays shared. */
		if (!item->wanted)
			item->wanted = 1;
		value = item_value(store, shard, item);
		ret = found(arg, &value);
	}
	pthread_mutex_unlock(&shard->lock);
	return ret;
}

struct store_hold store_hold(const struct store_value *value)
{
	value->hold.item->holds++;
	return value->hold;
}

void store_release(struct store_hold *hold)
{
	struct shard *shard = hold->shard;
	struct item *item = hold->item;

	if (!shard)
		return;
	pthread_mutex_lock(&shard->lock);
	item->holds--;
	if (!item->holds && item->removed)
		chunk_free(shard, item);
	pthread_mutex_unlock(&shard->lock);
	hold->shard = NULL;
}

static enum store_result set_locked(struct store *store, struct shard *shard, uint32_t hash,
				    const struct store_key *key, const char *data,
				    const struct store_value *meta)
{
	uint64_t size = sizeof(struct item) + key->len + meta->bytes;
	struct item *item, *old;

	item = size > STORE_ITEM_MAX ? NULL : chunk_alloc(store, shard, size);
	/* Looked for only now: making room may have evicted it. */
	old = item_find(store, shard, hash, key);
	if (old)
		item_remove(store, shard, old);
	if (!item)
		return size > STORE_ITEM_MAX ? STORE_TOO_LARGE : STORE_NO_MEMORY;

	item->hash = hash;
	item->flags = meta->flags;
	item->bytes = meta->bytes;
	item->key_len = key->len;
	item->wanted = 0;
	item->holds = 0;
	item->removed = 0;
	memcpy(item->data, key->text, key->len);
	if (!value_write(store, item, data)) {
		chunk_free(shard, item);
		return STORE_NO_MEMORY;
	}
	item_insert(store, shard, item);
	return STORE_OK;
}

enum store_result store_set(struct store *store, const struct store_key *key, const char *data,
			    const struct store_value *meta)
{
	uint64_t hash = key_hash(key);
	struct shard *shard = hash_shard(store, hash);
	enum store_result result;

	pthread_mutex_lock(&shard->lock);
	result = set_locked(store, shard, hash, key, data, meta);
	pthread_mutex_unlock(&shard->lock);
	return result;
}

void store_delete(struct store *store, const struct store_key *key)
{
	uint64_t hash = key_hash(key);
	struct shard *shard = hash_shard(store, hash);
	struct item *item;

	pthread_mutex_lock(&shard->lock);
	item = item_find(store, shard, hash, key);
	if (item)
		item_remove(store, shard, item);
	pthread_mutex_unlock(&shard->lock);
}

/* Sizes that grow by a quarter, as memcached's; the last one is the largest item. */
static void classes_init(struct shard *shard)
{
	uint64_t chunk = CHUNK_MIN;
	unsigned int i;

	for (i = 0; i < NR_CLASSES; i++) {
		if (i == NR_CLASSES - 1 || chunk > STORE_ITEM_MAX)
			chunk = STORE_ITEM_MAX;
		shard->classes[i].chunk = chunk;
		chunk = (chunk + chunk / 4 + UNIT - 1) / UNIT * UNIT;
	}
}

static int shard_init(struct store *store, unsigned int i)
{
	struct shard *shard = &store->shards[i];
	int err;

	err = pthread_mutex_init(&shard->lock, NULL);
	if (err)
		return -err;
	shard->region = store->arena + i * store->region_bytes;
	shard->used = (store->bucket_mask + 1ull) * sizeof(uint32_t);
	classes_init(shard);
	return 0;
}

static uint64_t huge_page_bytes(void)
{
	uint64_t bytes;

	if (__sysfile_read_u64("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", &bytes))
		return HUGE_PAGE_FALLBACK;
	return bytes;
}

/*
 * From the pool of hugetlb pages, when it has enough of them. They are reserved by mmap(), but a
 * cgroup or a memory policy may still refuse them, with a signal unless they are asked for so.
 */
static bool arena_map_hugetlb(struct store *store)
{
	int size = __builtin_ctzll(huge_page_bytes()) << MAP_HUGE_SHIFT;

	store->arena = mmap(NULL, store->bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | size, -1, 0);
	if (store->arena == MAP_FAILED) {
		store->arena = NULL;
		return false;
	}
	/* EINVAL: before 5.14, which has no such advice. */
	if (!madvise(store->arena, store->bytes, MADV_POPULATE_WRITE) || errno == EINVAL)
		return true;
	munmap(store->arena, store->bytes);
	store->arena = NULL;
	return false;
}

static int arena_map_thp(struct store *store)
{
	uint64_t align = huge_page_bytes(), lead, tail;
	char *map;

	map = mmap(NULL, store->bytes + align, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return -errno;
	lead = -(uintptr_t)map & (align - 1);
	tail = align - lead;
	if ((lead && munmap(map, lead)) || (tail && munmap(map + lead + store->bytes, tail)))
		return -errno;
	store->arena = map + lead;
	/* A kernel without THP says EINVAL. */
	if (madvise(store->arena, store->bytes, MADV_HUGEPAGE) && errno != EINVAL)
		return -errno;
	return 0;
}

static int arena_map(struct store *store)
{
	int err = arena_map_hugetlb(store) ? 0 : arena_map_thp(store);

	if (!err)
		memset(store->arena, 0, store->bytes);
	return err;
}

static uint64_t power_of_two_below(uint64_t value)
{
	return value ? 1ull << (63 - __builtin_clzll(value)) : 0;
}

static void layout_choose(struct store *store, uint64_t bytes)
{
	uint64_t shards = power_of_two_below(bytes / REGION_MIN);
	uint64_t align = huge_page_bytes();

	if (shards > MAX_SHARDS)
		shards = MAX_SHARDS;
	store->nr_shards = shards ? shards : 1;
	store->region_bytes = (bytes + store->nr_shards - 1) / store->nr_shards;
	if (store->region_bytes < REGION_MIN)
		store->region_bytes = REGION_MIN;
	store->region_bytes = (store->region_bytes + align - 1) / align * align;
	store->bytes = store->nr_shards * store->region_bytes;
	store->bucket_mask = power_of_two_below(store->region_bytes / BYTES_PER_BUCKET) - 1;
}

static int store_init(struct store *store, const struct store_config *config)
{
	unsigned int i;
	int err;

	layout_choose(store, config->bytes);
	/* Places are 32 bits. */
	if (store->region_bytes / UNIT > UINT32_MAX)
		return -E2BIG;
	store->shards = aligned_alloc(CACHE_LINE, store->nr_shards * sizeof(*store->shards));
	if (!store->shards)
		return -ENOMEM;
	memset(store->shards, 0, store->nr_shards * sizeof(*store->shards));
	err = arena_map(store);
	for (i = 0; i < store->nr_shards && !err; i++)
		err = shard_init(store, i);
	if (err || !config->values_in_file)
		return err;
	store->fd = memfd_create("memcache", MFD_CLOEXEC);
	if (store->fd < 0 || ftruncate(store->fd, store->bytes))
		return -errno;
	return 0;
}

int __store_create(struct store **store, const struct store_config *config)
{
	int err;

	if (!config->bytes)
		return -EINVAL;
	*store = calloc(1, sizeof(**store));
	if (!*store)
		return -ENOMEM;
	(*store)->fd = -1;
	err = store_init(*store, config);
	if (err) {
		store_destroy(*store);
		*store = NULL;
	}
	return err;
}

void store_destroy(struct store *store)
{
	if (store->arena)
		munmap(store->arena, store->bytes);
	if (store->fd >= 0)
		close(store->fd);
	free(store->shards);
	free(store);
}

uint64_t store_evictions(const struct store *store)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < store->nr_shards; i++) {
		pthread_mutex_lock(&store->shards[i].lock);
		sum += store->shards[i].evictions;
		pthread_mutex_unlock(&store->shards[i].lock);
	}
	return sum;
}
