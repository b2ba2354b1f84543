// SPDX-License-Identifier: GPL-2.0
/*
 * A PCI device is found, read, and taken from its driver only when nobody would miss it; and goes
 * back to where it came from. VFIO says what it lacks.
 *
 * Files stand for sysfs, so nothing happens when one is written: that a kernel really binds and
 * unbinds takes a guest with a device to lose.
 */
#include <errno.h>
#include <fcntl.h>

#include <libmm/devmem.h>
#include <libmm/pci.h>
#include <libmm/restore.h>
#include <libmm/vfio.h>

#include "kselftest_harness.h"
#include "fakeroot.h"

#define DEV "/sys/bus/pci/devices/0000:00:04.0"
#define DRIVERS "/sys/bus/pci/drivers"
#define NAME "0000:00:04.0"

static struct fakeroot root;

static void link_make(const char *target, const char *path)
{
	fakeroot_must(!symlink(target, fakeroot_path(&root, path)), path);
}

static void driver_is(const char *driver)
{
	char target[64];

	unlink(fakeroot_path(&root, DEV "/driver"));
	if (!driver)
		return;
	snprintf(target, sizeof(target), "../../drivers/%s", driver);
	link_make(target, DEV "/driver");
}

FIXTURE(pci) {
	char why[PCI_REASON_MAX];
};

FIXTURE_SETUP(pci)
{
	self->why[0] = '\0';
	fakeroot_create(&root);
	fakeroot_write(&root, DEV "/vendor", "0x1af4\n");
	fakeroot_write(&root, DEV "/device", "0x1110\n");
	fakeroot_write(&root, DEV "/class", "0x050000\n");
	fakeroot_write(&root, DEV "/driver_override", "(null)\n");
	fakeroot_write(&root, DEV "/resource",
		       "0x00000000fea00000 0x00000000fea000ff 0x0000000000040200\n"
		       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		       "0x0000000380000000 0x00000003ffffffff 0x000000000014220c\n");
	fakeroot_write(&root, DRIVERS "/old/unbind", "");
	fakeroot_write(&root, DRIVERS "/old/bind", "");
	fakeroot_write(&root, DRIVERS "/vfio-pci/unbind", "");
	fakeroot_write(&root, "/sys/bus/pci/drivers_probe", "");
	fakeroot_write(&root, "/proc/sys/kernel/random/boot_id", "boot-1");
}

FIXTURE_TEARDOWN(pci)
{
	fakeroot_remove(&root);
}

TEST_F(pci, found_by_its_ids)
{
	char name[PCI_NAME_MAX], small[4];

	fakeroot_write(&root, "/sys/bus/pci/devices/0000:00:01.0/vendor", "0x1af4\n");
	fakeroot_write(&root, "/sys/bus/pci/devices/0000:00:01.0/device", "0x1000\n");
	ASSERT_EQ(0, __pci_find(0x1af4, 0x1110, name, sizeof(name)));
	EXPECT_STREQ(NAME, name);
	EXPECT_EQ(-ENODEV, __pci_find(0x1af4, 0x1111, name, sizeof(name)));
	EXPECT_EQ(-ENAMETOOLONG, __pci_find(0x1af4, 0x1110, small, sizeof(small)));
	fakeroot_must(!setenv("LIBMM_ROOT", "/nonesuch", 1), "setenv");
	EXPECT_EQ(-ENODEV, __pci_find(0x1af4, 0x1110, name, sizeof(name)));
	fakeroot_must(!setenv("LIBMM_ROOT", root.dir, 1), "setenv");
}

TEST_F(pci, bars_are_read)
{
	struct pci_bar bar;

	ASSERT_EQ(0, __pci_bar(NAME, 0, &bar));
	EXPECT_EQ(0xfea00000, bar.start);
	EXPECT_EQ(0x100, bar.size);
	ASSERT_EQ(0, __pci_bar(NAME, 1, &bar));
	EXPECT_EQ(0, bar.size);
	ASSERT_EQ(0, __pci_bar(NAME, 2, &bar));
	EXPECT_EQ(0x380000000, bar.start);
	EXPECT_EQ(UINT64_C(2) << 30, bar.size);
	EXPECT_EQ(-EINVAL, __pci_bar(NAME, 3, &bar));
	EXPECT_EQ(-EINVAL, __pci_bar(NAME, 6, &bar));
	EXPECT_EQ(-EINVAL, __pci_bar("../devices/" NAME, 0, &bar));
	EXPECT_EQ(-ENOENT, __pci_bar("0000:00:05.0", 0, &bar));
	fakeroot_write(&root, DEV "/resource", "none\n");
	EXPECT_EQ(-EINVAL, __pci_bar(NAME, 0, &bar));
}

TEST_F(pci, driver_is_read)
{
	char driver[PCI_NAME_MAX];

	ASSERT_EQ(0, __pci_driver(NAME, driver, sizeof(driver)));
	EXPECT_STREQ("", driver);
	driver_is("old");
	ASSERT_EQ(0, __pci_driver(NAME, driver, sizeof(driver)));
	EXPECT_STREQ("old", driver);
}

TEST_F(pci, bind_takes_nothing_from_others)
{
	EXPECT_EQ(-ENOENT, __pci_bind("0000:00:05.0", "vfio-pci", self->why, sizeof(self->why)));
	EXPECT_STREQ("no PCI device 0000:00:05.0", self->why);
	EXPECT_EQ(-ENOENT, __pci_bind(NAME, "nonesuch", self->why, sizeof(self->why)));
	EXPECT_STREQ("no driver nonesuch: modprobe nonesuch", self->why);
	driver_is("old");
	EXPECT_EQ(-EBUSY, __pci_bind(NAME, "vfio-pci", self->why, sizeof(self->why)));
	EXPECT_STREQ(NAME " is in use by old: unbind it first", self->why);
	EXPECT_EQ(0, __pci_bind(NAME, "old", self->why, sizeof(self->why)));
	driver_is(NULL);
	fakeroot_write(&root, DEV "/driver_override", "pci-stub\n");
	EXPECT_EQ(-EBUSY, __pci_bind(NAME, "vfio-pci", self->why, sizeof(self->why)));
	EXPECT_STREQ("", fakeroot_read(&root, "/sys/bus/pci/drivers_probe"));
}

/* Whether the device is not to be taken, for a reason like @why. */
static bool is_used(struct _test_data_pci *self, const char *why)
{
	int ret = __pci_take(NAME, "vfio-pci", self->why, sizeof(self->why));

	if (ret == -EBUSY && strstr(self->why, why) &&
	    !*fakeroot_read(&root, DRIVERS "/old/unbind"))
		return true;
	fprintf(stderr, "# %d, '%s': not '%s'\n", ret, self->why, why);
	return false;
}

TEST_F(pci, used_interface)
{
	driver_is("old");
	fakeroot_write(&root, DEV "/virtio0/net/eth0/flags", "0x1003\n");
	EXPECT_TRUE(is_used(self, "network interface eth0 is up"));
	fakeroot_write(&root, DEV "/virtio0/net/eth0/flags", "0x1002\n");
	EXPECT_EQ(0, __pci_use(NAME, self->why, sizeof(self->why)));
}

TEST_F(pci, used_kinds)
{
	driver_is("old");
	fakeroot_write(&root, DEV "/boot_vga", "1\n");
	EXPECT_TRUE(is_used(self, "the display"));
	fakeroot_write(&root, DEV "/boot_vga", "0\n");
	EXPECT_EQ(0, __pci_use(NAME, self->why, sizeof(self->why)));
	fakeroot_write(&root, DEV "/class", "0x060400\n");
	EXPECT_TRUE(is_used(self, "bridge"));
}

/* /dev/null has the numbers of a node below the device, and a process has it. */
TEST_F(pci, used_node)
{
	static const char *const links[] = { "/proc/7/fd/3", "/proc/7/map_files/10000-11000" };
	size_t i;

	driver_is("old");
	fakeroot_write(&root, DEV "/uio/uio0/dev", "1:3\n");
	fakeroot_write(&root, DEV "/uio/uio0/uevent", "MAJOR=1\nMINOR=3\nDEVNAME=uio0\n");
	fakeroot_write(&root, "/proc/7/fd/0", "");
	fakeroot_write(&root, "/proc/7/map_files/0-1000", "");
	EXPECT_EQ(0, __pci_use(NAME, self->why, sizeof(self->why)));
	for (i = 0; i < ARRAY_SIZE(links); i++) {
		link_make("/dev/null", links[i]);
		EXPECT_TRUE(is_used(self, "process 7 has /dev/uio0 open"));
		unlink(fakeroot_path(&root, links[i]));
		link_make("/dev/zero", links[i]);
		EXPECT_EQ(0, __pci_use(NAME, self->why, sizeof(self->why)));
	}
}

TEST_F(pci, used_block)
{
	driver_is("old");
	fakeroot_write(&root, DEV "/block/sda/dev", "8:0\n");
	fakeroot_write(&root, DEV "/block/sda/uevent", "DEVNAME=sda\nDEVTYPE=disk\n");
	link_make("../../../../../../class/block", DEV "/block/sda/subsystem");
	EXPECT_TRUE(is_used(self, "/dev/sda cannot be opened alone"));
	fakeroot_write(&root, "/dev/sda", "");
	EXPECT_EQ(0, __pci_use(NAME, self->why, sizeof(self->why)));
	fakeroot_write(&root, DEV "/block/sda/uevent", "DEVTYPE=disk\n");
	EXPECT_TRUE(is_used(self, "has no name"));
}

TEST_F(pci, use_of_what_is_not_there)
{
	EXPECT_EQ(-ENOENT, __pci_use("0000:00:05.0", self->why, sizeof(self->why)));
	EXPECT_EQ(-EINVAL, __pci_use("../" NAME, self->why, sizeof(self->why)));
	EXPECT_EQ(-EINVAL, __pci_use("", self->why, sizeof(self->why)));
}

/* The kernel would make the link "driver" another one; without it the driver has refused. */
TEST_F(pci, taken_with_a_way_back)
{
	driver_is("old");
	EXPECT_EQ(-ENODEV, __pci_take(NAME, "vfio-pci", self->why, sizeof(self->why)));
	EXPECT_STREQ(NAME, fakeroot_read(&root, DRIVERS "/old/unbind"));
	EXPECT_STREQ("vfio-pci", fakeroot_read(&root, DEV "/driver_override"));
	EXPECT_STREQ(NAME, fakeroot_read(&root, "/sys/bus/pci/drivers_probe"));
	driver_is("vfio-pci");
	EXPECT_EQ(0, __restore_all());
	EXPECT_STREQ(NAME, fakeroot_read(&root, DRIVERS "/vfio-pci/unbind"));
	EXPECT_STREQ(NAME, fakeroot_read(&root, DRIVERS "/old/bind"));
}

/* Take back what was noted for @device, which had @driver. */
static int driver_restore(const char *device, const char *driver)
{
	int err = __restore_note("pcidriver", device, driver);

	return err ? err : __restore_all();
}

TEST_F(pci, undo_of_nothing)
{
	ASSERT_EQ(0, pci_restore_register());
	driver_is("old");
	EXPECT_EQ(0, driver_restore(NAME, "old"));
	EXPECT_STREQ("", fakeroot_read(&root, DRIVERS "/old/unbind"));
	EXPECT_STREQ("", fakeroot_read(&root, DRIVERS "/old/bind"));
	driver_is(NULL);
	EXPECT_EQ(0, driver_restore(NAME, "absent"));
	EXPECT_EQ(0, driver_restore("0000:00:05.0", "old"));
	EXPECT_STREQ("", fakeroot_read(&root, DRIVERS "/old/bind"));
}

/* The BAR that was asked for, or a sentence; never another one. */
TEST_F(pci, device_memory_is_found)
{
	static const char *const wrong[] = { "", "x", "6", "10", "-1" };
	struct devmem mem;
	char why[DEVMEM_REASON_MAX];
	size_t i;

	unsetenv("PFNMAP_DEVICE");
	unsetenv("PFNMAP_BAR");
	ASSERT_EQ(0, __devmem_find(&mem, why, sizeof(why)));
	EXPECT_STREQ(NAME, mem.device);
	EXPECT_EQ(2, mem.bar_index);
	EXPECT_EQ(0x380000000, mem.bar.start);
	EXPECT_FALSE(mem.named);
	devmem_close(&mem);
	fakeroot_must(!setenv("PFNMAP_BAR", "0", 1), "setenv");
	ASSERT_EQ(0, __devmem_find(&mem, why, sizeof(why)));
	EXPECT_EQ(0xfea00000, mem.bar.start);
	fakeroot_must(!setenv("PFNMAP_BAR", "1", 1), "setenv");
	EXPECT_EQ(-ENODEV, __devmem_find(&mem, why, sizeof(why)));
	EXPECT_NE(NULL, strstr(why, "there is no BAR 1 of " NAME));
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		fakeroot_must(!setenv("PFNMAP_BAR", wrong[i], 1), "setenv");
		EXPECT_EQ(-ENODEV, __devmem_find(&mem, why, sizeof(why)));
		EXPECT_NE(NULL, strstr(why, "PFNMAP_BAR is not 0 to 5"));
	}
	unsetenv("PFNMAP_BAR");
	fakeroot_must(!setenv("PFNMAP_DEVICE", "0000:00:05.0", 1), "setenv");
	EXPECT_EQ(-ENODEV, __devmem_find(&mem, why, sizeof(why)));
	unsetenv("PFNMAP_DEVICE");
	fakeroot_write(&root, DEV "/device", "0x1000\n");
	EXPECT_EQ(-ENODEV, __devmem_find(&mem, why, sizeof(why)));
	EXPECT_NE(NULL, strstr(why, "no ivshmem device, and no other is named"));
}

TEST_F(pci, vfio_says_what_is_missing)
{
	struct vfio_device dev;

	EXPECT_EQ(-ENODEV, __vfio_open(&dev, NAME, self->why, sizeof(self->why)));
	EXPECT_STREQ(NAME " has no IOMMU group: switch an IOMMU on", self->why);
	EXPECT_EQ(-ENODEV, __vfio_iommu(NAME, self->why, sizeof(self->why)));
	EXPECT_STREQ(NAME " has no IOMMU group: switch an IOMMU on", self->why);
	link_make("../../../../kernel/iommu_groups/7", DEV "/iommu_group");
	EXPECT_EQ(0, __vfio_iommu(NAME, self->why, sizeof(self->why)));
	EXPECT_EQ(-ENOENT, __vfio_open(&dev, NAME, self->why, sizeof(self->why)));
	EXPECT_NE(NULL, strstr(self->why, "modprobe vfio-pci"));
	EXPECT_EQ(-1, dev.container);
	EXPECT_EQ(-1, dev.group);
	EXPECT_EQ(-1, dev.fd);
}

/* Whoever opens hears what to do before the device's driver is changed, and where it is at hand. */
TEST_F(pci, device_memory_is_not_opened)
{
	struct devmem mem;
	char why[DEVMEM_REASON_MAX];

	driver_is(NULL);
	fakeroot_must(!unlink(fakeroot_path(&root, DRIVERS "/vfio-pci/unbind")), "unlink");
	fakeroot_must(!rmdir(fakeroot_path(&root, DRIVERS "/vfio-pci")), "rmdir");
	ASSERT_EQ(0, __devmem_find(&mem, why, sizeof(why)));
	EXPECT_EQ(-ENODEV, __devmem_open(&mem, why, sizeof(why)));
	EXPECT_STREQ(NAME " has no IOMMU group: switch an IOMMU on: " DEVMEM_SEE, why);
	link_make("../../../../kernel/iommu_groups/7", DEV "/iommu_group");
	EXPECT_EQ(-ENOENT, __devmem_open(&mem, why, sizeof(why)));
	EXPECT_STREQ("no driver vfio-pci: modprobe vfio-pci: " DEVMEM_SEE, why);
	EXPECT_STREQ("(null)\n", fakeroot_read(&root, DEV "/driver_override"));
	devmem_close(&mem);
}

TEST_HARNESS_MAIN
