// SPDX-License-Identifier: GPL-2.0
/*
 * lazymmu/vmalloc: mapping and unmapping pages in the vmalloc area, through two ways that a program
 * has: BPF maps (bpf_map_area_alloc) and the kernel stacks of new threads (CONFIG_VMAP_STACK).
 *
 * vmalloc maps its pages entry by entry in lazy MMU mode, and vfree unmaps them; on arm64 with
 * rodata=full a vmalloc with permissions also changes the linear map. cpus.bpf_map does so on every
 * CPU at once, as the users of vmalloc on a large machine would.
 *
 * It cannot show the cost of freeing. A worker frees BPF maps later. The kernel collects freed
 * areas and flushes them when enough have gathered, which lands on whichever operation comes then;
 * the repeats are long enough to see several flushes.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <kselftest.h>
#include <vmtests/bench.h>
#include <vmtests/bench_workers.h>
#include <libmm/memory.h>
#include <libmm/kconfig.h>

#define MAP_BYTES (1u << 20)
#define MAPS 64
/* What the maps of all CPUs may take of the available memory: closed ones are freed later. */
#define CPUS_SHARE 8
#define THREADS 256
#define STACK_BYTES (64l << 10)

static struct {
	int map_fd[MAPS];
	unsigned int maps;
	pthread_t thread[THREADS];
	unsigned int threads;
	pthread_attr_t attr;
	pthread_rwlock_t gate;	/* write-locked until the threads may leave */
	struct bench_workers *workers;
	uint64_t maps_each;	/* of a worker */
} churn;

/* An array map of one large value lies in the vmalloc area. */
static int map_create(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(uint32_t);
	attr.value_size = MAP_BYTES;
	attr.max_entries = 1;
	return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int maps_probe(struct bench_case *c)
{
	int fd = map_create();

	if (fd < 0 && errno == EPERM)
		return bench_skip(c, "BPF maps are forbidden to this user: run as root");
	if (fd < 0 && kconfig_value("CONFIG_BPF_SYSCALL") == 'n')
		return bench_skip(c, "no BPF maps: the kernel was built without CONFIG_BPF_SYSCALL");
	if (fd < 0)
		return bench_fail(c, -errno, "bpf(BPF_MAP_CREATE) of %u bytes", MAP_BYTES);
	close(fd);
	return 0;
}

static unsigned int map_pages(void)
{
	return MAP_BYTES / (unsigned int)sysconf(_SC_PAGESIZE);
}

static int maps_setup(struct bench_case *c)
{
	c->iterations = MAPS;
	c->units = (uint64_t)MAPS * map_pages();
	return maps_probe(c);
}

static int op_map_create(struct bench_case *c, uint64_t i)
{
	(void)c;
	churn.map_fd[i] = map_create();
	if (churn.map_fd[i] < 0)
		return -errno;
	churn.maps = (unsigned int)i + 1;
	return 0;
}

/*
 * Not timed: the last reference only queues the freeing (bpf_map_put() and bpf_map_free_deferred()
 * in kernel/bpf/syscall.c), so close(2) takes as long as that.
 */
static int maps_close(struct bench_case *c)
{
	while (churn.maps) {
		if (close(churn.map_fd[--churn.maps]))
			return bench_fail(c, -errno, "closing a BPF map");
	}
	return 0;
}

static void maps_teardown(struct bench_case *c)
{
	(void)c;
	while (churn.maps)
		close(churn.map_fd[--churn.maps]);
}

static int worker_setup(struct bench_case *c)
{
	c->iterations = churn.maps_each;
	return 0;
}

static int cpus_setup(struct bench_case *c)
{
	uint64_t available;
	int err = maps_probe(c);

	if (err)
		return err;
	err = __memory_available(&available);
	if (err)
		return bench_fail(c, err, "cannot tell how much memory is available");
	churn.maps_each = available / CPUS_SHARE / bench_cpus() / MAP_BYTES;
	if (!churn.maps_each)
		return bench_skip(c, "less than %u bytes of memory for each CPU",
				  CPUS_SHARE * MAP_BYTES);
	if (churn.maps_each > MAPS)
		churn.maps_each = MAPS;
	return __bench_workers_start(&churn.workers, c, worker_setup);
}

static int op_map_close(struct bench_case *c, uint64_t i)
{
	(void)c;
	return close(churn.map_fd[i]) ? -errno : 0;
}

static int cpus_measure(struct bench_case *c)
{
	double per_sec, ignored;
	int err = __bench_workers_run(churn.workers, c, op_map_create, &per_sec);

	if (!err)
		err = __bench_workers_run(churn.workers, c, op_map_close, &ignored);
	return err ? err : bench_value(c, "alloc_pages_per_sec", "pages/s", REPORT_HIGHER,
				       per_sec * map_pages());
}

static void cpus_teardown(struct bench_case *c)
{
	(void)c;
	bench_workers_stop(churn.workers);
	churn.workers = NULL;
}

static void *thread_wait(void *arg)
{
	pthread_rwlock_rdlock(arg);
	pthread_rwlock_unlock(arg);
	return NULL;
}

/* Small user stacks, so that the kernel's own stacks are what a thread costs. */
static int attributes_make(void)
{
	long least = sysconf(_SC_THREAD_STACK_MIN);
	int err = pthread_attr_init(&churn.attr);

	if (err)
		return -err;
	return -pthread_attr_setstacksize(&churn.attr, least > STACK_BYTES ? least : STACK_BYTES);
}

static int threads_setup(struct bench_case *c)
{
	int err;

	if (kconfig_value("CONFIG_VMAP_STACK") == 'n')
		return bench_skip(c, "kernel stacks are not in the vmalloc area: CONFIG_VMAP_STACK is off");
	/* The threads wait until all are there: none of them is to run beside who makes them. */
	err = __bench_pin(0);
	if (!err)
		err = attributes_make();
	if (!err)
		err = -pthread_rwlock_init(&churn.gate, NULL);
	if (err)
		return bench_fail(c, err, "cannot prepare threads");
	c->iterations = THREADS;
	c->units = THREADS;
	return 0;
}

static int threads_before(struct bench_case *c)
{
	int err = pthread_rwlock_wrlock(&churn.gate);

	churn.threads = 0;
	return err ? bench_fail(c, -err, "cannot close the gate") : 0;
}

static int op_thread_create(struct bench_case *c, uint64_t i)
{
	int err = pthread_create(&churn.thread[i], &churn.attr, thread_wait, &churn.gate);

	(void)c;
	churn.threads += !err;
	return -err;
}

static int threads_after(struct bench_case *c)
{
	int err = pthread_rwlock_unlock(&churn.gate);

	for (unsigned int i = 0; i < churn.threads; i++)
		err |= pthread_join(churn.thread[i], NULL);
	return err ? bench_fail(c, -err, "pthread_join") : 0;
}

static void threads_teardown(struct bench_case *c)
{
	(void)c;
	pthread_attr_destroy(&churn.attr);
	pthread_rwlock_destroy(&churn.gate);
}

static const struct bench_phase map_phases[] = {
	{ .metric = "alloc_ns_per_page", .unit = "ns/page", .op = op_map_create },
};

static const struct bench_phase thread_phases[] = {
	{ .metric = "create_ns", .unit = "ns/thread", .op = op_thread_create },
};

static struct bench_case cases[] = {
	{
		.name = "bpf_map",
		.setup = maps_setup,
		.phases = map_phases, .nr_phases = 1,
		.after = maps_close,
		.teardown = maps_teardown,
	},
	{
		.name = "cpus.bpf_map",
		.setup = cpus_setup,
		.after = cpus_measure,
		.teardown = cpus_teardown,
	},
	{
		.name = "thread_stack",
		.setup = threads_setup,
		.before = threads_before,
		.phases = thread_phases, .nr_phases = 1,
		.after = threads_after,
		.teardown = threads_teardown,
	},
};

int main(int argc, char **argv)
{
	static const struct bench vmalloc_churn = {
		.name = "lazymmu/vmalloc",
		.cases = cases,
		.nr_cases = ARRAY_SIZE(cases),
	};

	return bench_main(argc, argv, &vmalloc_churn);
}
