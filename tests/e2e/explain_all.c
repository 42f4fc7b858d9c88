// SPDX-License-Identifier: GPL-2.0
/*
 * Asks the filter of an interface about the packets that `send` sends: explain_all IFACE < FLOWS.
 * Prints for each flow the ports at which the packet would be dropped: "0-24,26-65535", or "-".
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/filter/question.h"
#include "loader/host/attached.h"
#include "loader/net/frame_make.h"

static void die(const char *what)
{
	fprintf(stderr, "explain_all: %s\n", what);
	exit(1);
}

struct flow {
	struct made_packet packet;
	unsigned int first, last;
};

static void read_flow(const char *line, struct flow *flow)
{
	char protocol[8], source[64], destination[64];
	unsigned int source_port, size;

	*flow = (struct flow){};
	if (sscanf(line, "%7s %63s %63s %u %u-%u %u", protocol, source, destination, &source_port,
		   &flow->first, &flow->last, &size) != 7)
		die(line);
	flow->packet.family = strchr(source, ':') ? AF_INET6 : AF_INET;
	flow->packet.protocol = strcmp(protocol, "udp") ? IPPROTO_TCP : IPPROTO_UDP;
	flow->packet.tcp_flags = strcmp(protocol, "ack") ? TH_SYN : TH_ACK;
	flow->packet.source_port = (__u16)source_port;
	if (inet_pton(flow->packet.family, source, flow->packet.source) != 1 ||
	    inet_pton(flow->packet.family, destination, flow->packet.destination) != 1)
		die(line);
}

static bool drops(struct question *question, const struct made_packet *packet)
{
	__u8 frame[FRAME_MADE_MOST];
	struct pc_event event;

	if (question_ask(question, frame, frame_make(packet, question->frame, frame), false,
			 &event))
		die("no answer");
	if (event.local_port != packet->destination_port ||
	    event.remote_port != packet->source_port)
		die("an answer about another packet");
	return event.how & PC_EVENT_DROP;
}

static void ask_all(struct question *question, struct flow *flow)
{
	const char *separator = "";
	unsigned int port = flow->first;

	while (port <= flow->last) {
		unsigned int first = port;

		for (; port <= flow->last; port++) {
			flow->packet.destination_port = (__u16)port;
			if (!drops(question, &flow->packet))
				break;
		}
		if (port > first) {
			printf("%s%u-%u", separator, first, port - 1);
			separator = ",";
		}
		port++;
	}
	puts(*separator ? "" : "-");
}

int main(int argc, char **argv)
{
	struct filter filter = FILTER_NONE;
	struct question question;
	struct flow flow;
	char line[256];

	if (argc != 2 || filter_of(argv[1], "explain_all", &filter) ||
	    question_open(&question, &filter, false))
		die("no filter");
	while (fgets(line, sizeof(line), stdin)) {
		read_flow(line, &flow);
		ask_all(&question, &flow);
	}
	question_close(&question);
	filter_close(&filter);
	return 0;
}
