// SPDX-License-Identifier: GPL-2.0
/* bpfprog: see libmm/bpfprog.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>

#include <libmm/bpfprog.h>

int bpfprog_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int bpfprog_attach(int socket, unsigned int keep, unsigned int dead)
{
	const struct sock_filter ret = BPF_STMT(BPF_RET | BPF_K, keep);
	const struct sock_filter div = BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0x12345678);
	struct sock_filter code[BPFPROG_DEAD_MAX + 2];
	struct sock_fprog program = { .len = 1, .filter = code };

	if (dead > BPFPROG_DEAD_MAX)
		return -E2BIG;
	code[0] = ret;
	while (program.len <= dead)
		code[program.len++] = div;
	if (dead)
		code[program.len++] = ret;
	if (setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		return -errno;
	return 0;
}

struct probe bpfprog_probe(void)
{
	int err, fd = bpfprog_socket();

	if (fd < 0)
		return probe_no("no socket to attach a filter to (%s): it takes CONFIG_UNIX",
				strerror(-fd));
	err = bpfprog_attach(fd, ~0U, 0);
	close(fd);
	if (!err)
		return probe_yes();
	return probe_no("a classic socket filter cannot be attached: %s%s", strerror(-err),
			err == -ENOMEM ? ": raise net.core.optmem_max" : "");
}
