// SPDX-License-Identifier: GPL-2.0
/*
 * protocol: see protocol.h.
 *
 * What memcached does with a wrong request is part of the protocol that clients rely on, and each
 * of its answers here was compared with those of a real one (tests/memcache_test.sh).
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmm/base.h>

#include "protocol.h"

#define MAX_TOKENS 8
#define BUFFER_MIN 1024

static const char bad_format[] = "CLIENT_ERROR bad command line format\r\n";

struct token {
	const char *text;
	size_t len;
};

struct request {
	const char *line;	/* without its end */
	size_t line_len;
	struct token tokens[MAX_TOKENS];
	size_t nr_tokens;	/* MAX_TOKENS + 1 when there are more */
	const char *data;	/* what follows the line */
	size_t data_len;
	struct buffer *out;
};

/* What a handler of a command returns instead of the bytes it took behind the line. */
#define NEED_MORE ((ssize_t)-EAGAIN)

struct command {
	const char *name;
	size_t min_tokens;
	size_t max_tokens;
	ssize_t (*run)(struct session *s, struct request *r);
};

int __buffer_add(struct buffer *b, const char *data, size_t len)
{
	size_t size = b->size ? b->size : BUFFER_MIN;
	char *grown;

	while (size - b->len < len)
		size *= 2;
	if (size != b->size) {
		grown = realloc(b->data, size);
		if (!grown)
			return -ENOMEM;
		b->data = grown;
		b->size = size;
	}
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}

void buffer_drop(struct buffer *b, size_t len)
{
	b->len -= len;
	if (b->len)
		memmove(b->data, b->data + len, b->len);
}

void buffer_free(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){ 0 };
}

void session_free(struct session *s)
{
	buffer_free(&s->in);
}

static int answer(struct request *r, const char *text)
{
	return __buffer_add(r->out, text, strlen(text));
}

/* The end of a request that was answered: 0 or -ENOMEM. An error is said in spite of noreply. */
static int answer_unless(bool noreply, struct request *r, const char *text)
{
	return noreply ? 0 : answer(r, text);
}

static bool token_next(const char **at, const char *end, struct token *token)
{
	while (*at < end && **at == ' ')
		(*at)++;
	token->text = *at;
	while (*at < end && **at != ' ')
		(*at)++;
	token->len = *at - token->text;
	return token->len;
}

static bool token_is(const struct token *token, const char *text)
{
	return token->len == strlen(text) && !memcmp(token->text, text, token->len);
}

static void tokens_split(struct request *r)
{
	const char *at = r->line, *end = r->line + r->line_len;
	struct token token;

	r->nr_tokens = 0;
	while (r->nr_tokens <= MAX_TOKENS && token_next(&at, end, &token)) {
		if (r->nr_tokens < MAX_TOKENS)
			r->tokens[r->nr_tokens] = token;
		r->nr_tokens++;
	}
}

/* A whole token as a number: strtoll's syntax without leading white space, base 10. */
static bool token_number(const struct token *token, long long *number)
{
	char text[24], *end;

	if (token->len >= sizeof(text))
		return false;
	memcpy(text, token->text, token->len);
	text[token->len] = '\0';
	errno = 0;
	*number = strtoll(text, &end, 10);
	return !errno && end == text + token->len && text[0] > ' ';
}

static bool token_key(const struct token *token, struct store_key *key)
{
	*key = (struct store_key){ .text = token->text, .len = token->len };
	return token->len <= STORE_KEY_MAX;
}

static bool token_is_noreply(const struct request *r, size_t i)
{
	return r->nr_tokens == i + 1 && token_is(&r->tokens[i], "noreply");
}

struct get {
	struct request *request;
	struct file_part *part;		/* NULL: the value goes into the answers */
	const struct store_key *key;
};

static int value_append(struct buffer *out, const struct store_value *value)
{
	int err;

	if (value->data)
		return __buffer_add(out, value->data, value->bytes);
	/* Room first: the file is read straight into it. */
	err = __buffer_add(out, "", 0);
	while (!err && out->size - out->len < value->bytes) {
		char *grown = realloc(out->data, out->size * 2);

		if (!grown)
			return -ENOMEM;
		out->data = grown;
		out->size *= 2;
	}
	if (err)
		return err;
	if (pread(value->fd, out->data + out->len, value->bytes, value->offset) !=
	    (ssize_t)value->bytes)
		return -EIO;
	out->len += value->bytes;
	return 0;
}

static void part_make(struct file_part *part, size_t at, const struct store_value *value)
{
	*part = (struct file_part){
		.at = at,
		.fd = value->fd,
		.offset = value->offset,
		.bytes = value->bytes,
		.hold = store_hold(value),
	};
}

static int value_answer(void *arg, const struct store_value *value)
{
	struct get *get = arg;
	struct buffer *out = get->request->out;
	char numbers[32];	/* " 4294967295 1048576\r\n" */
	int len, err;

	len = snprintf(numbers, sizeof(numbers), " %u %u\r\n", value->flags, value->bytes);
	err = __buffer_add(out, "VALUE ", 6);
	if (!err)
		err = __buffer_add(out, get->key->text, get->key->len);
	if (!err)
		err = __buffer_add(out, numbers, len);
	if (!err && get->part && !value->data && value->bytes)
		part_make(get->part, out->len, value);
	else if (!err)
		err = value_append(out, value);
	return err ? err : __buffer_add(out, "\r\n", 2);
}

static bool keys_valid(const char *at, const char *end)
{
	struct token token;

	while (token_next(&at, end, &token))
		if (token.len > STORE_KEY_MAX)
			return false;
	return true;
}

/* One key, nothing behind it, and no answer before it that waits to be sent. */
static bool get_alone(const struct request *r)
{
	return r->nr_tokens == 2 && !r->data_len && !r->out->len;
}

static ssize_t run_get(struct session *s, struct request *r)
{
	struct file_part *part = get_alone(r) ? s->part : NULL;
	const char *at = r->tokens[0].text + r->tokens[0].len, *end = r->line + r->line_len;
	struct token token;
	size_t nr = 0;
	int err;

	if (!s->keys_done && !keys_valid(at, end))
		return answer(r, bad_format);
	while (token_next(&at, end, &token)) {
		struct store_key key = { .text = token.text, .len = token.len };
		struct get get = { .request = r, .part = part, .key = &key };

		if (nr++ < s->keys_done)
			continue;
		if (r->out->len > PROTOCOL_OUTPUT_MAX) {
			s->stopped = true;
			return NEED_MORE;
		}
		err = store_get(s->store, &key, value_answer, &get);
		if (err && err != -ENOENT)
			return err;
		s->keys_done = nr;
	}
	s->keys_done = 0;
	return answer(r, "END\r\n");
}

static const char *set_answer(enum store_result result)
{
	switch (result) {
	case STORE_OK:
		return "STORED\r\n";
	case STORE_TOO_LARGE:
		return "SERVER_ERROR object too large for cache\r\n";
	case STORE_NO_MEMORY:
		break;
	}
	return "SERVER_ERROR out of memory storing object\r\n";
}

struct set {
	struct store_key key;
	struct store_value meta;
	bool expires;
	bool noreply;
};

/* set KEY FLAGS EXPTIME BYTES [noreply] */
static bool set_parse(const struct request *r, struct set *set)
{
	long long flags, exptime, bytes;

	if (!token_key(&r->tokens[1], &set->key) || !token_number(&r->tokens[2], &flags) ||
	    !token_number(&r->tokens[3], &exptime) || !token_number(&r->tokens[4], &bytes))
		return false;
	if (flags < 0 || bytes < 0 || bytes > INT_MAX - 2)
		return false;
	set->meta = (struct store_value){ .flags = flags, .bytes = bytes };
	set->expires = exptime;
	set->noreply = token_is_noreply(r, 5);
	return true;
}

/* Nothing of the value is kept, and the key's old one goes too: no reader sees a stale one. */
static ssize_t set_refuse(struct session *s, struct request *r, const struct set *set,
			  const char *why)
{
	store_delete(s->store, &set->key);
	s->swallow = set->meta.bytes + 2ull;
	return answer_unless(set->noreply, r, why);
}

static ssize_t run_set(struct session *s, struct request *r)
{
	enum store_result result;
	struct set set;
	size_t bytes;
	int err;

	if (!set_parse(r, &set))
		return answer(r, bad_format);
	if (set.expires)
		return set_refuse(s, r, &set, "SERVER_ERROR values do not expire here\r\n");
	bytes = set.meta.bytes;
	/* It is not waited for: memory for it would have to be had first. */
	if (bytes > STORE_ITEM_MAX)
		return set_refuse(s, r, &set, set_answer(STORE_TOO_LARGE));
	if (r->data_len < bytes + 2)
		return NEED_MORE;
	if (memcmp(r->data + bytes, "\r\n", 2)) {
		err = answer(r, "CLIENT_ERROR bad data chunk\r\n");
		return err ? err : (ssize_t)bytes + 2;
	}
	result = store_set(s->store, &set.key, r->data, &set.meta);
	err = answer_unless(set.noreply, r, set_answer(result));
	return err ? err : (ssize_t)bytes + 2;
}

static const struct command commands[] = {
	{ "get", 2, SIZE_MAX, run_get },
	{ "set", 5, 6, run_set },
};

static ssize_t command_run(struct session *s, struct request *r)
{
	size_t i;

	for (i = 0; r->nr_tokens && i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];

		if (!token_is(&r->tokens[0], c->name))
			continue;
		if (r->nr_tokens < c->min_tokens || r->nr_tokens > c->max_tokens)
			break;
		return c->run(s, r);
	}
	return answer(r, "ERROR\r\n");
}

/* The line ends at a NUL, as it does for a server written with C strings. */
static size_t line_length(const char *line, const char *newline)
{
	const char *nul = memchr(line, '\0', newline - line);

	if (nul)
		return nul - line;
	if (newline > line && newline[-1] == '\r')
		newline--;
	return newline - line;
}

/*
 * One request, or what is left of one that is swallowed. Returns the bytes taken, NEED_MORE, or as
 * __session_input().
 */
static ssize_t request_run(struct session *s, const char *data, size_t len, struct buffer *out)
{
	size_t most = len < PROTOCOL_LINE_MAX ? len : PROTOCOL_LINE_MAX;
	struct request r = { .line = data, .out = out };
	const char *newline;
	ssize_t taken;

	if (s->swallow) {
		taken = s->swallow < len ? s->swallow : len;
		s->swallow -= taken;
		return taken;
	}
	newline = memchr(data, '\n', most);
	if (!newline)
		return len < PROTOCOL_LINE_MAX ? NEED_MORE : -EPIPE;
	r.line_len = line_length(data, newline);
	r.data = newline + 1;
	r.data_len = data + len - r.data;
	tokens_split(&r);
	taken = command_run(s, &r);
	return taken < 0 ? taken : r.data - data + taken;
}

/* Returns the bytes taken of @data, or as __session_input(). */
static ssize_t requests_run(struct session *s, const char *data, size_t len, struct buffer *out)
{
	size_t done = 0;
	ssize_t taken;

	s->stopped = false;
	while (done < len) {
		if (out->len > PROTOCOL_OUTPUT_MAX) {
			s->stopped = true;
			break;
		}
		taken = request_run(s, data + done, len - done, out);
		if (taken == NEED_MORE)
			break;
		if (taken < 0)
			return taken;
		done += taken;
	}
	return done;
}

int __session_input(struct session *s, const char *data, size_t len, struct buffer *out)
{
	ssize_t taken;
	int err;

	/* Mostly requests come whole, and nothing is copied. */
	if (!s->in.len) {
		taken = requests_run(s, data, len, out);
		if (taken < 0 || (size_t)taken == len)
			return taken < 0 ? taken : 0;
		return __buffer_add(&s->in, data + taken, len - taken);
	}
	err = __buffer_add(&s->in, data, len);
	if (err)
		return err;
	taken = requests_run(s, s->in.data, s->in.len, out);
	if (taken < 0)
		return taken;
	buffer_drop(&s->in, taken);
	if (!s->in.len)
		buffer_free(&s->in);
	return 0;
}
