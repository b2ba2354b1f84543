// SPDX-License-Identifier: GPL-2.0
/* bpfprog: see libmm/bpfprog.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>

#include <libmm/bpfprog.h>
#include <libmm/sysfile.h>

int bpfprog_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int bpfprog_attach(int socket)
{
	struct sock_filter accept_all = BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
	struct sock_fprog program = { .len = 1, .filter = &accept_all };

	if (setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		return -errno;
	return 0;
}

int bpfprog_detach(int socket)
{
	int unused = 0;

	if (setsockopt(socket, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused)))
		return -errno;
	return 0;
}

struct probe bpfprog_probe(void)
{
	int err, fd = bpfprog_socket();

	if (fd < 0)
		return probe_no("no socket to attach a filter to (%s): it takes CONFIG_UNIX",
				strerror(-fd));
	err = bpfprog_attach(fd);
	close(fd);
	if (!err)
		return probe_yes();
	return probe_no("a classic socket filter cannot be attached: %s%s", strerror(-err),
			err == -ENOMEM ? ": raise net.core.optmem_max" : "");
}

/* The areas are named after the function that asked for them, bpf_prog_alloc_no_stats(). */
long bpfprog_live(void)
{
	char path[SYSFILE_PATH_MAX], *line = NULL;
	size_t size = 0;
	long live = 0;
	FILE *file;
	int err;

	err = __sysfile_path(path, sizeof(path), "/proc/vmallocinfo");
	if (err)
		return err;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	errno = 0;
	while (getline(&line, &size, file) > 0)
		live += !!strstr(line, "bpf_prog_alloc");
	err = ferror(file) ? -errno : 0;
	free(line);
	fclose(file);
	return err ? err : live;
}
