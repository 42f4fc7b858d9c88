// SPDX-License-Identifier: GPL-2.0
/*
 * A name server on 127.0.0.1: names FILE. The address of every name is in the file, which is read
 * for each question; there is no IPv6 address, and the TTL of answers is 0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define HEADER 12 /* bytes: RFC 1035, 4.1.1 */
#define TYPE_A 1

/* The end of the question, which has one name, type and class; 0: it has another form. */
static size_t question_end(const unsigned char *packet, size_t length)
{
	size_t at = HEADER;

	while (at < length && packet[at])
		at += packet[at] + 1U;
	return at + 5 <= length ? at + 5 : 0;
}

static size_t answer(unsigned char *packet, size_t length, const char *path)
{
	static const unsigned char record[] = {0xc0, HEADER, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4};
	size_t end = question_end(packet, length);
	char text[INET_ADDRSTRLEN] = "";
	FILE *file = fopen(path, "r");
	struct in_addr address;

	if (file && !fgets(text, sizeof(text), file))
		text[0] = '\0';
	if (file)
		fclose(file);
	text[strcspn(text, "\n")] = '\0';
	if (!end)
		return 0;
	packet[2] = 0x84 | (packet[2] & 1); /* an answer, and whether it is authoritative */
	packet[3] = 0;
	memset(packet + 6, 0, 6);
	if (packet[end - 3] != TYPE_A || inet_pton(AF_INET, text, &address) != 1)
		return end;
	packet[7] = 1;
	memcpy(packet + end, record, sizeof(record));
	memcpy(packet + end + sizeof(record), &address, sizeof(address));
	return end + sizeof(record) + sizeof(address);
}

int main(int argc, char **argv)
{
	struct sockaddr_in own = {.sin_family = AF_INET,
				  .sin_port = htons(53),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (argc != 2 || fd < 0 || bind(fd, (void *)&own, sizeof(own))) {
		fprintf(stderr, "names: %s\n", argc == 2 ? strerror(errno) : "names FILE");
		return 1;
	}
	for (;;) {
		unsigned char packet[1024];
		struct sockaddr_in peer;
		socklen_t size = sizeof(peer);
		ssize_t length = recvfrom(fd, packet, sizeof(packet) - 64, 0, (void *)&peer, &size);
		size_t said = length > 0 ? answer(packet, (size_t)length, argv[1]) : 0;

		if (said)
			(void)!sendto(fd, packet, said, 0, (void *)&peer, size);
	}
}
