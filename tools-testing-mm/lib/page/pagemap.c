// SPDX-License-Identifier: GPL-2.0
/*
 * pagemap: frame numbers out of /proc/self/pagemap, one little word a page.
 *
 * Not below $LIBMM_ROOT: frame numbers of this process have no meaning in another machine's files.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/pagemap.h>

#define PAGEMAP_PRESENT	(UINT64_C(1) << 63)
#define PAGEMAP_PFN	((UINT64_C(1) << 55) - 1)

static int entries_read(int fd, off_t offset, uint64_t *entries, size_t size)
{
	char *to = (char *)entries;

	while (size) {
		ssize_t n = pread(fd, to, size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		to += n;
		offset += n;
		size -= n;
	}
	return 0;
}

int __pagemap_pfns(const void *addr, size_t nr, uint64_t *pfns)
{
	size_t i;
	int fd, ret;

	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = entries_read(fd, (uintptr_t)addr / sysconf(_SC_PAGESIZE) * sizeof(*pfns), pfns,
			   nr * sizeof(*pfns));
	close(fd);
	if (ret)
		return ret;

	for (i = 0; i < nr; i++) {
		if (!(pfns[i] & PAGEMAP_PRESENT))
			return -ENOENT;
		pfns[i] &= PAGEMAP_PFN;
		if (!pfns[i])
			return -EPERM;
	}
	return 0;
}

void pagemap_pfns(const void *addr, size_t nr, uint64_t *pfns)
{
	int ret = __pagemap_pfns(addr, nr, pfns);

	if (ret)
		libmm_fail("pagemap: frame numbers of %zu pages at %p: %s", nr, addr,
			   strerror(-ret));
}
