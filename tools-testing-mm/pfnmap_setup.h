/* SPDX-License-Identifier: GPL-2.0 */
/* pfnmap_setup: where the memory comes from, and how the fixture maps it. */
#ifndef PFNMAP_SETUP_H
#define PFNMAP_SETUP_H

#include <fcntl.h>
#include <stdlib.h>

#include <libmm/kconfig.h>
#include <libmm/restore.h>
#include <libmm/sysfile.h>

#include "pfnmap.h"

#define SHMEM_ENABLED "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

/* What all cases find alike: reading the configuration takes longer than many of them. */
static struct {
	struct devmem_levels levels;
	char pmd_option;
	char pud_option;
} machine;

/*
 * For each of hundreds of cases to say that there is no memory would take an emulator half a
 * minute, so the program says it before them.
 */
static void __attribute__((constructor)) memory_expect(void)
{
	struct probe ready = probe_root();
	struct devmem mem;
	struct gem gem;

	if (ready.answer == PROBE_YES)
		ready = devmem_find(&mem);
	if (!geteuid() && gem_open(&gem, page_size()).answer == PROBE_YES) {
		gem_close(&gem);
		ready = probe_yes();
	}
	if (ready.answer != PROBE_YES) {
		ksft_print_header();
		ksft_exit_skip("%s\n", ready.why);
	}
	devmem_levels(&machine.levels);
	machine.pmd_option = kconfig_value(DEVMEM_PMD_OPTION);
	machine.pud_option = kconfig_value(DEVMEM_PUD_OPTION);
}

static char option_of(const FIXTURE_VARIANT(pfnmap) * variant)
{
	return variant->aligned == PUDS ? machine.pud_option : machine.pmd_option;
}

static struct probe level_supported(FIXTURE_DATA(pfnmap) * self,
				    const FIXTURE_VARIANT(pfnmap) * variant)
{
	return self->premapped || variant->aligned == PAGES || option_of(variant) != 'n' ?
	       probe_yes() : probe_no("the kernel has no entries of this size for device memory");
}

static struct probe memory_find(FIXTURE_DATA(pfnmap) * self)
{
	if (self->source != VGEM)
		return devmem_find(&self->mem);
	self->mem.vfio = (struct vfio_device) { .container = -1, .group = -1, .fd = -1 };
	self->mem.bar.size = 4 * self->levels.pmd;
	return probe_yes();
}

/* Where the area is in the BAR, and how large. */
static struct probe area_choose(FIXTURE_DATA(pfnmap) * self,
				const FIXTURE_VARIANT(pfnmap) * variant)
{
	const struct devmem_levels *levels = &self->levels;
	size_t end = variant->entry == PUDS ? 2 * levels->pud : 4 * levels->pmd;

	if (end > self->mem.bar.size || self->mem.bar.start % (end / 2))
		return probe_no("the BAR is too small: QEMU's pci-testdev has any size");
	if (variant->edges && variant->entry == PUDS) {
		self->bar_offset = levels->pud - levels->pmd - levels->page;
	} else if (variant->edges) {
		self->bar_offset = levels->page;
		end -= levels->page;
	}
	self->area.size = end - self->bar_offset;
	self->area.pa = self->mem.bar.start + self->bar_offset;
	return probe_yes();
}

static struct probe file_open(FIXTURE_DATA(pfnmap) * self, const char *path)
{
	self->fd = open(path, O_RDWR | O_CLOEXEC);
	return self->fd < 0 ? probe_no("opening %s: %s", path, strerror(errno)) : probe_yes();
}

/*
 * Have the device answer without VFIO, which has not opened it: powered, and its memory on. A
 * driver other than vfio-pci may use the memory.
 */
static struct probe device_wake(const char *device)
{
	char path[SYSFILE_PATH_MAX], driver[PCI_NAME_MAX];
	int fd, err;

	if (pci_link(device, "driver", driver, sizeof(driver)) ||
	    (*driver && strcmp(driver, VFIO_DRIVER)))
		return probe_no("%s has a driver, which may use its memory", device);
	pci_path(path, sizeof(path), device, "enable");
	if (!*driver)
		restore_set(path, "1");
	pci_path(path, sizeof(path), device, "power/control");
	if (sysfile_readable(path))
		restore_set(path, "on");
	pci_path(path, sizeof(path), device, "config");
	fd = open(path, O_RDWR | O_CLOEXEC);
	err = fd < 0 ? -errno : pci_memory_enable(fd, 0, true);
	if (fd >= 0)
		close(fd);
	if (err == -EPERM)
		return probe_no("lockdown forbids to write to %s: boot without lockdown", path);
	return err ? probe_no("switching the memory of %s on: %s", device, strerror(-err)) :
		     probe_yes();
}

static struct probe bare_open(FIXTURE_DATA(pfnmap) * self)
{
	char path[SYSFILE_PATH_MAX], name[16];
	struct probe ready = probe_yes();

	if (self->source == DEVMEM)
		ready = probe_writable("/dev/mem");
	if (ready.answer == PROBE_YES)
		ready = device_wake(self->mem.device);
	if (ready.answer != PROBE_YES)
		return ready;
	if (self->source == DEVMEM) {
		self->fd_offset = self->mem.bar.start;
		return file_open(self, "/dev/mem");
	}
	snprintf(name, sizeof(name), "resource%u", self->mem.bar_index);
	pci_path(path, sizeof(path), self->mem.device, name);
	return file_open(self, path);
}

/* Its memory is that of huge pages if there are any; what is mapped by pages has the same. */
static struct probe vgem_open(FIXTURE_DATA(pfnmap) * self)
{
	struct probe ready = gem_open(&self->gem, self->mem.bar.size);

	if (ready.answer != PROBE_YES)
		return probe_no("%s: " DEVMEM_SEE, ready.why);
	if (sysfile_readable(SHMEM_ENABLED))
		restore_set(SHMEM_ENABLED, "always");
	devmem_allow_huge();
	self->fd = self->gem.fd;
	self->fd_offset = self->gem.offset;
	return probe_yes();
}

static struct probe source_open(FIXTURE_DATA(pfnmap) * self)
{
	struct probe ready;

	if (self->source != VFIO) {
		self->levels.pmd_maps = false;
		self->levels.pud_maps = false;
		return self->source == VGEM ? vgem_open(self) : bare_open(self);
	}
	ready = devmem_open(&self->mem);
	self->fd = self->mem.vfio.fd;
	self->fd_offset = self->mem.offset;
	return ready;
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

static void *bar_map(FIXTURE_DATA(pfnmap) * self, void *where)
{
	return mmap(where, self->area.size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | (where ? MAP_FIXED : 0), self->fd,
		    self->fd_offset + self->bar_offset);
}

static struct probe area_map(FIXTURE_DATA(pfnmap) * self, const FIXTURE_VARIANT(pfnmap) * variant)
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
	self->area.map = bar_map(self, address_choose(self, align, self->area.pa, align, off));
	if (self->area.map == MAP_FAILED && self->premapped && errno == EPERM)
		return probe_no("lockdown forbids to map a BAR: boot without lockdown");
	if (self->area.map == MAP_FAILED)
		libmm_fail("pfnmap: mapping %zu bytes of BAR %u of %s: %s", self->area.size,
			   self->mem.bar_index, self->mem.device, strerror(errno));
	if (variant->source == VFIO)
		return probe_yes();
	self->control = bar_map(self, NULL);
	if (self->control == MAP_FAILED)
		libmm_fail("pfnmap: mapping the BAR a second time: %s", strerror(errno));
	/* Not to be taken for faults and page tables of the area. */
	faults_reading(levels, &(struct area) { .map = self->control, .size = self->area.size });
	return probe_yes();
}

/* Map it anew where it is, so that nothing is populated but what mmap(2) itself does. */
static void area_again(FIXTURE_DATA(pfnmap) * self)
{
	if (bar_map(self, self->area.map) != self->area.map)
		libmm_fail("pfnmap: mapping the area again: %s", strerror(errno));
}

/*
 * A kernel whose configuration cannot be read may make entries of this size or not, and of vgem's
 * memory only if it is of huge pages: a page of the entry's other half without a fault of its own
 * says that it does.
 */
static struct probe level_confirm(FIXTURE_DATA(pfnmap) * self,
				  const FIXTURE_VARIANT(pfnmap) * variant)
{
	bool pud = variant->aligned == PUDS;
	size_t size = pud ? self->levels.pud : self->levels.pmd;
	struct area first, other;
	char *entry;

	if (self->premapped || variant->aligned == PAGES ||
	    (self->source == VFIO && option_of(variant) != '?'))
		return probe_yes();
	entry = area_entry_base(area_end(&self->area) - 1, size);
	if (entry + size > area_end(&self->area))
		entry -= size;
	first = area_part(&self->area, entry, entry + self->levels.page);
	other = area_part(&self->area, entry + size / 2, entry + size / 2 + self->levels.page);
	if (faults_reading(&self->levels, &first) != 1 || faults_reading(&self->levels, &other))
		return probe_no(self->source == VGEM ?
				"no PMDs: this kernel has none for DRM, or no huge page was free" :
				"no configuration to read, and no entries of this size seen");
	self->levels.pmd_maps = true;
	self->levels.pud_maps = pud;
	area_again(self);
	return probe_yes();
}

static void memory_release(FIXTURE_DATA(pfnmap) * self)
{
	if (self->control)
		munmap(self->control, self->area.size);
	if (self->reserve)
		munmap(self->reserve, self->reserve_size);
	if (self->premapped && self->fd >= 0)
		close(self->fd);
	gem_close(&self->gem);
	devmem_close(&self->mem);
	restore_all();
}

FIXTURE_SETUP(pfnmap)
{
	struct probe ready;

	self->source = variant->source;
	self->premapped = variant->source == RESOURCE || variant->source == DEVMEM;
	self->levels = machine.levels;
	self->fd = -1;
	self->gem.fd = -1;
	REQUIRE(level_supported(self, variant));
	REQUIRE(memory_find(self));
	REQUIRE(area_choose(self, variant));
	ready = source_open(self);
	if (ready.answer == PROBE_YES)
		ready = area_map(self, variant);
	traps_catch();
	if (ready.answer == PROBE_YES)
		ready = level_confirm(self, variant);
	if (ready.answer != PROBE_YES)
		memory_release(self);
	REQUIRE(ready);
}

FIXTURE_TEARDOWN(pfnmap)
{
	memory_release(self);
}

/* Whether the caller allows to lose the kernel: LIBMM_DESTRUCTIVE=1 and LIBMM_DEADLY=1. */
static struct probe death_allowed(void)
{
	const char *deadly = getenv("LIBMM_DEADLY");
	struct probe allowed = probe_destructive();

	if (allowed.answer == PROBE_YES && (!deadly || strcmp(deadly, "1")))
		return probe_no("it may kill the kernel: LIBMM_DEADLY=1 allows that");
	return allowed;
}

/*
 * Whether @size bytes at @from may be made a VMA of their own. Not a PUD that is cut within a PMD:
 * the kernel then looks for the PMD to split below an entry that has nothing below it, and takes
 * device memory for a page table (vma_adjust_trans_huge(), mm_find_pmd()). So do that only to
 * kernels that may be lost.
 */
static inline struct probe cut_allowed(FIXTURE_DATA(pfnmap) * self, const char *from, size_t size)
{
	const struct devmem_levels *levels = &self->levels;

	if (area_entry_size(levels, &self->area, from) < levels->pud ||
	    ((uintptr_t)from % levels->pmd == 0 && size % levels->pmd == 0))
		return probe_yes();
	return death_allowed();
}

#endif
