// SPDX-License-Identifier: GPL-2.0
/*
 * Tells which datagrams get through between network namespaces, all the time.
 *
 *	probe FLOWS
 *
 * Each line of FLOWS is: namespace and address of the sender, namespace, address and port of the
 * receiver, and `!` for a flow that always passes: when it has arrived, everything sent before has
 * arrived, too. A sender uses a new port each time. Commands come on standard input, a line each,
 * and answers are one character a flow:
 *
 *	look	what passes now: 1 or 0
 *	begin	forgets what was seen before
 *	tell	what has passed since then: 1 always, 0 never, x sometimes
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FLOWS	 64
#define ROUND_MS 2    /* between two rounds while no command has come */
#define WAIT_MS	 1500 /* how long to wait for what always passes */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static struct flow {
	int from, to; /* sockets */
	bool first;   /* the first of the flows that share `to` */
	union address destination;
	socklen_t length;
	bool always;
	bool passed;		 /* arrived in this round */
	unsigned int seen, lost; /* arrived since `begin` */
} flows[FLOWS];
static size_t count;
static uint32_t round_number;

static void die(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static socklen_t read_address(const char *text, uint16_t port, union address *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons(port);
		return sizeof(address->v4);
	}
	if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons(port);
		return sizeof(address->v6);
	}
	fprintf(stderr, "probe: no address: %s\n", text);
	exit(1);
}

static int open_socket(const char *namespace, const char *address, uint16_t port)
{
	union address own;
	socklen_t length = read_address(address, port, &own);
	char path[64];
	int fd, one = 1;

	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	fd = open(path, O_RDONLY);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
	fd = socket(own.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	/* Several flows may go to one port; a sender's address alone is bound, without a port. */
	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) ||
	    bind(fd, &own.any, length))
		die(address);
	return fd;
}

static void read_flow(const char *line)
{
	char from[32], source[64], to[32], destination[64], mark[8] = "";
	struct flow *flow = &flows[count];
	unsigned int port;
	size_t i;

	if (count == FLOWS || sscanf(line, "%31s %63s %31s %63s %u %7s", from, source, to,
				     destination, &port, mark) < 5) {
		fprintf(stderr, "probe: no flow, or too many: %s", line);
		exit(1);
	}
	flow->length = read_address(destination, port, &flow->destination);
	flow->always = mark[0] == '!';
	flow->from = open_socket(from, source, 0);
	flow->to = -1;
	for (i = 0; i < count; i++)
		if (!memcmp(&flows[i].destination, &flow->destination, sizeof(flow->destination)))
			flow->to = flows[i].to;
	flow->first = flow->to < 0;
	if (flow->first)
		flow->to = open_socket(to, destination, port);
	count++;
}

static void send_one(struct flow *flow, uint32_t number)
{
	const struct sockaddr forget = {.sa_family = AF_UNSPEC};
	const uint32_t payload[2] = {round_number, number};

	flow->passed = false;
	/* Gives the port back: the next port is another one, about which the filter knows nothing.
	 */
	if (connect(flow->from, &forget, sizeof(forget)))
		die("connect");
	/* A packet that the egress program drops fails with EPERM or ENOBUFS. */
	sendto(flow->from, payload, sizeof(payload), 0, &flow->destination.any, flow->length);
}

/* Reads what has arrived for a flow, and for those that share its socket. */
static void receive(const struct flow *flow)
{
	uint32_t payload[2];

	while (recv(flow->to, payload, sizeof(payload), 0) == sizeof(payload))
		if (payload[0] == round_number && payload[1] < count)
			flows[payload[1]].passed = true;
}

static bool all_back(void)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (flows[i].always && !flows[i].passed)
			receive(&flows[i]);
		if (flows[i].always && !flows[i].passed)
			return false;
	}
	return true;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* Sends one datagram for each flow. */
static void go_round(void)
{
	uint64_t end = now_ms() + WAIT_MS;
	size_t i;

	round_number++;
	for (i = 0; i < count; i++)
		send_one(&flows[i], i);
	while (!all_back() && now_ms() < end)
		sched_yield();
	for (i = 0; i < count; i++)
		if (flows[i].first)
			receive(&flows[i]);
	for (i = 0; i < count; i++)
		flows[i].passed ? flows[i].seen++ : flows[i].lost++;
}

static void answer(const char *command)
{
	bool look = !strcmp(command, "look\n");
	size_t i;

	go_round();
	for (i = 0; i < count; i++) {
		if (!strcmp(command, "begin\n"))
			flows[i].seen = flows[i].lost = 0;
		else if (look)
			putchar(flows[i].passed ? '1' : '0');
		else
			putchar(!flows[i].lost ? '1' : flows[i].seen ? 'x' : '0');
	}
	putchar('\n');
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
	char line[256];
	cpu_set_t one;

	if (!file)
		die("the file of flows");
	while (fgets(line, sizeof(line), file))
		read_flow(line);
	fclose(file);
	/* Datagrams of one CPU stay in order. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		if (!poll(&input, 1, ROUND_MS))
			go_round();
		else if (fgets(line, sizeof(line), stdin))
			answer(line);
		else
			return 0;
	}
}
