// SPDX-License-Identifier: GPL-2.0
/*
 * take: use up free memory with a secret page here and there, and other unmovable pages between.
 * main.c says why.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vmtests/bench.h>
#include <libmm/restore.h>

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

/*
 * Blocks that are marked before they are split. The page tables of so many lie side by side; when
 * pages begin to come from another zone or node, the marks that are held are of no use any more.
 */
#define MARKS 16

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
		err = __restore_set(PIPE_MAX_SIZE, wanted, NULL);
		if (err)
			return err;
		size = fcntl(fd, F_SETPIPE_SZ, f->slots * page);
	}
	if (size < 0)
		return -errno;
	f->room = size / page;
	return 0;
}

static int pipe_next(struct filler *f, size_t page)
{
	int (*pipes)[2] = reallocarray(f->pipes, f->nr_pipes + 1, sizeof(*pipes));

	if (!pipes)
		return -ENOMEM;
	f->pipes = pipes;
	if (pipe2(pipes[f->nr_pipes], O_DIRECT | O_NONBLOCK | O_CLOEXEC))
		return -errno;
	f->nr_pipes++;
	return pipe_resize(f, pipes[f->nr_pipes - 1][1], page);
}

static int page_fill(struct taker *s)
{
	struct filler *f = &s->filler;

	if (!f->room) {
		int err = pipe_next(f, s->page);

		if (err)
			return err;
	}
	if (write(f->pipes[f->nr_pipes - 1][1], "", 1) != 1)
		return -errno;
	f->room--;
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

	if (!isatty(STDERR_FILENO) || bench_now_ns() - s->started_ns < PROGRESS_AFTER_NS)
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
	s->whole_before = room_whole_blocks(s->page, s->block_pages * s->page);
	s->whole = s->whole_before;
	return secretmem_open(&s->secret, s->most_secrets * s->page);
}

static int secret_take(struct taker *s)
{
	if (s->dry)
		return page_fill(s);
	s->secret.map[s->secrets++ * s->page] = 1;
	return 0;
}

/* What is given back last is allocated first: the secret page is the mark. */
static int marks_split(struct taker *s)
{
	int err = 0;

	while (!err && s->marks.held && s->secrets < s->most_secrets) {
		err = __stock_get(&s->marks);
		if (!err)
			err = secret_take(s);
	}
	stock_close(&s->marks);
	return err;
}

/*
 * Of a whole block only mark a page: were the block split now, its table would be the next page,
 * and stay there, so that no whole block would be free again.
 */
static int block_mark(struct taker *s)
{
	int err = s->marks.open ? 0 : __stock_open(&s->marks, MARKS, s->page);

	if (!err)
		err = __stock_put(&s->marks);
	s->filled++;
	if (!err && s->marks.held == MARKS)
		err = marks_split(s);
	return err;
}

static int block_enter(struct taker *s)
{
	int err;

	if (!s->naive && !s->fragments)
		return block_mark(s);
	err = marks_split(s);
	return err ? err : secret_take(s);
}

static int memory_take(struct taker *s)
{
	size_t rounds = 0;
	int err = 0;

	while (!err && memory_left(s) && s->secrets < s->most_secrets) {
		err = block_enter(s);
		for (size_t i = pages_between(s); !err && i; i--)
			err = page_fill(s);
		source_look(s);
		if (rounds++ % 128 == 0)
			progress_show(s);
	}
	return err ? err : marks_split(s);
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

static void filler_close(struct filler *f)
{
	for (; f->nr_pipes; f->nr_pipes--) {
		close(f->pipes[f->nr_pipes - 1][0]);
		close(f->pipes[f->nr_pipes - 1][1]);
	}
	free(f->pipes);
	f->pipes = NULL;
}

void take_end(struct taker *s)
{
	secretmem_close(&s->secret);
	filler_close(&s->filler);
	stock_close(&s->marks);
}
