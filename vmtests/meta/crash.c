// SPDX-License-Identifier: GPL-2.0
/*
 * meta: dies by SIGSEGV after a subtest that passed.
 */
#include <signal.h>
#include <kselftest.h>

int main(void)
{
	ksft_print_header();
	ksft_set_plan(2);
	ksft_test_result_pass("passes\n");
	raise(SIGSEGV);
	return 0;
}
