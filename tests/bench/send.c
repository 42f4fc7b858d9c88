// SPDX-License-Identifier: GPL-2.0
/* The cost of sending a datagram: an unconnected UDP socket sends through an interface. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "tests/bench/bench.h"

#define SENDERS 16
#define BATCH	64
#define SIZE	18 /* bytes of payload, for the shortest frame */

struct line {
	const char *name, *interface, *address;
	struct sockaddr_storage to;
	int socket;
	double *cost;
};

static int line_open(struct line *line, char **word, unsigned int rounds)
{
	struct sockaddr_in *ipv4 = (void *)&line->to;
	struct sockaddr_in6 *ipv6 = (void *)&line->to;
	bool six = strchr(word[2], ':');

	line->name = word[0];
	line->interface = word[1];
	line->address = word[2];
	line->cost = xcalloc(rounds, sizeof(double));
	line->to.ss_family = six ? AF_INET6 : AF_INET;
	if (inet_pton(line->to.ss_family, word[2],
		      six ? (void *)&ipv6->sin6_addr : (void *)&ipv4->sin_addr) != 1)
		return -EINVAL;
	*(six ? &ipv6->sin6_port : &ipv4->sin_port) = htons(atoi(word[3]));
	line->socket = socket(line->to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (line->socket < 0 ||
	    setsockopt(line->socket, SOL_SOCKET, SO_BINDTODEVICE, word[1], strlen(word[1]) + 1))
		return -errno;
	return 0;
}

/* ns for each datagram, of this thread's time, which includes the interface's work. */
static int sample(struct line *line, uint64_t ns, double *cost)
{
	static char payload[SIZE];
	struct iovec vector = {payload, sizeof(payload)};
	struct mmsghdr message[BATCH];
	uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID), busy = 0, sent = 0;
	int i, count;

	for (i = 0; i < BATCH; i++)
		message[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &line->to,
							  .msg_namelen = sizeof(line->to),
							  .msg_iov = &vector,
							  .msg_iovlen = 1}};
	while (busy < ns) {
		count = sendmmsg(line->socket, message, BATCH, 0);
		if (count < 0)
			return -errno;
		sent += count;
		busy = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
	}
	*cost = (double)busy / sent;
	return 0;
}

int bench_send(int argc, char **argv)
{
	static char *row[SENDERS][WORDS_MAX];
	static struct line line[SENDERS];
	unsigned int rounds = atoi(argv[0]), round;
	uint64_t ns = atoi(argv[1]) * 1000000ULL;
	size_t lines = rows_read(row, SENDERS, 4), i;
	int err = 0;

	(void)argc;
	for (i = 0; i < lines && !err; i++)
		err = line_open(&line[i], row[i], rounds);
	for (round = 0; round < rounds && !err; round++)
		for (i = 0; i < lines && !err; i++)
			err = sample(&line[i], ns, &line[i].cost[round]);
	if (err) {
		error("bench: %s: %s", line[i - 1].name, strerror(-err));
		return 1;
	}
	for (i = 0; i < lines; i++) {
		printf("{\"kind\": \"send\", \"name\": \"%s\", \"address\": \"%s\"", line[i].name,
		       line[i].address);
		samples_print("ns", line[i].cost, rounds);
		printf("}\n");
	}
	return 0;
}
