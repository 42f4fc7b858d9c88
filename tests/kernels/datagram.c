// SPDX-License-Identifier: GPL-2.0
/*
 * A UDP exchange for the guest: `datagram serve PORT` echoes, `datagram ask ADDRESS PORT BYTES`
 * asks from a socket that is not connected and exits 0 if the same bytes come back.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

static char sent[65536], received[65536];

static struct sockaddr_in6 address_of(const char *text, const char *port)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(port))};
	char mapped[64];

	snprintf(mapped, sizeof(mapped), "%s%s", strchr(text, ':') ? "" : "::ffff:", text);
	if (inet_pton(AF_INET6, mapped, &to.sin6_addr) != 1)
		exit(2);
	return to;
}

static int serve(int fd, const char *port)
{
	struct sockaddr_in6 own = address_of("::", port), from;

	if (bind(fd, (struct sockaddr *)&own, sizeof(own)))
		return 1;
	for (;;) {
		socklen_t length = sizeof(from);
		ssize_t bytes = recvfrom(fd, received, sizeof(received), 0,
					 (struct sockaddr *)&from, &length);

		if (bytes > 0)
			sendto(fd, received, bytes, 0, (struct sockaddr *)&from, length);
	}
}

static int ask(int fd, const char *address, const char *port, size_t bytes)
{
	struct sockaddr_in6 to = address_of(address, port);
	struct timeval patience = {.tv_sec = 3};

	memset(sent, 'x', bytes);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (sendto(fd, sent, bytes, 0, (struct sockaddr *)&to, sizeof(to)) != (ssize_t)bytes)
		return 1;
	return recv(fd, received, sizeof(received), 0) == (ssize_t)bytes ? 0 : 1;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(fd, argv[2]);
	if (argc == 5 && !strcmp(argv[1], "ask") && (size_t)atoi(argv[4]) <= sizeof(sent))
		return ask(fd, argv[2], argv[3], atoi(argv[4]));
	return 2;
}
