// SPDX-License-Identifier: GPL-2.0
/*
 * memcached: see memcached.h.
 *
 * It listens on any free port and, when it does, moves a file with the port's number to where
 * $MEMCACHED_PORT_FILENAME says: inotify tells when. As root it stays root (-u): a change of user
 * clears PR_SET_PDEATHSIG (commit_creds() in the kernel), by which it dies with the benchmark.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <numa.h>

#include <vmtests/bench.h>
#include <vmtests/command.h>
#include <libmm/fail.h>
#include <libmm/sysfile.h>
#include <vmtests/undo.h>

#include "memcached.h"

/* Nothing that it does before takes long, but emulators are slow. */
#define START_TIMEOUT_MS (60 * 1000)
#define BACKLOG "4096"
#define VERSION_MAX 256
/* Room for one page of each size class, which it takes whether there are many items or few. */
#define CLASSES_MIB 64
/* Descriptors of its own, and of each thread: epoll, two for notifications, spare ones. */
#define FILES 32
#define FILES_PER_THREAD 8
#define HASHPOWER_MIN 16	/* its default */
#define WORKER_NAME "mc-worker"

int __memcached_version(char *version, size_t size)
{
	char *const argv[] = { "memcached", "-V", NULL };
	char *said, *number;
	ssize_t len;

	len = __command_output(argv, NULL, -1, &said, VERSION_MAX);
	if (len < 0)
		return len;
	number = said;
	while (*number && !isdigit((unsigned char)*number))
		number++;
	number[strcspn(number, "\n ")] = '\0';
	snprintf(version, size, "%s", number);
	free(said);
	return 0;
}

unsigned int memcached_files(const struct memcached_config *config)
{
	return config->conns + config->threads * FILES_PER_THREAD + FILES;
}

/* Its hash table has two to the power of this buckets. It grows above 1.5 keys a bucket. */
static unsigned int hashpower(uint32_t keys)
{
	unsigned int power = HASHPOWER_MIN;

	while (1ull << power < keys)
		power++;
	return power;
}

static unsigned int cpu_nth(const struct bitmask *cpus, unsigned int n)
{
	unsigned int cpu = 0;

	while (!numa_bitmask_isbitset(cpus, cpu) || n--)
		cpu++;
	return cpu;
}

/* Let the calling thread, and what it starts, use only the first @nr of @cpus. */
static int cpus_confine(const struct bitmask *cpus, unsigned int nr)
{
	struct bitmask *first = numa_allocate_cpumask();
	unsigned int i;
	int err;

	for (i = 0; i < nr; i++)
		numa_bitmask_setbit(first, cpu_nth(cpus, i));
	err = numa_sched_setaffinity(0, first) < 0 ? -errno : 0;
	numa_free_cpumask(first);
	return err;
}

static bool thread_is_worker(pid_t pid, pid_t thread)
{
	char path[64], name[32];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, thread);
	return __sysfile_read(path, name, sizeof(name)) > 0 && !strcmp(name, WORKER_NAME);
}

/* A CPU for each thread that answers; the others stay on any of the server's CPUs. */
static int workers_pin(pid_t pid, const struct bitmask *cpus, unsigned int nr)
{
	struct bitmask *one = numa_allocate_cpumask();
	struct dirent *entry;
	char tasks[64];
	unsigned int i = 0;
	int err = 0;
	DIR *dir;

	snprintf(tasks, sizeof(tasks), "/proc/%d/task", pid);
	dir = opendir(tasks);
	if (!dir)
		err = -errno;
	while (!err && i < nr && (entry = readdir(dir))) {
		pid_t thread = atoi(entry->d_name);

		if (!thread_is_worker(pid, thread))
			continue;
		numa_bitmask_clearall(one);
		numa_bitmask_setbit(one, cpu_nth(cpus, i++));
		if (numa_sched_setaffinity(thread, one) < 0)
			err = -errno;
	}
	if (dir)
		closedir(dir);
	numa_free_cpumask(one);
	return err;
}

static int program_start(const struct memcached_config *config, const char *port_file, pid_t *pid)
{
	char memory[24], conns[16], threads[16], power[32];
	char *argv[] = {
		"memcached", "-l", "127.0.0.1", "-p", "-1", "-U", "0", "-L", "-m", memory,
		"-c", conns, "-t", threads, "-b", BACKLOG, "-o", power,
		/* An ordinary user has no choice of users. */
		geteuid() ? NULL : "-u", "root", NULL,
	};

	snprintf(memory, sizeof(memory), "%" PRIu64, (config->store_bytes >> 20) + CLASSES_MIB);
	snprintf(conns, sizeof(conns), "%u", memcached_files(config));
	snprintf(threads, sizeof(threads), "%u", config->threads);
	snprintf(power, sizeof(power), "hashpower=%u", hashpower(config->keys));
	if (setenv("MEMCACHED_PORT_FILENAME", port_file, true))
		return -errno;
	/* It says nothing unless something is wrong; KTAP has stdout. */
	return __undo_process_start(argv, NULL, -1, STDERR_FILENO, false, pid);
}

/* Until a file is moved to where @notify watches. Returns 0, -ECHILD, -ETIMEDOUT or -errno. */
static int listening_await(pid_t pid, int notify)
{
	struct pollfd fds[] = {
		{ .fd = notify, .events = POLLIN },
		{ .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN },
	};
	int nr, err;

	if (fds[1].fd < 0)
		return -errno;
	do {
		nr = poll(fds, 2, START_TIMEOUT_MS);
	} while (nr < 0 && errno == EINTR);
	err = nr < 0 ? -errno : nr ? 0 : -ETIMEDOUT;
	if (nr > 0 && !fds[0].revents)
		err = -ECHILD;
	close(fds[1].fd);
	return err;
}

/* "TCP INET: 12345" */
static int port_read(const char *port_file, uint16_t *port)
{
	char text[64];
	int ret = __sysfile_read(port_file, text, sizeof(text));

	if (ret < 0)
		return ret;
	return sscanf(text, "TCP INET: %" SCNu16, port) == 1 ? 0 : -EPROTO;
}

/* Start it with a CPU mask of its own, and wait until it listens. */
static int server_begin(struct server *server, const struct memcached_config *config,
			const char *port_file, int notify)
{
	struct bitmask *cpus = numa_allocate_cpumask();
	int err = numa_sched_getaffinity(0, cpus) < 0 ? -errno : 0;

	if (!err)
		err = cpus_confine(cpus, config->threads);
	if (!err) {
		err = program_start(config, port_file, &server->pid);
		if (err)
			server->pid = 0;
	}
	if (!err)
		err = listening_await(server->pid, notify);
	if (!err)
		err = port_read(port_file, &server->port);
	if (!err)
		err = workers_pin(server->pid, cpus, config->threads);
	numa_free_cpumask(cpus);
	return err;
}

int __memcached_start(struct server *server, const struct memcached_config *config, char *why,
		      size_t size)
{
	const char *tmp = getenv("TMPDIR");
	char dir[PATH_MAX], port_file[PATH_MAX + 8], how[64] = "";
	int notify, err;

	*server = (struct server){ 0 };
	err = __undo_directory(tmp ? tmp : "/tmp", dir, sizeof(dir));
	if (err)
		return libmm_refuse(err, why, size, "no directory for memcached's port: %s",
				    strerror(-err));
	snprintf(port_file, sizeof(port_file), "%s/port", dir);
	notify = inotify_init1(IN_CLOEXEC);
	if (notify < 0 || inotify_add_watch(notify, dir, IN_MOVED_TO) < 0)
		err = -errno;
	if (!err)
		err = server_begin(server, config, port_file, notify);
	if (notify >= 0)
		close(notify);
	if (!err)
		return 0;
	if (server->pid && !server_ended(server, how, sizeof(how)))
		__server_stop(server);
	if (*how)
		return libmm_refuse(err, why, size, "memcached %s before it listened", how);
	return libmm_refuse(err, why, size, "cannot start memcached: %s", strerror(-err));
}
