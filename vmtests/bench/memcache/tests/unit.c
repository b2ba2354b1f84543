// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: the parts of memcache_pressure do what their headers say: the protocol does not care how
 * its bytes are cut, and survives any; the store keeps what it was given; keys, lengths and
 * arrivals have the distributions that they are named after; latencies count from when a request
 * was due.
 * Method: a conversation cut at every byte; mutated conversations (a fixed seed: a failure
 * repeats) fed whole and in pieces must give the same answers; the store against a plain table;
 * counts against exact probabilities, five standard deviations off at most (one false alarm in
 * 10^6); and a server that stalls once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <numa.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmm/bench.h>
#include <libmm/sysfile.h>

#include <kselftest_harness.h>

#include "arrivals.h"
#include "generator.h"
#include "hugeshare.h"
#include "keys.h"
#include "node.h"
#include "protocol.h"
#include "reply.h"
#include "server.h"
#include "store.h"

#define STORE_BYTES (8ull << 20)
#define MUTANTS 3000
#define DRAWS 1000000
#define SIGMAS 5
#define NS_PER_MS 1000000ull
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

/* A little of everything; wrong requests among right ones. */
static const char conversation[] =
	"set a 5 0 3\r\nabc\r\nget a\r\ngets a b a\r\nadd a 0 0 1\r\nx\r\nreplace b 0 0 1\r\nx\r\n"
	"cas a 7 0 2 1\r\nhi\r\ncas a 7 0 2 1\r\nhi\r\ncas b 0 0 1 1\r\nx\r\nget a\r\n"
	"set a 5 0 3\r\nabcd\r\nget\r\nset n 0 0 1 noreply\r\nz\r\ntouch n 100\r\ntouch n -1\r\n"
	"get n\r\ndelete a\r\ndelete a\r\ndelete a 5\r\ndelete a 0 noreply\r\ntouch a x\r\n"
	"set big 0 0 2000000 noreply\r\n";

static const char answers[] =
	"STORED\r\nVALUE a 5 3\r\nabc\r\nEND\r\n"
	"VALUE a 5 3 1\r\nabc\r\nVALUE a 5 3 1\r\nabc\r\nEND\r\nNOT_STORED\r\nNOT_STORED\r\n"
	"STORED\r\nEXISTS\r\nNOT_FOUND\r\nVALUE a 7 2\r\nhi\r\nEND\r\n"
	"CLIENT_ERROR bad data chunk\r\nERROR\r\nERROR\r\nTOUCHED\r\nTOUCHED\r\nEND\r\n"
	"DELETED\r\nNOT_FOUND\r\n"
	"CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n"
	"CLIENT_ERROR invalid exptime argument\r\n";

/* Stands still unless a test moves it: what is put in with a short life stays or goes at will. */
static int64_t now_seconds = 1000000000;

static int64_t clock_fake(void)
{
	return now_seconds;
}

static struct store *store_make(bool in_file)
{
	const struct store_config config = {
		.bytes = STORE_BYTES, .values_in_file = in_file, .clock = clock_fake,
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

/* The store numbers its values, so that each cut gets a store of its own. */
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

/* Relative up to 30 days, absolute above, and gone in the second that is named. */
TEST_F(protocol, values_expire)
{
	static const char in[] = "set a 0 10 1\r\nx\r\nset b 0 1000000020 1\r\ny\r\n"
				 "set n 0 -1 1\r\nz\r\nget a b n\r\n";
	static const char all[] = "STORED\r\nSTORED\r\nSTORED\r\nVALUE a 0 1\r\nx\r\n"
				  "VALUE b 0 1\r\ny\r\nEND\r\n";
	struct session s = { .store = self->store };

	ASSERT_EQ(0, feed(&s, in, sizeof(in) - 1, &self->out));
	ASSERT_EQ(sizeof(all) - 1, self->out.len);
	ASSERT_EQ(0, memcmp(all, self->out.data, self->out.len));

	now_seconds += 9;
	self->out.len = 0;
	ASSERT_EQ(0, feed(&s, "get a\r\n", 7, &self->out));
	ASSERT_EQ(strlen("VALUE a 0 1\r\nx\r\nEND\r\n"), self->out.len);
	now_seconds += 1;
	self->out.len = 0;
	ASSERT_EQ(0, feed(&s, "get a\r\ntouch b 30\r\n", 19, &self->out));
	ASSERT_EQ(strlen("END\r\nTOUCHED\r\n"), self->out.len);
	now_seconds += 29;
	self->out.len = 0;
	ASSERT_EQ(0, feed(&s, "get b\r\n", 7, &self->out));
	ASSERT_EQ(strlen("VALUE b 0 1\r\ny\r\nEND\r\n"), self->out.len);
	now_seconds += 1;
	self->out.len = 0;
	ASSERT_EQ(0, feed(&s, "get b\r\n", 7, &self->out));
	ASSERT_EQ(strlen("END\r\n"), self->out.len);
	session_free(&s);
}

TEST_F(protocol, closes_after_quit_and_endless_line)
{
	static const char quit[] = "version\r\nquit\r\nversion\r\n";
	struct session s = { .store = self->store };
	char *line = malloc(PROTOCOL_LINE_MAX);

	ASSERT_NE(NULL, line);
	ASSERT_EQ(-EPIPE, feed(&s, quit, sizeof(quit) - 1, &self->out));
	ASSERT_EQ(strlen("VERSION vmtests\r\n"), self->out.len);
	memset(line, 'x', PROTOCOL_LINE_MAX);
	ASSERT_EQ(0, feed(&s, line, PROTOCOL_LINE_MAX - 1, &self->out));
	ASSERT_EQ(-EPIPE, feed(&s, line, 1, &self->out));
	session_free(&s);
	free(line);
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

/* "gets" and "cas" would see the numbers of earlier values: two stores in step have the same. */
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
			ASSERT_EQ(STORE_OK, store_put(self->store, STORE_SET, &key, found.data,
						      &meta, 0));
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

/* Each test is a process of its own: the affinity is this one's. */
TEST(confined_to_one_node)
{
	struct bitmask *before = numa_allocate_cpumask(), *after = numa_allocate_cpumask();
	unsigned int most = 0, *of_node;
	int cpu, node = -1;

	if (numa_available() < 0)
		SKIP(return, "no NUMA in this kernel");
	of_node = calloc(numa_max_node() + 1, sizeof(*of_node));
	ASSERT_NE(NULL, of_node);
	ASSERT_LT(0, numa_sched_getaffinity(0, before));
	ASSERT_EQ(0, __node_confine());
	ASSERT_LT(0, numa_sched_getaffinity(0, after));
	for (cpu = 0; cpu < numa_num_possible_cpus(); cpu++) {
		int at = numa_bitmask_isbitset(before, cpu) ? numa_node_of_cpu(cpu) : -1;

		if (at >= 0 && ++of_node[at] > most)
			most = of_node[at];
	}
	for (cpu = 0; cpu < numa_num_possible_cpus(); cpu++) {
		if (!numa_bitmask_isbitset(after, cpu))
			continue;
		EXPECT_TRUE(numa_bitmask_isbitset(before, cpu));
		if (node < 0)
			node = numa_node_of_cpu(cpu);
		if (most > 1)
			EXPECT_EQ(node, numa_node_of_cpu(cpu));
	}
	EXPECT_EQ(most > 1 ? most : numa_bitmask_weight(before), numa_bitmask_weight(after));
	free(of_node);
	numa_free_cpumask(before);
	numa_free_cpumask(after);
}

TEST(reply_cut_at_every_byte)
{
	static const char hit[] = "VALUE key 0 5\r\nEND\r\n\r\nEND\r\n";
	struct reply reply;
	size_t cut, used;

	for (cut = 0; cut < sizeof(hit) - 1; cut++) {
		reply_reset(&reply);
		ASSERT_EQ(REPLY_PARTIAL, reply_input(&reply, hit, cut, &used));
		ASSERT_EQ(cut, used);
		ASSERT_EQ(REPLY_HIT,
			  reply_input(&reply, hit + cut, sizeof(hit) - 1 - cut, &used));
		ASSERT_EQ(sizeof(hit) - 1 - cut, used);
		ASSERT_EQ(5, reply.value_bytes);
	}
}

TEST(reply_kinds)
{
	static const struct {
		const char *text;
		enum reply_kind kind;
	} replies[] = {
		{ "END\r\n", REPLY_MISS }, { "STORED\r\n", REPLY_STORED },
		{ "ERROR\r\n", REPLY_OTHER }, { "VALUE a 0\r\n", REPLY_OTHER },
		{ "VALUE a 0 x\r\n", REPLY_OTHER }, { "VALUE a 0 99999999999\r\n", REPLY_OTHER },
		{ "VALUE a 0 1\r\nx\r\nSTORED\r\n", REPLY_OTHER }, { "VALUE", REPLY_PARTIAL },
		{ "VALUE a 0 1\r\nx\r\nVALUE b 0 1\r\n", REPLY_OTHER }, { "\r\n", REPLY_OTHER },
	};
	struct reply reply;
	char endless[REPLY_LINE_MAX + 1];
	size_t i, used;

	for (i = 0; i < ARRAY_SIZE(replies); i++) {
		reply_reset(&reply);
		EXPECT_EQ(replies[i].kind, reply_input(&reply, replies[i].text,
						       strlen(replies[i].text), &used)) {
			TH_LOG("%s", replies[i].text);
		}
	}
	memset(endless, 'x', sizeof(endless));
	reply_reset(&reply);
	ASSERT_EQ(REPLY_OTHER, reply_input(&reply, endless, sizeof(endless), &used));
}

/* @hits of @draws against @probability, in standard deviations of the binomial distribution. */
static double deviation(double hits, double draws, double probability)
{
	return fabs(hits - draws * probability) / sqrt(draws * probability * (1 - probability));
}

TEST(zipf_has_its_probabilities)
{
	const uint32_t nr = 1000;
	struct keys keys = {
		.nr = nr, .choice = KEYS_ZIPF, .skew = 0.99, .key_bytes = 32, .value_bytes = 1,
	};
	uint64_t *hits = calloc(nr, sizeof(*hits));
	double sum = 0, worst = 0;
	struct random r;
	uint32_t i;

	ASSERT_NE(NULL, hits);
	ASSERT_EQ(0, __keys_init(&keys));
	random_seed(&r, 3);
	for (i = 0; i < DRAWS; i++) {
		uint32_t id = keys_next(&keys, &r);

		ASSERT_LT(id, nr);
		hits[id]++;
	}
	for (i = 1; i <= nr; i++)
		sum += pow(i, -keys.skew);
	for (i = 1; i <= nr; i++)
		worst = fmax(worst, deviation(hits[i - 1], DRAWS, pow(i, -keys.skew) / sum));
	EXPECT_LT(worst, SIGMAS);
	free(hits);
}

TEST(uniform_has_its_probabilities)
{
	struct keys keys = { .nr = 1000, .key_bytes = 32, .value_bytes = 1 };
	uint64_t hits[1000] = { 0 };
	double worst = 0;
	struct random r;
	uint32_t i;

	ASSERT_EQ(0, __keys_init(&keys));
	random_seed(&r, 4);
	for (i = 0; i < DRAWS; i++)
		hits[keys_next(&keys, &r)]++;
	for (i = 0; i < keys.nr; i++)
		worst = fmax(worst, deviation(hits[i], DRAWS, 1.0 / keys.nr));
	EXPECT_LT(worst, SIGMAS);
}

/*
 * Of values: 2 bytes 0.17820; up to 14 bytes 0.44155, the sum of the table; of the rest, half below
 * the median of the Pareto distribution, 15 + 214.476 (2^0.348238 - 1) / 0.348238 = 183.2. Of keys:
 * 1/e below the GEV's location.
 */
TEST(etc_has_its_probabilities)
{
	struct keys keys = { .nr = DRAWS, .sizes = KEYS_ETC, .key_bytes = 32, .value_bytes = 1 };
	uint64_t two = 0, small = 0, below = 0, key_below = 0;
	char text[KEYS_TEXT_MAX];
	uint32_t i;

	ASSERT_EQ(0, __keys_init(&keys));
	for (i = 0; i < keys.nr; i++) {
		uint32_t bytes = keys_value_bytes(&keys, i);

		two += bytes == 2;
		small += bytes < 15;
		below += bytes < 183.2;
		/* A length is rounded down: 31 bytes are above 30.7984, 30 below up to 31. */
		key_below += keys_text(&keys, i, text) < 31;
	}
	EXPECT_LT(deviation(two, DRAWS, 0.17820), SIGMAS);
	EXPECT_LT(deviation(small, DRAWS, 0.44155), SIGMAS);
	/* Whole bytes: 183 counts as below, with what lies between 183.2 and 184. */
	EXPECT_LT(fabs((double)below / DRAWS - (0.44155 + 0.55845 / 2)), 0.002);
	EXPECT_LT(deviation(key_below, DRAWS,
			    exp(-pow(1 + 0.078688 * (31 - 30.7984) / 8.20449, -1 / 0.078688))),
		  SIGMAS);
}

TEST(keys_are_distinct)
{
	struct keys keys = { .nr = UINT32_MAX, .sizes = KEYS_ETC, .key_bytes = 32 };
	char a[KEYS_TEXT_MAX], b[KEYS_TEXT_MAX];
	uint32_t i;

	for (i = 0; i < 32; i++) {
		keys_text(&keys, 0, a);
		keys_text(&keys, 1u << i, b);
		ASSERT_NE(0, memcmp(a, b, 9));
	}
}

TEST(arrivals_are_exponential)
{
	const double mean = 1000;
	struct arrivals a;
	struct random r;
	double last, sum = 0;
	uint64_t beyond = 0;
	unsigned int i;

	random_seed(&r, 5);
	arrivals_init(&a, 1e9 / mean, 0, &r);
	last = a.next_ns;
	for (i = 0; i < DRAWS; i++) {
		arrivals_advance(&a, &r);
		sum += a.next_ns - last;
		beyond += a.next_ns - last > mean;
		last = a.next_ns;
	}
	/* The mean of n gaps deviates by mean / sqrt(n); a gap is above it with probability 1/e. */
	EXPECT_LT(fabs(sum / DRAWS - mean), SIGMAS * mean / sqrt(DRAWS));
	EXPECT_LT(deviation(beyond, DRAWS, exp(-1)), SIGMAS);
}

#define STALL_MS 500
#define STALL_RATE 200
#define STALL_PHASE_MS 1500

/* A server of one connection that answers END, and takes STALL_MS before the first time. */
static void *stalling_server(void *arg)
{
	int listener = *(int *)arg, fd = accept(listener, NULL, NULL);
	const struct timespec stall = { .tv_nsec = STALL_MS * NS_PER_MS };
	bool stalled = false;
	char in[4096];

	/* One request is on its way at most, and so short that it comes whole. */
	while (fd >= 0 && recv(fd, in, sizeof(in), 0) > 0) {
		if (!stalled)
			nanosleep(&stall, NULL);
		stalled = true;
		if (send(fd, "END\r\n", 5, MSG_NOSIGNAL) != 5)
			break;
	}
	close(fd);
	return NULL;
}

static uint64_t hist_at_least(const struct hist *h, uint64_t value)
{
	uint64_t lower, upper, count = 0;
	size_t i;

	for (i = 0; i < HIST_BUCKETS; i++) {
		hist_bucket_range(i, &lower, &upper);
		if (lower >= value)
			count += h->bucket[i];
	}
	return count;
}

/*
 * Of the requests that were due in the first half of the stall, all waited for more than half of
 * it: 50 on average, of a Poisson distribution, so hardly ever fewer than 15. A generator that
 * counts from when it came to send would see one. They are the first that are sent afterwards,
 * and a busy machine can only make them more.
 */
TEST(a_stall_is_charged_to_all_that_were_due)
{
	struct generator_config config = {
		.server = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
		.threads = 1, .conns = 1, .gets_per_set = UINT_MAX, .seed = 6,
		.keys = { .nr = 1000, .key_bytes = 32, .value_bytes = 1 },
	};
	const struct generator_phase phase = {
		.ns = STALL_PHASE_MS * NS_PER_MS, .rate = STALL_RATE,
	};
	struct generator_result *result = malloc(sizeof(*result));
	socklen_t len = sizeof(config.server);
	struct generator *g;
	pthread_t thread;
	char why[256];
	int listener;

	ASSERT_NE(NULL, result);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, bind(listener, (struct sockaddr *)&config.server, len));
	ASSERT_EQ(0, listen(listener, 1));
	ASSERT_EQ(0, getsockname(listener, (struct sockaddr *)&config.server, &len));
	ASSERT_EQ(0, pthread_create(&thread, NULL, stalling_server, &listener));
	ASSERT_EQ(0, __generator_start(&g, &config, why, sizeof(why)));
	ASSERT_EQ(0, __generator_run(g, &phase, result, why, sizeof(why))) {
		TH_LOG("%s", why);
	}
	EXPECT_GT(hist_at_least(&result->latency, STALL_MS / 2 * NS_PER_MS), 15);
	EXPECT_LT(fabs(result->offered_per_sec - STALL_RATE) * phase.ns / 1e9,
		  SIGMAS * sqrt(STALL_RATE * phase.ns / 1e9));
	generator_stop(g);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	close(listener);
	free(result);
}

TEST_HARNESS_MAIN
