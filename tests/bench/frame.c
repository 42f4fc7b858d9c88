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

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "tests/bench/bench.h"

#define SHORTEST    64
#define LONG	    1500
#define REMOTE_PORT 40000
#define PAYLOAD	    10
#define LATER	    24	/* bytes of a later fragment */
#define LATER_AT    800 /* where they belong in the datagram */
#define TTL	    64

struct vlan_tag {
	__be16 tci;
	__be16 type;
};

/* One that only pads (RFC 8200, 4.2), and a fragment header. */
struct extension {
	uint8_t next, length, option, size;
	uint32_t zero;
};

struct fragment {
	uint8_t next, reserved;
	__be16 at;
	uint32_t id;
};

/* What a frame's description asks for. */
struct request {
	bool outward, inside, banned, machine, vlan, extensions, is_long, random, high, to_one;
	bool syn, later;
	unsigned int sources;
	struct pc_flow flow;
};

static bool is_ipv4(const struct request *request)
{
	return request->flow.family == 4;
}

/* A word after the port. */
static int word_parse(const char *word, struct request *request, unsigned int *remote_port)
{
	const struct {
		const char *name;
		bool *flag;
	} known[] = {{"inside", &request->inside},	   {"banned", &request->banned},
		     {"machine", &request->machine},	   {"vlan", &request->vlan},
		     {"extensions", &request->extensions}, {"long", &request->is_long},
		     {"random", &request->random},	   {"high", &request->high},
		     {"to-one", &request->to_one}};
	size_t i;

	if (sscanf(word, "from=%u", remote_port) == 1)
		return 0;
	if (sscanf(word, "sources=%u", &request->sources) == 1) {
		request->random = true;
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(word, known[i].name))
			continue;
		*known[i].flag = true;
		return 0;
	}
	return -EINVAL;
}

/*
 * The local address: this host's own, or that of a machine behind it. The remote address: one in
 * the group `trusted`, one of a flood of few sources (send.bpf.c), or another one.
 */
static void addresses(struct request *request, unsigned int local, unsigned int remote)
{
	struct pc_flow *flow = &request->flow;

	if (is_ipv4(request)) {
		flow->ipv4.local_port = htons(local);
		flow->ipv4.remote_port = htons(remote);
		inet_pton(AF_INET, request->machine ? "192.0.2.107" : "198.51.100.1",
			  &flow->ipv4.local);
		inet_pton(AF_INET,
			  request->banned ? "158.55.121.177" :
			  request->inside ? "198.51.100.7" :
					    "203.0.113.9",
			  &flow->ipv4.remote);
	} else {
		flow->ipv6.local_port = htons(local);
		flow->ipv6.remote_port = htons(remote);
		inet_pton(AF_INET6, request->machine ? "2001:db8:2::107" : "2001:db8:1::1",
			  flow->ipv6.local);
		inet_pton(AF_INET6, request->inside ? "2001:db8:1::7" : "2001:db8:ffff::9",
			  flow->ipv6.remote);
	}
}

static int request_parse(const char *description, struct request *request)
{
	unsigned int family = 0, port = 0, remote = REMOTE_PORT;
	__free_text char *text = xstrdup(description);
	char *rest = text, *head, *word, kind[5];

	memset(request, 0, sizeof(*request));
	request->outward = *rest == '-';
	rest += request->outward;
	head = strsep(&rest, ",");
	word = strsep(&rest, ",");
	if (sscanf(head, "%4[a-z]%1u", kind, &family) != 2 || (family != 4 && family != 6) ||
	    !word || sscanf(word, "%u", &port) != 1 || port > 65535)
		return -EINVAL;
	while ((word = strsep(&rest, ",")))
		if (word_parse(word, request, &remote))
			return -EINVAL;
	request->syn = !strcmp(kind, "syn");
	request->later = !strcmp(kind, "frag");
	if (!request->syn && !request->later && strcmp(kind, "ack") && strcmp(kind, "udp"))
		return -EINVAL;
	request->flow.protocol = request->syn || *kind == 'a' ? IPPROTO_TCP : IPPROTO_UDP;
	request->flow.family = family;
	addresses(request, port, remote);
	return request->extensions && family == 4 ? -EINVAL : 0;
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

/* Bytes of the transport header and of its payload, which is zeros. */
static size_t upper_length(const struct request *request, size_t before)
{
	size_t header = request->flow.protocol == IPPROTO_TCP ? sizeof(struct tcphdr) :
								sizeof(struct udphdr);

	if (request->later)
		return LATER;
	if (request->is_long)
		return LONG - before;
	return header + (request->syn ? 0 : PAYLOAD);
}

/* Connection tracking checks checksums. An IPv4 datagram that will be changed has none. */
static void build_upper(void *at, const struct request *request, size_t length)
{
	const struct pc_flow *flow = &request->flow;
	bool ipv4 = is_ipv4(request);
	__be16 remote = ipv4 ? flow->ipv4.remote_port : flow->ipv6.remote_port;
	__be16 local = ipv4 ? flow->ipv4.local_port : flow->ipv6.local_port;
	uint32_t addresses_sum = sum(flow, ipv4 ? 8 : 32, flow->protocol + (uint32_t)length);
	struct tcphdr *tcp = at;
	struct udphdr *udp = at;

	if (request->later)
		return;
	if (flow->protocol == IPPROTO_TCP) {
		*tcp = (struct tcphdr){.source = request->outward ? local : remote,
				       .dest = request->outward ? remote : local,
				       .doff = 5,
				       .syn = request->syn,
				       .ack = !request->syn,
				       .psh = !request->syn,
				       .window = htons(1024)};
		tcp->check = checksum(sum(at, length, addresses_sum));
		return;
	}
	*udp = (struct udphdr){.source = request->outward ? local : remote,
			       .dest = request->outward ? remote : local,
			       .len = htons(length)};
	if (!ipv4 || !request->random)
		udp->check = checksum(sum(at, length, addresses_sum));
}

static size_t build_ipv4(void *at, const struct request *request)
{
	const struct pc_flow *flow = &request->flow;
	struct iphdr *ip = at;

	*ip = (struct iphdr){.version = 4,
			     .ihl = 5,
			     .ttl = TTL,
			     .protocol = flow->protocol,
			     .frag_off = htons(request->later ? LATER_AT / 8 : 0),
			     .saddr = request->outward ? flow->ipv4.local : flow->ipv4.remote,
			     .daddr = request->outward ? flow->ipv4.remote : flow->ipv4.local};
	return sizeof(*ip);
}

/* With its extension headers. */
static size_t build_ipv6(void *at, const struct request *request)
{
	const struct pc_flow *flow = &request->flow;
	struct ipv6hdr *ip = at;
	struct extension *extension = (void *)(ip + 1);
	struct fragment *fragment = (void *)(ip + 1);

	*ip = (struct ipv6hdr){.version = 6, .hop_limit = TTL, .nexthdr = flow->protocol};
	memcpy(&ip->saddr, request->outward ? flow->ipv6.local : flow->ipv6.remote, 16);
	memcpy(&ip->daddr, request->outward ? flow->ipv6.remote : flow->ipv6.local, 16);
	if (request->later) {
		ip->nexthdr = IPPROTO_FRAGMENT;
		*fragment = (struct fragment){.next = flow->protocol, .at = htons(LATER_AT)};
		return sizeof(*ip) + sizeof(*fragment);
	}
	if (!request->extensions)
		return sizeof(*ip);
	ip->nexthdr = IPPROTO_HOPOPTS;
	extension[0] = (struct extension){.next = IPPROTO_DSTOPTS, .option = 1, .size = 4};
	extension[1] = (struct extension){.next = flow->protocol, .option = 1, .size = 4};
	return sizeof(*ip) + 2 * sizeof(*extension);
}

/* The length of everything after the IP header, and IPv4's checksum. */
static void seal_ip(void *at, const struct request *request, size_t length)
{
	struct iphdr *ip = at;

	if (!is_ipv4(request)) {
		((struct ipv6hdr *)at)->payload_len = htons(length - sizeof(struct ipv6hdr));
		return;
	}
	ip->tot_len = htons(length);
	ip->check = checksum(sum(ip, sizeof(*ip), 0));
}

/*
 * To a MAC address that no interface has, except a contender's: passed frames end there. A tag is
 * of VLAN 0, which is the host itself: without a VLAN device the stack sees no other (802.1Q, 9.6).
 */
static size_t build_ethernet(struct frame *frame, const struct request *request)
{
	struct ethhdr *ethernet = (void *)frame->data;
	struct vlan_tag *tag = (void *)(ethernet + 1);
	__be16 type = htons(is_ipv4(request) ? ETH_P_IP : ETH_P_IPV6);

	memcpy(ethernet->h_dest, "\x02\0\0\0\0\x02", ETH_ALEN);
	memcpy(ethernet->h_source, "\x02\0\0\0\0\x01", ETH_ALEN);
	ethernet->h_proto = type;
	if (!request->vlan)
		return sizeof(*ethernet);
	ethernet->h_proto = htons(ETH_P_8021Q);
	*tag = (struct vlan_tag){.type = type};
	return sizeof(*ethernet) + sizeof(*tag);
}

int frame_build(const char *description, struct frame *frame)
{
	struct request request;
	size_t upper;

	if (request_parse(description, &request)) {
		error("bench: '%s' is no frame", description);
		return -EINVAL;
	}
	memset(frame, 0, sizeof(*frame));
	frame->flow = request.flow;
	frame->random = request.random;
	frame->high = request.high;
	frame->to_one = request.to_one;
	frame->sources = request.sources;
	frame->ip = build_ethernet(frame, &request);
	frame->upper = frame->ip + (is_ipv4(&request) ? build_ipv4 : build_ipv6)(
					   frame->data + frame->ip, &request);
	upper = upper_length(&request, frame->upper);
	build_upper(frame->data + frame->upper, &request, upper);
	frame->length = frame->upper + upper;
	seal_ip(frame->data + frame->ip, &request, frame->length - frame->ip);
	if (frame->length < SHORTEST)
		frame->length = SHORTEST;
	return 0;
}
