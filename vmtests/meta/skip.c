// SPDX-License-Identifier: GPL-2.0
/*
 * meta: the whole program skips before its first subtest.
 */
#include <kselftest.h>

int main(void)
{
	ksft_print_header();
	ksft_exit_skip("needs a machine that nobody has\n");
}
