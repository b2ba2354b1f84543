/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kselftest harness, for functional tests.
 *
 * It fails a test after 30 seconds by the clock, on any machine. On an emulated or a busy one that
 * is no evidence of anything. The runner has a limit too, which the user can scale: let that one
 * end a test that hangs.
 */
#ifndef LIBMM_HARNESS_H
#define LIBMM_HARNESS_H

#include <kselftest_harness.h>

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 3600 /* seconds */

/* Skip, with the reason, unless the probe (libmm/probe.h) says yes. In a setup or a test. */
#define REQUIRE(expression)						\
	do {								\
		const struct probe probe_ = (expression);		\
									\
		if (probe_.answer != PROBE_YES)				\
			SKIP(return, "%s", probe_.why);			\
	} while (0)

#ifndef FIXTURE_TEARDOWN_PARENT
#include <libmm/harness_old.h>
#endif

#endif
