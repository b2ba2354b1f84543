// SPDX-License-Identifier: GPL-2.0
/*
 * vmtctl: the runner's helper. run_vmtests.sh decides what runs; this does what a shell does badly:
 * locks, process trees, the kernel log, JSON.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include <vmtests/undo.h>

#include "ctl.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} subcommands[] = {
	{ "locked", ctl_locked, "[-w] [-o LABEL-DIR] COMMAND ...  run it as the only run here" },
	{ "device", ctl_device, "DEVICE  say who uses this PCI device; exit 2 if someone does" },
	{ "with-device", ctl_with_device, "PROGRAM [ARGUMENTS]  run it with a vfio-pci device" },
	{ "needs", ctl_needs, "NEED[,NEED...]  say what is missing; exit 4 if something is" },
	{ "label", ctl_label, "LABEL-DIR  say why no results can be there; exit 2 then" },
	{ "resume", ctl_resume, "LABEL-DIR  say what its unfinished run was begun with" },
	{ "begin", ctl_begin, "-o LABEL-DIR ...  open the results of one run" },
	{ "end", ctl_end, "-b BOOT-DIR -i RUN -x EXIT  close them" },
	{ "run-test", ctl_run_test, "-b BOOT-DIR -i RUN ... PROGRAM [ARGUMENTS]  run one test" },
	{ "load", ctl_load, "  say when this machine is busy already" },
	{ "perf-check", ctl_perf_check, "  say what perf lacks here; exit 4 if it cannot be used" },
};

int ctl_error(const char *fmt, ...)
{
	va_list args;

	fputs("vmtctl: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return CTL_USAGE;
}

int ctl_path(char *path, const char *dir, const char *name)
{
	int length = snprintf(path, PATH_MAX, "%s/%s", dir, name);

	return length < 0 || length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static void print_usage(FILE *to)
{
	fputs("usage: vmtctl SUBCOMMAND ...\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		fprintf(to, "  vmtctl %s %s\n", subcommands[i].name, subcommands[i].usage);
	fputs("A helper of run_vmtests.sh; users need only that.\n", to);
}

int main(int argc, char **argv)
{
	if (argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		print_usage(stdout);
		return CTL_PASS;
	}
	/* What any test built and left, this puts back. */
	if (undo_register())
		return ctl_error("too many kinds of records for the settings journal");
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(subcommands); i++)
		if (!strcmp(argv[1], subcommands[i].name))
			return subcommands[i].run(argc - 1, argv + 1);
	print_usage(stderr);
	return CTL_USAGE;
}
