// SPDX-License-Identifier: GPL-2.0
/*
 * hugeshare: see hugeshare.h. The fields are those of proc_pid_smaps(5).
 */
#include <errno.h>
#include <stdio.h>

#include "hugeshare.h"

struct mapping {
	unsigned long long memory, huge;	/* KiB */
};

static void line_take(const char *line, struct mapping *mapping)
{
	unsigned long long kib;

	if (sscanf(line, "Anonymous: %llu kB", &kib) == 1) {
		mapping->memory += kib;
	} else if (sscanf(line, "AnonHugePages: %llu kB", &kib) == 1) {
		mapping->huge += kib;
	} else if (sscanf(line, "Private_Hugetlb: %llu kB", &kib) == 1) {
		/* Not among the anonymous memory. */
		mapping->memory += kib;
		mapping->huge += kib;
	}
}

double huge_share(pid_t pid)
{
	struct mapping most = { 0 }, mapping = { 0 };
	unsigned long start, end;
	char name[64], line[512];
	FILE *smaps;

	snprintf(name, sizeof(name), "/proc/%d/smaps", pid);
	smaps = fopen(name, "re");
	if (!smaps)
		return -errno;
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			mapping = (struct mapping){ 0 };
		line_take(line, &mapping);
		if (mapping.memory > most.memory ||
		    (mapping.memory == most.memory && mapping.huge > most.huge))
			most = mapping;
	}
	fclose(smaps);
	return most.memory ? (double)most.huge / most.memory : -ENODATA;
}
