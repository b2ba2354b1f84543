// SPDX-License-Identifier: GPL-2.0
/* pagemap: not below $LIBMM_ROOT, whose entries would be those of another process. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/pagemap.h>

int __pagemap_entries(const void *addr, size_t nr, uint64_t *entries)
{
	off_t offset = (uintptr_t)addr / page_size() * sizeof(*entries);
	ssize_t n, size = nr * sizeof(*entries);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	n = pread(fd, entries, size, offset);
	if (n != size)
		n = n < 0 ? -errno : -ENODATA;
	close(fd);
	return n < 0 ? n : 0;
}

void pagemap_entries(const void *addr, size_t nr, uint64_t *entries)
{
	int ret = __pagemap_entries(addr, nr, entries);

	if (ret)
		libmm_fail("pagemap: %zu pages at %p: %s", nr, addr, strerror(-ret));
}

void pagemap_pfns(const void *addr, size_t nr, uint64_t *pfns)
{
	size_t i;

	pagemap_entries(addr, nr, pfns);
	for (i = 0; i < nr; i++) {
		if (!(pfns[i] & PAGEMAP_PRESENT) || !(pfns[i] & PAGEMAP_PFN))
			libmm_fail("pagemap: page %zu from %p has no frame, or the kernel hides it",
				   i, addr);
		pfns[i] &= PAGEMAP_PFN;
	}
}
