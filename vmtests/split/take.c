// SPDX-License-Identifier: GPL-2.0
/*
 * take: use up free memory with a secret page here and there, and other unmovable pages between.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <libmm/bench.h>
#include <libmm/sysconf.h>

#include "split.h"

/* Between two looks at where memory comes from, in blocks: over several, for they go in pairs. */
#define BLOCKS_PER_LOOK 8
/* Secret pages for each block: fragments want more than one. */
#define SECRETS_PER_BLOCK 8

/*
 * Slots of one pipe: the most that kmalloc() can hold at 40 bytes a slot, then fewer; without
 * CAP_SYS_RESOURCE /proc/sys/fs/pipe-max-size is the limit, and is raised to the least of these.
 */
#define PIPE_SLOTS_MOST 65536
#define PIPE_SLOTS_LEAST 16384
#define PIPE_MAX_SIZE "/proc/sys/fs/pipe-max-size"

#define PROGRESS_AFTER_NS 2000000000ull

static int pipe_resize(struct filler *f, int fd, size_t page)
{
	int size = -1;

	for (; f->slots >= PIPE_SLOTS_LEAST; f->slots /= 2) {
		size = fcntl(fd, F_SETPIPE_SZ, f->slots * page);
		if (size >= 0 || errno == EPERM)
			break;
	}
	if (size < 0 && errno == EPERM) {
		char wanted[32];
		int err;

		f->slots = PIPE_SLOTS_LEAST;
		snprintf(wanted, sizeof(wanted), "%zu", f->slots * page);
		err = __sysconf_set(PIPE_MAX_SIZE, wanted, NULL);
		if (err)
			return err;
		size = fcntl(fd, F_SETPIPE_SZ, f->slots * page);
	}
	if (size < 0)
		return -errno;
	f->room = size / page;
	return 0;
}

/* The read end stays open without being kept: it goes when the process ends, as do all pages. */
static int pipe_next(struct filler *f, size_t page)
{
	int ends[2];

	if (pipe2(ends, O_DIRECT | O_NONBLOCK | O_CLOEXEC))
		return -errno;
	f->fd = ends[1];
	return pipe_resize(f, ends[1], page);
}

static int page_fill(struct taker *s)
{
	int err;

	if (!s->filler.room) {
		err = pipe_next(&s->filler, s->page);
		if (err)
			return err;
	}
	if (write(s->filler.fd, "", 1) != 1)
		return -errno;
	s->filler.room--;
	s->filled++;
	return 0;
}

static bool memory_left(const struct taker *s)
{
	return room_free() > s->reserve;
}

/* Whether what was taken since the last look came out of whole blocks, for the most part. */
static void source_look(struct taker *s)
{
	size_t taken = s->secrets + s->filled - s->taken_at_look;
	uint64_t whole;

	if (taken < BLOCKS_PER_LOOK * s->block_pages)
		return;
	whole = room_whole_blocks(s->page, s->block_pages * s->page);
	s->fragments = whole + taken * s->page / 2 > s->whole;
	s->whole = whole;
	s->taken_at_look = s->secrets + s->filled;
}

static size_t pages_between(const struct taker *s)
{
	if (s->naive)
		return 0;
	return s->fragments ? s->block_pages / 16 : s->block_pages / 8 * 7;
}

static void progress_show(const struct taker *s)
{
	uint64_t left = room_free();

	if (!isatty(STDERR_FILENO) || bench_now_ns() - s->started_ns < PROGRESS_AFTER_NS ||
	    s->secrets % 128)
		return;
	left = left > s->reserve ? left - s->reserve : 0;
	fprintf(stderr, "\r\033[Ksplitting the linear map: %" PRIu64 " MiB to go", left / MIB);
}

static void progress_clear(const struct taker *s)
{
	if (isatty(STDERR_FILENO) && bench_now_ns() - s->started_ns >= PROGRESS_AFTER_NS)
		fputs("\r\033[K", stderr);
}

static int limits_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) ? -errno : 0;
}

int __take_begin(struct taker *s)
{
	int err;

	s->page = sysconf(_SC_PAGESIZE);
	s->block_pages = s->page / sizeof(uint64_t);
	s->most_secrets = room_total() / s->page;
	if (!s->naive)
		s->most_secrets = s->most_secrets / s->block_pages * SECRETS_PER_BLOCK;
	s->filler.slots = PIPE_SLOTS_MOST;
	s->fragments = true;

	err = limits_raise();
	if (!err)
		err = __room_reserve(s->page, &s->reserve);
	if (!err)
		err = __bench_pin(0);
	if (err)
		return err;
	/* Up to a block may go between two looks at what is left. */
	s->reserve += s->block_pages * s->page;
	s->whole = room_whole_blocks(s->page, s->block_pages * s->page);
	return __secretmem_open(&s->secret, s->most_secrets * s->page);
}

static int memory_take(struct taker *s)
{
	int err = 0;

	while (!err && memory_left(s) && s->secrets < s->most_secrets) {
		s->secret.map[s->secrets++ * s->page] = 1;
		for (size_t i = pages_between(s); !err && i; i--)
			err = page_fill(s);
		source_look(s);
		progress_show(s);
	}
	return err;
}

static sigjmp_buf out_of_secrets;

static void bus_error(int sig)
{
	(void)sig;
	siglongjmp(out_of_secrets, 1);
}

/* A secret page over RLIMIT_MEMLOCK is SIGBUS, and the limit may be one that cannot be raised. */
int __take_all(struct taker *s)
{
	const struct sigaction on_bus = { .sa_handler = bus_error };
	struct sigaction before;
	int err;

	if (sigaction(SIGBUS, &on_bus, &before))
		return -errno;
	s->started_ns = bench_now_ns();
	err = sigsetjmp(out_of_secrets, 1) ? -EDQUOT : memory_take(s);
	s->seconds = (bench_now_ns() - s->started_ns) / 1e9;
	progress_clear(s);
	return sigaction(SIGBUS, &before, NULL) ? -errno : err;
}
