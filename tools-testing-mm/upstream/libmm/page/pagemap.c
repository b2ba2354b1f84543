// SPDX-License-Identifier: GPL-2.0
/* pagemap: over vm_util.h, which ends the program where /proc/self/pagemap cannot be read. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <vm_util.h>

/* Of the same name, these take an entry there. */
#undef PAGEMAP_PRESENT
#undef PAGEMAP_PFN

#include <libmm/fail.h>
#include <libmm/pagemap.h>

int __pagemap_entries(const void *addr, size_t nr, uint64_t *entries)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t i;

	if (fd < 0)
		return -errno;
	for (i = 0; i < nr; i++)
		entries[i] = pagemap_get_entry(fd, (char *)addr + i * psize());
	close(fd);
	return 0;
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
		pfns[i] = pfns[i] & PAGEMAP_PRESENT ? pfns[i] & PAGEMAP_PFN : 0;
		if (!pfns[i])
			libmm_fail("pagemap: page %zu from %p has no frame, or the kernel hides it",
				   i, addr);
	}
}
