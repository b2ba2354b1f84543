// SPDX-License-Identifier: GPL-2.0
/*
 * memcache_converse PORT [CHUNK]: send what is on stdin to a server on this machine, CHUNK bytes
 * at a time (default: all), say that this is all, and print its answers until it closes the
 * connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MAX (4u << 20)
/* A server that neither reads nor answers nor closes for so long has failed. */
#define TIMEOUT_MS 30000

static int complain(const char *what)
{
	fprintf(stderr, "memcache_converse: %s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

static int connect_to(const char *port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -1;
	return fd;
}

/* Both directions at once: a server may stop reading until its answers are read. */
static int converse(int fd, const char *data, size_t len, size_t chunk)
{
	char answer[65536];
	size_t sent = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = sent < len ? POLLIN | POLLOUT : POLLIN };
		ssize_t n;

		if (poll(&p, 1, TIMEOUT_MS) <= 0)
			return complain("nothing happens");
		if (p.revents & POLLOUT) {
			n = send(fd, data + sent, len - sent < chunk ? len - sent : chunk,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
			if (n < 0 && errno != EAGAIN)
				return complain("sending");
			sent += n > 0 ? n : 0;
			if (sent == len && shutdown(fd, SHUT_WR))
				return complain("ending");
		}
		if (!(p.revents & (POLLIN | POLLHUP | POLLERR)))
			continue;
		n = recv(fd, answer, sizeof(answer), 0);
		if (n < 0)
			return complain("receiving");
		if (!n)
			return EXIT_SUCCESS;
		if (fwrite(answer, 1, n, stdout) != (size_t)n)
			return complain("writing answers");
	}
}

int main(int argc, char **argv)
{
	static char data[INPUT_MAX];
	size_t len;
	int fd;

	if (argc < 2) {
		fputs("usage: memcache_converse PORT [CHUNK]\n", stderr);
		return 2;
	}
	len = fread(data, 1, INPUT_MAX, stdin);
	if (ferror(stdin))
		return complain("reading stdin");
	fd = connect_to(argv[1]);
	if (fd < 0)
		return complain("connecting");
	return converse(fd, data, len, argc > 2 ? strtoul(argv[2], NULL, 10) : INPUT_MAX);
}
