// SPDX-License-Identifier: GPL-2.0
/*
 * A PCI device is found, and taken from its driver only when it is not in use; and goes back to
 * where it came from.
 *
 * Files stand for sysfs, so nothing happens when one is written: that a kernel really binds and
 * unbinds takes a guest with a device to lose.
 */
#include <errno.h>
#include <fcntl.h>

#include <libmm/restore.h>
#include <vmtests/journal.h>
#include <vmtests/pci.h>
#include <vmtests/undo.h>

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
	fakeroot_write(&root, DRIVERS "/old/unbind", "");
	fakeroot_write(&root, DRIVERS "/old/bind", "");
	fakeroot_write(&root, DRIVERS "/vfio-pci/unbind", "");
	fakeroot_write(&root, "/sys/bus/pci/drivers_probe", "");
	fakeroot_write(&root, "/proc/sys/kernel/random/boot_id", "boot-1");
	fakeroot_must(!setenv("VMTESTS_STATE_DIR", fakeroot_path(&root, "/state"), 1), "setenv");
	ASSERT_EQ(0, undo_register());
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
	ASSERT_EQ(0, pci_find(0x1af4, 0x1110, name, sizeof(name)));
	EXPECT_STREQ(NAME, name);
	EXPECT_EQ(-ENODEV, pci_find(0x1af4, 0x1111, name, sizeof(name)));
	EXPECT_EQ(-ENAMETOOLONG, pci_find(0x1af4, 0x1110, small, sizeof(small)));
	fakeroot_must(!setenv("LIBMM_ROOT", "/nonesuch", 1), "setenv");
	EXPECT_EQ(-ENODEV, pci_find(0x1af4, 0x1110, name, sizeof(name)));
	fakeroot_must(!setenv("LIBMM_ROOT", root.dir, 1), "setenv");
}

TEST_F(pci, bind_takes_nothing_from_others)
{
	EXPECT_EQ(-ENOENT, pci_bind("0000:00:05.0", "vfio-pci", self->why, sizeof(self->why)));
	EXPECT_STREQ("no PCI device 0000:00:05.0", self->why);
	EXPECT_EQ(-ENOENT, pci_bind(NAME, "nonesuch", self->why, sizeof(self->why)));
	EXPECT_STREQ("no driver nonesuch: modprobe nonesuch", self->why);
	driver_is("old");
	EXPECT_EQ(-EBUSY, pci_bind(NAME, "vfio-pci", self->why, sizeof(self->why)));
	EXPECT_STREQ(NAME " is in use by old: unbind it first", self->why);
	EXPECT_EQ(0, pci_bind(NAME, "old", self->why, sizeof(self->why)));
	driver_is(NULL);
	fakeroot_write(&root, DEV "/driver_override", "pci-stub\n");
	EXPECT_EQ(-EBUSY, pci_bind(NAME, "vfio-pci", self->why, sizeof(self->why)));
	EXPECT_STREQ("", fakeroot_read(&root, "/sys/bus/pci/drivers_probe"));
}

/* Whether the device is not to be taken, for a reason like @why. */
static bool is_used(struct _test_data_pci *self, const char *why)
{
	int ret = pci_take(NAME, "vfio-pci", self->why, sizeof(self->why));

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
	EXPECT_EQ(0, pci_use(NAME, self->why, sizeof(self->why)));
}

TEST_F(pci, used_kinds)
{
	driver_is("old");
	fakeroot_write(&root, DEV "/boot_vga", "1\n");
	EXPECT_TRUE(is_used(self, "the display"));
	fakeroot_write(&root, DEV "/boot_vga", "0\n");
	EXPECT_EQ(0, pci_use(NAME, self->why, sizeof(self->why)));
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
	EXPECT_EQ(0, pci_use(NAME, self->why, sizeof(self->why)));
	for (i = 0; i < ARRAY_SIZE(links); i++) {
		link_make("/dev/null", links[i]);
		EXPECT_TRUE(is_used(self, "process 7 has /dev/uio0 open"));
		unlink(fakeroot_path(&root, links[i]));
		link_make("/dev/zero", links[i]);
		EXPECT_EQ(0, pci_use(NAME, self->why, sizeof(self->why)));
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
	EXPECT_EQ(0, pci_use(NAME, self->why, sizeof(self->why)));
	fakeroot_write(&root, DEV "/block/sda/uevent", "DEVTYPE=disk\n");
	EXPECT_TRUE(is_used(self, "has no name"));
}

TEST_F(pci, use_of_what_is_not_there)
{
	EXPECT_EQ(-ENOENT, pci_use("0000:00:05.0", self->why, sizeof(self->why)));
	EXPECT_EQ(-EINVAL, pci_use("../" NAME, self->why, sizeof(self->why)));
	EXPECT_EQ(-EINVAL, pci_use("", self->why, sizeof(self->why)));
}

/* The kernel would make the link "driver" another one; without it the driver has refused. */
TEST_F(pci, taken_with_a_way_back)
{
	driver_is("old");
	EXPECT_EQ(-ENODEV, pci_take(NAME, "vfio-pci", self->why, sizeof(self->why)));
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
	int err = __journal_note("pcidriver", device, driver);

	return err ? err : __restore_all();
}

TEST_F(pci, undo_of_nothing)
{
	driver_is("old");
	EXPECT_EQ(0, driver_restore(NAME, "old"));
	EXPECT_STREQ("", fakeroot_read(&root, DRIVERS "/old/unbind"));
	EXPECT_STREQ("", fakeroot_read(&root, DRIVERS "/old/bind"));
	driver_is(NULL);
	EXPECT_EQ(0, driver_restore(NAME, "absent"));
	EXPECT_EQ(0, driver_restore("0000:00:05.0", "old"));
	EXPECT_STREQ("", fakeroot_read(&root, DRIVERS "/old/bind"));
}

TEST_HARNESS_MAIN
