// SPDX-License-Identifier: GPL-2.0
/* pagemap: over vm_util.h. */
#include <fcntl.h>
#include <unistd.h>

#include <vm_util.h>

/* Of the same name, these take an entry there. */
#undef PAGEMAP_PRESENT
#undef PAGEMAP_PFN

#include <libmm/pagemap.h>

void pagemap_entries(const void *addr, size_t nr, uint64_t *entries)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t i;

	for (i = 0; i < nr; i++)
		entries[i] = pagemap_get_entry(fd, (char *)addr + i * psize());
	close(fd);
}
