// SPDX-License-Identifier: GPL-2.0
/*
 * reply: see reply.h.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "reply.h"

void reply_reset(struct reply *reply)
{
	reply->value_bytes = 0;
	reply->skip = 0;
	reply->line_len = 0;
	reply->hit = false;
}

static bool line_is(const char *line, size_t len, const char *text)
{
	return len == strlen(text) && !memcmp(line, text, len);
}

/* VALUE KEY FLAGS BYTES: the number behind the third space. */
static bool value_line(const char *line, size_t len, uint32_t *bytes)
{
	const char *at = line, *end = line + len;
	uint64_t number = 0;
	int spaces;

	if (len < 6 || memcmp(line, "VALUE ", 6))
		return false;
	for (spaces = 0; spaces < 3; spaces++) {
		at = memchr(at, ' ', end - at);
		if (!at)
			return false;
		at++;
	}
	if (at == end)
		return false;
	for (; at < end && *at != ' '; at++) {
		if (*at < '0' || *at > '9' || number > UINT32_MAX / 20)
			return false;
		number = number * 10 + *at - '0';
	}
	*bytes = number;
	return true;
}

static enum reply_kind line_judge(struct reply *reply, const char *line, size_t len)
{
	if (len && line[len - 1] == '\r')
		len--;
	if (line_is(line, len, "END"))
		return reply->hit ? REPLY_HIT : REPLY_MISS;
	if (line_is(line, len, "STORED") && !reply->hit)
		return REPLY_STORED;
	if (reply->hit || !value_line(line, len, &reply->value_bytes))
		return REPLY_OTHER;
	reply->hit = true;
	reply->skip = reply->value_bytes + 2;
	return REPLY_PARTIAL;
}

/* Keep the beginning of a line whose end has not come. */
static enum reply_kind line_keep(struct reply *reply, const char *data, size_t len)
{
	if (len > sizeof(reply->line) - reply->line_len)
		return REPLY_OTHER;
	memcpy(reply->line + reply->line_len, data, len);
	reply->line_len += len;
	return REPLY_PARTIAL;
}

static enum reply_kind line_end(struct reply *reply, const char *data, size_t len)
{
	enum reply_kind kind;

	/* Mostly a line comes whole, and is judged where it is. */
	if (!reply->line_len)
		return line_judge(reply, data, len);
	kind = line_keep(reply, data, len);
	if (kind != REPLY_PARTIAL)
		return kind;
	len = reply->line_len;
	reply->line_len = 0;
	return line_judge(reply, reply->line, len);
}

enum reply_kind reply_input(struct reply *reply, const char *data, size_t len, size_t *used)
{
	enum reply_kind kind = REPLY_PARTIAL;
	size_t at = 0;

	while (at < len && kind == REPLY_PARTIAL) {
		const char *newline;
		size_t part;

		if (reply->skip) {
			part = reply->skip < len - at ? reply->skip : len - at;
			reply->skip -= part;
			at += part;
			continue;
		}
		newline = memchr(data + at, '\n', len - at);
		if (!newline) {
			kind = line_keep(reply, data + at, len - at);
			at = len;
			break;
		}
		kind = line_end(reply, data + at, newline - data - at);
		at = newline + 1 - data;
	}
	*used = at;
	return kind;
}
