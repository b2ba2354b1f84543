// SPDX-License-Identifier: GPL-2.0
/*
 * meta: passes, but the kernel log gets a warning meanwhile, forged through /dev/kmsg.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <vmtests/klog.h>
#include <kselftest.h>

int main(void)
{
	static const char warning[] =
		KLOG_FORGED_PREFIX "WARNING: CPU: 0 PID: 1 at mm/meta.c:1 meta\n";
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	ksft_print_header();
	ksft_set_plan(1);
	if (fd < 0 || write(fd, warning, strlen(warning)) != (ssize_t)strlen(warning))
		return KSFT_FAIL;
	close(fd);
	ksft_test_result_pass("passes\n");
	ksft_exit_pass();
}
