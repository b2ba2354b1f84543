// SPDX-License-Identifier: GPL-2.0
/*
 * perfcount: one group of counters on every online CPU.
 *
 * A group is scheduled onto the hardware as a whole, so its counts belong to the same instructions.
 * Its members, in the order in which read(2) gives them: kernel instructions (the leader), all
 * instructions, then the events whose sum is the walks.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <numa.h>

#include <vmtests/perfcount.h>
#include <libmm/sysfile.h>

#include "perfcount_events.h"

#define FIXED_MEMBERS 2
#define MAX_MEMBERS (FIXED_MEMBERS + PERFCOUNT_MAX_WALK_EVENTS)

struct perfcount {
	struct perfcount_choice choice;
	size_t nr_groups;
	size_t nr_members;
	int (*fd)[MAX_MEMBERS];		/* by group */
};

/* PERF_FORMAT_GROUP with both times: perf_event_open(2). */
struct group_read {
	uint64_t nr;
	uint64_t time_enabled;
	uint64_t time_running;
	uint64_t value[MAX_MEMBERS];
};

static int event_open(const struct perfcount_hw_event *event, bool user, int cpu, int leader)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = event->type,
		.config = event->config,
		.disabled = leader < 0,
		.exclude_user = !user,
		.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, leader, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int member_open(const struct perfcount *pc, size_t member, int cpu, int leader)
{
	if (member < FIXED_MEMBERS)
		return event_open(&pc->choice.instructions, member == 1, cpu, leader);
	return event_open(&pc->choice.walks[member - FIXED_MEMBERS], false, cpu, leader);
}

static int group_open(struct perfcount *pc, int cpu)
{
	int *fd = pc->fd[pc->nr_groups++];

	for (size_t i = 0; i < MAX_MEMBERS; i++)
		fd[i] = -1;
	for (size_t i = 0; i < pc->nr_members; i++) {
		fd[i] = member_open(pc, i, cpu, i ? fd[0] : -1);
		if (fd[i] < 0)
			return fd[i];
	}
	return 0;
}

static int groups_open(struct perfcount *pc)
{
	char text[4096], *rest = text, *range;
	size_t room = numa_num_possible_cpus();
	int err = 0;

	pc->fd = calloc(room, sizeof(*pc->fd));
	if (!pc->fd)
		return -ENOMEM;
	if (__sysfile_read("/sys/devices/system/cpu/online", text, sizeof(text)) < 0)
		return -ENOENT;
	while (!err && (range = strsep(&rest, ","))) {
		unsigned int first, last;
		int found = sscanf(range, "%u-%u", &first, &last);

		if (found < 1)
			return -EINVAL;
		if (found == 1)
			last = first;
		for (unsigned int cpu = first; !err && cpu <= last; cpu++)
			err = pc->nr_groups < room ? group_open(pc, cpu) : -ERANGE;
	}
	return err;
}

static const char *open_reason(int err)
{
	static char sentence[160];
	uint64_t paranoid;

	if (err != -EACCES && err != -EPERM) {
		snprintf(sentence, sizeof(sentence),
			 "the hardware counters cannot be opened (%s): has the machine a PMU, and is it free?",
			 strerror(-err));
		return sentence;
	}
	if (__sysfile_read_u64("/proc/sys/kernel/perf_event_paranoid", &paranoid))
		return "counting in the kernel is not allowed: run as root";
	snprintf(sentence, sizeof(sentence),
		 "kernel.perf_event_paranoid=%llu forbids counting in the kernel: run as root",
		 (unsigned long long)paranoid);
	return sentence;
}

int __perfcount_open(struct perfcount **out, const char **why)
{
	struct perfcount *pc = calloc(1, sizeof(*pc));
	int err;

	*why = "out of memory";
	if (!pc)
		return -ENOMEM;
	err = perfcount_choose(&pc->choice, why);
	if (!err) {
		pc->nr_members = FIXED_MEMBERS + pc->choice.nr_walks;
		err = groups_open(pc);
		if (err)
			*why = open_reason(err);
	}
	if (err) {
		perfcount_close(pc);
		return err;
	}
	*out = pc;
	return 0;
}

static int groups_ioctl(struct perfcount *pc, unsigned long request)
{
	for (size_t i = 0; i < pc->nr_groups; i++)
		if (ioctl(pc->fd[i][0], request, PERF_IOC_FLAG_GROUP) < 0)
			return -errno;
	return 0;
}

int __perfcount_start(struct perfcount *pc)
{
	int err = groups_ioctl(pc, PERF_EVENT_IOC_RESET);

	return err ? err : groups_ioctl(pc, PERF_EVENT_IOC_ENABLE);
}

static int group_add(const struct perfcount *pc, size_t group, uint64_t counts[PERFCOUNT_NR])
{
	size_t size = sizeof(uint64_t) * (3 + pc->nr_members);
	struct group_read got;
	ssize_t len;

	len = read(pc->fd[group][0], &got, sizeof(got));
	if (len < 0)
		return -errno;
	if ((size_t)len != size)
		return -EIO;
	/* A group that never ran although it was enabled is as useless as one that ran at times. */
	if (got.time_running < got.time_enabled)
		return -EAGAIN;

	counts[PERFCOUNT_KERNEL_INSTRUCTIONS] += got.value[0];
	counts[PERFCOUNT_ALL_INSTRUCTIONS] += got.value[1];
	for (size_t i = FIXED_MEMBERS; i < pc->nr_members; i++)
		counts[PERFCOUNT_KERNEL_DTLB_WALKS] += got.value[i];
	return 0;
}

int __perfcount_stop(struct perfcount *pc, uint64_t counts[PERFCOUNT_NR])
{
	int err = groups_ioctl(pc, PERF_EVENT_IOC_DISABLE);

	memset(counts, 0, PERFCOUNT_NR * sizeof(*counts));
	for (size_t i = 0; i < pc->nr_groups && !err; i++)
		err = group_add(pc, i, counts);
	return err;
}

void perfcount_close(struct perfcount *pc)
{
	if (!pc)
		return;
	for (size_t i = 0; i < pc->nr_groups; i++)
		for (size_t k = pc->nr_members; k--;)
			if (pc->fd[i][k] >= 0)
				close(pc->fd[i][k]);
	free(pc->fd);
	free(pc);
}

const char *perfcount_source(const struct perfcount *pc)
{
	return pc->choice.source;
}
