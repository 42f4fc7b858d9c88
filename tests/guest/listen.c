// SPDX-License-Identifier: GPL-2.0
/*
 * Listens on TCP and UDP ports, in both families, and answers every datagram: listen PORT[-PORT]...
 * Prints a line when all ports listen. Runs until it is killed; connections are left to wait.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SOCKETS 64

static struct pollfd udp[SOCKETS];
static size_t count;

static int bound(int type, int port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	if (fd >= 0 && !bind(fd, (void *)&address, sizeof(address)) &&
	    (type != SOCK_STREAM || !listen(fd, 64)))
		return fd;
	fprintf(stderr, "listen: port %d: %s\n", port, strerror(errno));
	exit(1);
}

static void answer(int fd)
{
	struct sockaddr_in6 peer;
	socklen_t length = sizeof(peer);
	char data[64];

	if (recvfrom(fd, data, sizeof(data), 0, (void *)&peer, &length) >= 0)
		(void)!sendto(fd, "hello", 5, 0, (void *)&peer, length);
}

int main(int argc, char **argv)
{
	size_t i;

	for (i = 1; i < (size_t)argc; i++) {
		int first = 0, last = 0;

		if (sscanf(argv[i], "%d-%d", &first, &last) < 2)
			last = first;
		for (; first <= last && count < SOCKETS; first++) {
			bound(SOCK_STREAM, first);
			udp[count++] = (struct pollfd){bound(SOCK_DGRAM, first), POLLIN, 0};
		}
	}
	puts("listening");
	fflush(stdout);
	while (poll(udp, count, -1) >= 0)
		for (i = 0; i < count; i++)
			if (udp[i].revents)
				answer(udp[i].fd);
	return 1;
}
