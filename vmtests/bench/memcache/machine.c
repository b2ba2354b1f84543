// SPDX-License-Identifier: GPL-2.0
/*
 * machine: see machine.h.
 */
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine.h"

int machine_allows_files(struct bench_case *c, unsigned int nr)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return bench_fail(c, -errno, "cannot read the limit of open files");
	if (limit.rlim_cur >= nr)
		return 0;
	if (limit.rlim_max < nr)
		return bench_skip(c, "needs a limit of %u open files, and it is %lu: ulimit -Hn",
				  nr, (unsigned long)limit.rlim_max);
	limit.rlim_cur = nr;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		return bench_fail(c, -errno, "cannot raise the limit of open files to %u", nr);
	return 0;
}

int machine_allows_memory(struct bench_case *c, uint64_t needed, uint64_t available)
{
	if (needed <= available / 2)
		return 0;
	return bench_skip(c, "needs %lu MiB, and half of the available memory is %lu MiB",
			  (unsigned long)(needed >> 20), (unsigned long)(available >> 21));
}

/* Whether packets to this machine itself arrive, which in a new network namespace they do not. */
static bool loopback_is_up(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && !ioctl(fd, SIOCGIFFLAGS, &lo) && lo.ifr_flags & IFF_UP;

	if (fd >= 0)
		close(fd);
	return up;
}

int machine_allows_loopback(struct bench_case *c)
{
	if (bench_cpus() < 2)
		return bench_skip(c, "needs a CPU for the server and one for the clients");
	if (!loopback_is_up())
		return bench_skip(c, "the loopback interface is down: try ip link set lo up");
	return 0;
}
