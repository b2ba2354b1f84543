/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cases of pfnmap_test: system calls that want struct pages are refused, and neither devices nor
 * observers change the mapping.
 */
#ifndef PFNMAP_OTHERS_H
#define PFNMAP_OTHERS_H

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <linux/vfio.h>
#include <numa.h>
#include <numaif.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <libmm/sysfile.h>

#include "pfnmap_setup.h"

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
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

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

	populate(self);
	for (i = 0; i < ARRAY_SIZE(advices); i++) {
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

/* Neither VFIO nor DRM has copy-on-write of device memory. */
TEST_F(pfnmap, private_refused)
{
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

static int uffd_watch(int fd, const struct area *area, uint64_t mode)
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

	fd = uffd_open(0);
	if (fd < 0)
		SKIP(return, "no userfaultfd: %s", strerror(-fd));
	populate(self);
	EXPECT_EQ(-EINVAL, uffd_watch(fd, area, UFFDIO_REGISTER_MODE_MISSING));
	EXPECT_EQ(-EINVAL, uffd_watch(fd, area, UFFDIO_REGISTER_MODE_WP));
	EXPECT_EQ(-EINVAL, uffd_watch(fd, area, UFFDIO_REGISTER_MODE_MINOR));
	close(fd);
	fd = uffd_open(UFFD_FEATURE_WP_ASYNC);
	if (fd >= 0 && !uffd_watch(fd, area, UFFDIO_REGISTER_MODE_WP)) {
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

	if (self->source == VFIO && area_entries_of(levels, area, levels->pmd))
		REQUIRE(death_allowed());
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
	if (self->source != VFIO)
		SKIP(return, "only VFIO has an IOMMU to map in");
	marks_put(self, 0);
	ASSERT_EQ(0, vfio_memory_enable(&self->mem.vfio, false));
	EXPECT_EQ(-EFAULT, dma_map(self));
	EXPECT_EQ(0, dma_unmap(self));
	ASSERT_EQ(0, vfio_memory_enable(&self->mem.vfio, true));
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

/* Observers must count nothing in special mappings, and must not change them. */
TEST_F(pfnmap, observers)
{
	struct area *area = &self->area;
	unsigned char *present;
	size_t pages;

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

	if (self->source != VFIO)
		SKIP(return, "only VFIO takes mappings away");
	last = area_end(&self->area) - self->levels.page;
	populate(self);
	ASSERT_EQ(0, vfio_memory_enable(&self->mem.vfio, false));
	EXPECT_TRUE(traps(self->area.map, false, SIGBUS, BUS_ADRERR));
	EXPECT_TRUE(traps(piece_page(self), true, SIGBUS, BUS_ADRERR));
	EXPECT_TRUE(traps(last, false, SIGBUS, BUS_ADRERR));
	ASSERT_EQ(0, vfio_memory_enable(&self->mem.vfio, true));
	EXPECT_EQ(populate_faults(self), faults_reading(&self->levels, &self->area));
	EXPECT_EQ(0, marks_wrong(self, &self->area, 0));
}

#endif
