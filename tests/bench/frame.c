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
#define SOURCE_PORT 40000

/*
 * Programs do not look at checksums: they are left 0. Returns the header's length, 0 for a bad
 * address.
 */
static size_t build_ipv4(void *at, const char *source, int protocol, size_t upper)
{
	struct iphdr *ip = at;

	*ip = (struct iphdr){.version = 4,
			     .ihl = 5,
			     .ttl = 64,
			     .protocol = protocol,
			     .daddr = htonl(0xc6336401), /* 198.51.100.1 */
			     .tot_len = htons(sizeof(*ip) + upper)};
	return inet_pton(AF_INET, source, &ip->saddr) == 1 ? sizeof(*ip) : 0;
}

static size_t build_ipv6(void *at, const char *source, int protocol, size_t upper)
{
	struct ipv6hdr *ip = at;

	*ip = (struct ipv6hdr){
		.version = 6, .hop_limit = 64, .nexthdr = protocol, .payload_len = htons(upper)};
	inet_pton(AF_INET6, "2001:db8:1::1", &ip->daddr);
	return inet_pton(AF_INET6, source, &ip->saddr) == 1 ? sizeof(*ip) : 0;
}

static size_t build_upper(void *at, int protocol, uint16_t port)
{
	struct tcphdr *tcp = at;
	struct udphdr *udp = at;

	if (protocol == IPPROTO_TCP) {
		*tcp = (struct tcphdr){.source = htons(SOURCE_PORT),
				       .dest = htons(port),
				       .doff = 5,
				       .syn = 1,
				       .window = htons(1024)};
		return sizeof(*tcp);
	}
	*udp = (struct udphdr){
		.source = htons(SOURCE_PORT), .dest = htons(port), .len = htons(sizeof(*udp))};
	return sizeof(*udp);
}

int frame_build(const char *description, struct frame *frame)
{
	struct ethhdr *ethernet = (void *)frame->data;
	char transport[4] = "", source[INET6_ADDRSTRLEN] = "";
	unsigned int family = 0, port = 0;
	uint8_t upper[64];
	size_t ip, length;
	int protocol;

	if (sscanf(description, "%3[a-z]%1u,%u,%45s", transport, &family, &port, source) < 3 ||
	    (strcmp(transport, "tcp") && strcmp(transport, "udp")) ||
	    (family != 4 && family != 6) || port > 65535)
		goto bad;
	if (!*source)
		strcpy(source, family == 4 ? "203.0.113.9" : "2001:db8:ffff::9");
	protocol = strcmp(transport, "tcp") ? IPPROTO_UDP : IPPROTO_TCP;
	memset(frame, 0, sizeof(*frame));
	/* To nobody: what passes ends at the stack's door. */
	memcpy(ethernet->h_dest, "\x02\0\0\0\0\x02", ETH_ALEN);
	memcpy(ethernet->h_source, "\x02\0\0\0\0\x01", ETH_ALEN);
	ethernet->h_proto = htons(family == 4 ? ETH_P_IP : ETH_P_IPV6);
	length = build_upper(upper, protocol, port);
	ip = (family == 4 ? build_ipv4 : build_ipv6)(ethernet + 1, source, protocol, length);
	if (!ip)
		goto bad;
	memcpy(frame->data + sizeof(*ethernet) + ip, upper, length);
	frame->length = sizeof(*ethernet) + ip + length;
	if (frame->length < SHORTEST)
		frame->length = SHORTEST;
	return 0;
bad:
	error("bench: '%s' is no frame", description);
	return -EINVAL;
}
