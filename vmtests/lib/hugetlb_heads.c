// SPDX-License-Identifier: GPL-2.0
/* hugetlb_heads: /proc/kpageflags at every frame that may be the head of a huge page. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include <linux/kernel-page-flags.h>

#include <libmm/base.h>
#include <libmm/sysfile.h>
#include <vmtests/hugetlb_heads.h>

#define KPAGEFLAGS "/proc/kpageflags"

/* Flags of one page frame. Returns 1, 0 behind the last one, or -errno. */
static int frame_flags(int fd, uint64_t pfn, uint64_t *flags)
{
	ssize_t done = pread(fd, flags, sizeof(*flags), pfn * sizeof(*flags));

	if (done < 0)
		return -errno;
	return done == sizeof(*flags);
}

static bool flags_are_head(uint64_t flags)
{
	const uint64_t head = 1ull << KPF_HUGE | 1ull << KPF_COMPOUND_HEAD;

	return (flags & head) == head;
}

long hugetlb_heads(uint64_t size, uint64_t *pfns, size_t max)
{
	char path[SYSFILE_PATH_MAX];
	uint64_t pfn, flags;
	long found = 0;
	int fd, more;

	more = __sysfile_path(path, sizeof(path), KPAGEFLAGS);
	if (more)
		return more;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (pfn = 0; (more = frame_flags(fd, pfn, &flags)) > 0; pfn += size / page_size()) {
		if (!flags_are_head(flags))
			continue;
		if ((size_t)found < max)
			pfns[found] = pfn;
		found++;
	}
	close(fd);
	return more < 0 ? more : found;
}
