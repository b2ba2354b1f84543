// SPDX-License-Identifier: GPL-2.0
/*
 * meta: passes, but leaves a daemon behind.
 */
#include <unistd.h>
#include <kselftest.h>

int main(void)
{
	pid_t child;

	ksft_print_header();
	ksft_set_plan(1);
	child = fork();
	if (child < 0)
		return KSFT_FAIL;
	if (!child) {
		setsid();
		for (;;)
			pause();
	}
	ksft_test_result_pass("passes\n");
	ksft_exit_pass();
}
