/* SPDX-License-Identifier: GPL-2.0 */
/*
 * reply: one answer of a memcached server, cut anywhere.
 */
#ifndef MEMCACHE_REPLY_H
#define MEMCACHE_REPLY_H

#include <stddef.h>
#include <stdint.h>

/* "VALUE ", the longest key, two 32-bit numbers and a 64-bit one, and the line's end. */
#define REPLY_LINE_MAX 320

enum reply_kind {
	REPLY_PARTIAL,		/* more is to come */
	REPLY_HIT,		/* of a get; value_bytes says how long the value was */
	REPLY_MISS,
	REPLY_STORED,
	REPLY_OTHER,		/* an error, or nothing that a get or set is answered with */
};

struct reply {
	uint32_t value_bytes;
	uint32_t skip;		/* bytes of the value, and its line end, to come */
	uint16_t line_len;
	uint8_t hit;
	char line[REPLY_LINE_MAX];	/* what has come of an incomplete line */
};

/* Begin a new answer. */
void reply_reset(struct reply *reply);

/*
 * Take @len bytes, of which *@used belong to this answer. After any other result than
 * REPLY_PARTIAL begin the next answer with reply_reset().
 */
enum reply_kind reply_input(struct reply *reply, const char *data, size_t len, size_t *used);

#endif
