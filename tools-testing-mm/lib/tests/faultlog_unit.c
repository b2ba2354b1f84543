// SPDX-License-Identifier: GPL-2.0
/* Unit tests of faultlog, on the running kernel: faults whose number is known, here and there. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libmm/base.h>
#include <libmm/faultlog.h>
#include <libmm/harness.h>

#define NR_PAGES 64
/* More than a log has room for. */
#define NR_TOO_MANY 16384

FIXTURE(faultlog)
{
	struct faultlog log;
	size_t page;
	char *area;
	unsigned int faults[NR_PAGES];
};

static char *memory_map(size_t size)
{
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map != MAP_FAILED && madvise(map, size, MADV_NOHUGEPAGE) && errno != EINVAL)
		return MAP_FAILED;
	return map;
}

FIXTURE_SETUP(faultlog)
{
	REQUIRE(faultlog_open(&self->log));
	self->page = page_size();
	self->area = memory_map(NR_PAGES * self->page);
	ASSERT_NE(MAP_FAILED, (void *)self->area);
}

FIXTURE_TEARDOWN(faultlog)
{
	faultlog_close(&self->log);
	munmap(self->area, NR_PAGES * self->page);
}

static void page_touch(char *area, size_t page)
{
	__atomic_store_n(area + page, 1, __ATOMIC_RELAXED);
}

TEST_F(faultlog, pages_that_were_touched)
{
	size_t i;

	faultlog_start(&self->log);
	for (i = 0; i < NR_PAGES; i += 3)
		page_touch(self->area, i * self->page);
	ASSERT_EQ(0, __faultlog_stop(&self->log, self->area, NR_PAGES, self->faults));
	for (i = 0; i < NR_PAGES; i++)
		EXPECT_EQ(i % 3 ? 0U : 1U, self->faults[i]);
}

TEST_F(faultlog, other_places_do_not_count)
{
	char *other = memory_map(NR_PAGES * self->page);
	size_t i;

	ASSERT_NE(MAP_FAILED, (void *)other);
	faultlog_start(&self->log);
	for (i = 0; i < NR_PAGES; i++)
		page_touch(other, i * self->page);
	page_touch(self->area, 5 * self->page);
	ASSERT_EQ(0, __faultlog_stop(&self->log, self->area, NR_PAGES, self->faults));
	for (i = 0; i < NR_PAGES; i++)
		EXPECT_EQ(i == 5 ? 1U : 0U, self->faults[i]);
	munmap(other, NR_PAGES * self->page);
}

/* Neither before the start nor after the stop; and the log starts anew. */
TEST_F(faultlog, only_between_start_and_stop)
{
	size_t i;

	for (i = 0; i < 4; i++) {
		page_touch(self->area, 3 * i * self->page);
		faultlog_start(&self->log);
		page_touch(self->area, (3 * i + 1) * self->page);
		ASSERT_EQ(0, __faultlog_stop(&self->log, self->area, NR_PAGES, self->faults));
		page_touch(self->area, (3 * i + 2) * self->page);
	}
	for (i = 0; i < 12; i++)
		EXPECT_EQ(i % 3 == 1 ? 1U : 0U, self->faults[i]);
}

/* More faults than there is room for, twice; a log that has overflown works again. */
TEST_F(faultlog, too_many)
{
	size_t i, round;

	for (round = 0; round < 2; round++) {
		faultlog_start(&self->log);
		for (i = 0; i < NR_TOO_MANY; i++) {
			page_touch(self->area, 0);
			ASSERT_EQ(0, madvise(self->area, self->page, MADV_DONTNEED));
		}
		EXPECT_EQ(-EOVERFLOW,
			  __faultlog_stop(&self->log, self->area, NR_PAGES, self->faults));
	}
	faultlog_start(&self->log);
	page_touch(self->area, self->page);
	ASSERT_EQ(0, __faultlog_stop(&self->log, self->area + self->page, 1, self->faults + 1));
	EXPECT_EQ(1U, self->faults[1]);
}

TEST_HARNESS_MAIN
