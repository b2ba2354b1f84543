// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: perfcount counts with the events of the CPU that it runs on, labels what is only a
 * fallback, and says why it cannot count.
 * Method: roots that look as the kernel's sysfs does on each kind of CPU. Whether the events count
 * what they should needs the hardware, and is not tested here.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vmtests/perfcount.h>

#include "../perfcount_events.h"
#include "fakeroot.h"

#include <kselftest_harness.h>

#define DEVICES "/sys/bus/event_source/devices"

FIXTURE(perfcount)
{
	struct fakeroot root;
	struct perfcount_choice choice;
	const char *why;
};

FIXTURE_SETUP(perfcount)
{
	fakeroot_create(&self->root);
}

FIXTURE_TEARDOWN(perfcount)
{
	fakeroot_remove(&self->root);
}

static void intel_make(const struct fakeroot *root, const char *pmu_name)
{
	fakeroot_write(root, "/proc/cpuinfo", "vendor_id\t: GenuineIntel\ncpu family\t: 6\n");
	fakeroot_write(root, DEVICES "/cpu/type", "4\n");
	if (pmu_name)
		fakeroot_write(root, DEVICES "/cpu/caps/pmu_name", pmu_name);
}

TEST_F(perfcount, skylake_counts_loads_and_stores)
{
	intel_make(&self->root, "skylake\n");
	ASSERT_EQ(0, perfcount_choose(&self->choice, &self->why));
	ASSERT_EQ(2u, self->choice.nr_walks);
	EXPECT_EQ((unsigned int)PERF_TYPE_RAW, self->choice.walks[0].type);
	EXPECT_EQ(0x0e08u, self->choice.walks[0].config);
	EXPECT_EQ(0x0e49u, self->choice.walks[1].config);
	EXPECT_EQ(NULL, strstr(self->choice.source, "fallback"));
}

TEST_F(perfcount, sapphire_rapids_has_new_numbers)
{
	intel_make(&self->root, "sapphire_rapids\n");
	ASSERT_EQ(0, perfcount_choose(&self->choice, &self->why));
	ASSERT_EQ(2u, self->choice.nr_walks);
	EXPECT_EQ(0x0e12u, self->choice.walks[0].config);
	EXPECT_EQ(0x0e13u, self->choice.walks[1].config);
}

TEST_F(perfcount, unknown_intel_core_is_a_labelled_fallback)
{
	intel_make(&self->root, "some_later_core\n");
	ASSERT_EQ(0, perfcount_choose(&self->choice, &self->why));
	ASSERT_EQ(1u, self->choice.nr_walks);
	EXPECT_EQ((unsigned int)PERF_TYPE_HW_CACHE, self->choice.walks[0].type);
	EXPECT_NE(NULL, strstr(self->choice.source, "fallback"));
}

TEST_F(perfcount, core_without_a_name_is_a_labelled_fallback)
{
	intel_make(&self->root, NULL);
	ASSERT_EQ(0, perfcount_choose(&self->choice, &self->why));
	EXPECT_NE(NULL, strstr(self->choice.source, "fallback"));
}

TEST_F(perfcount, zen_counts_misses_of_both_levels)
{
	fakeroot_write(&self->root, "/proc/cpuinfo", "vendor_id\t: AuthenticAMD\ncpu family\t: 25\n");
	fakeroot_write(&self->root, DEVICES "/cpu/type", "4\n");
	ASSERT_EQ(0, perfcount_choose(&self->choice, &self->why));
	ASSERT_EQ(1u, self->choice.nr_walks);
	EXPECT_EQ(0xf045u, self->choice.walks[0].config);
}

TEST_F(perfcount, amd_before_zen_is_a_labelled_fallback)
{
	fakeroot_write(&self->root, "/proc/cpuinfo", "vendor_id\t: AuthenticAMD\ncpu family\t: 21\n");
	fakeroot_write(&self->root, DEVICES "/cpu/type", "4\n");
	ASSERT_EQ(0, perfcount_choose(&self->choice, &self->why));
	EXPECT_NE(NULL, strstr(self->choice.source, "fallback"));
}

TEST_F(perfcount, arm64_counts_walks)
{
	fakeroot_write(&self->root, DEVICES "/armv8_pmuv3_0/type", "8\n");
	fakeroot_write(&self->root, DEVICES "/armv8_pmuv3_0/events/inst_retired", "event=0x0008\n");
	fakeroot_write(&self->root, DEVICES "/armv8_pmuv3_0/events/l2d_tlb_refill", "event=0x002d\n");
	fakeroot_write(&self->root, DEVICES "/armv8_pmuv3_0/events/dtlb_walk", "event=0x0034\n");
	ASSERT_EQ(0, perfcount_choose(&self->choice, &self->why));
	ASSERT_EQ(1u, self->choice.nr_walks);
	EXPECT_EQ(8u, self->choice.walks[0].type);
	EXPECT_EQ(0x34u, self->choice.walks[0].config);
	EXPECT_EQ(8u, self->choice.instructions.type);
	EXPECT_EQ(0x08u, self->choice.instructions.config);
	EXPECT_STREQ("arm64 DTLB_WALK 0x34", self->choice.source);
}

TEST_F(perfcount, arm64_without_walks_is_a_labelled_fallback)
{
	fakeroot_write(&self->root, DEVICES "/armv8_pmuv3_0/type", "8\n");
	fakeroot_write(&self->root, DEVICES "/armv8_pmuv3_0/events/inst_retired", "event=0x0008\n");
	fakeroot_write(&self->root, DEVICES "/armv8_pmuv3_0/events/l2d_tlb_refill", "event=0x002d\n");
	ASSERT_EQ(0, perfcount_choose(&self->choice, &self->why));
	EXPECT_EQ(0x2du, self->choice.walks[0].config);
	EXPECT_NE(NULL, strstr(self->choice.source, "fallback"));
}

TEST_F(perfcount, arm64_without_any_tlb_event_is_refused)
{
	fakeroot_write(&self->root, DEVICES "/armv8_pmuv3_0/type", "8\n");
	fakeroot_write(&self->root, DEVICES "/armv8_pmuv3_0/events/inst_retired", "event=0x0008\n");
	EXPECT_EQ(-ENODEV, perfcount_choose(&self->choice, &self->why));
	EXPECT_NE(NULL, strstr(self->why, "DTLB_WALK"));
}

TEST_F(perfcount, cores_of_several_kinds_are_refused)
{
	fakeroot_write(&self->root, DEVICES "/armv8_cortex_a53/type", "8\n");
	fakeroot_write(&self->root, DEVICES "/armv8_cortex_a72/type", "9\n");
	EXPECT_EQ(-EOPNOTSUPP, perfcount_choose(&self->choice, &self->why));
	EXPECT_NE(NULL, strstr(self->why, "several kinds"));
}

TEST_F(perfcount, machine_without_pmu_says_so)
{
	struct perfcount *pc;

	fakeroot_write(&self->root, DEVICES "/software/type", "1\n");
	EXPECT_EQ(-ENODEV, __perfcount_open(&pc, &self->why));
	EXPECT_NE(NULL, strstr(self->why, "no hardware counters"));
}

TEST_HARNESS_MAIN
