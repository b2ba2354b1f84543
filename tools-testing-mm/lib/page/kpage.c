// SPDX-License-Identifier: GPL-2.0
/* kpage: files of one 64-bit word a page, below $LIBMM_ROOT as sysfile.h has it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kernel-page-flags.h>
#include <string.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/kpage.h>
#include <libmm/sysfile.h>

#define BIT(n) (UINT64_C(1) << (n))

#define HUGE_BITS (BIT(KPF_COMPOUND_HEAD) | BIT(KPF_COMPOUND_TAIL) | BIT(KPF_HUGE) | \
		   BIT(KPF_HWPOISON) | BIT(KPF_NOPAGE))
#define HUGE_HEAD (BIT(KPF_COMPOUND_HEAD) | BIT(KPF_HUGE))
#define HUGE_TAIL (BIT(KPF_COMPOUND_TAIL) | BIT(KPF_HUGE))

int kpage_open(const char *path)
{
	int fd = sysfile_open(path, O_RDONLY);

	if (fd < 0)
		libmm_fail("kpage: opening %s: %s", path, strerror(-fd));
	return fd;
}

void kpage_read(int fd, uint64_t pfn, uint64_t *values, size_t nr)
{
	ssize_t size = nr * sizeof(*values), n = pread(fd, values, size, pfn * sizeof(*values));

	if (n != size)
		libmm_fail("kpage: reading %zu pages from frame %#" PRIx64 " on: %s", nr, pfn,
			   n < 0 ? strerror(errno) : "memory ends there");
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
		*wrong = i;
		return false;
	}
	return true;
}
