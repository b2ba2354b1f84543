// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: memcache_pressure's own server does what its headers say: the protocol does not care how
 * its bytes are cut, and survives any; the store keeps what it was given; what is on its way to a
 * client does not change.
 * Method: a conversation cut at every byte; mutated conversations (a fixed seed: a failure
 * repeats) fed whole and in pieces must give the same answers; the store against a plain table.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmm/sysfile.h>

#include <kselftest_harness.h>

#include "hugeshare.h"
#include "protocol.h"
#include <vmtests/random.h>
#include "server.h"
#include "store.h"

#define STORE_BYTES (8ull << 20)
/* More than an item's key and what the store notes down of it. */
#define ITEM_SPARE 64
#define MUTANTS 3000

/* A little of everything; wrong requests among right ones. */
static const char conversation[] =
	"set a 5 0 3\r\nabc\r\nget a\r\nget a b a\r\nset a 7 0 2\r\nhi\r\nget a\r\n"
	"set a 0 9 1\r\nx\r\nget a\r\nset a 5 0 3\r\nabcd\r\nget\r\n"
	"set n 0 0 1 noreply\r\nz\r\nget n\r\nset a 0 0\r\nset a x 0 1\r\ndelete a\r\n"
	"set big 0 0 2000000 noreply\r\n";

static const char answers[] =
	"STORED\r\nVALUE a 5 3\r\nabc\r\nEND\r\n"
	"VALUE a 5 3\r\nabc\r\nVALUE a 5 3\r\nabc\r\nEND\r\nSTORED\r\n"
	"VALUE a 7 2\r\nhi\r\nEND\r\nSERVER_ERROR values do not expire here\r\nEND\r\n"
	"CLIENT_ERROR bad data chunk\r\nERROR\r\nERROR\r\nVALUE n 0 1\r\nz\r\nEND\r\n"
	"ERROR\r\nCLIENT_ERROR bad command line format\r\nERROR\r\n";

static struct store *store_make(bool in_file)
{
	const struct store_config config = {
		.bytes = STORE_BYTES, .values_in_file = in_file,
	};
	struct store *store;

	return __store_create(&store, &config) ? NULL : store;
}

/* Input, and whatever is left over when answers had to be sent in between, as a server does it. */
static int feed(struct session *s, const char *data, size_t len, struct buffer *all)
{
	struct buffer out = { 0 };
	int err;

	do {
		out.len = 0;
		err = __session_input(s, data, len, &out);
		if (!err || err == -EPIPE)
			if (__buffer_add(all, out.data, out.len))
				err = -ENOMEM;
		len = 0;
	} while (!err && s->stopped);
	buffer_free(&out);
	return err;
}

static void store_clear(struct store *store, const char *keys)
{
	for (; *keys; keys++) {
		const struct store_key key = { .text = keys, .len = 1 };

		store_delete(store, &key);
	}
}

static bool same(const struct buffer *a, const struct buffer *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

FIXTURE(protocol)
{
	struct store *store;
	struct buffer out;
};

FIXTURE_VARIANT(protocol)
{
	bool in_file;
};

FIXTURE_VARIANT_ADD(protocol, memory)
{
	.in_file = false,
};

FIXTURE_VARIANT_ADD(protocol, file)
{
	.in_file = true,
};

FIXTURE_SETUP(protocol)
{
	self->store = store_make(variant->in_file);
	ASSERT_NE(NULL, self->store);
	memset(&self->out, 0, sizeof(self->out));
}

FIXTURE_TEARDOWN(protocol)
{
	buffer_free(&self->out);
	store_destroy(self->store);
}

TEST_F(protocol, cut_at_every_byte)
{
	const size_t len = sizeof(conversation) - 1;
	size_t cut;

	for (cut = 0; cut <= len; cut++) {
		struct store *store = store_make(variant->in_file);
		struct session s = { .store = store };

		ASSERT_NE(NULL, store);
		self->out.len = 0;
		ASSERT_EQ(0, feed(&s, conversation, cut, &self->out));
		ASSERT_EQ(0, feed(&s, conversation + cut, len - cut, &self->out));
		ASSERT_EQ(sizeof(answers) - 1, self->out.len);
		ASSERT_EQ(0, memcmp(answers, self->out.data, self->out.len));
		ASSERT_EQ(2000002, s.swallow);
		session_free(&s);
		store_destroy(store);
	}
}

TEST_F(protocol, byte_by_byte)
{
	struct session s = { .store = self->store };
	size_t i;

	for (i = 0; i < sizeof(conversation) - 1; i++)
		ASSERT_EQ(0, feed(&s, conversation + i, 1, &self->out));
	ASSERT_EQ(sizeof(answers) - 1, self->out.len);
	ASSERT_EQ(0, memcmp(answers, self->out.data, self->out.len));
	session_free(&s);
}

TEST_F(protocol, closes_after_endless_line)
{
	struct session s = { .store = self->store };
	char *line = malloc(PROTOCOL_LINE_MAX);

	ASSERT_NE(NULL, line);
	memset(line, 'x', PROTOCOL_LINE_MAX);
	ASSERT_EQ(0, feed(&s, line, PROTOCOL_LINE_MAX - 1, &self->out));
	ASSERT_EQ(-EPIPE, feed(&s, line, 1, &self->out));
	session_free(&s);
	free(line);
}

/* A value as large as an item's limit allows comes back, one byte more is refused. */
TEST_F(protocol, values_up_to_the_limit)
{
	static const char last[] = "\r\nget a\r\n";
	size_t most = STORE_ITEM_MAX - ITEM_SPARE;
	struct session s = { .store = self->store };
	char line[64], *value = malloc(STORE_ITEM_MAX);

	ASSERT_NE(NULL, value);
	memset(value, 'v', STORE_ITEM_MAX);
	ASSERT_EQ(0, feed(&s, line, sprintf(line, "set a 0 0 %zu\r\n", most), &self->out));
	ASSERT_EQ(0, feed(&s, value, most, &self->out));
	ASSERT_EQ(0, feed(&s, last, sizeof(last) - 1, &self->out));
	ASSERT_EQ(strlen("STORED\r\n") + sprintf(line, "VALUE a 0 %zu\r\n", most) + most +
		  strlen("\r\nEND\r\n"), self->out.len);
	ASSERT_EQ(0, memcmp(value, self->out.data + strlen("STORED\r\n") + strlen(line), most));

	self->out.len = 0;
	ASSERT_EQ(0, feed(&s, line, sprintf(line, "set a 0 0 %u\r\n", STORE_ITEM_MAX),
			  &self->out));
	ASSERT_EQ(0, feed(&s, value, STORE_ITEM_MAX, &self->out));
	ASSERT_EQ(0, feed(&s, last, sizeof(last) - 1, &self->out));
	ASSERT_EQ(strlen("SERVER_ERROR object too large for cache\r\nEND\r\n"), self->out.len);
	session_free(&s);
	free(value);
}

/* A line of 4000 keys with 1000 bytes each: far more than is let wait to be sent. */
TEST_F(protocol, long_answers_stop_and_go_on)
{
	const size_t keys = 4000, bytes = 1000;
	const size_t each = strlen("VALUE a 0 1000\r\n") + bytes + 2;
	struct session s = { .store = self->store };
	struct buffer in = { 0 };
	char value[1000];
	size_t i;

	memset(value, 'v', sizeof(value));
	ASSERT_EQ(0, feed(&s, "set a 0 0 1000\r\n", 16, &self->out));
	ASSERT_EQ(0, feed(&s, value, sizeof(value), &self->out));
	ASSERT_EQ(0, feed(&s, "\r\n", 2, &self->out));
	ASSERT_EQ(0, __buffer_add(&in, "get", 3));
	for (i = 0; i < keys; i++)
		ASSERT_EQ(0, __buffer_add(&in, " a", 2));
	ASSERT_EQ(0, __buffer_add(&in, "\r\n", 2));

	self->out.len = 0;
	ASSERT_EQ(0, __session_input(&s, in.data, in.len, &self->out));
	ASSERT_TRUE(s.stopped);
	ASSERT_LT(self->out.len, PROTOCOL_OUTPUT_MAX + 2 * each);
	ASSERT_EQ(0, feed(&s, NULL, 0, &self->out));
	ASSERT_EQ(keys * each + strlen("END\r\n"), self->out.len);
	buffer_free(&in);
	session_free(&s);
}

static void mutate(char *data, size_t len, struct random *r)
{
	static const char bytes[] = "\r\n \0-19a";
	unsigned int i, changes = 1 + random_below(r, 4);

	for (i = 0; i < changes; i++) {
		size_t at = random_below(r, len);

		if (random_below(r, 2))
			data[at] = bytes[random_below(r, sizeof(bytes) - 1)];
		else
			data[at] = random_next(r) >> 56;
	}
}

/* In pieces of up to @most bytes. */
static int feed_pieces(struct store *store, const char *data, size_t len, size_t most,
		       struct random *r, struct buffer *out)
{
	struct session s = { .store = store };
	size_t at = 0;
	int err = 0;

	while (at < len && !err) {
		size_t piece = 1 + random_below(r, most);

		if (piece > len - at)
			piece = len - at;
		err = feed(&s, data + at, piece, out);
		at += piece;
	}
	session_free(&s);
	return err;
}

/* Either way has a store of its own, so that both begin alike. */
TEST_F(protocol, mutants_do_not_care_how_they_are_cut)
{
	const size_t len = sizeof(conversation) - 1;
	struct store *other = store_make(variant->in_file);
	struct buffer whole = { 0 };
	struct random r;
	char *data = malloc(len);
	unsigned int i;

	ASSERT_NE(NULL, other);
	ASSERT_NE(NULL, data);
	random_seed(&r, 1);
	for (i = 0; i < MUTANTS; i++) {
		int err;

		memcpy(data, conversation, len);
		mutate(data, len, &r);
		whole.len = 0;
		self->out.len = 0;
		err = feed_pieces(self->store, data, len, 40, &r, &self->out);
		ASSERT_EQ(err, feed_pieces(other, data, len, UINT_MAX, &r, &whole));
		ASSERT_TRUE(err == 0 || err == -EPIPE);
		ASSERT_TRUE(same(&whole, &self->out)) {
			TH_LOG("mutant %u of seed 1", i);
		}
		store_clear(self->store, "abn");
		store_clear(other, "abn");
	}
	buffer_free(&whole);
	free(data);
	store_destroy(other);
}

struct found {
	char data[4096];
	uint32_t bytes;
};

static int found_copy(void *arg, const struct store_value *value)
{
	struct found *found = arg;

	found->bytes = value->bytes;
	if (value->data)
		memcpy(found->data, value->data, value->bytes);
	else if (pread(value->fd, found->data, value->bytes, value->offset) != value->bytes)
		return -EIO;
	return 0;
}

static uint32_t model_bytes(uint64_t version)
{
	return random_mix(version) % sizeof(((struct found *)0)->data);
}

static char model_byte(uint64_t version)
{
	return random_mix(version) >> 56;
}

/* 16 times what the store holds: keys come and go, and none may answer with another's value. */
TEST_F(protocol, store_answers_right_or_not_at_all)
{
	const uint32_t keys = 64 << 10;
	uint64_t *version = calloc(keys, sizeof(*version));
	uint64_t now, hits = 0;
	struct random r;

	ASSERT_NE(NULL, version);
	random_seed(&r, 2);
	for (now = 1; now < 200000; now++) {
		uint32_t id = random_below(&r, keys);
		const struct store_key key = { .text = (const char *)&id, .len = sizeof(id) };
		struct store_value meta = { .bytes = model_bytes(now) };
		struct found found;

		if (random_below(&r, 2)) {
			memset(found.data, model_byte(now), meta.bytes);
			ASSERT_EQ(STORE_OK, store_set(self->store, &key, found.data, &meta));
			version[id] = now;
		} else if (!store_get(self->store, &key, found_copy, &found)) {
			hits++;
			ASSERT_EQ(model_bytes(version[id]), found.bytes);
			if (found.bytes)
				ASSERT_EQ(model_byte(version[id]), found.data[found.bytes - 1]);
		}
	}
	ASSERT_GT(hits, 1000);
	ASSERT_GT(store_evictions(self->store), 1000);
	free(version);
}

static uint64_t meminfo_read(const char *key)
{
	uint64_t value;

	return __sysfile_read_key("/proc/meminfo", key, &value) ? 0 : value;
}

static uint64_t pool_available(void)
{
	return meminfo_read("HugePages_Free") - meminfo_read("HugePages_Rsvd");
}

/* Only where somebody has filled the pool: a unit test does not. */
TEST(pool_of_huge_pages_backs_the_store)
{
	const uint64_t page = meminfo_read("Hugepagesize") << 10;
	const uint64_t available = pool_available();
	struct store *store;
	uint64_t pmd;

	if (__sysfile_read_u64("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", &pmd) ||
	    pmd != page || available * page < STORE_BYTES)
		SKIP(return, "no %llu MiB of free huge pages in the pool", STORE_BYTES >> 20);
	store = store_make(false);
	ASSERT_NE(NULL, store);
	EXPECT_EQ(1, huge_share(getpid()));
	EXPECT_EQ(available - STORE_BYTES / page, pool_available());
	store_destroy(store);
	EXPECT_EQ(available, pool_available());
}

#define FLIGHT_BYTES 60000

static int client_connect(uint16_t port)
{
	const struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool client_sends(int fd, const char *text, size_t len)
{
	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool client_receives(int fd, char *data, size_t len)
{
	return recv(fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

/* Set "a" to FLIGHT_BYTES times @byte. */
static bool client_sets(int fd, char byte)
{
	static char request[FLIGHT_BYTES + 64];
	size_t len = sprintf(request, "set a 0 0 %d\r\n", FLIGHT_BYTES);
	char stored[8];

	memset(request + len, byte, FLIGHT_BYTES);
	len += FLIGHT_BYTES;
	memcpy(request + len, "\r\n", 2);
	return client_sends(fd, request, len + 2) && client_receives(fd, stored, sizeof(stored)) &&
	       !memcmp(stored, "STORED\r\n", sizeof(stored));
}

/*
 * One client asks and does not read, while the other one puts in more values than the store, of one
 * shard with 8 MiB, has room for. The answer that waits is still the old value; the next is new.
 */
TEST(values_on_their_way_do_not_change)
{
	const struct server_config config = {
		.store = { .bytes = STORE_BYTES, .values_in_file = true },
		.workers = 1, .sends_file = true,
	};
	static char answer[sizeof("VALUE a 0 60000\r\n") - 1 + FLIGHT_BYTES + 7];
	const size_t header = sizeof("VALUE a 0 60000\r\n") - 1;
	int reader, writer, i, byte;
	struct server server;

	ASSERT_EQ(0, __server_start(&server, &config));
	reader = client_connect(server.port);
	writer = client_connect(server.port);
	ASSERT_TRUE(client_sets(writer, 'a'));
	for (byte = 'a'; byte < 'd'; byte++) {
		ASSERT_TRUE(client_sends(reader, "get a\r\n", 7));
		/* Its end is there: all of it was sent. */
		ASSERT_EQ(1, recv(reader, answer, 1, MSG_PEEK));
		while (recv(reader, answer, sizeof(answer), MSG_PEEK) != sizeof(answer))
			;
		for (i = 0; i < 300; i++)
			ASSERT_TRUE(client_sets(writer, byte + 1));
		ASSERT_TRUE(client_receives(reader, answer, sizeof(answer)));
		EXPECT_EQ(0, memcmp(answer, "VALUE a 0 60000\r\n", header));
		for (i = 0; i < FLIGHT_BYTES && answer[header + i] == byte; i++)
			;
		EXPECT_EQ(FLIGHT_BYTES, i);
		EXPECT_EQ(0, memcmp(answer + sizeof(answer) - 7, "\r\nEND\r\n", 7));
	}
	close(reader);
	close(writer);
	EXPECT_EQ(0, __server_stop(&server));
}

TEST_HARNESS_MAIN
