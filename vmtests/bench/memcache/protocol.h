/* SPDX-License-Identifier: GPL-2.0 */
/*
 * protocol: get and set of memcached's text protocol (protocol.txt of memcached 1.6), on any bytes,
 * cut anywhere.
 *
 * Any other command is answered with ERROR, as memcached does for those it does not know. Values do
 * not expire: a set that asks for it is refused.
 */
#ifndef MEMCACHE_PROTOCOL_H
#define MEMCACHE_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

/* A longer line is no command: the connection is closed. */
#define PROTOCOL_LINE_MAX 8192
/* Answers that are waiting to be sent stop the session, or one multi-get could take all memory. */
#define PROTOCOL_OUTPUT_MAX (256u << 10)

struct buffer {
	char *data;
	size_t len;
	size_t size;
};

/* Append. Returns 0 or -ENOMEM, with nothing appended. */
int __buffer_add(struct buffer *b, const char *data, size_t len);
/* Drop the first @len bytes. */
void buffer_drop(struct buffer *b, size_t len);
void buffer_free(struct buffer *b);

/* A value that is in a file and belongs into the answers, behind their first @at bytes. */
struct file_part {
	size_t at;
	int fd;
	uint64_t offset;
	uint32_t bytes;		/* 0: there is none */
	struct store_hold hold;
};

struct session {
	struct store *store;
	struct buffer in;	/* bytes of a request that is not complete, or not yet answered */
	uint64_t swallow;	/* bytes to come that belong to a refused value */
	size_t keys_done;	/* of the multi-get at the front of @in */
	bool stopped;		/* by PROTOCOL_OUTPUT_MAX: session_input() again, once it is sent */
	/*
	 * May be set by the caller: of answers to one get of one key, that came alone, the value is
	 * left in its file, and described here. The caller sends it, and calls store_release()
	 * when the client has it.
	 */
	struct file_part *part;
};

/*
 * Take @len bytes (0 to go on after a stop) and append the answers to @out. Returns 0, -EPIPE when
 * the connection is to be closed once @out is sent, or -ENOMEM, to be closed at once.
 */
int __session_input(struct session *s, const char *data, size_t len, struct buffer *out);
void session_free(struct session *s);

#endif
