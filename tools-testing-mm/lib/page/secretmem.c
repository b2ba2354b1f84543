// SPDX-License-Identifier: GPL-2.0
/* secretmem: see libmm/secretmem.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/kconfig.h>
#include <libmm/secretmem.h>

static void memlock_raise(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	if (!setrlimit(RLIMIT_MEMLOCK, &limit) || getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
}

int secretmem_open(struct secretmem *s, size_t size)
{
	void *map = MAP_FAILED;
	int err;

	*s = (struct secretmem) { .fd = -1, .size = size };
	if (!size || size % page_size())
		return -EINVAL;
	memlock_raise();
	s->fd = syscall(SYS_memfd_secret, O_CLOEXEC);
	if (s->fd >= 0 && !ftruncate(s->fd, size))
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (map != MAP_FAILED) {
		s->map = map;
		return 0;
	}
	err = -errno;
	secretmem_close(s);
	return err;
}

static struct probe secretmem_missing(int error, size_t size)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return probe_no("memfd_secret(2) is forbidden (%s): run outside the container",
				strerror(error));
	case EAGAIN:
		return probe_no("no room for %zu KiB of secret memory in RLIMIT_MEMLOCK, and CAP_IPC_LOCK is missing: ulimit -l unlimited",
				size / 1024);
	case ENOSYS:
		if (kconfig_value("CONFIG_SECRETMEM") == 'n')
			return probe_no("no memfd_secret(2): the kernel was built without CONFIG_SECRETMEM");
		return probe_no("no memfd_secret(2): boot with secretmem.enable=1, and on arm64 without rodata=off or rodata=noalias");
	default:
		return probe_no("memfd_secret(2) gives no memory: %s", strerror(error));
	}
}

struct probe secretmem_room_probe(size_t size)
{
	struct secretmem secret;
	int err = secretmem_open(&secret, size);

	if (err)
		return secretmem_missing(-err, size);
	secretmem_close(&secret);
	return probe_yes();
}

struct probe secretmem_probe(void)
{
	return secretmem_room_probe(page_size());
}

void secretmem_fault(struct secretmem *s)
{
	size_t i;

	for (i = 0; i < s->size; i += page_size())
		__atomic_store_n(s->map + i, 1, __ATOMIC_RELAXED);
}

void secretmem_close(struct secretmem *s)
{
	if (s->map && munmap(s->map, s->size))
		libmm_fail("secretmem: munmap: %s", strerror(errno));
	if (s->fd >= 0 && close(s->fd))
		libmm_fail("secretmem: close: %s", strerror(errno));
	s->map = NULL;
	s->fd = -1;
}
