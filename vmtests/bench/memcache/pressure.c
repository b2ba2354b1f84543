// SPDX-License-Identifier: GPL-2.0
/*
 * tlb/memcache: what a memcached server's throughput and latency owe to the kernel's own memory.
 *
 * hat is measured: requests over many loopback TCP connections to memcached, set up so that most of
 * what is left to miss is the kernel's memory. Each request chooses its connection at random. A
 * connection has about 4 KiB of sockets, file, epoll entry and packet buffers on either side (8.45
 * KiB of slab a pair, on x86), which the kernel reaches through the linear map: with thousands of
 * connections these lie in as many pages, and on a linear map made of PTEs nearly each request
 * needs translations that the TLB does not hold, where with blocks of 2 MiB it needs a few dozen
 * for all connections together. The values are in huge pages of the user (memcached -L; share_huge
 * says how much of them really is), so that user misses do not drown that.
 *
 *   connN.uniform.fixed   N connections; any of the keys alike; keys of 32, values of 128 bytes
 *   connN.zipf.fixed      some keys far more often than others (Zipf, 0.99)
 *   connN.uniform.etc     lengths as in Facebook's pool ETC, see keys.c
 *
 * and with a server of our own (server.h), for memcached has no values in a file:
 *
 *   connN.uniform.file    values of 1 KiB that the server pread()s from a memfd, so that the values
 *                         too are behind the linear map
 *   connN.uniform.sendfile  the same, but what it sends are the pages of the memfd, without a copy:
 *                         the receiver reads the values from the linear map
 *
 * Each repeat has two parts. Closed loop: the next request goes out when an answer came, with all
 * connections up to 64 busy: ops_per_sec is what the server can do, cpu_ns_per_op its CPU time,
 * user and kernel. Open loop: requests come at the times of a Poisson process of one absolute rate,
 * the same on every kernel (--rate, or --share of the ops_per_sec of another label's results,
 * --baseline; else DEFAULT_RATE for each CPU of the server), and latency is counted from the time
 * that a request was due, so that a server that stalls is charged for what came meanwhile.
 * offered_per_sec against achieved_per_sec, and late_p99_ns, by how much the generator itself was
 * behind, say whether the latencies mean anything. When the server is overloaded at the rate, they
 * are the length of the run and are left out.
 *
 * The CPUs are halved: server threads on the first half, one a CPU, the generator on the rest. In
 * the quick tier these are CPUs of one node, at most QUICK_CPUS each, so that it does not depend on
 * their numbers whether the two are on one node; -T full takes the CPUs of all nodes. 30 gets to a
 * set, as in ETC.
 *
 * What it cannot show: loopback has no driver, no DMA and no interrupts, so the buffers of a real
 * network card are missing. The packet's way to the receiver is CPU time of whoever sent it, so
 * cpu_ns_per_op holds half of the network stack. Without a PMU (most virtual machines) there is no
 * kernel_dtlb_mpki, and the rest is an effect without its cause. kernel_dtlb_mpki is of all CPUs:
 * the generator's part of the kernel's work is in it. What memcached notes down of a connection is
 * in ordinary pages: with many connections its user side misses too, the same on every kernel.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libmm/base.h>
#include <vmtests/bench.h>
#include <libmm/fail.h>
#include <libmm/memory.h>
#include <vmtests/perfcount.h>

#include "baseline.h"
#include "generator.h"
#include "hugeshare.h"
#include "keys.h"
#include "machine.h"
#include "memcached.h"
#include "node.h"
#include "options.h"
#include "server.h"

#define NS_PER_MS 1000000ull
#define BENCH_NAME "tlb/memcache"
#define BENCH_NAME_EXTERNAL "tlb/memcache-external"

#define QUICK_CPUS 4
#define QUICK_KEYS (64u << 10)
#define FULL_KEYS (256u << 10)
/* Share of the available memory that the store may take, with -T full. */
#define STORE_SHARE 8
/* Room for rounding to size classes, slabs that are not full, and shards that are unlike. */
#define STORE_SLACK 2
/* Of --serve, which nobody tells how many keys there will be: four times the quick tier's. */
#define SERVE_BYTES (64u << 20)
/* Of the kernel's and our own memory for one connection's two ends, rounded up. */
#define CONN_BYTES (16u << 10)
#define SPARE_FILES 64
/* What either server notes down of an item, rounded up. */
#define ITEM_BYTES 64

#define KEY_BYTES 32
#define VALUE_BYTES 128
#define FILE_VALUE_BYTES 1024
#define ZIPF_SKEW 0.99
#define WINDOW 64

#define QUICK_CLOSED_NS (200 * NS_PER_MS)
#define QUICK_OPEN_NS (400 * NS_PER_MS)
#define FULL_CLOSED_NS (2000 * NS_PER_MS)
#define FULL_OPEN_NS (4000 * NS_PER_MS)
/* Requests/s a CPU of the server: a small part of what one does, where nothing queues up. */
#define DEFAULT_RATE 5000
/* Below, requests queue up for as long as the phase lasts. */
#define KEPT_UP 0.95

struct shape {
	const char *name;
	bool full_only;
	unsigned int conns;
	enum keys_choice choice;
	enum keys_sizes sizes;
	/* Of our own server: memcached has no values in a file. */
	bool file;
	bool sends_file;
	bool said;		/* which server it is */
};

static struct shape shapes[] = {
	{ .name = "conn64.uniform.fixed", .conns = 64 },
	{ .name = "conn256.uniform.fixed", .conns = 256, .full_only = true },
	{ .name = "conn1024.uniform.fixed", .conns = 1024 },
	{ .name = "conn4096.uniform.fixed", .conns = 4096, .full_only = true },
	{ .name = "conn16384.uniform.fixed", .conns = 16384 },
	{ .name = "conn1024.zipf.fixed", .conns = 1024, .choice = KEYS_ZIPF, .full_only = true },
	{ .name = "conn1024.uniform.etc", .conns = 1024, .sizes = KEYS_ETC },
	{ .name = "conn1024.uniform.file", .conns = 1024, .file = true },
	{
		.name = "conn1024.uniform.sendfile", .conns = 1024, .file = true,
		.sends_file = true, .full_only = true,
	},
};

static struct memcache_options options;
static struct server server;
static double share_huge;	/* of its store; negative: not known */
static struct generator *generator;
static struct generator_result result;
static struct perfcount *counters;
static double rate;
static bool has_cpu_clock;
static clockid_t cpu_clock;	/* of the server */

static unsigned int server_cpus(void)
{
	unsigned int half = bench_cpus() / 2;

	if (options.external)
		return 0;
	return bench_tier_full() || half < QUICK_CPUS ? half : QUICK_CPUS;
}

/* All that the server leaves; an external one is wherever its owner put it. */
static unsigned int generator_cpus(void)
{
	unsigned int rest = bench_cpus() - server_cpus();

	return bench_tier_full() || rest < QUICK_CPUS ? rest : QUICK_CPUS;
}

static uint64_t item_bytes_sum(const struct keys *keys)
{
	char text[KEYS_TEXT_MAX];
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < keys->nr; i++)
		sum += ITEM_BYTES + keys_text(keys, i, text) + keys_value_bytes(keys, i);
	return sum;
}

static uint32_t keys_wanted(const struct shape *shape, uint64_t available)
{
	uint64_t item = shape->file ? FILE_VALUE_BYTES : 4 * VALUE_BYTES;
	uint64_t fit = available / STORE_SHARE / STORE_SLACK / item;

	if (!bench_tier_full())
		return QUICK_KEYS;
	return fit < FULL_KEYS ? fit : FULL_KEYS;
}

static int keys_make(struct bench_case *c, struct keys *keys, uint64_t available)
{
	const struct shape *shape = c->ctx;
	int err;

	*keys = (struct keys){
		.nr = keys_wanted(shape, available),
		.choice = shape->choice,
		.sizes = shape->sizes,
		.key_bytes = KEY_BYTES,
		.value_bytes = shape->file ? FILE_VALUE_BYTES : VALUE_BYTES,
		.skew = ZIPF_SKEW,
	};
	err = __keys_init(keys);
	return err ? bench_fail(c, err, "no keys") : 0;
}

static int rate_choose(struct bench_case *c)
{
	char why[192];
	double median;
	int err;

	rate = options.rate;
	if (rate > 0)
		return 0;
	rate = DEFAULT_RATE * (server_cpus() ? server_cpus() : 1);
	if (!options.baseline)
		return 0;
	err = __baseline_median(options.baseline, options.external ? BENCH_NAME_EXTERNAL :
				BENCH_NAME, c->name, "ops_per_sec", &median, why, sizeof(why));
	if (err)
		return bench_fail(c, err, "%s", why);
	rate = options.share * median;
	return 0;
}

/* The server's end is the cause of what failed, if it did end. Returns @err. */
static int failed(struct bench_case *c, int err, const char *why)
{
	const struct shape *shape = c->ctx;
	char how[64];

	if (server.pid && server_ended(&server, how, sizeof(how)))
		return libmm_refuse(err, c->reason, sizeof(c->reason), "%s %s: %s",
				    shape->file ? "our server" : "memcached", how, why);
	return libmm_refuse(err, c->reason, sizeof(c->reason), "%s", why);
}

static void server_say(const struct bench_case *c, const char *name, const char *version)
{
	struct shape *shape = c->ctx;

	if (!shape->said)
		printf("# %s: the server is %s%s\n", c->name, name, version);
	shape->said = true;
}

static int own_begin(struct bench_case *c, uint64_t store_bytes)
{
	const struct shape *shape = c->ctx;
	const struct server_config config = {
		.store = { .bytes = store_bytes, .values_in_file = true },
		.workers = server_cpus(),
		.sends_file = shape->sends_file,
	};
	int err = __server_start(&server, &config);

	if (err)
		return bench_fail(c, err, "cannot start the server");
	server_say(c, "memcache_pressure itself", "");
	return 0;
}

static int memcached_begin(struct bench_case *c, const struct memcached_config *config)
{
	char version[32], why[192];
	int err, unpinned;

	err = __memcached_version(version, sizeof(version));
	if (err == -ENOENT)
		return bench_skip(c, "no memcached: apt install memcached (make deps)");
	if (err)
		return bench_fail(c, err, "memcached -V");
	err = bench_guard(c);
	if (err)
		return err;
	err = __memcached_start(&server, config, why, sizeof(why));
	unpinned = __bench_unpin();
	if (err)
		return libmm_refuse(err, c->reason, sizeof(c->reason), "%s", why);
	if (unpinned)
		return bench_fail(c, unpinned, "cannot give the CPU affinity back");
	server_say(c, "memcached ", version);
	return 0;
}

static int server_begin(struct bench_case *c, const struct keys *keys, uint64_t store_bytes)
{
	const struct shape *shape = c->ctx;
	const struct memcached_config config = {
		.store_bytes = store_bytes,
		.keys = keys->nr,
		.conns = shape->conns,
		.threads = server_cpus(),
	};
	pid_t pid;
	int err = 0;

	if (!options.external)
		err = shape->file ? own_begin(c, store_bytes) : memcached_begin(c, &config);
	if (err)
		return err;
	pid = options.external ? options.external_pid : server.pid;
	has_cpu_clock = pid && !clock_getcpuclockid(pid, &cpu_clock);
	return 0;
}

static int generator_begin(struct bench_case *c, const struct keys *keys)
{
	const struct shape *shape = c->ctx;
	struct generator_config config = {
		.server = options.server,
		.threads = generator_cpus(),
		.first_cpu = server_cpus(),
		.conns = shape->conns,
		.gets_per_set = options.gets_per_set,
		.keys = *keys,
		.seed = 1,
	};
	char why[192];
	int err;

	if (!options.external)
		config.server = (struct sockaddr_in){
			.sin_family = AF_INET,
			.sin_port = htons(server.port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};
	if (config.threads > config.conns)
		config.threads = config.conns;
	err = __generator_start(&generator, &config, why, sizeof(why));
	if (!err)
		err = __generator_load(generator, why, sizeof(why));
	if (err)
		return failed(c, err, why);
	if (server.pid)
		share_huge = huge_share(server.pid);
	return 0;
}

static void counters_begin(const struct bench_case *c)
{
	const char *why;

	if (!__perfcount_open(&counters, &why))
		return;
	counters = NULL;
	printf("# %s: kernel_dtlb_mpki is not measured: %s\n", c->name, why);
}

static void memcache_teardown(struct bench_case *c)
{
	(void)c;
	if (generator)
		generator_stop(generator);
	generator = NULL;
	if (counters)
		perfcount_close(counters);
	counters = NULL;
	if (server.pid)
		__server_stop(&server);
}

static int parts_begin(struct bench_case *c, const struct keys *keys, uint64_t store_bytes)
{
	int err;

	err = rate_choose(c);
	if (!err)
		err = server_begin(c, keys, store_bytes);
	if (!err)
		err = generator_begin(c, keys);
	if (err) {
		memcache_teardown(c);
		return err;
	}
	counters_begin(c);
	return 0;
}

/* Both ends have descriptors, but in processes of their own, of which memcached wants more. */
static unsigned int files_wanted(const struct shape *shape)
{
	const struct memcached_config config = { .conns = shape->conns, .threads = server_cpus() };
	unsigned int wanted = shape->conns + SPARE_FILES;

	if (shape->file || options.external || memcached_files(&config) < wanted)
		return wanted;
	return memcached_files(&config);
}

static int memcache_setup(struct bench_case *c)
{
	const struct shape *shape = c->ctx;
	uint64_t available, store_bytes;
	struct keys keys;
	int err;

	err = options.external ? 0 : machine_allows_loopback(c);
	if (err)
		return err;
	if (options.external && shape->file)
		return bench_skip(c, "an external server keeps its values where it likes");
	err = __memory_available(&available);
	if (err)
		return bench_fail(c, err, "cannot tell how much memory is available");
	err = keys_make(c, &keys, available);
	if (err)
		return err;
	store_bytes = item_bytes_sum(&keys) * STORE_SLACK;
	err = machine_allows_files(c, files_wanted(shape));
	if (!err)
		err = machine_allows_memory(c, (shape->file ? 2 : 1) * store_bytes +
					    (uint64_t)shape->conns * CONN_BYTES, available);
	return err ? err : parts_begin(c, &keys, store_bytes);
}

static int cpu_ns(uint64_t *ns)
{
	struct timespec t;

	if (clock_gettime(cpu_clock, &t))
		return -errno;
	*ns = t.tv_sec * 1000000000ull + t.tv_nsec;
	return 0;
}

/*
 * A TLB model's window is the closed loop alone: in the open loop most instructions are the
 * generator's looking for answers, and their number is that of the rate, not of the work.
 */
static int generate(struct bench_case *c, const struct generator_phase *phase)
{
	bool modelled = phase->window;
	char why[192];
	int err;

	if (modelled)
		bench_window_begin();
	err = __generator_run(generator, phase, &result, why, sizeof(why));
	if (err)
		return failed(c, err, why);
	if (modelled)
		bench_window_end(result.answers);
	if (!options.external && result.misses)
		return bench_fail(c, -ENOSPC, "%lu values were not in the store any more",
				  (unsigned long)result.misses);
	return 0;
}

/* Start counting, generate, and stop. @counts is valid when *@counted is set. */
static int generate_counted(struct bench_case *c, const struct generator_phase *phase,
			    uint64_t counts[PERFCOUNT_NR], bool *counted)
{
	int err;

	*counted = counters && !__perfcount_start(counters);
	err = generate(c, phase);
	if (*counted)
		*counted = !__perfcount_stop(counters, counts);
	return err;
}

static int counts_report(struct bench_case *c, const uint64_t counts[PERFCOUNT_NR])
{
	double walks = counts[PERFCOUNT_KERNEL_DTLB_WALKS];
	int err;

	err = bench_value(c, "kernel_dtlb_mpki", "walks/kinstr", REPORT_LOWER,
			  1000 * walks / counts[PERFCOUNT_KERNEL_INSTRUCTIONS]);
	if (err)
		return err;
	return bench_value(c, "kernel_dtlb_mpki_all", "walks/kinstr", REPORT_LOWER,
			   1000 * walks / counts[PERFCOUNT_ALL_INSTRUCTIONS]);
}

static int closed_measure(struct bench_case *c)
{
	const struct generator_phase phase = {
		.ns = bench_tier_full() ? FULL_CLOSED_NS : QUICK_CLOSED_NS,
		.window = WINDOW,
	};
	uint64_t counts[PERFCOUNT_NR] = { 0 }, before = 0, after = 0;
	bool counted = false;
	int err;

	err = has_cpu_clock ? cpu_ns(&before) : 0;
	if (!err)
		err = generate_counted(c, &phase, counts, &counted);
	if (!err && has_cpu_clock)
		err = cpu_ns(&after);
	if (!err && !result.answers)
		err = -ENODATA;
	if (!err)
		err = bench_value(c, "ops_per_sec", "ops/s", REPORT_HIGHER,
				  result.achieved_per_sec);
	if (!err && has_cpu_clock)
		err = bench_value(c, "cpu_ns_per_op", "ns/op", REPORT_LOWER,
				  (double)(after - before) / result.answers);
	return err || !counted ? err : counts_report(c, counts);
}

static int open_measure(struct bench_case *c)
{
	const struct generator_phase phase = {
		.ns = bench_tier_full() ? FULL_OPEN_NS : QUICK_OPEN_NS,
		.rate = rate,
	};
	int err;

	err = generate(c, &phase);
	if (!err)
		err = bench_value(c, "offered_per_sec", "ops/s", REPORT_HIGHER,
				  result.offered_per_sec);
	if (!err)
		err = bench_value(c, "achieved_per_sec", "ops/s", REPORT_HIGHER,
				  result.achieved_per_sec);
	if (!err)
		err = bench_value(c, "late_p99_ns", "ns", REPORT_LOWER,
				  hist_quantile(&result.lateness, 0.99));
	if (err)
		return err;
	if (result.achieved_per_sec >= KEPT_UP * result.offered_per_sec)
		return bench_latency(c, "latency", &result.latency);
	if (!c->warmup)
		printf("# %s: no latencies: of %.0f requests/s only %.0f were answered\n", c->name,
		       result.offered_per_sec, result.achieved_per_sec);
	return 0;
}

static int memcache_measure(struct bench_case *c)
{
	int err;

	err = closed_measure(c);
	if (!err && !options.closed_only)
		err = open_measure(c);
	if (err || options.external || share_huge < 0)
		return err;
	return bench_value(c, "share_huge", "1", REPORT_HIGHER, share_huge);
}

static long cases_make(struct bench_case **cases)
{
	long nr = 0;
	size_t i;

	*cases = calloc(ARRAY_SIZE(shapes), sizeof(**cases));
	if (!*cases)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		if (shapes[i].full_only && !bench_tier_full())
			continue;
		(*cases)[nr++] = (struct bench_case){
			.name = shapes[i].name,
			.ctx = &shapes[i],
			.setup = memcache_setup,
			.after = memcache_measure,
			.teardown = memcache_teardown,
		};
	}
	return nr;
}

/* Until it is killed: nothing has to be put back. */
static int serve(void)
{
	const struct server_config config = {
		.store = { .bytes = SERVE_BYTES },
		.workers = 1,
		.port = options.port,
	};
	int err = __server_start(&server, &config);

	if (err) {
		fprintf(stderr, "memcache_pressure: cannot listen on port %u: %s\n", options.port,
			strerror(-err));
		return EXIT_FAILURE;
	}
	printf("%u\n", server.port);
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	struct bench bench = { .name = BENCH_NAME, .build = cases_make };
	int err;

	argc = __memcache_options_take(&options, argc, argv);
	if (argc < 0)
		return EXIT_FAILURE;
	/* Before bench_cpus(), which looks but once. */
	err = bench_tier_full() ? 0 : __node_confine();
	if (err) {
		fprintf(stderr, "memcache_pressure: cannot keep to the CPUs of one node: %s\n",
			strerror(-err));
		return EXIT_FAILURE;
	}
	bench_cpus();
	if (options.serve)
		return serve();
	if (options.external)
		bench.name = BENCH_NAME_EXTERNAL;
	return bench_main(argc, argv, &bench);
}
