// SPDX-License-Identifier: GPL-2.0
/*
 * meta: changes a setting through the journal and is killed by SIGKILL before it can put it back.
 */
#include <signal.h>

#include <libmm/restore.h>
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
	restore_set(SETTING, value);
	ksft_test_result_pass("passes\n");
	fflush(stdout);
	raise(SIGKILL);
	return KSFT_FAIL;
}
