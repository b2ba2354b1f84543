// SPDX-License-Identifier: GPL-2.0
/* pagemap: frame numbers out of /proc/self/pagemap. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/pagemap.h>
#include <vm_util.h>

int __pagemap_pfns(const void *addr, size_t nr, uint64_t *pfns)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int ret = 0;
	size_t i;

	if (fd < 0)
		return -errno;
	for (i = 0; i < nr && !ret; i++) {
		pfns[i] = pagemap_get_pfn(fd, (char *)addr + i * psize());
		if (pfns[i] == -1UL)
			ret = -ENOENT;
		else if (!pfns[i])
			ret = -EPERM;
	}
	close(fd);
	return ret;
}

void pagemap_pfns(const void *addr, size_t nr, uint64_t *pfns)
{
	int ret = __pagemap_pfns(addr, nr, pfns);

	if (ret)
		libmm_fail("pagemap: frame numbers of %zu pages at %p: %s", nr, addr,
			   strerror(-ret));
}
