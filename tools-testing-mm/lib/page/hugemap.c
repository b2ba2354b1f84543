// SPDX-License-Identifier: GPL-2.0
/*
 * hugemap: mappings of huge pages with contents that can be checked.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/hugemap.h>
#include <libmm/pagemap.h>

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

/* Of pages above this size only so many words are looked at: all would take seconds. */
#define DENSE_BYTES_MAX (UINT64_C(64) << 20)
#define SPARSE_STEP 64

/* An odd multiplier with about as many ones as zeros, so that neighbouring words differ widely. */
#define PATTERN_MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

unsigned int hugemap_size_flags(uint64_t page)
{
	return (unsigned int)__builtin_ctzll(page) << MAP_HUGE_SHIFT;
}

int __hugemap_open(struct hugemap *map, uint64_t page, size_t nr, int flags, int fd)
{
	void *addr;

	if (fd < 0)
		flags |= MAP_ANONYMOUS | MAP_HUGETLB | hugemap_size_flags(page);
	addr = mmap(NULL, nr * page, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (addr == MAP_FAILED)
		return -errno;

	*map = (struct hugemap){ .addr = addr, .page = page, .nr = nr };
	return 0;
}

void hugemap_close(struct hugemap *map)
{
	if (map->addr && munmap(map->addr, map->nr * map->page))
		libmm_fail("hugemap: unmapping %zu huge pages of %" PRIu64 " bytes: %s", map->nr,
			   map->page, strerror(errno));
	map->addr = NULL;
}

void hugemap_touch(struct hugemap *map)
{
	size_t i;

	for (i = 0; i < map->nr; i++)
		__atomic_store_n(map->addr + i * map->page, 1, __ATOMIC_RELAXED);
}

static uint64_t word_at(size_t i, uint64_t seed)
{
	return (i + 1) * PATTERN_MULTIPLIER ^ seed;
}

/* From one word that is looked at to the next. */
static size_t word_step(const struct hugemap *map)
{
	return map->page > DENSE_BYTES_MAX ? SPARSE_STEP : 1;
}

void hugemap_fill(struct hugemap *map, size_t first, size_t nr, uint64_t seed)
{
	size_t i, per_page = map->page / sizeof(uint64_t), step = word_step(map);
	uint64_t *words = (uint64_t *)map->addr;

	for (i = first * per_page; i < (first + nr) * per_page; i += step)
		words[i] = word_at(i, seed);
}

const uint64_t *hugemap_check(const struct hugemap *map, size_t first, size_t nr, uint64_t seed)
{
	size_t i, per_page = map->page / sizeof(uint64_t), step = word_step(map);
	const uint64_t *words = (const uint64_t *)map->addr;

	for (i = first * per_page; i < (first + nr) * per_page; i += step) {
		if (words[i] != word_at(i, seed))
			return &words[i];
	}
	return NULL;
}

const uint64_t *hugemap_nonzero(const struct hugemap *map, size_t i)
{
	const uint64_t *word = (const uint64_t *)(map->addr + i * map->page);
	const uint64_t *end = word + map->page / sizeof(*word);

	for (; word < end; word += word_step(map)) {
		if (*word)
			return word;
	}
	return NULL;
}

int __hugemap_pin(const struct hugemap *map, size_t nr, int pins[2])
{
	struct iovec iov[HUGEMAP_PINS_MAX];
	size_t i;

	if (nr > HUGEMAP_PINS_MAX)
		return -EINVAL;
	if (pipe2(pins, O_CLOEXEC))
		return -errno;
	for (i = 0; i < nr; i++)
		iov[i] = (struct iovec){ map->addr + i * map->page, 1 };
	return vmsplice(pins[1], iov, nr, 0) == (ssize_t)nr ? 0 : -errno;
}

void hugemap_unpin(int pins[2])
{
	size_t i;

	for (i = 0; i < 2; i++) {
		if (pins[i] >= 0)
			close(pins[i]);
		pins[i] = -1;
	}
}

uint64_t hugemap_pfn(const struct hugemap *map, size_t i)
{
	uint64_t pfn;

	pagemap_pfns(map->addr + i * map->page, 1, &pfn);
	return pfn;
}
