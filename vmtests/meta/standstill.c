// SPDX-License-Identifier: GPL-2.0
/*
 * meta: stops its watcher for longer than its own limit of time, as a machine does that stands
 * still. That is no fault of the test's.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define STOPPED_SECONDS 12	/* more than the limit in vmtests.list */

int main(void)
{
	struct timespec left = { .tv_sec = STOPPED_SECONDS };
	pid_t watcher = getppid();

	printf("1..1\n");
	fflush(stdout);
	if (kill(watcher, SIGSTOP))
		return 1;
	while (nanosleep(&left, &left))
		;
	if (kill(watcher, SIGCONT))
		return 1;
	printf("ok 1 stood_still\n");
	return 0;
}
