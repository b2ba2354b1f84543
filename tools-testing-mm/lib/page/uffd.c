// SPDX-License-Identifier: GPL-2.0
/* uffd: see libmm/uffd.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <libmm/uffd.h>

struct probe uffd_open(uint64_t features, int *fd)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };

	*fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		return probe_no("userfaultfd(2) is not for this process, or not built in: %s",
				strerror(errno));
	if (!ioctl(*fd, UFFDIO_API, &api))
		return probe_yes();
	close(*fd);
	return probe_no("userfaultfd(2) of this kernel does not have the features %#llx",
			(unsigned long long)features);
}

int uffd_register(int uffd, void *addr, uint64_t len, bool miss, bool wp, bool minor)
{
	struct uffdio_register reg = { .range = { .start = (uintptr_t)addr, .len = len } };

	reg.mode |= miss ? UFFDIO_REGISTER_MODE_MISSING : 0;
	reg.mode |= wp ? UFFDIO_REGISTER_MODE_WP : 0;
	reg.mode |= minor ? UFFDIO_REGISTER_MODE_MINOR : 0;
	return ioctl(uffd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}
