// SPDX-License-Identifier: GPL-2.0
/* bbml2: see libmm/bbml2.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/utsname.h>

#include <libmm/bbml2.h>

enum { SYSLOG_ACTION_READ_ALL = 3, SYSLOG_ACTION_SIZE_BUFFER = 10 };

struct probe bbml2_probe_log(char *log)
{
	bool boot = false;
	char *line;

	while ((line = strsep(&log, "\n"))) {
		/* Lines of user space have a number of two digits or more. */
		if (*line != '<' || strchrnul(line, '>') != line + 2)
			continue;
		boot |= !!strstr(line, "Booting Linux on physical CPU");
		if (strstr(line, "CPU features: detected: ") &&
		    (strcasestr(line, "BBM Level 2") || strcasestr(line, "BBML2")))
			return probe_yes();
	}
	if (boot)
		return probe_no("the kernel log does not report BBML2: its list lacks one of the CPUs");
	return probe_unknown("unknown whether the kernel uses BBML2: its log lost the boot: reboot, with a larger log_buf_len=");
}

struct probe bbml2_probe(void)
{
	int room = klogctl(SYSLOG_ACTION_SIZE_BUFFER, NULL, 0), len;
	struct utsname name;
	struct probe probe;
	char *log;

	if (uname(&name) || strcmp(name.machine, "aarch64"))
		return probe_no("BBML2 is a feature of arm64 and this machine is not arm64");
	/* The prefix of each line, which the kernel's buffer does not hold, takes room too. */
	log = room > 0 ? calloc(4, room) : NULL;
	len = log ? klogctl(SYSLOG_ACTION_READ_ALL, log, 4 * room - 1) : -1;
	probe = len >= 0 ? bbml2_probe_log(log) :
		probe_unknown("unknown whether the kernel uses BBML2: its log is closed (%s): run as root",
			      strerror(errno));
	free(log);
	return probe;
}
