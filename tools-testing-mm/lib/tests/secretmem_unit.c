// SPDX-License-Identifier: GPL-2.0
/* Unit tests of secretmem, on the running kernel and without privilege: one page is enough. */
#include <errno.h>
#include <unistd.h>

#include <libmm/secretmem.h>

#include "kselftest_harness.h"

TEST(sizes_that_are_no_pages)
{
	struct secretmem memory;

	EXPECT_EQ(-EINVAL, secretmem_open(&memory, 0));
	EXPECT_EQ(-EINVAL, secretmem_open(&memory, sysconf(_SC_PAGESIZE) - 1));
	EXPECT_EQ(-1, memory.fd);
	EXPECT_EQ(NULL, memory.map);
}

TEST(open_fault_close)
{
	size_t page = sysconf(_SC_PAGESIZE);
	const struct probe probe = secretmem_probe();
	struct secretmem memory;

	if (probe.answer != PROBE_YES) {
		EXPECT_GT(0, secretmem_open(&memory, page));
		SKIP(return, "%s", probe.why);
	}
	ASSERT_EQ(0, secretmem_open(&memory, 2 * page));
	EXPECT_EQ(0, memory.map[0]);
	secretmem_fault(&memory);
	EXPECT_NE(0, memory.map[0]);
	EXPECT_NE(0, memory.map[page]);
	secretmem_close(&memory);
	EXPECT_EQ(-1, memory.fd);
	EXPECT_EQ(NULL, memory.map);
	/* Closing what is closed is harmless: error paths do so. */
	secretmem_close(&memory);
}

TEST_HARNESS_MAIN
