// SPDX-License-Identifier: GPL-2.0
/*
 * meta: the second of two subtests fails.
 */
#include <kselftest.h>

int main(void)
{
	ksft_print_header();
	ksft_set_plan(2);
	ksft_test_result_pass("passes\n");
	ksft_test_result_fail("fails\n");
	ksft_exit_fail();
}
