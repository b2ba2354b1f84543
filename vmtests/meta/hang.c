// SPDX-License-Identifier: GPL-2.0
/*
 * meta: hangs, as does a child in a process group of its own that ignores SIGTERM. The timeout must
 * end both.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	pid_t child = fork();

	if (child < 0)
		return 1;
	if (!child) {
		setsid();
		signal(SIGTERM, SIG_IGN);
	}
	printf("# hanging %d\n", (int)getpid());
	fflush(stdout);
	for (;;)
		pause();
}
