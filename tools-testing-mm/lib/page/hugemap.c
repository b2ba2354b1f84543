// SPDX-License-Identifier: GPL-2.0
/* hugemap: private mappings of huge pages. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/hugemap.h>
#include <libmm/hugetlb.h>
#include <libmm/pagemap.h>

/* Of larger pages one word in SPARSE_STEP is looked at: all would take seconds. */
#define DENSE_BYTES_MAX (UINT64_C(64) << 20)
#define SPARSE_STEP 64

/* Odd, with about as many ones as zeros: neighbouring words differ widely. */
#define PATTERN_MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

int __hugemap_open(struct hugemap *map, uint64_t page, size_t nr)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | hugetlb_size_flags(page);
	void *addr = mmap(NULL, nr * page, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (addr == MAP_FAILED)
		return -errno;
	*map = (struct hugemap){ .addr = addr, .page = page, .nr = nr };
	return 0;
}

void hugemap_open(struct hugemap *map, uint64_t page, size_t nr)
{
	int ret = __hugemap_open(map, page, nr);

	if (ret)
		libmm_fail("hugemap: mapping %zu huge pages of %" PRIu64 " bytes: %s", nr, page,
			   strerror(-ret));
}

void hugemap_close(struct hugemap *map)
{
	if (map->addr && munmap(map->addr, map->nr * map->page))
		libmm_fail("hugemap: unmapping %zu huge pages of %" PRIu64 " bytes: %s", map->nr,
			   map->page, strerror(errno));
	if (map->pinned) {
		close(map->pins[0]);
		close(map->pins[1]);
	}
	*map = (struct hugemap){};
}

void hugemap_touch(struct hugemap *map)
{
	size_t i;

	for (i = 0; i < map->nr; i++)
		__atomic_store_n(map->addr + i * map->page, 1, __ATOMIC_RELAXED);
}

static uint64_t word_at(size_t i, uint64_t seed)
{
	return seed ? (i + 1) * PATTERN_MULTIPLIER ^ seed : 0;
}

/* From one word that is looked at to the next. */
static size_t word_step(const struct hugemap *map)
{
	return map->page > DENSE_BYTES_MAX ? SPARSE_STEP : 1;
}

void hugemap_fill(struct hugemap *map, uint64_t seed)
{
	size_t i, end = map->nr * map->page / sizeof(uint64_t), step = word_step(map);
	uint64_t *words = (uint64_t *)map->addr;

	for (i = 0; i < end; i += step)
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

void hugemap_pin(struct hugemap *map)
{
	struct iovec piece = { .iov_len = 1 };
	size_t i;

	if (pipe2(map->pins, O_CLOEXEC))
		libmm_fail("hugemap: pipe: %s", strerror(errno));
	map->pinned = true;
	for (i = 0; i < map->nr; i++) {
		piece.iov_base = map->addr + i * map->page;
		if (vmsplice(map->pins[1], &piece, 1, SPLICE_F_NONBLOCK) != 1)
			libmm_fail("hugemap: a reference to page %zu: %s", i, strerror(errno));
	}
}

uint64_t hugemap_pfn(const struct hugemap *map, size_t i)
{
	uint64_t pfn;

	pagemap_pfns(map->addr + i * map->page, 1, &pfn);
	return pfn;
}
