// SPDX-License-Identifier: GPL-2.0
/*
 * pagecache: hold a file in the page cache by a mapping, locked where that is allowed.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vmtests/pagecache.h>

/* Pages that one call of mincore(2) tells of. */
#define PAGES_AT_ONCE 65536

int __pagecache_hold(struct pagecache *held, int fd, uint64_t bytes)
{
	*held = (struct pagecache) { .bytes = bytes };
	held->map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (held->map == MAP_FAILED) {
		held->map = NULL;
		return -errno;
	}
	/* Not mlock(): the sanitizers replace it by nothing. */
	held->locked = !syscall(SYS_mlock, held->map, bytes);
	return 0;
}

void pagecache_release(struct pagecache *held)
{
	if (held->map)
		munmap(held->map, held->bytes);
	*held = (struct pagecache) {};
}

int __pagecache_missing(const struct pagecache *held, uint64_t *pages)
{
	static unsigned char present[PAGES_AT_ONCE];
	uint64_t page = sysconf(_SC_PAGESIZE), at, most = PAGES_AT_ONCE * page;

	*pages = 0;
	for (at = 0; at < held->bytes; at += most) {
		uint64_t left = held->bytes - at, span = left < most ? left : most;

		if (mincore((char *)held->map + at, span, present))
			return -errno;
		for (uint64_t i = 0; i < (span + page - 1) / page; i++)
			*pages += !(present[i] & 1);
	}
	return 0;
}
