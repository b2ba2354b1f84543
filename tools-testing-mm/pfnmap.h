/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pfnmap: the fixture of pfnmap_test and what its cases are made of: accesses that may trap, faults
 * that are counted, and marks in the memory.
 */
#ifndef PFNMAP_H
#define PFNMAP_H

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>
#ifdef __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 35)
#include <sys/rseq.h>
#endif
#endif

#include <libmm/area.h>
#include <libmm/base.h>
#include <libmm/devmem.h>
#include <libmm/fail.h>
#include <libmm/gem.h>
#include <libmm/harness.h>

enum source { VFIO, VGEM, RESOURCE, DEVMEM };

/* What came of an access: sig is 0 when nothing did. */
struct trap {
	int sig;
	int code;
	char *addr;
};

FIXTURE(pfnmap)
{
	enum source source;
	bool premapped;		/* mmap(2) makes all entries, not faults */
	struct devmem_levels levels;
	struct devmem mem;
	struct gem gem;
	int fd;			/* maps the BAR, whose first byte is at fd_offset */
	uint64_t fd_offset;
	char *control;		/* not VFIO: a second mapping of the area */
	char *reserve;
	size_t reserve_size;
	struct area area;
	uint64_t bar_offset;	/* of the area in the BAR */
};

/*
 * @entry: the area is some of these large. @edges: it begins a page, and for PUDs a PMD too, before
 * an entry of that size.
 */
enum entry { PAGES, PMDS, PUDS };

FIXTURE_VARIANT(pfnmap)
{
	enum source source;
	enum entry entry;
	enum entry aligned;	/* the largest size that addresses are aligned for */
	bool edges;
};

/* The controls: pages, all of them mapped by mmap(2). */
FIXTURE_VARIANT_ADD(pfnmap, resource_pages) {
	.source = RESOURCE, .entry = PMDS, .aligned = PMDS,
};

FIXTURE_VARIANT_ADD(pfnmap, devmem_pages) {
	.source = DEVMEM, .entry = PMDS, .aligned = PMDS,
};

/* Pages of tmpfs, mapped by faults; and huge pages of it. DRM maps from a buffer's start only. */
FIXTURE_VARIANT_ADD(pfnmap, vgem_pages) {
	.source = VGEM, .entry = PMDS, .aligned = PAGES,
};

FIXTURE_VARIANT_ADD(pfnmap, vgem_pmds) {
	.source = VGEM, .entry = PMDS, .aligned = PMDS,
};

/* As much as the PMDs below, but addresses are a page off. */
FIXTURE_VARIANT_ADD(pfnmap, pages) {
	.source = VFIO, .entry = PMDS, .aligned = PAGES,
};

FIXTURE_VARIANT_ADD(pfnmap, pmds) {
	.source = VFIO, .entry = PMDS, .aligned = PMDS,
};

/* Pages before and behind. */
FIXTURE_VARIANT_ADD(pfnmap, pmds_edges) {
	.source = VFIO, .entry = PMDS, .aligned = PMDS, .edges = true,
};

/* As much as the PUDs below, but addresses are a PMD off. */
FIXTURE_VARIANT_ADD(pfnmap, puds_off) {
	.source = VFIO, .entry = PUDS, .aligned = PMDS,
};

FIXTURE_VARIANT_ADD(pfnmap, puds) {
	.source = VFIO, .entry = PUDS, .aligned = PUDS,
};

/* A page, a PMD and a PUD. */
FIXTURE_VARIANT_ADD(pfnmap, puds_edges) {
	.source = VFIO, .entry = PUDS, .aligned = PUDS, .edges = true,
};

static const int trap_signals[] = { SIGSEGV, SIGBUS, SIGPROF };
static struct sigaction trap_previous[ARRAY_SIZE(trap_signals)];
static sigjmp_buf trap_return;
static volatile sig_atomic_t trap_armed;
static struct trap trap_taken;

/* A signal that no access was to give is left to what handled it before. */
static void on_trap(int sig, siginfo_t *info, void *context)
{
	size_t i;

	(void)context;
	if (trap_armed) {
		trap_taken = (struct trap) {
			.sig = sig, .code = info->si_code, .addr = info->si_addr,
		};
		siglongjmp(trap_return, 1);
	}
	for (i = 0; sig != SIGPROF && i < ARRAY_SIZE(trap_signals); i++) {
		if (trap_signals[i] == sig)
			sigaction(sig, &trap_previous[i], NULL);
	}
}

static void traps_catch(void)
{
	const struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(trap_signals); i++) {
		if (sigaction(trap_signals[i], &action, &trap_previous[i]))
			libmm_fail("pfnmap: sigaction: %s", strerror(errno));
	}
}

/*
 * Write @value at @p, or read it when @value is NULL. One that has faulted over and over for ten
 * seconds of this process' own time ends by SIGPROF.
 */
static struct trap access_try(char *p, const uint64_t *value)
{
	static const struct itimerval endless = { .it_value.tv_sec = 10 }, off;
	volatile uint64_t *word = (volatile uint64_t *)p;

	trap_taken = (struct trap) {};
	if (setitimer(ITIMER_PROF, &endless, NULL))
		libmm_fail("pfnmap: setitimer: %s", strerror(errno));
	trap_armed = 1;
	if (!sigsetjmp(trap_return, 1)) {
		if (value)
			*word = *value;
		else
			(void)*word;
	}
	trap_armed = 0;
	setitimer(ITIMER_PROF, &off, NULL);
	return trap_taken;
}

/* Whether an access to the first word of @page gives this signal, with this code, there. */
static inline bool traps(char *page, bool write, int sig, int code)
{
	const uint64_t zero = 0;
	struct trap trap = access_try(page, write ? &zero : NULL);

	if (trap.sig == sig && trap.code == code && trap.addr == page)
		return true;
	fprintf(stderr, "# %s %p: signal %d, code %d, address %p; expected signal %d, code %d\n",
		write ? "writing" : "reading", (void *)page, trap.sig, trap.code,
		(void *)trap.addr, sig, code);
	return false;
}

/*
 * Where the kernel says on which CPU a thread is (rseq(2)): it writes there when the thread has
 * moved, and takes a fault for it where fork has write-protected the page. So write there before.
 */
static void rseq_touch(void)
{
#ifdef RSEQ_SIG
#ifdef __x86_64__
	char *thread = (char *)pthread_self();
#else
	char *thread = __builtin_thread_pointer();
#endif

	if (__rseq_size)
		__atomic_fetch_or(thread + __rseq_offset, 0, __ATOMIC_RELAXED);
#endif
}

/*
 * Read a word of each page, or write zero there. Returns how many faults this thread took for it:
 * those of the stack, which fork and clear_refs write-protect, are taken first. AddressSanitizer
 * would take more, for what it notes of each word.
 */
static uint64_t __attribute__((no_sanitize_address))
faults_touching(const struct devmem_levels *levels, const struct area *area, bool write)
{
	struct rusage before, after;
	char *p;

	memset(&before, 0, sizeof(before));
	memset(&after, 0, sizeof(after));
	__asm__ volatile("" : : "r" (&before), "r" (&after) : "memory");
	rseq_touch();
	if (getrusage(RUSAGE_THREAD, &before))
		libmm_fail("pfnmap: getrusage: %s", strerror(errno));
	for (p = area->map; p < area_end(area); p += levels->page) {
		if (write)
			*(volatile uint64_t *)p = 0;
		else
			(void)*(volatile uint64_t *)p;
	}
	if (getrusage(RUSAGE_THREAD, &after))
		libmm_fail("pfnmap: getrusage: %s", strerror(errno));
	return after.ru_minflt - before.ru_minflt;
}

static uint64_t faults_reading(const struct devmem_levels *levels, const struct area *area)
{
	return faults_touching(levels, area, false);
}

/* What belongs at an offset of the BAR; @round tells one writing from the next. */
static uint64_t mark_value(uint64_t offset, unsigned int round)
{
	return offset * UINT64_C(0x9e3779b97f4a7c15) ^ round;
}

/* The next page with a mark: the first and last of each PMD of the BAR, or all of a small area. */
static char *mark_next(FIXTURE_DATA(pfnmap) * self, char *p)
{
	size_t page = self->levels.page, pmd = self->levels.pmd;

	if (self->area.size <= 4 * pmd)
		return p + page;
	return area_pa(&self->area, p) % pmd == 0 ? p + pmd - page : p + page;
}

static uint64_t mark_offset(FIXTURE_DATA(pfnmap) * self, const struct area *area, char *p)
{
	return area_pa(area, p) - self->mem.bar.start;
}

static uint64_t word_read(FIXTURE_DATA(pfnmap) * self, uint64_t offset)
{
	uint64_t value;

	if (self->control)
		return *(volatile uint64_t *)(self->control + offset - self->bar_offset);
	if (pread(self->fd, &value, sizeof(value), self->fd_offset + offset) != sizeof(value))
		libmm_fail("pfnmap: reading the BAR at %" PRIu64 ": %s", offset, strerror(errno));
	return value;
}

static void word_write(FIXTURE_DATA(pfnmap) * self, uint64_t offset, uint64_t value)
{
	if (self->control)
		*(volatile uint64_t *)(self->control + offset - self->bar_offset) = value;
	else if (pwrite(self->fd, &value, sizeof(value), self->fd_offset + offset) !=
		 sizeof(value))
		libmm_fail("pfnmap: writing the BAR at %" PRIu64 ": %s", offset, strerror(errno));
}

/* Around the mapping. */
static void marks_put(FIXTURE_DATA(pfnmap) * self, unsigned int round)
{
	uint64_t offset;
	char *p;

	for (p = self->area.map; p < area_end(&self->area); p = mark_next(self, p)) {
		offset = mark_offset(self, &self->area, p);
		word_write(self, offset, mark_value(offset, round));
	}
}

/* Marks that are wrong in the mapping at @area, which maps a part of what self->area mapped. */
static size_t marks_wrong(FIXTURE_DATA(pfnmap) * self, const struct area *area,
			  unsigned int round)
{
	uint64_t offset;
	size_t nr = 0;
	char *p, *here;

	for (p = self->area.map; p < area_end(&self->area); p = mark_next(self, p)) {
		offset = mark_offset(self, &self->area, p);
		if (offset + self->mem.bar.start < area->pa ||
		    offset + self->mem.bar.start >= area->pa + area->size)
			continue;
		here = area->map + (offset + self->mem.bar.start - area->pa);
		nr += *(volatile uint64_t *)here != mark_value(offset, round);
	}
	return nr;
}

static void marks_write(FIXTURE_DATA(pfnmap) * self, const struct area *area, unsigned int round)
{
	uint64_t offset;
	char *p;

	for (p = area->map; p < area_end(area); p = mark_next(self, p)) {
		offset = mark_offset(self, area, p);
		*(volatile uint64_t *)p = mark_value(offset, round);
	}
}

static size_t control_wrong(FIXTURE_DATA(pfnmap) * self, unsigned int round)
{
	uint64_t offset;
	size_t nr = 0;
	char *p;

	for (p = self->area.map; p < area_end(&self->area); p = mark_next(self, p)) {
		offset = mark_offset(self, &self->area, p);
		nr += word_read(self, offset) != mark_value(offset, round);
	}
	return nr;
}

/* Faults that reading the whole of a fresh area takes: mmap(2) of a resource file makes all. */
static size_t populate_faults(FIXTURE_DATA(pfnmap) * self)
{
	return self->premapped ? 0 : area_entries(&self->levels, &self->area);
}

static void populate(FIXTURE_DATA(pfnmap) * self)
{
	marks_put(self, 0);
	faults_reading(&self->levels, &self->area);
}

/* A piece in the middle: of one page, within a larger entry; or a whole PMD, within a PUD. */
static inline char *piece_page(FIXTURE_DATA(pfnmap) * self)
{
	size_t page = self->levels.page;

	return self->area.map + self->area.size / 2 / page * page + 3 * page;
}

static char *piece_pmd(FIXTURE_DATA(pfnmap) * self)
{
	size_t pmd = self->levels.pmd;
	char *middle = self->area.map + self->area.size / 2;

	return (char *)(((uintptr_t)middle + pmd - 1) / pmd * pmd);
}

#endif
