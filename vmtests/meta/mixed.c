// SPDX-License-Identifier: GPL-2.0
/*
 * meta: a pass beside a skip, with the skip's exit status: the skip must not hide the pass.
 */
#include <kselftest.h>

int main(void)
{
	ksft_print_header();
	ksft_set_plan(2);
	ksft_test_result_pass("passes\n");
	ksft_test_result_skip("skips\n");
	return KSFT_SKIP;
}
