// SPDX-License-Identifier: GPL-2.0
/*
 * The device that was named is found and read, or a sentence says what is missing.
 *
 * Files stand for sysfs: that VFIO opens a device takes a guest.
 */
#include <errno.h>
#include <fcntl.h>

#include <libmm/devmem.h>

#include "kselftest_harness.h"
#include "fakeroot.h"

#define DEV "/sys/bus/pci/devices/0000:00:04.0"
#define NAME "0000:00:04.0"

static struct fakeroot root;

static void driver_is(const char *driver)
{
	char target[64];

	unlink(fakeroot_path(&root, DEV "/driver"));
	if (!driver)
		return;
	snprintf(target, sizeof(target), "../../drivers/%s", driver);
	fakeroot_must(!symlink(target, fakeroot_path(&root, DEV "/driver")), "symlink");
}

/* The probe says no, in these words. */
static bool says(struct probe probe, const char *words)
{
	if (probe.answer == PROBE_NO && strstr(probe.why, words))
		return true;
	fprintf(stderr, "# answer %d, '%s': not '%s'\n", probe.answer, probe.why, words);
	return false;
}

FIXTURE(devmem) {
	struct devmem mem;
};

FIXTURE_SETUP(devmem)
{
	fakeroot_create(&root);
	fakeroot_write(&root, DEV "/resource",
		       "0x00000000fea00000 0x00000000fea000ff 0x0000000000040200\n"
		       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		       "0x0000000380000000 0x00000003ffffffff 0x000000000014220c\n");
	fakeroot_must(!setenv("PFNMAP_DEVICE", NAME, 1), "setenv");
	unsetenv("VFIO_SELFTESTS_BDF");
	unsetenv("PFNMAP_BAR");
}

FIXTURE_TEARDOWN(devmem)
{
	fakeroot_remove(&root);
}

TEST_F(devmem, bars_are_read)
{
	struct pci_bar bar;

	ASSERT_EQ(0, pci_bar_read(NAME, 0, &bar));
	EXPECT_EQ(0xfea00000, bar.start);
	EXPECT_EQ(0x100, bar.size);
	ASSERT_EQ(0, pci_bar_read(NAME, 1, &bar));
	EXPECT_EQ(0, bar.size);
	ASSERT_EQ(0, pci_bar_read(NAME, 2, &bar));
	EXPECT_EQ(0x380000000, bar.start);
	EXPECT_EQ(UINT64_C(2) << 30, bar.size);
	EXPECT_EQ(-EINVAL, pci_bar_read(NAME, 3, &bar));
	EXPECT_EQ(-EINVAL, pci_bar_read(NAME, 6, &bar));
	EXPECT_EQ(-EINVAL, pci_bar_read("../devices/" NAME, 0, &bar));
	EXPECT_EQ(-ENOENT, pci_bar_read("0000:00:05.0", 0, &bar));
	fakeroot_write(&root, DEV "/resource", "none\n");
	EXPECT_EQ(-EINVAL, pci_bar_read(NAME, 0, &bar));
}

TEST_F(devmem, driver_is_read)
{
	char driver[PCI_NAME_MAX];

	ASSERT_EQ(0, pci_link(NAME, "driver", driver, sizeof(driver)));
	EXPECT_STREQ("", driver);
	driver_is("old");
	ASSERT_EQ(0, pci_link(NAME, "driver", driver, sizeof(driver)));
	EXPECT_STREQ("old", driver);
}

TEST_F(devmem, memory_is_switched)
{
	char *file = fakeroot_path(&root, DEV "/config");
	unsigned char config[6] = { [4] = 0x05, [5] = 0x01 };
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EIO, pci_memory_enable(fd, 0, true));
	ASSERT_EQ((ssize_t)sizeof(config), pwrite(fd, config, sizeof(config), 0));
	EXPECT_EQ(0, pci_memory_enable(fd, 0, true));
	ASSERT_EQ((ssize_t)sizeof(config), pread(fd, config, sizeof(config), 0));
	EXPECT_EQ(0x07, config[4]);
	EXPECT_EQ(0x01, config[5]);
	EXPECT_EQ(0, pci_memory_enable(fd, 0, false));
	ASSERT_EQ((ssize_t)sizeof(config), pread(fd, config, sizeof(config), 0));
	EXPECT_EQ(0x05, config[4]);
	close(fd);
	EXPECT_EQ(-EBADF, pci_memory_enable(fd, 0, true));
}

/* The BAR that was asked for, or a sentence; never another one. */
TEST_F(devmem, named_memory_is_found)
{
	static const char *const wrong[] = { "", "x", "6", "10", "-1" };
	struct devmem *mem = &self->mem;
	size_t i;

	ASSERT_EQ(PROBE_YES, devmem_find(mem).answer);
	EXPECT_STREQ(NAME, mem->device);
	EXPECT_EQ(2, mem->bar_index);
	EXPECT_EQ(0x380000000, mem->bar.start);
	devmem_close(mem);
	fakeroot_must(!setenv("PFNMAP_BAR", "0", 1), "setenv");
	ASSERT_EQ(PROBE_YES, devmem_find(mem).answer);
	EXPECT_EQ(0xfea00000, mem->bar.start);
	fakeroot_must(!setenv("PFNMAP_BAR", "1", 1), "setenv");
	EXPECT_TRUE(says(devmem_find(mem), "there is no BAR 1 of " NAME));
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		fakeroot_must(!setenv("PFNMAP_BAR", wrong[i], 1), "setenv");
		EXPECT_TRUE(says(devmem_find(mem), "PFNMAP_BAR is not 0 to 5"));
	}
	unsetenv("PFNMAP_BAR");
	fakeroot_must(!setenv("PFNMAP_DEVICE", "0000:00:05.0", 1), "setenv");
	EXPECT_TRUE(says(devmem_find(mem), "there is no BAR 2 of 0000:00:05.0"));
	unsetenv("PFNMAP_DEVICE");
	EXPECT_TRUE(says(devmem_find(mem), "no PCI device is named in PFNMAP_DEVICE"));
	fakeroot_must(!setenv("VFIO_SELFTESTS_BDF", NAME, 1), "setenv");
	ASSERT_EQ(PROBE_YES, devmem_find(mem).answer);
	EXPECT_STREQ(NAME, mem->device);
}

TEST_F(devmem, vfio_says_what_is_missing)
{
	struct devmem *mem = &self->mem;

	ASSERT_EQ(PROBE_YES, devmem_find(mem).answer);
	EXPECT_TRUE(says(devmem_open(mem), NAME " has no IOMMU group: switch an IOMMU on: "
			 DEVMEM_SEE));
	fakeroot_must(!symlink("../../../../kernel/iommu_groups/7",
			       fakeroot_path(&root, DEV "/iommu_group")), "symlink");
	EXPECT_TRUE(says(devmem_open(mem), NAME " has no driver: bind it to vfio-pci"));
	driver_is("old");
	EXPECT_TRUE(says(devmem_open(mem), NAME " is bound to old, not to vfio-pci"));
	driver_is("vfio-pci");
	EXPECT_TRUE(says(devmem_open(mem), "modprobe vfio-pci"));
	fakeroot_write(&root, "/dev/vfio/vfio", "");
	EXPECT_TRUE(says(devmem_open(mem), "opening /dev/vfio/7"));
	fakeroot_write(&root, "/dev/vfio/7", "");
	EXPECT_TRUE(says(devmem_open(mem), "VFIO_GROUP_GET_STATUS of /dev/vfio/7"));
	EXPECT_EQ(-1, mem->vfio.container);
	EXPECT_EQ(-1, mem->vfio.group);
	EXPECT_EQ(-1, mem->vfio.fd);
	devmem_close(mem);
}

TEST_HARNESS_MAIN
