// SPDX-License-Identifier: GPL-2.0
/* pagemap: not below $LIBMM_ROOT, whose entries would be those of another process. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/pagemap.h>

void pagemap_entries(const void *addr, size_t nr, uint64_t *entries)
{
	off_t offset = (uintptr_t)addr / page_size() * sizeof(*entries);
	ssize_t n = -1, size = nr * sizeof(*entries);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		n = pread(fd, entries, size, offset);
	if (n != size)
		libmm_fail("pagemap: %zu pages at %p: %s", nr, addr,
			   n < 0 ? strerror(errno) : "no address of a process");
	close(fd);
}
