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
 * Lower the watermarks until this process ends (through sysconf), and tell how many bytes an
 * allocation for the kernel must leave free all the same. @page in bytes. Returns 0 or -errno.
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
	int fd;			/* the end to write to */
	size_t room;		/* slots left in it */
	size_t slots;		/* of the next pipe */
};

struct taker {
	bool naive;		/* given: nothing but secret pages */

	size_t page;		/* bytes */
	size_t block_pages;
	uint64_t reserve;	/* bytes that stay free */
	struct secretmem secret;
	size_t secrets, most_secrets;
	size_t filled;
	struct filler filler;
	uint64_t whole;		/* bytes free in whole blocks at the last look */
	size_t taken_at_look;	/* pages */
	bool fragments;		/* that is where pages come from at present */
	uint64_t started_ns;
	double seconds;		/* what the taking took */
};

/*
 * Take memory until what is left is the reserve. The process's end gives it back. Returns 0,
 * -EDQUOT when no more secret pages may be locked, or -errno.
 */
int __take_begin(struct taker *s);
int __take_all(struct taker *s);

#endif
