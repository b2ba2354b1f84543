/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kselftest harness, and a skip with the reason that a probe gives.
 *
 * The harness fails a test after 30 seconds by the clock. On an emulated or a busy machine that is
 * no evidence of anything, and run_kselftest.sh ends a program that hangs: see settings.
 */
#ifndef LIBMM_HARNESS_H
#define LIBMM_HARNESS_H

#include <kselftest_harness.h>

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 900 /* seconds */

/* Skip, with the reason, unless the probe (libmm/probe.h) says yes. In a setup or a test. */
#define REQUIRE(expression)						\
	do {								\
		const struct probe probe_ = (expression);		\
									\
		if (probe_.answer != PROBE_YES)				\
			SKIP(return, "%s", probe_.why);			\
	} while (0)

#endif
