// SPDX-License-Identifier: GPL-2.0
/* Unit tests of bbml2 on logs of no kernel. */
#include <string.h>

#include <libmm/bbml2.h>

#include "kselftest_harness.h"

#define BOOT		"<6>[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x000f0510]\n"
#define LATER		"<6>[    1.000000] random: crng init done\n"
#define DETECTED	"<6>[    0.097061] CPU features: detected: "
#define BBML2		DETECTED "BBM Level 2 without TLB conflict abort\n"

static enum probe_answer answer(const char *log)
{
	return bbml2_probe_log(strdupa(log)).answer;
}

TEST(reported)
{
	EXPECT_EQ(PROBE_YES, answer(BOOT BBML2 LATER));
	EXPECT_EQ(PROBE_YES, answer(BBML2));
	EXPECT_EQ(PROBE_YES, answer(LATER DETECTED "BBML2 without conflict abort"));
}

TEST(not_reported)
{
	EXPECT_EQ(PROBE_NO, answer(BOOT LATER));
	EXPECT_EQ(PROBE_NO, answer(BOOT DETECTED "LSE atomic instructions\n" LATER));
}

TEST(words_of_two_lines)
{
	EXPECT_EQ(PROBE_NO, answer(BOOT DETECTED "Hardware dirty bit management\n<6>BBML2\n"));
}

TEST(said_by_user_space)
{
	EXPECT_EQ(PROBE_NO, answer(BOOT "<14>[    2.000000] x: CPU features: detected: BBML2\n"));
	EXPECT_EQ(PROBE_UNKNOWN, answer("<14>[    2.000000] Booting Linux on physical CPU\n"));
}

TEST(log_lost_the_boot)
{
	EXPECT_EQ(PROBE_UNKNOWN, answer(LATER));
	EXPECT_EQ(PROBE_UNKNOWN, answer(""));
}

TEST_HARNESS_MAIN
