// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: the parts of memcache_pressure that ask do what their headers say: keys, lengths and
 * arrivals have the distributions that they are named after; answers are understood however they
 * are cut; latencies count from when a request was due; one node is kept to.
 * Method: counts against exact probabilities, five standard deviations off at most (one false
 * alarm in 10^6); answers cut at every byte; and a server that stalls once.
 */
#include <arpa/inet.h>
#include <limits.h>
#include <math.h>
#include <numa.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <kselftest_harness.h>

#include "arrivals.h"
#include "generator.h"
#include "keys.h"
#include "node.h"
#include "reply.h"

#define DRAWS 1000000
#define SIGMAS 5
#define NS_PER_MS 1000000ull
#ifndef ARRAY_SIZE
#endif

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
