/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kselftest harness for functional tests, with a time limit that is no part of the verdict.
 *
 * The harness fails a test after 30 seconds by the clock, on any machine. On an emulated or a busy
 * one that is no evidence of anything. The runner has a limit too (the settings file of
 * kselftest), which the user can scale: let that one end a test that hangs.
 */
#ifndef LIBMM_HARNESS_H
#define LIBMM_HARNESS_H

#include <kselftest_harness.h>

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 3600 /* seconds */

#endif
