// SPDX-License-Identifier: GPL-2.0
/*
 * bench_mapping: operations on a whole mapping.
 */
#include <errno.h>
#include <sys/mman.h>

#include <vmtests/bench_mapping.h>

int bench_mapping_fork(struct bench_case *c, uint64_t i)
{
	struct bench_mapping *m = c->ctx;

	(void)i;
	return __bench_child_fork(&m->child);
}

int bench_mapping_exit(struct bench_case *c, uint64_t i)
{
	struct bench_mapping *m = c->ctx;

	(void)i;
	return __bench_child_exit(&m->child);
}

int bench_mapping_protect(struct bench_case *c, uint64_t i)
{
	const struct bench_mapping *m = c->ctx;

	(void)i;
	return mprotect(m->map, m->bytes, PROT_READ) ? -errno : 0;
}

int bench_mapping_unprotect(struct bench_case *c, uint64_t i)
{
	const struct bench_mapping *m = c->ctx;

	(void)i;
	return mprotect(m->map, m->bytes, PROT_READ | PROT_WRITE) ? -errno : 0;
}

int bench_mapping_unmap(struct bench_case *c, uint64_t i)
{
	const struct bench_mapping *m = c->ctx;

	(void)i;
	return munmap(m->map, m->bytes) ? -errno : 0;
}
