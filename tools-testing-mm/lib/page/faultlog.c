// SPDX-License-Identifier: GPL-2.0
/* faultlog: a perf event that samples the address of each page fault of the calling thread. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/fail.h>
#include <libmm/faultlog.h>
#include <libmm/sysfile.h>

#define PARANOID "/proc/sys/kernel/perf_event_paranoid"

/*
 * Bytes of records that the ring has room for, behind the page with its state: a power of two of
 * pages of any size, and less than kernel.perf_event_mlock_kb allows.
 */
#define RING_SIZE (FAULTLOG_MAX * sizeof(struct record))

/* What PERF_SAMPLE_ADDR alone makes of PERF_RECORD_SAMPLE. */
struct record {
	struct perf_event_header header;
	uint64_t addr;
};

static struct probe open_refused(int err)
{
	char paranoid[16] = "unknown";

	if (err == ENOSYS)
		return probe_no("this kernel was built without CONFIG_PERF_EVENTS");
	__sysfile_read(PARANOID, paranoid, sizeof(paranoid));
	return probe_no("page faults cannot be logged (%s): kernel.perf_event_paranoid is %s, 2 allows it unless a container forbids it",
			strerror(err), paranoid);
}

struct probe faultlog_open(struct faultlog *log)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_PAGE_FAULTS,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_ADDR,
		.disabled = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};
	int err;

	log->fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (log->fd < 0)
		return open_refused(errno);
	/* Writable: the kernel then drops what it has no room for, instead of overwriting. */
	log->ring = mmap(NULL, page_size() + RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, log->fd,
			 0);
	if (log->ring != MAP_FAILED)
		return probe_yes();
	err = errno;
	close(log->fd);
	return open_refused(err);
}

void faultlog_close(struct faultlog *log)
{
	munmap(log->ring, page_size() + RING_SIZE);
	close(log->fd);
}

void faultlog_start(struct faultlog *log)
{
	struct perf_event_mmap_page *state = log->ring;
	uint64_t head = __atomic_load_n(&state->data_head, __ATOMIC_ACQUIRE);

	__atomic_store_n(&state->data_tail, head, __ATOMIC_RELEASE);
	if (ioctl(log->fd, PERF_EVENT_IOC_RESET, 0) || ioctl(log->fd, PERF_EVENT_IOC_ENABLE, 0))
		libmm_fail("faultlog: enabling the event: %s", strerror(errno));
}

/* The data is a ring, and a record may lie across its end: all are multiples of 8 bytes. */
static void ring_read(const struct faultlog *log, uint64_t at, void *to, size_t size)
{
	const char *data = (const char *)log->ring + page_size();
	size_t i;

	for (i = 0; i < size; i += sizeof(uint64_t))
		memcpy((char *)to + i, data + (at + i) % RING_SIZE, sizeof(uint64_t));
}

int __faultlog_stop(struct faultlog *log, const void *area, size_t nr, unsigned int *faults)
{
	struct perf_event_mmap_page *state = log->ring;
	uint64_t at, head, counted, seen = 0;
	struct record record;
	size_t page;

	if (ioctl(log->fd, PERF_EVENT_IOC_DISABLE, 0))
		return -errno;
	if (read(log->fd, &counted, sizeof(counted)) != sizeof(counted))
		return -EIO;
	head = __atomic_load_n(&state->data_head, __ATOMIC_ACQUIRE);
	for (at = state->data_tail; at < head; at += record.header.size) {
		ring_read(log, at, &record.header, sizeof(record.header));
		if (record.header.type != PERF_RECORD_SAMPLE)
			continue;
		ring_read(log, at, &record, sizeof(record));
		seen++;
		page = (record.addr - (uintptr_t)area) / page_size();
		if (record.addr >= (uintptr_t)area && page < nr)
			faults[page]++;
	}
	return seen == counted ? 0 : -EOVERFLOW;
}

void faultlog_stop(struct faultlog *log, const void *area, size_t nr, unsigned int *faults)
{
	int ret = __faultlog_stop(log, area, nr, faults);

	if (ret)
		libmm_fail("faultlog: reading which pages faulted: %s", strerror(-ret));
}
