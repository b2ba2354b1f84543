// SPDX-License-Identifier: GPL-2.0
/*
 * meta: one subtest, which passes.
 */
#include <kselftest.h>

int main(void)
{
	ksft_print_header();
	ksft_set_plan(1);
	ksft_test_result_pass("passes\n");
	ksft_exit_pass();
}
