// SPDX-License-Identifier: GPL-2.0
/*
 * Small kernel files are read whole or not at all, and every error keeps its name.
 */
#include <errno.h>

#include <libmm/sysfile.h>

#include "kselftest_harness.h"
#include "fakeroot.h"

#define F "/sys/file"

static struct fakeroot root;

FIXTURE(sysfile) {
	int unused;
};

FIXTURE_SETUP(sysfile)
{
	self->unused = 0;
	fakeroot_create(&root);
}

FIXTURE_TEARDOWN(sysfile)
{
	fakeroot_remove(&root);
}

TEST_F(sysfile, read_trims_and_bounds)
{
	char buf[8];

	fakeroot_write(&root, F, "1234567");
	EXPECT_EQ(7, __sysfile_read(F, buf, sizeof(buf)));
	EXPECT_STREQ("1234567", buf);
	fakeroot_write(&root, F, "12345678");
	EXPECT_EQ(-EOVERFLOW, __sysfile_read(F, buf, sizeof(buf)));
	fakeroot_write(&root, F, " a b\n \n");
	EXPECT_EQ(4, __sysfile_read(F, buf, sizeof(buf)));
	EXPECT_STREQ(" a b", buf);
	fakeroot_write(&root, F, "\n");
	EXPECT_EQ(0, __sysfile_read(F, buf, sizeof(buf)));
	EXPECT_STREQ("", buf);
	EXPECT_EQ(-ENOENT, __sysfile_read("/sys/none", buf, sizeof(buf)));
	EXPECT_EQ(-EISDIR, __sysfile_read("/sys", buf, sizeof(buf)));
}

TEST_F(sysfile, path_is_below_the_root_or_refused)
{
	char buf[256], small[4];

	EXPECT_EQ(0, __sysfile_path(buf, sizeof(buf), F));
	EXPECT_STREQ(fakeroot_path(&root, F), buf);
	EXPECT_EQ(-ENAMETOOLONG, __sysfile_path(small, sizeof(small), F));
	unsetenv("LIBMM_ROOT");
	EXPECT_EQ(0, __sysfile_path(buf, sizeof(buf), F));
	EXPECT_STREQ(F, buf);
	EXPECT_EQ(0, __sysfile_path(small, sizeof(small), "/ab"));
	EXPECT_EQ(-ENAMETOOLONG, __sysfile_path(small, sizeof(small), "/abc"));
}

TEST_F(sysfile, numbers_are_whole_numbers)
{
	static const struct {
		const char *text;
		int ret;
		uint64_t value;
	} files[] = {
		{ "0\n", 0, 0 },
		{ "18446744073709551615\n", 0, UINT64_MAX },
		{ "18446744073709551616\n", -EINVAL, 0 },
		{ "0x1f\n", 0, 31 },
		{ "010\n", 0, 10 },
		{ "-1\n", -EINVAL, 0 },
		{ "+1\n", -EINVAL, 0 },
		{ " 1\n", -EINVAL, 0 },
		{ "12 kB\n", -EINVAL, 0 },
		{ "\n", -EINVAL, 0 },
		{ "0x\n", -EINVAL, 0 },
	};
	uint64_t value;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		value = 0;
		fakeroot_write(&root, F, files[i].text);
		EXPECT_EQ(files[i].ret, __sysfile_read_u64(F, &value)) {
			TH_LOG("%s", files[i].text);
		}
		EXPECT_EQ(files[i].value, value);
	}
	EXPECT_EQ(-ENOENT, __sysfile_read_u64("/sys/none", &value));
}

TEST_F(sysfile, keys_are_matched_whole)
{
	uint64_t value;

	fakeroot_write(&root, F, "MemTotalX:  1 kB\nXMemTotal: 2 kB\nMemTotal:  24560 kB\n"
		       "nr_memmap_pages 77\nNode 0 MemFree:  9 kB\nbad: x\n");
	EXPECT_EQ(0, __sysfile_read_key(F, "MemTotal", &value));
	EXPECT_EQ(24560, value);
	EXPECT_EQ(0, __sysfile_read_key(F, "nr_memmap_pages", &value));
	EXPECT_EQ(77, value);
	EXPECT_EQ(0, __sysfile_read_key(F, "Node 0 MemFree", &value));
	EXPECT_EQ(9, value);
	EXPECT_EQ(-ENOENT, __sysfile_read_key(F, "nr_memmap", &value));
	EXPECT_EQ(-EINVAL, __sysfile_read_key(F, "bad", &value));
	EXPECT_EQ(-ENOENT, __sysfile_read_key("/sys/none", "bad", &value));
	EXPECT_EQ(-EISDIR, __sysfile_read_key("/sys", "bad", &value));
}

TEST_F(sysfile, write_replaces_and_reports)
{
	fakeroot_write(&root, F, "1024\n");
	EXPECT_EQ(0, __sysfile_write(F, "16"));
	EXPECT_STREQ("16", fakeroot_read(&root, F));
	EXPECT_EQ(-EINVAL, __sysfile_write(F, ""));
	EXPECT_EQ(-ENOENT, __sysfile_write("/sys/none", "1"));
	fakeroot_must(!symlink("/dev/full", fakeroot_path(&root, "/sys/full")), "symlink");
	EXPECT_EQ(-ENOSPC, __sysfile_write("/sys/full", "1"));
}

TEST_F(sysfile, readable_means_can_be_opened)
{
	fakeroot_write(&root, F, "");
	EXPECT_EQ(1, sysfile_readable(F));
	EXPECT_EQ(0, sysfile_readable("/sys/none"));
}

TEST_HARNESS_MAIN
