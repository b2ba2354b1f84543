// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a device that is mapped by PMD and PUD entries (huge pfnmaps, VM_PFNMAP) behaves as
 * memory that is mapped by single pages: the same contents, the same refusals, and a piece that is
 * unmapped, moved or protected leaves its neighbours as they were.
 *
 * Method: a BAR of a PCI device is mapped through VFIO at addresses that allow one level of entries
 * or another. Which entries a kernel must make of an area follows from vfio_pci_core's rule: the
 * largest size for which address and frame are aligned and which lies within the mapping. As each
 * entry takes one fault, the faults of reading all pages tell the level, and the faults after an
 * operation tell which entries it took away. What the memory holds is told by a second way to it:
 * VFIO's read and write, which go through a mapping of the kernel's own. The same cases run over
 * pages in VFIO, and over sysfs' resource file and /dev/mem, which have been mapped by pages ever
 * since; and over a buffer of vgem (libmm/gem.h), which has neither device nor IOMMU and yet is
 * mapped as a device's memory is.
 *
 * The device is that of libmm/devmem.h: the contents of its BAR are overwritten, so name no device
 * that minds. One that has a driver other than vfio-pci is refused, or, if it was named and nobody
 * uses it, given back to that driver afterwards. A guest of QEMU has all of this.
 *
 * Cases that are known to kill kernels run only by name, with -d.
 *
 * Limits: the entries are not seen themselves. Of vgem's the first fault must tell whether there
 * are PMDs: a kernel that has stopped making them skips. What is mapped by pages is an area that is
 * a page off, so it shares the kernel's code for huge entries up to the question of alignment.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <linux/vfio.h>
#include <numa.h>
#include <numaif.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 35)
#include <sys/rseq.h>
#endif
#endif

#include <libmm/area.h>
#include <libmm/devmem.h>
#include <libmm/fail.h>
#include <libmm/gem.h>
#include <libmm/harness.h>
#include <libmm/pci.h>
#include <libmm/require.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>
#include <libmm/vfio.h>

#define SHMEM_ENABLED "/sys/kernel/mm/transparent_hugepage/shmem_enabled"
#define WANTED "VMTESTS_PFNMAP_CASE"
#define IOVA UINT64_C(0x100000000)	/* above what platforms reserve for interrupts */
/* Neither of these is a kernel's or a C library's before 5.14. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

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
	char missing[DEVMEM_REASON_MAX];	/* why nothing can be tested; empty: it can */
};

/*
 * @entry: the area is some of these large. @edges: it begins a page, and for PUDs a PMD too, before
 * an entry of that size.
 */
enum entry { PAGES, PMDS, PUDS };

FIXTURE_VARIANT(pfnmap)
{
	const char *name;
	enum source source;
	enum entry entry;
	enum entry aligned;	/* the largest size that addresses are aligned for */
	bool edges;
};

/* The controls: pages, all of them mapped by mmap(2). */
FIXTURE_VARIANT_ADD(pfnmap, resource_pages) {
	.name = "resource_pages", .source = RESOURCE, .entry = PMDS, .aligned = PMDS,
};

FIXTURE_VARIANT_ADD(pfnmap, devmem_pages) {
	.name = "devmem_pages", .source = DEVMEM, .entry = PMDS, .aligned = PMDS,
};

/* Pages of tmpfs, mapped by faults; and huge pages of it. DRM maps from a buffer's start only. */
FIXTURE_VARIANT_ADD(pfnmap, vgem_pages) {
	.name = "vgem_pages", .source = VGEM, .entry = PMDS, .aligned = PAGES,
};

FIXTURE_VARIANT_ADD(pfnmap, vgem_pmds) {
	.name = "vgem_pmds", .source = VGEM, .entry = PMDS, .aligned = PMDS,
};

/* As much as the PMDs below, but addresses are a page off. */
FIXTURE_VARIANT_ADD(pfnmap, pages) {
	.name = "pages", .source = VFIO, .entry = PMDS, .aligned = PAGES,
};

FIXTURE_VARIANT_ADD(pfnmap, pmds) {
	.name = "pmds", .source = VFIO, .entry = PMDS, .aligned = PMDS,
};

/* Pages before and behind. */
FIXTURE_VARIANT_ADD(pfnmap, pmds_edges) {
	.name = "pmds_edges", .source = VFIO, .entry = PMDS, .aligned = PMDS, .edges = true,
};

/* As much as the PUDs below, but addresses are a PMD off. */
FIXTURE_VARIANT_ADD(pfnmap, puds_off) {
	.name = "puds_off", .source = VFIO, .entry = PUDS, .aligned = PMDS,
};

FIXTURE_VARIANT_ADD(pfnmap, puds) {
	.name = "puds", .source = VFIO, .entry = PUDS, .aligned = PUDS,
};

/* A page, a PMD and a PUD. */
FIXTURE_VARIANT_ADD(pfnmap, puds_edges) {
	.name = "puds_edges", .source = VFIO, .entry = PUDS, .aligned = PUDS, .edges = true,
};

static sigjmp_buf trap_return;
static volatile sig_atomic_t trap_armed;
static struct trap trap_taken;

static void on_trap(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (!trap_armed) {
		if (sig != SIGPROF)
			signal(sig, SIG_DFL);
		return;
	}
	trap_taken = (struct trap) { .sig = sig, .code = info->si_code, .addr = info->si_addr };
	siglongjmp(trap_return, 1);
}

static void traps_catch(void)
{
	const struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

	if (sigaction(SIGSEGV, &action, NULL) || sigaction(SIGBUS, &action, NULL) ||
	    sigaction(SIGPROF, &action, NULL))
		libmm_fail("pfnmap: sigaction: %s", strerror(errno));
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
static bool traps(char *page, bool write, int sig, int code)
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

/* Put the sentence why nothing can be tested where the cases look for it. */
static bool miss(FIXTURE_DATA(pfnmap) * self, const char *why)
{
	snprintf(self->missing, sizeof(self->missing), "%s", why);
	return false;
}

static bool vfio_setup(FIXTURE_DATA(pfnmap) * self)
{
	char why[DEVMEM_REASON_MAX];

	if (__devmem_open(&self->mem, why, sizeof(why)))
		return miss(self, why);
	self->fd = self->mem.vfio.fd;
	self->fd_offset = self->mem.offset;
	return true;
}

/* Without a driver, and on: for mappings that are not VFIO's. */
static bool device_bare(FIXTURE_DATA(pfnmap) * self)
{
	char path[SYSFILE_PATH_MAX], driver[PCI_NAME_MAX];

	if (__pci_driver(self->mem.device, driver, sizeof(driver)) || *driver)
		return miss(self, "sysfs has no memory of a device with a driver");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", self->mem.device);
	restore_set(path, "1");
	return true;
}

static bool resource_setup(FIXTURE_DATA(pfnmap) * self)
{
	char path[SYSFILE_PATH_MAX];

	if (!device_bare(self))
		return false;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%u", self->mem.device,
		 self->mem.bar_index);
	self->fd = open(path, O_RDWR | O_CLOEXEC);
	if (self->fd < 0)
		return miss(self, "its resource file cannot be opened");
	return true;
}

static bool devmem_setup(FIXTURE_DATA(pfnmap) * self)
{
	const char *why = require_need("writable:/dev/mem");

	if (why)
		return miss(self, why);
	if (!device_bare(self))
		return false;
	self->fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	if (self->fd < 0)
		libmm_fail("pfnmap: opening /dev/mem: %s", strerror(errno));
	self->fd_offset = self->mem.bar.start;
	return true;
}

/* Its memory is that of huge pages if there are any; what is mapped by pages has the same. */
static bool vgem_setup(FIXTURE_DATA(pfnmap) * self)
{
	char why[GEM_REASON_MAX];

	if (__gem_open(&self->gem, self->mem.bar.size, why, sizeof(why))) {
		snprintf(self->missing, sizeof(self->missing), "%s: %s", why, DEVMEM_SEE);
		return false;
	}
	if (sysfile_readable(SHMEM_ENABLED))
		restore_set(SHMEM_ENABLED, "always");
	devmem_allow_huge();
	self->fd = self->gem.fd;
	self->fd_offset = self->gem.offset;
	return true;
}

static bool source_setup(FIXTURE_DATA(pfnmap) * self)
{
	switch (self->source) {
	case VFIO:
		return vfio_setup(self);
	case VGEM:
		return vgem_setup(self);
	case RESOURCE:
		return resource_setup(self);
	case DEVMEM:
		return devmem_setup(self);
	}
	return false;
}

/* Where the area is in the BAR, and how large. */
static bool area_choose(FIXTURE_DATA(pfnmap) * self, const FIXTURE_VARIANT(pfnmap) * variant)
{
	const struct devmem_levels *levels = &self->levels;
	size_t end = variant->entry == PUDS ? 2 * levels->pud : 4 * levels->pmd;

	if (end > self->mem.bar.size || self->mem.bar.start % (end / 2))
		return miss(self, "the BAR is too small: QEMU's pci-testdev has any size");
	if (variant->edges && variant->entry == PUDS) {
		self->bar_offset = levels->pud - levels->pmd - levels->page;
	} else if (variant->edges) {
		self->bar_offset = levels->page;
		end -= levels->page;
	}
	self->area.size = end - self->bar_offset;
	self->area.pa = self->mem.bar.start + self->bar_offset;
	return true;
}

/*
 * An address in the reserve, @from bytes or more behind its start, that is aligned as @pa is for
 * entries of up to @align bytes, and @off bytes off.
 */
static char *address_choose(FIXTURE_DATA(pfnmap) * self, size_t from, uint64_t pa, size_t align,
			    size_t off)
{
	uintptr_t start = (uintptr_t)self->reserve + from;
	size_t wanted = (pa + off) % align, has = start % align;

	return (char *)(start + (wanted + align - has) % align);
}

static void area_map(FIXTURE_DATA(pfnmap) * self, const FIXTURE_VARIANT(pfnmap) * variant)
{
	const struct devmem_levels *levels = &self->levels;
	size_t align = variant->entry == PUDS ? levels->pud : levels->pmd, off = 0;

	if (variant->aligned < variant->entry)
		off = variant->aligned == PAGES ? levels->page : levels->pmd;
	/* Room for the area twice, at any alignment, and for tables of its own. */
	self->reserve_size = 2 * self->area.size + 6 * align;
	self->reserve = mmap(NULL, self->reserve_size, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (self->reserve == MAP_FAILED)
		libmm_fail("pfnmap: reserving addresses: %s", strerror(errno));
	self->area.map = mmap(address_choose(self, align, self->area.pa, align, off),
			      self->area.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			      self->fd, self->fd_offset + self->bar_offset);
	if (self->area.map == MAP_FAILED)
		libmm_fail("pfnmap: mapping %zu bytes of BAR %u of %s: %s", self->area.size,
			   self->mem.bar_index, self->mem.device, strerror(errno));
	if (variant->source == VFIO)
		return;
	self->control = mmap(NULL, self->area.size, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd,
			     self->fd_offset + self->bar_offset);
	if (self->control == MAP_FAILED)
		libmm_fail("pfnmap: mapping the BAR a second time: %s", strerror(errno));
	/* Not to be taken for faults and page tables of the area. */
	faults_reading(levels, &(struct area) { .map = self->control, .size = self->area.size });
}

/* Map it anew where it is, so that nothing is populated but what mmap(2) itself does. */
static void area_again(FIXTURE_DATA(pfnmap) * self)
{
	if (mmap(self->area.map, self->area.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 self->fd, self->fd_offset + self->bar_offset) != self->area.map)
		libmm_fail("pfnmap: mapping the area again: %s", strerror(errno));
}

/*
 * A kernel whose configuration cannot be read may make entries of this size or not, and of vgem's
 * memory only if it is of huge pages: a page of the entry's other half without a fault of its own
 * says that it does.
 */
static bool level_confirm(FIXTURE_DATA(pfnmap) * self, const FIXTURE_VARIANT(pfnmap) * variant)
{
	bool pud = variant->aligned == PUDS;
	size_t size = pud ? self->levels.pud : self->levels.pmd;
	struct area first, other;
	char *entry;

	if (self->source == VFIO &&
	    require_kconfig(pud ? DEVMEM_PUD_OPTION : DEVMEM_PMD_OPTION) != '?')
		return true;
	entry = area_entry_base(area_end(&self->area) - 1, size);
	if (entry + size > area_end(&self->area))
		entry -= size;
	first = area_part(&self->area, entry, entry + self->levels.page);
	other = area_part(&self->area, entry + size / 2, entry + size / 2 + self->levels.page);
	if (faults_reading(&self->levels, &first) != 1 || faults_reading(&self->levels, &other))
		return miss(self, self->source == VGEM ?
			    "no PMDs: this kernel has none for DRM, or no huge page was free" :
			    "no configuration to read, and no entries of this size seen");
	self->levels.pmd_maps = true;
	self->levels.pud_maps = pud;
	area_again(self);
	return true;
}

static bool pfnmap_prepare(FIXTURE_DATA(pfnmap) * self, const FIXTURE_VARIANT(pfnmap) * variant)
{
	const char *option = variant->aligned == PUDS ? DEVMEM_PUD_OPTION : DEVMEM_PMD_OPTION;
	const char *why = require_need("root");
	char reason[DEVMEM_REASON_MAX];

	if (why)
		return miss(self, why);
	if (!self->premapped && variant->aligned != PAGES && require_kconfig(option) == 'n')
		return miss(self, "the kernel has no entries of this size for device memory");
	devmem_levels(&self->levels);
	if (variant->source == VGEM)
		self->mem.bar.size = 4 * self->levels.pmd;
	else if (__devmem_find(&self->mem, reason, sizeof(reason)))
		return miss(self, reason);
	if (!area_choose(self, variant))
		return false;
	if (pci_restore_register() || __restore_guard())
		libmm_fail("pfnmap: no way back for what the test changes: see above");
	if (!source_setup(self))
		return false;
	if (variant->source != VFIO) {
		self->levels.pmd_maps = false;
		self->levels.pud_maps = false;
	}
	area_map(self, variant);
	traps_catch();
	if (!self->premapped && variant->aligned != PAGES)
		return level_confirm(self, variant);
	return true;
}

/* Whether $WANTED, if there is one, has this: words, each CASE or VARIANT.CASE. */
static bool case_wanted(const char *variant, const char *name)
{
	const char *wanted = getenv(WANTED);
	size_t len, prefix = strlen(variant);

	if (!wanted)
		return true;
	for (wanted += strspn(wanted, " "); *wanted; wanted += len + strspn(wanted + len, " ")) {
		const char *word = wanted;

		len = strcspn(wanted, " ");
		if (!strncmp(word, variant, prefix) && word[prefix] == '.')
			word += prefix + 1;
		if (wanted + len - word == (ptrdiff_t)strlen(name) &&
		    !strncmp(word, name, strlen(name)))
			return true;
	}
	return false;
}

FIXTURE_SETUP(pfnmap)
{
	self->source = variant->source;
	self->premapped = variant->source == RESOURCE || variant->source == DEVMEM;
	self->fd = -1;
	self->gem.fd = -1;
	self->mem.vfio = (struct vfio_device) { .container = -1, .group = -1, .fd = -1 };
	if (!case_wanted(variant->name, _metadata->name))
		miss(self, WANTED " names another case");
	else
		pfnmap_prepare(self, variant);
}

FIXTURE_TEARDOWN(pfnmap)
{
	if (self->control)
		munmap(self->control, self->area.size);
	if (self->reserve)
		munmap(self->reserve, self->reserve_size);
	if (self->premapped && self->fd >= 0)
		close(self->fd);
	gem_close(&self->gem);
	devmem_close(&self->mem);
	if (!geteuid())
		restore_all();
}

/* Whether someone asks for this case, by its name, and has a kernel to lose. */
static bool death_wanted(FIXTURE_DATA(pfnmap) * self)
{
	const char *why = require_need("destructive");

	if (why)
		return miss(self, why);
	if (!getenv(WANTED))
		return miss(self, "it may kill the kernel: name it");
	return true;
}

/*
 * Whether @size bytes at @from may be made a VMA of their own. Not a PUD that is cut within a PMD:
 * the kernel then looks for the PMD to split below an entry that has nothing below it, and takes
 * device memory for a page table (vma_adjust_trans_huge(), mm_find_pmd()). So do not ask kernels
 * that nobody wants to lose.
 */
static bool cut_allowed(FIXTURE_DATA(pfnmap) * self, const char *from, size_t size)
{
	const struct devmem_levels *levels = &self->levels;

	return area_entry_size(levels, &self->area, from) < levels->pud ||
	       ((uintptr_t)from % levels->pmd == 0 && size % levels->pmd == 0) ||
	       death_wanted(self);
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

/* One fault an entry, and one entry of the largest size that fits. */
TEST_F(pfnmap, populate)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	EXPECT_EQ(populate_faults(self), faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area));
}

/*
 * Writing makes the same entries. One of vgem's may want a fault more: they are read-only until the
 * file behind it has been told.
 */
TEST_F(pfnmap, populate_write)
{
	const struct area *area = &self->area;
	uint64_t faults;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	faults = faults_touching(&self->levels, area, true);
	EXPECT_LE(populate_faults(self), faults);
	EXPECT_GE(populate_faults(self) * (self->source == VGEM ? 2 : 1), faults);
	EXPECT_EQ(0, faults_touching(&self->levels, area, true));
	area_again(self);
	EXPECT_EQ(populate_faults(self), faults_reading(&self->levels, area));
	EXPECT_GE(populate_faults(self), faults_touching(&self->levels, area, true));
	EXPECT_EQ(0, faults_touching(&self->levels, area, true));
	marks_put(self, 1);
	EXPECT_EQ(0, marks_wrong(self, area, 1));
}

/* Where the first faults make pages, in spite of what would fit. */
static void by_pages_check(struct __test_metadata *_metadata, FIXTURE_DATA(pfnmap) * self)
{
	const struct devmem_levels *levels = &self->levels;
	const struct area *area = &self->area;
	size_t size = area->size < 4 * levels->pmd ? area->size : 4 * levels->pmd;
	struct area first = area_part(area, area->map, area->map + size);

	EXPECT_EQ(self->premapped ? 0 : size / levels->page, faults_reading(levels, &first));
	EXPECT_EQ(0, marks_wrong(self, &first, 0));
}

/* madvise(2) and prctl(2): who wants no huge pages gets none, and who takes that back has them. */
TEST_F(pfnmap, thp_advice)
{
	const struct area *area = &self->area;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	marks_put(self, 0);
	if (madvise(area->map, area->size, MADV_NOHUGEPAGE))
		SKIP(return, "the kernel has no transparent huge pages: %s", strerror(errno));
	by_pages_check(_metadata, self);
	area_again(self);
	ASSERT_EQ(0, prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	by_pages_check(_metadata, self);
	ASSERT_EQ(0, prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
	area_again(self);
	ASSERT_EQ(0, madvise(area->map, area->size, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, madvise(area->map, area->size, MADV_HUGEPAGE));
	EXPECT_EQ(populate_faults(self), faults_reading(&self->levels, area));
	EXPECT_EQ(0, marks_wrong(self, area, 0));
}

/*
 * The policy for transparent huge pages is about memory that can be had in small pieces or large:
 * device memory is as it is. Fixed in vma_file_bypass_thp_tuneables() after 6.12.
 */
TEST_F(pfnmap, thp_policy)
{
	static const char * const policies[] = { "madvise", "never" };
	const struct area *area = &self->area;
	size_t i;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	if (!sysfile_readable(DEVMEM_THP_ENABLED))
		SKIP(return, "the kernel has no transparent huge pages");
	marks_put(self, 0);
	for (i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		restore_set(DEVMEM_THP_ENABLED, policies[i]);
		area_again(self);
		EXPECT_EQ(populate_faults(self), faults_reading(&self->levels, area)) {
			TH_LOG("with transparent huge pages at \"%s\"", policies[i]);
		}
		EXPECT_EQ(0, marks_wrong(self, area, 0));
	}
}

/* A piece in the middle: of one page, within a larger entry; or a whole PMD, within a PUD. */
static char *piece_page(FIXTURE_DATA(pfnmap) * self)
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

static uint64_t locked_kb(void)
{
	uint64_t kb;

	if (__sysfile_read_key("/proc/self/status", "VmLck", &kb))
		libmm_fail("pfnmap: no VmLck in /proc/self/status");
	return kb;
}

/*
 * Device memory is always there: mlock(2) succeeds and has nothing to do, nor to count. Source:
 * mlock_fixup() leaves VM_SPECIAL out.
 */
TEST_F(pfnmap, mlock)
{
	const struct area *area = &self->area;
	uint64_t locked;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	marks_put(self, 0);
	locked = locked_kb();
	EXPECT_EQ(0, mlock(area->map, area->size));
	EXPECT_EQ(locked, locked_kb());
	EXPECT_EQ(populate_faults(self), faults_reading(&self->levels, area));
	EXPECT_EQ(0, mlock(piece_pmd(self), self->levels.pmd));
	EXPECT_EQ(0, munlock(area->map, area->size));
	EXPECT_EQ(0, faults_reading(&self->levels, area));
	EXPECT_EQ(0, marks_wrong(self, area, 0));
}

static uint64_t tables_bytes(void)
{
	uint64_t kb;

	if (__sysfile_read_key("/proc/self/status", "VmPTE", &kb))
		libmm_fail("pfnmap: no VmPTE in /proc/self/status");
	return kb * 1024;
}

/* Slots of @span bytes, each a table's worth, in which the area has entries below @below bytes. */
static size_t slots_with(FIXTURE_DATA(pfnmap) * self, size_t span, size_t below)
{
	char *p, *end = area_end(&self->area);
	uintptr_t last = 0;
	size_t nr = 0, entry;

	for (p = self->area.map; p < end; p += entry) {
		entry = area_entry_size(&self->levels, &self->area, p);
		if (entry >= below || (uintptr_t)p / span + 1 == last)
			continue;
		last = (uintptr_t)p / span + 1;
		nr++;
	}
	return nr;
}

/*
 * Large entries need no tables below them. The tables of pages are the area's own; those above may
 * be there already, for its neighbours.
 */
TEST_F(pfnmap, page_tables)
{
	const struct devmem_levels *levels = &self->levels;
	size_t lowest, above;
	uint64_t before;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	if (self->premapped)
		SKIP(return, "mmap(2) has made its tables already");
	lowest = slots_with(self, levels->pmd, levels->pmd);
	above = slots_with(self, levels->pud, levels->pud);
	before = tables_bytes();
	populate(self);
	EXPECT_LE(lowest * levels->page, tables_bytes() - before);
	/* And one each of the two levels over those. */
	EXPECT_GE((lowest + above + 2) * levels->page, tables_bytes() - before);
}

/* Wherever the kernel puts it, it is mapped by the entries that fit there. */
TEST_F(pfnmap, placement)
{
	struct area placed;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	/* Larger entries than those of the area may fit there, and nobody has asked for them. */
	if (variant->aligned < variant->entry)
		SKIP(return, "the variants that are aligned place the same");
	marks_put(self, 0);
	placed = self->area;
	placed.map = mmap(NULL, placed.size, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd,
			  self->fd_offset + self->bar_offset);
	ASSERT_NE(MAP_FAILED, (void *)placed.map);
	EXPECT_EQ(self->premapped ? 0 : area_entries(&self->levels, &placed),
		  faults_reading(&self->levels, &placed));
	EXPECT_EQ(0, marks_wrong(self, &placed, 0));
	EXPECT_EQ(0, munmap(placed.map, placed.size));
}

TEST_F(pfnmap, contents)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	marks_put(self, 1);
	EXPECT_EQ(0, marks_wrong(self, &self->area, 1));
	marks_write(self, &self->area, 2);
	EXPECT_EQ(0, control_wrong(self, 2));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 2));
}

/* What a kernel counts in /proc/vmstat when it splits an entry; 0 where it counts none. */
static uint64_t splits_read(const struct devmem_levels *levels, size_t entry)
{
	uint64_t splits = 0;

	if (entry > levels->page)
		__sysfile_read_key("/proc/vmstat", entry == levels->pud ? "thp_split_pud" :
				   "thp_split_pmd", &splits);
	return splits;
}

/* Whether an end of the piece lies within a huge entry of the area, and that entry's size if so. */
static size_t entry_cut(FIXTURE_DATA(pfnmap) * self, char *from, size_t size)
{
	size_t entry = area_entry_size(&self->levels, &self->area, from);

	if ((uintptr_t)from % entry || size < entry)
		return entry;
	return 0;
}

/* Faults of the area after the part at @from was made a VMA of its own, or a hole. */
static size_t entries_remade(FIXTURE_DATA(pfnmap) * self, char *from, size_t size, bool inside)
{
	return self->premapped ? 0 : area_entries_remade(&self->levels, &self->area, from, size,
							 inside);
}

/* Make @from read-only: all its neighbours stay writable, and everything keeps its contents. */
static void mprotect_check(struct __test_metadata *_metadata, FIXTURE_DATA(pfnmap) * self,
			   char *from, size_t size)
{
	const struct devmem_levels *levels = &self->levels;
	size_t entry = entry_cut(self, from, size);
	size_t remade = entries_remade(self, from, size, true);
	uint64_t splits = splits_read(levels, entry);
	size_t page = levels->page;

	populate(self);
	ASSERT_EQ(0, mprotect(from, size, PROT_READ));
	if (entry > page) {
		EXPECT_LT(splits, splits_read(levels, entry));
	}
	EXPECT_EQ(remade, faults_reading(levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
	EXPECT_TRUE(traps(from, true, SIGSEGV, SEGV_ACCERR));
	EXPECT_TRUE(traps(from + size - page, true, SIGSEGV, SEGV_ACCERR));
	ASSERT_EQ(0, access_try(from - page, &(uint64_t) { 0 }).sig);
	ASSERT_EQ(0, access_try(from + size, &(uint64_t) { 0 }).sig);

	ASSERT_EQ(0, mprotect(from, size, PROT_READ | PROT_WRITE));
	marks_write(self, &self->area, 1);
	EXPECT_EQ(0, control_wrong(self, 1));
}

TEST_F(pfnmap, mprotect_page)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	if (!cut_allowed(self, piece_page(self), self->levels.page))
		SKIP(return, "%s", self->missing);
	mprotect_check(_metadata, self, piece_page(self), self->levels.page);
}

TEST_F(pfnmap, mprotect_pmd)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	mprotect_check(_metadata, self, piece_pmd(self), self->levels.pmd);
}

/* All of it: no entry is split or taken away, so reading takes no fault. */
TEST_F(pfnmap, mprotect_whole)
{
	struct area *area = &self->area;
	char *last;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	last = area_end(area) - self->levels.page;
	populate(self);
	ASSERT_EQ(0, mprotect(area->map, area->size, PROT_READ));
	EXPECT_EQ(0, faults_reading(&self->levels, area));
	EXPECT_TRUE(traps(area->map, true, SIGSEGV, SEGV_ACCERR));
	EXPECT_TRUE(traps(last, true, SIGSEGV, SEGV_ACCERR));
	EXPECT_EQ(0, marks_wrong(self, area, 0));

	ASSERT_EQ(0, mprotect(area->map, area->size, PROT_NONE));
	EXPECT_TRUE(traps(area->map, false, SIGSEGV, SEGV_ACCERR));
	EXPECT_TRUE(traps(last, false, SIGSEGV, SEGV_ACCERR));

	ASSERT_EQ(0, mprotect(area->map, area->size, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, faults_reading(&self->levels, area));
	EXPECT_EQ(0, marks_wrong(self, area, 0));
	marks_write(self, area, 1);
	EXPECT_EQ(0, control_wrong(self, 1));
}

/* Nothing is there any more; or a page of zeros, which can be written. */
static void expect_gone(struct __test_metadata *_metadata, char *page, bool replaced)
{
	if (!replaced) {
		EXPECT_TRUE(traps(page, false, SIGSEGV, SEGV_MAPERR));
		EXPECT_TRUE(traps(page, true, SIGSEGV, SEGV_MAPERR));
		return;
	}
	EXPECT_EQ(0, *(volatile uint64_t *)page);
	EXPECT_EQ(0, access_try(page, &(uint64_t) { 1 }).sig);
	EXPECT_EQ(1, *(volatile uint64_t *)page);
	*(volatile uint64_t *)page = 0;
}

/*
 * Take @from away, or put memory of the process' own in its place: what is before and behind keeps
 * its contents and can be written.
 */
static void cut_check(struct __test_metadata *_metadata, FIXTURE_DATA(pfnmap) * self, char *from,
		      size_t size, bool replace)
{
	const struct devmem_levels *levels = &self->levels;
	struct area_parts parts = area_cut(&self->area, from, size);
	size_t entry = entry_cut(self, from, size), remade;
	uint64_t splits = splits_read(levels, entry);

	remade = entries_remade(self, from, size, false);
	populate(self);
	if (replace) {
		ASSERT_EQ(from, mmap(from, size, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	} else {
		ASSERT_EQ(0, munmap(from, size));
	}
	if (entry > levels->page) {
		EXPECT_LT(splits, splits_read(levels, entry));
	}
	expect_gone(_metadata, from, replace);
	expect_gone(_metadata, from + size - levels->page, replace);
	EXPECT_EQ(remade, faults_reading(levels, &parts.before) +
			  faults_reading(levels, &parts.behind));
	EXPECT_EQ(0, marks_wrong(self, &parts.before, 0));
	EXPECT_EQ(0, marks_wrong(self, &parts.behind, 0));
	EXPECT_EQ(0, control_wrong(self, 0));
	EXPECT_EQ(0, access_try(from - levels->page, &(uint64_t) { 0 }).sig);
	EXPECT_EQ(0, access_try(from + size, &(uint64_t) { 0 }).sig);
}

TEST_F(pfnmap, munmap_page)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	if (!cut_allowed(self, piece_page(self), self->levels.page))
		SKIP(return, "%s", self->missing);
	cut_check(_metadata, self, piece_page(self), self->levels.page, false);
}

TEST_F(pfnmap, munmap_pmd)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	cut_check(_metadata, self, piece_pmd(self), self->levels.pmd, false);
}

/* The faults that come after a part was cut off make the entries that belong there. */
TEST_F(pfnmap, munmap_before_faults)
{
	const struct devmem_levels *levels = &self->levels;
	struct area_parts parts;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	parts = area_cut(&self->area, piece_pmd(self), levels->pmd);
	marks_put(self, 0);
	ASSERT_EQ(0, munmap(parts.part.map, parts.part.size));
	EXPECT_EQ(self->premapped ? 0 : area_entries(levels, &parts.before) +
		  area_entries(levels, &parts.behind), faults_reading(levels, &parts.before) +
		  faults_reading(levels, &parts.behind));
	EXPECT_EQ(0, marks_wrong(self, &parts.before, 0));
	EXPECT_EQ(0, marks_wrong(self, &parts.behind, 0));
}

/* mmap(2) with MAP_FIXED over a part. */
TEST_F(pfnmap, replace_page)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	if (!cut_allowed(self, piece_page(self), self->levels.page))
		SKIP(return, "%s", self->missing);
	cut_check(_metadata, self, piece_page(self), self->levels.page, true);
}

TEST_F(pfnmap, replace_pmd)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	cut_check(_metadata, self, piece_pmd(self), self->levels.pmd, true);
}

/* Memory of the BAR for which x86 has a memory type reserved; -1 where there is no list of it. */
static long memtypes_count(FIXTURE_DATA(pfnmap) * self)
{
	const struct pci_bar *bar = &self->mem.bar;
	FILE *file = fopen("/sys/kernel/debug/x86/pat_memtype_list", "re");
	char *line = NULL;
	size_t size = 0;
	uint64_t start;
	long nr = 0;

	if (!file)
		return -1;
	while (getline(&line, &size, file) >= 0) {
		if (sscanf(line, "PAT: [mem %" SCNx64, &start) == 1)
			nr += start >= bar->start && start - bar->start < bar->size;
	}
	free(line);
	fclose(file);
	return nr;
}

/*
 * x86 reserves the memory's type for as long as it is mapped, in pieces or not. The piece is none
 * that another case cuts out: a kernel that keeps what it should free finds it at the next time.
 */
TEST_F(pfnmap, memtypes)
{
	const struct area *area = &self->area;
	size_t page = self->levels.page;
	long before;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	if (!self->premapped)
		SKIP(return, "VFIO reserves the type of the whole BAR, vgem none");
	before = memtypes_count(self);
	if (before < 0)
		SKIP(return, "no list of memory types: mount debugfs; x86 alone has it");
	EXPECT_LE(2, before);
	area_again(self);
	ASSERT_EQ(0, munmap(piece_page(self) - 16 * page, page));
	ASSERT_EQ(0, munmap(area->map, area->size));
	EXPECT_EQ(before - 1, memtypes_count(self));
}

/* Run @child in a child. Whether it exited with 0. */
static bool child_run(FIXTURE_DATA(pfnmap) * self, int (*child)(FIXTURE_DATA(pfnmap) * self))
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		libmm_fail("pfnmap: fork: %s", strerror(errno));
	if (!pid)
		_exit(child(self));
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			libmm_fail("pfnmap: waitpid: %s", strerror(errno));
	}
	if (!status)
		return true;
	fprintf(stderr, "# the child ended with status %#x\n", status);
	return false;
}

/*
 * The child has got the entries: none faults, or each once to be marked as accessed where the CPU
 * does not do so by itself (fork makes them old).
 */
static int child_uses(FIXTURE_DATA(pfnmap) * self)
{
	size_t entries = area_entries(&self->levels, &self->area);

	if (faults_reading(&self->levels, &self->area) > entries)
		return 2;
	if (marks_wrong(self, &self->area, 0))
		return 3;
	marks_write(self, &self->area, 1);
	return 0;
}

static int child_has_none(FIXTURE_DATA(pfnmap) * self)
{
	return !traps(self->area.map, false, SIGSEGV, SEGV_MAPERR);
}

static int child_unmaps(FIXTURE_DATA(pfnmap) * self)
{
	return munmap(piece_pmd(self), self->levels.pmd);
}

TEST_F(pfnmap, fork)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	populate(self);
	EXPECT_TRUE(child_run(self, child_uses));
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 1));
	EXPECT_TRUE(child_run(self, child_unmaps));
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 1));
}

TEST_F(pfnmap, dontfork)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	populate(self);
	ASSERT_EQ(0, madvise(self->area.map, self->area.size, MADV_DONTFORK));
	EXPECT_TRUE(child_run(self, child_has_none));
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
}

/* Where the whole area can be moved to: @off bytes off from what keeps its alignment. */
static char *move_target(FIXTURE_DATA(pfnmap) * self, size_t off)
{
	size_t from = area_end(&self->area) - self->reserve + self->levels.pmd;

	return address_choose(self, from, (uintptr_t)self->area.map, self->area.size >
			      self->levels.pud ? self->levels.pud : self->levels.pmd, off);
}

/* Entries move as they are where the new address allows it: reading takes no fault. */
TEST_F(pfnmap, mremap_aligned)
{
	struct area moved;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	moved = self->area;
	moved.map = move_target(self, 0);
	populate(self);
	ASSERT_EQ(moved.map, mremap(self->area.map, self->area.size, self->area.size,
				    MREMAP_MAYMOVE | MREMAP_FIXED, moved.map));
	EXPECT_TRUE(traps(self->area.map, false, SIGSEGV, SEGV_MAPERR));
	EXPECT_EQ(0, faults_reading(&self->levels, &moved));
	EXPECT_EQ(0, marks_wrong(self, &moved, 0));
	marks_write(self, &moved, 1);
	EXPECT_EQ(0, control_wrong(self, 1));
}

/* Faults after a move: the entries that do not fit the new address are gone. */
static size_t move_faults(const struct devmem_levels *levels, const struct area *area,
			  const struct area *moved)
{
	size_t entry, nr = 0;
	char *p, *to;

	for (p = area->map; p < area_end(area); p += entry) {
		entry = area_entry_size(levels, area, p);
		to = moved->map + (p - area->map);
		if ((uintptr_t)to % entry)
			nr += area_entries_within(levels, moved, to, to + entry);
	}
	return nr;
}

/* To an address that an entry of the area's size does not fit: a page off, or a PMD for PUDs. */
TEST_F(pfnmap, mremap_misaligned)
{
	struct area moved;
	size_t off, faults;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	off = self->area.size > self->levels.pud ? self->levels.pmd : self->levels.page;
	moved = self->area;
	moved.map = move_target(self, off);
	faults = self->premapped ? 0 : move_faults(&self->levels, &self->area, &moved);
	populate(self);
	ASSERT_EQ(moved.map, mremap(self->area.map, self->area.size, self->area.size,
				    MREMAP_MAYMOVE | MREMAP_FIXED, moved.map));
	EXPECT_TRUE(traps(self->area.map, false, SIGSEGV, SEGV_MAPERR));
	EXPECT_EQ(faults, faults_reading(&self->levels, &moved));
	EXPECT_EQ(0, marks_wrong(self, &moved, 0));
	marks_write(self, &moved, 1);
	EXPECT_EQ(0, control_wrong(self, 1));
}

/* mremap(2): EFAULT for what cannot be resized; VM_DONTEXPAND in check_prep_vma(). */
TEST_F(pfnmap, mremap_grow)
{
	const struct area *area = &self->area;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	populate(self);
	ASSERT_EQ(0, munmap(area_end(area), self->levels.page));
	EXPECT_EQ(MAP_FAILED, mremap(area->map, area->size, area->size + self->levels.page, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(MAP_FAILED, mremap(area->map, area->size, area->size + self->levels.page,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, faults_reading(&self->levels, area));
	EXPECT_EQ(0, marks_wrong(self, area, 0));
}

/*
 * mremap(2): MREMAP_DONTUNMAP is not for special mappings (EINVAL), nor is a second mapping, which
 * is a way to grow (EFAULT). Source: check_prep_vma().
 */
TEST_F(pfnmap, mremap_refused)
{
	const struct area *area = &self->area;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	populate(self);
	EXPECT_EQ(MAP_FAILED, mremap(area->map, area->size, area->size,
				     MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mremap(area->map, 0, area->size, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, faults_reading(&self->levels, area));
	EXPECT_EQ(0, marks_wrong(self, area, 0));
}

TEST_F(pfnmap, mremap_shrink)
{
	struct area_parts parts;
	size_t remade, page;
	char *last;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	page = self->levels.page;
	last = area_end(&self->area) - page;
	if (!cut_allowed(self, last, page))
		SKIP(return, "%s", self->missing);
	parts = area_cut(&self->area, last, page);
	remade = entries_remade(self, last, page, false);
	populate(self);
	ASSERT_EQ(self->area.map, mremap(self->area.map, self->area.size, self->area.size - page,
					 0));
	EXPECT_TRUE(traps(last, false, SIGSEGV, SEGV_MAPERR));
	EXPECT_EQ(remade, faults_reading(&self->levels, &parts.before));
	EXPECT_EQ(0, marks_wrong(self, &parts.before, 0));
}

/*
 * madvise(2): EINVAL for special mappings, as for what a kernel does not know; none of it may take
 * an entry away.
 */
TEST_F(pfnmap, madvise_refused)
{
	static const struct {
		int advice;
		const char *name;
	} advices[] = {
		{ MADV_DONTNEED, "MADV_DONTNEED" },
		{ MADV_FREE, "MADV_FREE" },
		{ MADV_COLD, "MADV_COLD" },
		{ MADV_PAGEOUT, "MADV_PAGEOUT" },
		{ MADV_DODUMP, "MADV_DODUMP" },
		{ MADV_WIPEONFORK, "MADV_WIPEONFORK" },
		{ MADV_DONTNEED_LOCKED, "MADV_DONTNEED_LOCKED" },
		{ MADV_COLLAPSE, "MADV_COLLAPSE" },
		{ MADV_GUARD_INSTALL, "MADV_GUARD_INSTALL" },
		{ MADV_POPULATE_READ, "MADV_POPULATE_READ" },
		{ MADV_POPULATE_WRITE, "MADV_POPULATE_WRITE" },
	};
	size_t i;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	populate(self);
	for (i = 0; i < sizeof(advices) / sizeof(*advices); i++) {
		errno = 0;
		EXPECT_EQ(-1, madvise(self->area.map, self->area.size, advices[i].advice)) {
			TH_LOG("%s is accepted", advices[i].name);
		}
		EXPECT_EQ(EINVAL, errno) {
			TH_LOG("%s is refused in another way", advices[i].name);
		}
	}
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
}

/* A copy of device memory on write makes no sense: neither VFIO nor DRM has it. */
TEST_F(pfnmap, private_refused)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	if (self->premapped)
		SKIP(return, "resource files and /dev/mem can be mapped privately");
	EXPECT_EQ(MAP_FAILED, mmap(NULL, self->area.size, PROT_READ, MAP_PRIVATE, self->fd,
				   self->fd_offset + self->bar_offset));
	EXPECT_EQ(EINVAL, errno);
}

/* There is no struct page to take a reference of: get_user_pages() must refuse. */
TEST_F(pfnmap, gup_refused)
{
	char buffer[sizeof(uint64_t)];
	struct iovec there, here = { .iov_base = buffer, .iov_len = sizeof(buffer) };
	int fds[2];

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	populate(self);
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	there = (struct iovec) { .iov_base = piece_page(self), .iov_len = self->levels.page };
	EXPECT_EQ(-1, vmsplice(fds[1], &there, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	there.iov_len = sizeof(buffer);
	EXPECT_EQ(-1, process_vm_readv(getpid(), &here, 1, &there, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, process_vm_writev(getpid(), &here, 1, &there, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	/* A futex that processes share is known by its page. */
	EXPECT_EQ(-1, syscall(SYS_futex, there.iov_base, FUTEX_WAKE, 1, NULL, NULL, 0));
	EXPECT_EQ(EFAULT, errno);

	/* The CPU's own copies go through the mapping like any access. */
	EXPECT_EQ((ssize_t)sizeof(buffer), write(fds[1], there.iov_base, sizeof(buffer)));
	EXPECT_EQ((ssize_t)sizeof(buffer), read(fds[0], buffer, sizeof(buffer)));
	EXPECT_EQ(0, memcmp(buffer, there.iov_base, sizeof(buffer)));
	close(fds[0]);
	close(fds[1]);
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
}

/* A userfaultfd with these features; -errno. */
static int uffd_open(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK), err;

	if (fd < 0)
		return -errno;
	if (!ioctl(fd, UFFDIO_API, &api))
		return fd;
	err = errno;
	close(fd);
	return -err;
}

static int uffd_register(int fd, const struct area *area, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)area->map, .len = area->size }, .mode = mode,
	};

	return ioctl(fd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

static int uffd_protect(int fd, const struct area *area)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = (uintptr_t)area->map, .len = area->size },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	return ioctl(fd, UFFDIO_WRITEPROTECT, &wp) ? -errno : 0;
}

/*
 * userfaultfd(2) hands pages to processes, so it is not for what has none. Asynchronous write
 * protection, which hands out nothing, some kernels allow on anything: then writing goes on.
 */
TEST_F(pfnmap, userfaultfd)
{
	const struct area *area = &self->area;
	int fd;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	fd = uffd_open(0);
	if (fd < 0)
		SKIP(return, "no userfaultfd: %s", strerror(-fd));
	populate(self);
	EXPECT_EQ(-EINVAL, uffd_register(fd, area, UFFDIO_REGISTER_MODE_MISSING));
	EXPECT_EQ(-EINVAL, uffd_register(fd, area, UFFDIO_REGISTER_MODE_WP));
	EXPECT_EQ(-EINVAL, uffd_register(fd, area, UFFDIO_REGISTER_MODE_MINOR));
	close(fd);
	fd = uffd_open(UFFD_FEATURE_WP_ASYNC);
	if (fd >= 0 && !uffd_register(fd, area, UFFDIO_REGISTER_MODE_WP)) {
		EXPECT_EQ(0, uffd_protect(fd, area));
		EXPECT_EQ(0, marks_wrong(self, area, 0));
		marks_write(self, area, 1);
		EXPECT_EQ(0, control_wrong(self, 1));
		marks_put(self, 0);
	}
	if (fd >= 0)
		close(fd);
	EXPECT_EQ(0, faults_reading(&self->levels, area));
	EXPECT_EQ(0, marks_wrong(self, area, 0));
}

/*
 * mbind(2) with MPOL_MF_STRICT fails for pages that are elsewhere: here are none. Where there is an
 * entry of a PMD, kernels look for its struct page, which device memory has not (pmd_folio() in
 * queue_folios_pmd()).
 */
TEST_F(pfnmap, mbind_strict)
{
	const struct devmem_levels *levels = &self->levels;
	const struct area *area = &self->area;
	struct bitmask *nodes;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	if (self->source == VFIO && area_entries_of(levels, area, levels->pmd) &&
	    !death_wanted(self))
		SKIP(return, "%s", self->missing);
	if (numa_available() < 0)
		SKIP(return, "the kernel has no NUMA policies");
	nodes = numa_get_mems_allowed();
	populate(self);
	EXPECT_EQ(0, mbind(area->map, area->size, MPOL_BIND, nodes->maskp, nodes->size + 1,
			   MPOL_MF_STRICT)) {
		TH_LOG("mbind: %s", strerror(errno));
	}
	numa_free_nodemask(nodes);
	EXPECT_EQ(0, faults_reading(levels, area));
	EXPECT_EQ(0, marks_wrong(self, area, 0));
}

/* move_pages(2) says of a page that is not there ENOENT, or EFAULT, and moves none. */
TEST_F(pfnmap, move_pages)
{
	const struct devmem_levels *levels = &self->levels;
	const struct area *area = &self->area;
	void *pages[3];
	int nodes[3] = {}, status[3] = {};
	size_t i;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	if (numa_available() < 0)
		SKIP(return, "the kernel has no NUMA policies");
	pages[0] = area->map;
	pages[1] = piece_page(self);
	pages[2] = area_end(area) - levels->page;
	populate(self);
	EXPECT_EQ(0, move_pages(0, 3, pages, NULL, status, 0));
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(status[i] == -ENOENT || status[i] == -EFAULT) {
			TH_LOG("page %zu is said to be on node %d", i, status[i]);
		}
	}
	move_pages(0, 3, pages, nodes, status, MPOL_MF_MOVE);
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(status[i] == -ENOENT || status[i] == -EFAULT) {
			TH_LOG("page %zu was moved to node %d", i, status[i]);
		}
	}
	EXPECT_EQ(0, faults_reading(levels, area));
	EXPECT_EQ(0, marks_wrong(self, area, 0));
}

/* The first @size bytes of the test's own file. */
static void self_read(char *to, size_t size)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, to, size, 0) != (ssize_t)size)
		libmm_fail("pfnmap: reading /proc/self/exe: %s", strerror(errno));
	close(fd);
}

/*
 * A disk cannot write to memory without struct pages; a file system may take a copy of its own, as
 * read(2) without O_DIRECT does. Either way what arrives is the file's.
 */
TEST_F(pfnmap, direct_io)
{
	char *to, *file;
	size_t page;
	ssize_t n;
	int fd;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	fd = open("/proc/self/exe", O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		SKIP(return, "the test's own file has no O_DIRECT: %s", strerror(errno));
	page = self->levels.page;
	to = piece_page(self);
	file = malloc(page);
	ASSERT_NE(NULL, file);
	populate(self);
	n = pread(fd, to, page, 0);
	if (n < 0) {
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
	} else {
		ASSERT_EQ((ssize_t)page, n);
		self_read(file, page);
		EXPECT_EQ(0, memcmp(file, to, page));
	}
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area));
	free(file);
	close(fd);
}

/* Returns 0 or -errno. */
static int dma_map(FIXTURE_DATA(pfnmap) * self)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)self->area.map, .iova = IOVA, .size = self->area.size,
	};

	return ioctl(self->mem.vfio.container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

/* Bytes that were mapped. */
static uint64_t dma_unmap(FIXTURE_DATA(pfnmap) * self)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = IOVA, .size = self->area.size,
	};

	return ioctl(self->mem.vfio.container, VFIO_IOMMU_UNMAP_DMA, &unmap) ? 0 : unmap.size;
}

/*
 * Another device may reach the memory: VFIO walks the mapping, and populates it where it is not.
 * Nothing of that is in the way of the CPU.
 */
TEST_F(pfnmap, dma_map)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	if (self->source != VFIO)
		SKIP(return, "only VFIO has an IOMMU to map in");
	marks_put(self, 0);
	ASSERT_EQ(0, dma_map(self));
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
	EXPECT_EQ(-EEXIST, dma_map(self));
	EXPECT_EQ(self->area.size, dma_unmap(self));
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area));
	marks_write(self, &self->area, 1);
	EXPECT_EQ(0, control_wrong(self, 1));
}

/* Memory that does not answer is not mapped for anyone. */
TEST_F(pfnmap, dma_map_refused)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	if (self->source != VFIO)
		SKIP(return, "only VFIO has an IOMMU to map in");
	marks_put(self, 0);
	ASSERT_EQ(0, __vfio_memory_enable(&self->mem.vfio, 0));
	EXPECT_EQ(-EFAULT, dma_map(self));
	EXPECT_EQ(0, dma_unmap(self));
	ASSERT_EQ(0, __vfio_memory_enable(&self->mem.vfio, 1));
	EXPECT_EQ(populate_faults(self), faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
}

/* All of a file of /proc/self; the number of bytes. */
static size_t proc_drain(const char *path)
{
	char buffer[4096];
	size_t size = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		libmm_fail("pfnmap: opening %s: %s", path, strerror(errno));
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		size += n;
	if (n < 0)
		libmm_fail("pfnmap: reading %s: %s", path, strerror(errno));
	close(fd);
	return size;
}

/*
 * Of the VMA that begins at @map: its Rss in kB; -1 when smaps lacks it, or its flags that it is
 * special ("pf"), never grows ("de") and is never dumped ("dd").
 */
static long smaps_rss(const char *map)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	bool here = false, pfnmap = false;
	unsigned long start, end;
	char *line = NULL;
	size_t size = 0;
	long rss = -1;

	if (!file)
		libmm_fail("pfnmap: /proc/self/smaps: %s", strerror(errno));
	while (!pfnmap && getline(&line, &size, file) >= 0) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = start == (uintptr_t)map;
		if (here && !strncmp(line, "Rss:", 4))
			rss = strtol(line + 4, NULL, 10);
		if (here && !strncmp(line, "VmFlags:", 8))
			pfnmap = strstr(line, " pf ") && strstr(line, " de ") &&
				 strstr(line, " dd ");
	}
	free(line);
	fclose(file);
	return pfnmap ? rss : -1;
}

static void clear_refs_write(const char *what)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, what, 1) != 1)
		libmm_fail("pfnmap: writing %s to clear_refs: %s", what, strerror(errno));
	close(fd);
}

static size_t bytes_set(const unsigned char *bytes, size_t nr)
{
	size_t i, set = 0;

	for (i = 0; i < nr; i++)
		set += bytes[i] & 1;
	return set;
}

static size_t pagemap_entries(const struct devmem_levels *levels, const struct area *area)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t nr = 0, i, pages = area->size / levels->page, chunk;
	uint64_t entries[512];
	ssize_t n;

	if (fd < 0)
		libmm_fail("pfnmap: opening pagemap: %s", strerror(errno));
	for (i = 0; i < pages; i += n / sizeof(*entries)) {
		chunk = pages - i < 512 ? pages - i : 512;
		n = pread(fd, entries, chunk * sizeof(*entries),
			  ((uintptr_t)area->map / levels->page + i) * sizeof(*entries));
		if (n <= 0)
			libmm_fail("pfnmap: reading pagemap: %s", n ? strerror(errno) : "it ends");
		for (chunk = 0; chunk < n / sizeof(*entries); chunk++)
			nr += entries[chunk] >> 63;
	}
	close(fd);
	return nr;
}

/* Entries that an observer has taken from the area, by the faults that bring them back. */
static void expect_kept(struct __test_metadata *_metadata, FIXTURE_DATA(pfnmap) * self,
			const char *observer)
{
	EXPECT_EQ(0, faults_reading(&self->levels, &self->area)) {
		TH_LOG("%s took entries away", observer);
	}
	EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
}

/* Who looks at page tables finds nothing to count in special mappings, and changes nothing. */
TEST_F(pfnmap, observers)
{
	struct area *area = &self->area;
	unsigned char *present;
	size_t pages;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	populate(self);
	pages = area->size / self->levels.page;
	present = calloc(pages, 1);
	ASSERT_NE(NULL, present);
	ASSERT_EQ(0, mincore(area->map, area->size, present));
	EXPECT_EQ(0, bytes_set(present, pages));
	free(present);
	expect_kept(_metadata, self, "mincore");
	EXPECT_EQ(0, pagemap_entries(&self->levels, area));
	expect_kept(_metadata, self, "pagemap");
	EXPECT_EQ(0, smaps_rss(area->map));
	expect_kept(_metadata, self, "smaps");
	EXPECT_LT(0, proc_drain("/proc/self/smaps_rollup"));
	expect_kept(_metadata, self, "smaps_rollup");
	if (sysfile_readable("/proc/self/numa_maps")) {
		EXPECT_LT(0, proc_drain("/proc/self/numa_maps"));
		expect_kept(_metadata, self, "numa_maps");
	}
}

/* "4" write-protects all that the process has: then not all faults that follow are the area's. */
TEST_F(pfnmap, clear_refs)
{
	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	populate(self);
	clear_refs_write("1");
	expect_kept(_metadata, self, "clear_refs 1");
	clear_refs_write("3");
	expect_kept(_metadata, self, "clear_refs 3");
	clear_refs_write("4");
	EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
	marks_write(self, &self->area, 1);
	EXPECT_EQ(0, control_wrong(self, 1));
}

/*
 * Neither vfio-pci's memory nor DRM's has a way in for others: __access_remote_vm() wants
 * vm_ops->access.
 */
TEST_F(pfnmap, proc_mem)
{
	uint64_t value = 0, *word;
	ssize_t n;
	int fd;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	populate(self);
	word = (uint64_t *)piece_page(self);
	fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	n = pread(fd, &value, sizeof(value), (uintptr_t)word);
	if (n < 0) {
		EXPECT_EQ(EIO, errno);
	} else {
		EXPECT_EQ(*(volatile uint64_t *)word, value);
	}
	if (!self->premapped) {
		EXPECT_EQ(-1, n);
	}
	close(fd);
	EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
}

/* A device that is switched off loses its mappings, and gets them again when it is on. */
TEST_F(pfnmap, zap)
{
	char *last;

	if (self->missing[0])
		SKIP(return, "%s", self->missing);
	if (self->source != VFIO)
		SKIP(return, "only VFIO takes mappings away");
	last = area_end(&self->area) - self->levels.page;
	populate(self);
	ASSERT_EQ(0, __vfio_memory_enable(&self->mem.vfio, 0));
	EXPECT_TRUE(traps(self->area.map, false, SIGBUS, BUS_ADRERR));
	EXPECT_TRUE(traps(piece_page(self), true, SIGBUS, BUS_ADRERR));
	EXPECT_TRUE(traps(last, false, SIGBUS, BUS_ADRERR));
	ASSERT_EQ(0, __vfio_memory_enable(&self->mem.vfio, 1));
	EXPECT_EQ(populate_faults(self), faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
}

static bool variant_wanted(const struct __fixture_variant_metadata *variant)
{
	const struct __test_metadata *test;

	for (test = _pfnmap_fixture_object.tests; test; test = test->next)
		if (case_wanted(variant->name, test->name))
			return true;
	return false;
}

static bool test_wanted(const struct __test_metadata *test)
{
	const struct __fixture_variant_metadata *variant;

	for (variant = _pfnmap_fixture_object.variant; variant; variant = variant->next)
		if (case_wanted(variant->name, test->name))
			return true;
	return false;
}

/*
 * Leave to the harness what $WANTED names: it forks for a case before the case can say that another
 * is meant, and in an emulator 370 forks take half a minute. Returns whether anything is left.
 */
static bool wanted_keep(void)
{
	struct __fixture_variant_metadata **variant = &_pfnmap_fixture_object.variant;
	struct __test_metadata **test = &_pfnmap_fixture_object.tests;

	while (*variant)
		if (variant_wanted(*variant))
			variant = &(*variant)->next;
		else
			*variant = (*variant)->next;
	while (*test)
		if (test_wanted(*test))
			test = &(*test)->next;
		else
			*test = (*test)->next;
	return _pfnmap_fixture_object.variant;
}

/*
 * Whether there is any memory to map: for each of 370 cases to say that there is none takes an
 * emulator half a minute.
 */
static bool memory_find(char *reason, size_t len)
{
	const char *why = require_need("root");
	char no_gem[GEM_REASON_MAX];
	struct devmem mem = {};
	struct gem gem;

	if (why) {
		snprintf(reason, len, "%s", why);
		return false;
	}
	if (!__devmem_find(&mem, reason, len))
		return true;
	if (__gem_open(&gem, sysconf(_SC_PAGESIZE), no_gem, sizeof(no_gem)))
		return false;
	gem_close(&gem);
	return true;
}

static int skip_all(const char *reason)
{
	ksft_print_header();
	printf("1..0 # SKIP %s\n", reason);
	return KSFT_SKIP;
}

#define main harness_main
TEST_HARNESS_MAIN
#undef main

int main(int argc, char **argv)
{
	char reason[DEVMEM_REASON_MAX];

	if (!wanted_keep())
		return skip_all(WANTED " names no case");
	if (argc == 1 && !memory_find(reason, sizeof(reason)))
		return skip_all(reason);
	return harness_main(argc, argv);
}
