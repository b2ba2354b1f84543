// SPDX-License-Identifier: GPL-2.0
/*
 * kpage: /proc/kpageflags and its kin, one 64-bit word a page.
 *
 * Below $LIBMM_ROOT like every file of /proc here, so that a test can be shown other flags than the
 * kernel's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <unistd.h>

#include <libmm/kpage.h>
#include <libmm/sysfile.h>

#define BIT(n) (UINT64_C(1) << (n))

#define HUGE_BITS (BIT(KPF_COMPOUND_HEAD) | BIT(KPF_COMPOUND_TAIL) | BIT(KPF_HUGE) | \
		   BIT(KPF_HWPOISON) | BIT(KPF_NOPAGE))
#define HUGE_HEAD (BIT(KPF_COMPOUND_HEAD) | BIT(KPF_HUGE))
#define HUGE_TAIL (BIT(KPF_COMPOUND_TAIL) | BIT(KPF_HUGE))

const char *kpage_path(enum kpage_file file)
{
	static const char * const paths[] = {
		[KPAGE_FLAGS] = "/proc/kpageflags",
		[KPAGE_COUNT] = "/proc/kpagecount",
		[KPAGE_CGROUP] = "/proc/kpagecgroup",
	};

	return paths[file];
}

int __kpage_open(enum kpage_file file)
{
	char path[SYSFILE_PATH_MAX];
	int ret, fd;

	ret = __sysfile_path(path, sizeof(path), kpage_path(file));
	if (ret)
		return ret;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int __kpage_read(int fd, uint64_t pfn, uint64_t *values, size_t nr)
{
	off_t offset = pfn * sizeof(*values);
	size_t size = nr * sizeof(*values);
	char *to = (char *)values;

	while (size) {
		ssize_t n = pread(fd, to, size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENODATA;
		to += n;
		offset += n;
		size -= n;
	}
	return 0;
}

bool kpage_flags_are_told(const uint64_t *flags, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (flags[i] & ~BIT(KPF_NOPAGE))
			return true;
	}
	return false;
}

bool kpage_flags_are_huge(const uint64_t *flags, size_t nr, size_t fake, size_t *wrong)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if ((flags[i] & HUGE_BITS) == (i ? HUGE_TAIL : HUGE_HEAD))
			continue;
		if (fake && !(i % fake) && (flags[i] & HUGE_BITS) == HUGE_HEAD)
			continue;
		if (wrong)
			*wrong = i;
		return false;
	}
	return true;
}

bool kpage_flags_are_not_huge(const uint64_t *flags, size_t nr, size_t *wrong)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (!(flags[i] & (BIT(KPF_HUGE) | BIT(KPF_NOPAGE))))
			continue;
		if (wrong)
			*wrong = i;
		return false;
	}
	return true;
}
