// SPDX-License-Identifier: GPL-2.0
/* secretmem: see libmm/secretmem.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <libmm/kconfig.h>
#include <libmm/secretmem.h>

/* All memory of all mappings counts, so the limit is raised as far as this process may. */
static int memlock_raise(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	if (!setrlimit(RLIMIT_MEMLOCK, &limit))
		return 0;
	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return -errno;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_MEMLOCK, &limit) ? -errno : 0;
}

int secretmem_open(struct secretmem *s, size_t size)
{
	int err;

	s->map = NULL;
	s->size = size;
	s->fd = -1;
	if (!size || size % sysconf(_SC_PAGESIZE))
		return -EINVAL;
	err = memlock_raise();
	if (err)
		return err;
	s->fd = syscall(SYS_memfd_secret, O_CLOEXEC);
	if (s->fd < 0)
		return -errno;
	if (!ftruncate(s->fd, size)) {
		void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);

		if (map != MAP_FAILED) {
			s->map = map;
			return 0;
		}
	}
	err = -errno;
	close(s->fd);
	s->fd = -1;
	return err;
}

static struct probe secretmem_missing(int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return probe_no("memfd_secret(2) is forbidden (%s): run outside the container",
				strerror(error));
	case EAGAIN:
		return probe_no("no room for secret memory in RLIMIT_MEMLOCK: ulimit -l unlimited");
	case ENOSYS:
		if (kconfig_value("CONFIG_SECRETMEM") == 'n')
			return probe_no("no memfd_secret(2): the kernel was built without CONFIG_SECRETMEM");
		return probe_no("no memfd_secret(2): boot with secretmem.enable=1, and on arm64 without rodata=off or rodata=noalias");
	default:
		return probe_no("memfd_secret(2) gives no memory: %s", strerror(error));
	}
}

struct probe secretmem_probe(void)
{
	struct secretmem secret;
	int err = secretmem_open(&secret, sysconf(_SC_PAGESIZE));

	if (err)
		return secretmem_missing(-err);
	secretmem_close(&secret);
	return probe_yes();
}

void secretmem_fault(struct secretmem *s)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t i;

	for (i = 0; i < s->size; i += page)
		s->map[i] = 1;
}

void secretmem_close(struct secretmem *s)
{
	if (s->map && munmap(s->map, s->size)) {
		perror("secretmem: munmap of the whole mapping failed");
		abort();
	}
	s->map = NULL;
	if (s->fd >= 0 && close(s->fd)) {
		perror("secretmem: close of the memory file failed");
		abort();
	}
	s->fd = -1;
}
