// SPDX-License-Identifier: GPL-2.0
/*
 * stock: pages of the kernel's that are taken now and given back one by one.
 *
 * What is given back becomes the first of the CPU's free pages of its kind and zone
 * (free_frozen_page_commit() in mm/page_alloc.c), and so the next page that is allocated there.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "split.h"

/* A pipe keeps the first of the pages that come back (fs/pipe.c, anon_pipe_put_page()): at most. */
#define KEPT 2

static int page_put(struct stock *stock)
{
	return write(stock->ends[1], "", 1) == 1 ? 0 : -errno;
}

static int page_get(struct stock *stock)
{
	char byte;

	return read(stock->ends[0], &byte, 1) == 1 ? 0 : -errno;
}

int __stock_open(struct stock *stock, size_t nr, size_t page)
{
	int err = 0;

	*stock = (struct stock) {};
	if (pipe2(stock->ends, O_DIRECT | O_NONBLOCK | O_CLOEXEC))
		return -errno;
	stock->open = true;
	if (fcntl(stock->ends[1], F_SETPIPE_SZ, (nr + KEPT) * page) < 0)
		err = -errno;
	for (int i = 0; !err && i < KEPT; i++)
		err = page_put(stock);
	return err;
}

int __stock_put(struct stock *stock)
{
	int err = page_put(stock);

	stock->held += !err;
	return err;
}

int __stock_get(struct stock *stock)
{
	int err = 0;

	for (int i = 0; !err && !stock->primed && i < KEPT; i++)
		err = page_get(stock);
	stock->primed = true;
	if (!err)
		err = page_get(stock);
	stock->held -= !err;
	return err;
}

void stock_close(struct stock *stock)
{
	if (!stock->open)
		return;
	close(stock->ends[0]);
	close(stock->ends[1]);
	*stock = (struct stock) {};
}
