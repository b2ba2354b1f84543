// SPDX-License-Identifier: GPL-2.0
/* uffd: see libmm/uffd.h; uffd_register() is vm_util.c's. */
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
