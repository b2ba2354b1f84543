/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of linear_map_split share; main.c says what it does and how.
 */
#ifndef VMTESTS_SPLIT_H
#define VMTESTS_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmm/kcore.h>
#include <libmm/secretmem.h>

#define MIB (UINT64_C(1) << 20)

/* How the linear map is made, in bytes. */
struct map {
	uint64_t blocks;
	uint64_t pages;
};

/* Returns 0, or -errno with one sentence in @reason (KCORE_REASON_MAX bytes). */
int __map_read(struct map *map, char *reason, size_t len);

/* Memory of the machine, and what of it is free now, in bytes. */
uint64_t room_total(void);
uint64_t room_free(void);
/*
 * Lower the watermarks until this process ends (through libmm/restore.h), and tell how many bytes
 * an allocation for the kernel must leave free all the same. @page in bytes. Returns 0 or -errno.
 */
int __room_reserve(size_t page, uint64_t *bytes);
/* Bytes that are free in whole blocks of at least @block bytes. */
uint64_t room_whole_blocks(size_t page, size_t block);
/*
 * A memory cgroup has an OOM killer of its own. Returns 0 when none of those that this process is
 * in has a limit, else -ENOMEM with one sentence in @reason.
 */
int __room_unlimited(char *reason, size_t len);

/* Pages that are used up, in pipes. */
struct filler {
	int (*pipes)[2];
	size_t nr_pipes;
	size_t room;		/* slots left in the last */
	size_t slots;		/* of the next pipe */
};

/* A few pages, in one pipe, that can be given back one by one, the oldest first. */
struct stock {
	int ends[2];
	bool open;
	bool primed;		/* the pipe has kept what it keeps */
	size_t held;		/* pages that can be given back */
};

struct taker {
	bool naive;		/* given: nothing but secret pages */
	bool dry;		/* given: none at all, so that nothing is split */

	size_t page;		/* bytes */
	size_t block_pages;
	uint64_t reserve;	/* bytes that stay free */
	struct secretmem secret;
	size_t secrets, most_secrets;
	size_t filled;
	struct filler filler;
	struct stock marks;	/* one in each whole block, to become secret */
	uint64_t whole_before;	/* bytes free in whole blocks */
	uint64_t whole;		/* at the last look */
	size_t taken_at_look;	/* pages */
	bool fragments;		/* that is where pages come from at present */
	uint64_t started_ns;
	double seconds;		/* what the taking took */
};

/*
 * Take memory until what is left is the reserve, and split blocks by it. __take_all() returns 0,
 * -EDQUOT when no more secret pages may be locked, or -errno. take_end() gives everything back.
 */
int __take_begin(struct taker *s);
int __take_all(struct taker *s);
void take_end(struct taker *s);

/*
 * stock_open() makes room for @nr pages of @page bytes; stock_put() takes one from the kernel;
 * stock_get() gives the oldest back, to where the next allocation of this CPU looks first. They
 * return 0 or -errno. stock_close() gives all back, and is nothing for one that is not open.
 */
int __stock_open(struct stock *stock, size_t nr, size_t page);
int __stock_put(struct stock *stock);
int __stock_get(struct stock *stock);
void stock_close(struct stock *stock);

#endif
