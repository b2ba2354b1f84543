// SPDX-License-Identifier: GPL-2.0
/*
 * load: is this machine busy with something else? Times then vary, and a test may not end in time,
 * which is nobody's fault.
 */
#include <stdlib.h>
#include <unistd.h>

#include <libmm/sysfile.h>

#include "ctl.h"

/* Of its processors, at the mean of the last minute. */
#define BUSY_SHARE 0.5

/* The mean of the last minute, which is the first number; below 0 when it cannot be read. */
static double load_now(void)
{
	char text[128];

	return __sysfile_read("/proc/loadavg", text, sizeof(text)) > 0 ? strtod(text, NULL) : -1;
}

json_t *load_json(void)
{
	double load = load_now();

	return load < 0 ? json_null() : json_real(load);
}

int ctl_load(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	double load = load_now();

	(void)argv;
	if (argc != 1)
		return ctl_error("load: no arguments");
	if (load >= BUSY_SHARE * (double)cpus)
		printf("warning: this machine is busy: load %.1f on %ld CPUs: times will vary\n",
		       load, cpus);
	return fflush(stdout) ? CTL_USAGE : CTL_PASS;
}
