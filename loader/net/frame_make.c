// SPDX-License-Identifier: GPL-2.0
/* Makes a frame with one packet in it. */
#include "loader/net/frame_make.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#define HOPS	     64
#define HOPS_ON_LINK 255 /* neighbour discovery (RFC 4861) */
#define WINDOW	     64240
#define OTHER_LENGTH 8 /* bytes of data of a protocol without a writer of its own */
#define QUOTE_MTU    1400

/* Locally administered addresses; the filter ignores them. */
static const struct ethhdr ethernet = {
	.h_dest = {2, 0, 0, 0, 0, 1},
	.h_source = {2, 0, 0, 0, 0, 2},
};

static __u32 sum_words(const void *data, size_t length, __u32 sum)
{
	const __u8 *byte = data;
	size_t i;

	for (i = 0; i < length; i++)
		sum += (__u32)byte[i] << (i % 2 ? 0 : 8);
	return sum;
}

static __be16 sum_end(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static size_t address_size(const struct made_packet *packet)
{
	return packet->family == AF_INET ? 4 : 16;
}

/* The checksum over a payload and the pseudo-header (RFC 9293, 3.1; RFC 8200, 8.1). */
static __be16 transport_sum(const struct made_packet *packet, const void *data, size_t length)
{
	__u32 sum = sum_words(packet->source, address_size(packet), 0);

	sum = sum_words(packet->destination, address_size(packet), sum);
	return sum_end(sum_words(data, length, sum + packet->protocol + (__u32)length));
}

static size_t make_tcp(const struct made_packet *packet, void *at)
{
	struct tcphdr tcp = {
		.th_sport = htons(packet->source_port),
		.th_dport = htons(packet->destination_port),
		.th_seq = htonl(1),
		.th_ack = packet->tcp_flags & TH_ACK ? htonl(1) : 0,
		.th_off = sizeof(tcp) / 4,
		.th_flags = packet->tcp_flags,
		.th_win = htons(WINDOW),
	};

	tcp.th_sum = transport_sum(packet, &tcp, sizeof(tcp));
	memcpy(at, &tcp, sizeof(tcp));
	return sizeof(tcp);
}

static size_t make_udp(const struct made_packet *packet, void *at)
{
	struct udphdr udp = {
		.uh_sport = htons(packet->source_port),
		.uh_dport = htons(packet->destination_port),
		.uh_ulen = htons(sizeof(udp)),
	};

	udp.uh_sum = transport_sum(packet, &udp, sizeof(udp)) ?: 0xffff;
	memcpy(at, &udp, sizeof(udp));
	return sizeof(udp);
}

static size_t make_ip(const struct made_packet *packet, __u8 *at);

static bool is_echo(const struct made_packet *packet)
{
	if (packet->family == AF_INET)
		return packet->icmp_type == ICMP_ECHO || packet->icmp_type == ICMP_ECHOREPLY;
	return packet->icmp_type == ICMP6_ECHO_REQUEST || packet->icmp_type == ICMP6_ECHO_REPLY;
}

/* True if an ICMP error reports a path MTU. */
static bool is_too_big(const struct made_packet *packet)
{
	if (packet->family == AF_INET)
		return packet->icmp_type == ICMP_UNREACH &&
		       packet->icmp_code == ICMP_UNREACH_NEEDFRAG;
	return packet->icmp_type == ICMP6_PACKET_TOO_BIG;
}

/* The field after the checksum: an echo's identifier and sequence, or the path MTU. */
static __be32 icmp_field(const struct made_packet *packet)
{
	if (is_echo(packet))
		return htonl((__u32)packet->source_port << 16 | 1);
	return is_too_big(packet) ? htonl(QUOTE_MTU) : 0;
}

static size_t make_icmp(const struct made_packet *packet, __u8 *at)
{
	size_t length = sizeof(struct icmphdr);
	__be32 field = icmp_field(packet);
	__be16 sum;

	memset(at, 0, length + sizeof(struct in6_addr));
	at[0] = packet->icmp_type;
	at[1] = packet->icmp_code;
	memcpy(at + 4, &field, sizeof(field));
	if (packet->quoted)
		length += make_ip(packet->quoted, at + length);
	else if (packet->protocol == IPPROTO_ICMPV6 && (packet->icmp_type == ND_NEIGHBOR_SOLICIT ||
							packet->icmp_type == ND_NEIGHBOR_ADVERT))
		/* the target of a neighbour solicitation or the like */
		length += sizeof(struct in6_addr);
	sum = packet->protocol == IPPROTO_ICMPV6 ? transport_sum(packet, at, length) :
						   sum_end(sum_words(at, length, 0));
	memcpy(at + 2, &sum, sizeof(sum));
	return length;
}

static size_t make_payload(const struct made_packet *packet, __u8 *at)
{
	switch (packet->protocol) {
	case IPPROTO_TCP: return make_tcp(packet, at);
	case IPPROTO_UDP: return make_udp(packet, at);
	case IPPROTO_ICMP:
		if (packet->family == AF_INET)
			return make_icmp(packet, at);
		break;
	case IPPROTO_ICMPV6:
		if (packet->family == AF_INET6)
			return make_icmp(packet, at);
		break;
	}
	memset(at, 0, OTHER_LENGTH);
	return OTHER_LENGTH;
}

static __u8 hops(const struct made_packet *packet)
{
	bool discovery = packet->family == AF_INET6 && packet->protocol == IPPROTO_ICMPV6 &&
			 packet->icmp_type >= ND_ROUTER_SOLICIT &&
			 packet->icmp_type <= ND_NEIGHBOR_ADVERT;

	return discovery ? HOPS_ON_LINK : HOPS;
}

static size_t make_ipv4(const struct made_packet *packet, __u8 *at)
{
	size_t length = sizeof(struct ip) + make_payload(packet, at + sizeof(struct ip));
	struct ip ip = {
		.ip_hl = sizeof(ip) / 4,
		.ip_v = 4,
		.ip_len = htons(length),
		.ip_id = htons(1),
		.ip_off = htons(IP_DF),
		.ip_ttl = hops(packet),
		.ip_p = packet->protocol,
	};

	memcpy(&ip.ip_src, packet->source, sizeof(ip.ip_src));
	memcpy(&ip.ip_dst, packet->destination, sizeof(ip.ip_dst));
	ip.ip_sum = sum_end(sum_words(&ip, sizeof(ip), 0));
	memcpy(at, &ip, sizeof(ip));
	return length;
}

static size_t make_ipv6(const struct made_packet *packet, __u8 *at)
{
	size_t payload = make_payload(packet, at + sizeof(struct ip6_hdr));
	struct ip6_hdr ip = {
		.ip6_flow = htonl(6U << 28),
		.ip6_plen = htons(payload),
		.ip6_nxt = packet->protocol,
		.ip6_hlim = hops(packet),
	};

	memcpy(&ip.ip6_src, packet->source, sizeof(ip.ip6_src));
	memcpy(&ip.ip6_dst, packet->destination, sizeof(ip.ip6_dst));
	memcpy(at, &ip, sizeof(ip));
	return sizeof(ip) + payload;
}

static size_t make_ip(const struct made_packet *packet, __u8 *at)
{
	return packet->family == AF_INET ? make_ipv4(packet, at) : make_ipv6(packet, at);
}

bool frame_is_icmp_error(__u8 family, __u8 type)
{
	if (family == AF_INET)
		return type == ICMP_UNREACH || type == ICMP_TIMXCEED || type == ICMP_PARAMPROB;
	return type >= ICMP6_DST_UNREACH && type <= ICMP6_PARAM_PROB;
}

size_t frame_make(const struct made_packet *packet, enum pc_frame kind, __u8 frame[FRAME_MADE_MOST])
{
	struct ethhdr head = ethernet;

	memset(frame, 0, FRAME_MADE_MOST);
	if (kind != PC_FRAME_ETHERNET)
		return make_ip(packet, frame);
	head.h_proto = htons(packet->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	memcpy(frame, &head, sizeof(head));
	return sizeof(head) + make_ip(packet, frame + sizeof(head));
}
