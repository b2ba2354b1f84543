// SPDX-License-Identifier: GPL-2.0
/* bbml2: see libmm/bbml2.h. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/utsname.h>

#include <libmm/bbml2.h>
#include <libmm/kmsg.h>

static void line_look(const char *text, bool kernel, void *arg)
{
	bool *found = arg;

	if (kernel && strstr(text, "CPU features: detected: ") &&
	    (strcasestr(text, "BBM Level 2") || strcasestr(text, "BBML2")))
		*found = true;
}

struct probe bbml2_probe(void)
{
	struct utsname name;
	bool found = false;
	int err;

	if (uname(&name) || strcmp(name.machine, "aarch64"))
		return probe_no("BBML2 is a feature of arm64 and this machine is not arm64");
	err = kmsg_lines(0, line_look, &found);
	if (found)
		return probe_yes();
	if (err == -EPIPE)
		return probe_unknown("unknown whether the kernel uses BBML2: its log lost the boot: reboot, with a larger log_buf_len=");
	if (err)
		return probe_unknown("unknown whether the kernel uses BBML2: its log is closed (%s): run as root",
				     strerror(-err));
	return probe_no("the kernel log does not report BBML2: its list lacks one of the CPUs");
}
