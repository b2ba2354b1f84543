// SPDX-License-Identifier: GPL-2.0
/*
 * meta: passes, and changes a setting past the journal, as another program would meanwhile.
 */
#include <libmm/sysfile.h>
#include <kselftest.h>

#define SETTING "/proc/sys/vm/nr_overcommit_hugepages"

int main(void)
{
	uint64_t now;
	char value[32];

	ksft_print_header();
	ksft_set_plan(1);
	if (__sysfile_read_u64(SETTING, &now))
		return KSFT_FAIL;
	snprintf(value, sizeof(value), "%llu", (unsigned long long)now + 1);
	if (__sysfile_write(SETTING, value))
		return KSFT_FAIL;
	ksft_test_result_pass("passes\n");
	ksft_exit_pass();
}
