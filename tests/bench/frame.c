// SPDX-License-Identifier: GPL-2.0
/* Builds the frames that are measured. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/util.h"
#include "tests/bench/bench.h"

#define SHORTEST    64
#define REMOTE_PORT 40000
#define PAYLOAD	    10
#define TTL	    64

/* What a description asks for. */
struct request {
	bool outward;
	bool syn;
	int protocol;
	struct pc_flow flow;
};

static int request_parse(const char *description, struct request *request)
{
	char transport[4] = "", remote[INET6_ADDRSTRLEN] = "";
	struct pc_flow *flow = &request->flow;
	unsigned int family = 0, port = 0;

	memset(request, 0, sizeof(*request));
	request->outward = *description == '-';
	if (sscanf(description + request->outward, "%3[a-z]%1u,%u,%45s", transport, &family, &port,
		   remote) < 3 ||
	    port > 65535)
		return -EINVAL;
	if (strcmp(transport, "tcp") && strcmp(transport, "ack") && strcmp(transport, "udp"))
		return -EINVAL;
	request->syn = !strcmp(transport, "tcp");
	request->protocol = strcmp(transport, "udp") ? IPPROTO_TCP : IPPROTO_UDP;
	flow->protocol = request->protocol;
	flow->family = family;
	if (family == 4) {
		flow->ipv4.remote_port = htons(REMOTE_PORT);
		flow->ipv4.local_port = htons(port);
		inet_pton(AF_INET, "198.51.100.1", &flow->ipv4.local);
		return inet_pton(AF_INET, *remote ? remote : "203.0.113.9", &flow->ipv4.remote) ==
				       1 ?
			       0 :
			       -EINVAL;
	}
	flow->ipv6.remote_port = htons(REMOTE_PORT);
	flow->ipv6.local_port = htons(port);
	inet_pton(AF_INET6, "2001:db8:1::1", flow->ipv6.local);
	return family == 6 && inet_pton(AF_INET6, *remote ? remote : "2001:db8:ffff::9",
					flow->ipv6.remote) == 1 ?
		       0 :
		       -EINVAL;
}

static uint32_t sum(const void *data, size_t length, uint32_t sum)
{
	const uint8_t *byte = data;
	size_t i;

	for (i = 0; i < length; i++)
		sum += i % 2 ? byte[i] : byte[i] << 8;
	return sum;
}

/* RFC 1071. */
static uint16_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* Returns its length; the payload is zeros. */
static size_t build_upper(void *at, const struct request *request, bool ipv4)
{
	const struct pc_flow *flow = &request->flow;
	__be16 remote = ipv4 ? flow->ipv4.remote_port : flow->ipv6.remote_port;
	__be16 local = ipv4 ? flow->ipv4.local_port : flow->ipv6.local_port;
	struct tcphdr *tcp = at;
	struct udphdr *udp = at;

	if (request->protocol == IPPROTO_TCP) {
		*tcp = (struct tcphdr){.source = request->outward ? local : remote,
				       .dest = request->outward ? remote : local,
				       .doff = 5,
				       .syn = request->syn,
				       .ack = !request->syn,
				       .psh = !request->syn,
				       .window = htons(1024)};
		return sizeof(*tcp) + (request->syn ? 0 : PAYLOAD);
	}
	*udp = (struct udphdr){.source = request->outward ? local : remote,
			       .dest = request->outward ? remote : local,
			       .len = htons(sizeof(*udp) + PAYLOAD)};
	return sizeof(*udp) + PAYLOAD;
}

static size_t build_ipv4(void *at, const struct request *request, size_t upper)
{
	const struct pc_flow *flow = &request->flow;
	struct iphdr *ip = at;

	*ip = (struct iphdr){.version = 4,
			     .ihl = 5,
			     .ttl = TTL,
			     .protocol = request->protocol,
			     .saddr = request->outward ? flow->ipv4.local : flow->ipv4.remote,
			     .daddr = request->outward ? flow->ipv4.remote : flow->ipv4.local,
			     .tot_len = htons(sizeof(*ip) + upper)};
	ip->check = checksum(sum(ip, sizeof(*ip), 0));
	return sizeof(*ip);
}

static size_t build_ipv6(void *at, const struct request *request, size_t upper)
{
	const struct pc_flow *flow = &request->flow;
	struct ipv6hdr *ip = at;

	*ip = (struct ipv6hdr){.version = 6,
			       .hop_limit = TTL,
			       .nexthdr = request->protocol,
			       .payload_len = htons(upper)};
	memcpy(&ip->saddr, request->outward ? flow->ipv6.local : flow->ipv6.remote, 16);
	memcpy(&ip->daddr, request->outward ? flow->ipv6.remote : flow->ipv6.local, 16);
	return sizeof(*ip);
}

/* nftables' connection tracking looks at checksums. */
static void seal_upper(void *at, const struct request *request, size_t length)
{
	const struct pc_flow *flow = &request->flow;
	size_t addresses = flow->family == 4 ? 8 : 32; /* both, one behind the other */
	uint16_t value = checksum(
		sum(at, length, sum(flow, addresses, request->protocol + (uint32_t)length)));

	if (request->protocol == IPPROTO_TCP)
		((struct tcphdr *)at)->check = value;
	else
		((struct udphdr *)at)->check = value;
}

int frame_build(const char *description, struct frame *frame)
{
	struct ethhdr *ethernet = (void *)frame->data;
	struct request request;
	uint8_t upper[64] = {};
	size_t ip, length;

	if (request_parse(description, &request)) {
		error("bench: '%s' is no frame", description);
		return -EINVAL;
	}
	memset(frame, 0, sizeof(*frame));
	frame->flow = request.flow;
	/* To nobody, but where a contender's interface has this address: passed frames end there.
	 */
	memcpy(ethernet->h_dest, "\x02\0\0\0\0\x02", ETH_ALEN);
	memcpy(ethernet->h_source, "\x02\0\0\0\0\x01", ETH_ALEN);
	ethernet->h_proto = htons(request.flow.family == 4 ? ETH_P_IP : ETH_P_IPV6);
	length = build_upper(upper, &request, request.flow.family == 4);
	seal_upper(upper, &request, length);
	ip = (request.flow.family == 4 ? build_ipv4 : build_ipv6)(ethernet + 1, &request, length);
	memcpy(frame->data + sizeof(*ethernet) + ip, upper, length);
	frame->length = sizeof(*ethernet) + ip + length;
	if (frame->length < SHORTEST)
		frame->length = SHORTEST;
	return 0;
}
