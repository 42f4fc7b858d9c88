/* SPDX-License-Identifier: GPL-2.0 */
/* Parses a frame down to its transport header: the rules `malformed` and `non-ip`. */
#ifndef PORTCULLIS_PARSE_H
#define PORTCULLIS_PARSE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>

#include "bpf/abi.h"
#include "bpf/maps.h"
#include "bpf/packet.h"

#define VLAN_TAGS  2
#define EXTENSIONS 8

enum parsed {
	PARSED_MALFORMED,
	PARSED_NON_IP,
	PARSED_LATER_FRAGMENT,
	PARSED_PORT,	  /* TCP, UDP */
	PARSED_PACKET,	  /* any other IP */
	PARSED_ELSEWHERE, /* a header is not in the linear part: parse again with `gather` */
};

/* The verdict on a header that packet_read did not find. */
static __always_inline enum parsed packet_unread(const struct packet *packet)
{
	return have_frags && !packet->gather ? PARSED_ELSEWHERE : PARSED_MALFORMED;
}

/* Sets the ports from those of the transport header. */
static __always_inline void set_ports(struct packet *packet, __be16 source, __be16 destination)
{
	packet->remote_port = bpf_ntohs(packet->outward ? destination : source);
	packet->local_port = bpf_ntohs(packet->outward ? source : destination);
}

/* One buffer for all headers of a frame, which are read in turn, because the stack is short. */
union header_buffer {
	struct ethernet_header ethernet;
	struct iphdr ipv4;
	struct ipv6_start ipv6;
	struct tcphdr tcp;
	struct udphdr udp;
	struct icmp_header icmp;
};

static __always_inline enum parsed parse_tcp(struct packet *packet, union header_buffer *buffer)
{
	const struct tcphdr *tcp;

	if (packet->at + sizeof(*tcp) > packet->end)
		return PARSED_MALFORMED;
	if (!packet_read(packet, packet->at, sizeof(*tcp), buffer, (const void **)&tcp))
		return packet_unread(packet);
	if (tcp->doff < 5 || packet->at + tcp->doff * 4 > packet->end)
		return PARSED_MALFORMED;
	packet->transport = PC_TCP;
	packet->tcp = tcp_word_pack(bpf_ntohl(packet->outward ? tcp->ack_seq : tcp->seq),
				    ((const __u8 *)tcp)[13]);
	set_ports(packet, tcp->source, tcp->dest);
	return PARSED_PORT;
}

static __always_inline enum parsed parse_udp(struct packet *packet, union header_buffer *buffer)
{
	const struct udphdr *udp;

	if (packet->at + sizeof(*udp) > packet->end)
		return PARSED_MALFORMED;
	if (!packet_read(packet, packet->at, sizeof(*udp), buffer, (const void **)&udp))
		return packet_unread(packet);
	packet->transport = PC_UDP;
	set_ports(packet, udp->source, udp->dest);
	return PARSED_PORT;
}

static __always_inline enum parsed parse_icmp(struct packet *packet, union header_buffer *buffer)
{
	const struct icmp_header *icmp;

	if (packet->at + sizeof(*icmp) > packet->end)
		return PARSED_MALFORMED;
	if (!packet_read(packet, packet->at, sizeof(*icmp), buffer, (const void **)&icmp))
		return packet_unread(packet);
	packet->icmp_type = icmp->type;
	packet->icmp_code = icmp->code;
	packet->local_port = bpf_ntohs(icmp->id); /* the identifier of an echo */
	return PARSED_PACKET;
}

/* Parses the transport header at packet.at. */
static __always_inline enum parsed parse_transport(struct packet *packet,
						   union header_buffer *buffer)
{
	if (packet->protocol == PROTOCOL_TCP)
		return parse_tcp(packet, buffer);
	if (packet->protocol == PROTOCOL_UDP)
		return parse_udp(packet, buffer);
	if (is_icmp(packet))
		return parse_icmp(packet, buffer);
	return PARSED_PACKET;
}

/* A TCP fragment at offset 8 could overwrite the flags of the TCP header (RFC 1858). */
static __always_inline enum parsed parse_later_fragment(__u8 protocol, __u32 units)
{
	return protocol == PROTOCOL_TCP && units == 1 ? PARSED_MALFORMED : PARSED_LATER_FRAGMENT;
}

static __always_inline enum parsed parse_ipv4(struct packet *packet, union header_buffer *buffer)
{
	const struct iphdr *ip;
	__u32 header, total, fragment;

	if (!packet_read(packet, packet->ip, sizeof(*ip), buffer, (const void **)&ip))
		return packet_unread(packet);
	if (ip->version != 4 || ip->ihl < 5)
		return PARSED_MALFORMED;
	header = ip->ihl * 4;
	packet->end = packet->ip + sizeof(*ip);
	total = bpf_ntohs(ip->tot_len);
	if (!total) { /* BIG TCP */
		total = packet->length - packet->ip;
		if (total <= 0xffff)
			return PARSED_MALFORMED;
	}
	packet->end = packet->ip + total;
	if (total < header || packet->end > packet->length)
		return PARSED_MALFORMED;
	packet->protocol = ip->protocol;
	fragment = bpf_ntohs(ip->frag_off);
	if (fragment & IP_FRAGMENT_AT)
		return parse_later_fragment(ip->protocol, fragment & IP_FRAGMENT_AT);
	packet->fragment = !!(fragment & IP_FRAGMENT_MORE);
	packet->at = packet->ip + header;
	return parse_transport(packet, buffer);
}

static __always_inline bool is_extension(__u32 next)
{
	const __u64 known = 1ULL << IPV6_HOP_BY_HOP | 1ULL << IPV6_ROUTING | 1ULL << IPV6_FRAGMENT |
			    1ULL << IPV6_OPTIONS;

	/* Shifts by the lower six bits. */
	return (known >> (next & 63)) & (opaque((__u64)next - 64) >> 63);
}

/*
 * The end of a chain of IPv6 extension headers. The word is 0 if the chain is broken. A later
 * fragment ends the chain at its fragment header.
 */
struct walked {
	__u64 at : 15; /* offset behind the chain: at most WALK_FROM + 8 * 2048 */
	__u64 unused : 1;
	__u64 next : 8;		/* protocol of the header at `at` */
	__u64 more : 1;		/* the packet is a first fragment */
	__u64 fragment_at : 15; /* offset of the outermost fragment header, or 0 */
	__u64 units : 13;	/* offset of a later fragment, in units of 8 bytes; else 0 */
	__u64 whole : 11;	/* always 1, so that the word is not 0 */
};
#define WALK_FROM 0xfff /* the chain begins at most at this offset */
#define WALK_MOST 0x7fff
_Static_assert(WALK_FROM + EXTENSIONS * 2048 <= WALK_MOST, "walked.at");

static __always_inline __u64 walked_pack(struct walked walked)
{
	return bits_as(__u64, walked);
}

static __always_inline struct walked walked_unpack(__u64 word)
{
	return bits_as(struct walked, word);
}

/* Walks the extension headers from `at` on. `next`: the protocol of the first one. */
static __always_inline __u64 walk_extensions(const struct packet *packet, __u32 at, __u32 end,
					     __u32 next)
{
	struct ipv6_extension buffer;
	__u32 fragment_at = 0;
	int i;

	at &= WALK_FROM;
	/* Unrolled, because 5.10 and 6.1 refuse the loop that clang makes of it ("back-edge"). */
#pragma clang loop unroll(full)
	for (i = 0; i <= EXTENSIONS; i++) {
		const struct ipv6_extension *extension;
		__u32 length = sizeof(*extension);

		if (!is_extension(next))
			return walked_pack((struct walked){.at = at,
							   .next = next,
							   .more = !!fragment_at,
							   .fragment_at = fragment_at,
							   .whole = 1});
		if (i == EXTENSIONS || at + length > end)
			return 0;
		if (!packet_fetch(packet, at, sizeof(*extension), &buffer,
				  (const void **)&extension))
			return 0;
		if (next == IPV6_FRAGMENT) {
			__u32 word = bpf_ntohs(extension->fragment);
			/* The outermost fragment header counts: the kernel reassembles it first. */
			__u32 outer = fragment_at ? fragment_at : at;

			if (word & IPV6_AT)
				return walked_pack((struct walked){.at = at,
								   .next = extension->next,
								   .fragment_at = outer,
								   .units = word >> IPV6_AT_SHIFT,
								   .whole = 1});
			if (word & IPV6_MORE)
				fragment_at = outer;
		} else {
			length += extension->length * 8;
		}
		if (at + length > end)
			return 0;
		/* Otherwise the verifier would know different facts about these on each path. */
		at += length;
		next = extension->next;
	}
	return 0;
}

/* Global functions, as vlan_walk, so that the verifier checks each once, and not in every state of
 * a caller. */
__noinline __u64 extension_walk(struct xdp_md *ctx, __u32 at, __u32 end, __u32 next)
{
	struct packet packet = {};

	packet_start(&packet, ctx);
	return walk_extensions(&packet, at, end, next);
}

__noinline __u64 extension_walk_egress(struct __sk_buff *ctx, __u32 at, __u32 end, __u32 next)
{
	struct packet packet = {};

	packet_init_egress(&packet, ctx);
	return walk_extensions(&packet, at, end, next);
}

static __always_inline enum parsed parse_ipv6(struct packet *packet, union header_buffer *buffer)
{
	const struct ipv6_start *ip;
	struct walked walked;
	__u32 payload;
	__u64 word;

	if (!packet_read(packet, packet->ip, sizeof(*ip), buffer, (const void **)&ip))
		return packet_unread(packet);
	if (ip->version >> 4 != 6)
		return PARSED_MALFORMED;
	packet->ipv6 = 1;
	packet->hop_limit = ip->hop_limit;
	packet->protocol = ip->next;
	packet->at = packet->ip + sizeof(struct ipv6hdr);
	if (packet->at > packet->length)
		return PARSED_MALFORMED;
	payload = bpf_ntohs(ip->payload);
	if (!payload && packet->length - packet->at > 0xffff) /* BIG TCP */
		payload = packet->length - packet->at;
	packet->end = packet->at + payload;
	if (packet->end > packet->length)
		return PARSED_MALFORMED;
	if (!is_extension(packet->protocol))
		return parse_transport(packet, buffer);
	word = packet->egress ?
		       extension_walk_egress(packet->ctx, packet->at, packet->end,
					     packet->protocol) :
		       extension_walk(packet->ctx, packet->at, packet->end, packet->protocol);
	if (!word)
		return PARSED_MALFORMED;
	walked = walked_unpack(word);
	packet->protocol = walked.next;
	packet->at = walked.at;
	packet->fragment = walked.more;
	packet->fragment_at = walked.fragment_at;
	if (walked.units)
		return parse_later_fragment(packet->protocol, walked.units);
	return parse_transport(packet, buffer);
}

static __always_inline bool is_vlan(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

/* The end of a frame's VLAN tags. The word is 0 if there are too many tags, or they are cut. */
struct untagged {
	__u32 at : 5; /* offset of the header behind the tags */
	__u32 unused : 11;
	__u32 type : 16; /* its ethertype, network byte order */
};
_Static_assert(sizeof(struct ethernet_header) + VLAN_TAGS * sizeof(struct vlan_tag) < 1 << 5,
	       "untagged.at");

static __always_inline __u32 untagged_pack(struct untagged untagged)
{
	return bits_as(__u32, untagged);
}

static __always_inline struct untagged untagged_unpack(__u32 word)
{
	return bits_as(struct untagged, word);
}

/* Walks the VLAN tags behind the Ethernet header. */
static __always_inline __u32 walk_tags(const struct packet *packet)
{
	struct vlan_tag buffer;
	__u32 at = sizeof(struct ethernet_header);
	int i;

	for (i = 0; i < VLAN_TAGS; i++) {
		const struct vlan_tag *tag;

		if (!packet_fetch(packet, at, sizeof(*tag), &buffer, (const void **)&tag))
			return 0;
		at += sizeof(*tag);
		if (!is_vlan(tag->type))
			return untagged_pack((struct untagged){.at = at, .type = tag->type});
	}
	return 0;
}

__noinline __u32 vlan_walk(struct xdp_md *ctx)
{
	struct packet packet = {};

	packet_start(&packet, ctx);
	return walk_tags(&packet);
}

__noinline __u32 vlan_walk_egress(struct __sk_buff *ctx)
{
	struct packet packet = {};

	packet_init_egress(&packet, ctx);
	return walk_tags(&packet);
}

/*
 * Whether a header that looks like IPv6 may be a VLAN tag. GRE carries any ethertype, and the
 * kernel removes a tag of VLAN 0 and delivers the packet behind it. The TCI of such a tag is
 * 0x6000; next comes an ethertype, where IPv6 has its flow label; then another tag or the first
 * word of IP, where IPv6 has its payload length. Real IPv6 hardly ever looks like that: its flow
 * label has 20 random bits, and its payload is that long only after GRO.
 */
static __always_inline bool may_be_tagged(const struct ipv6_start *ip)
{
	__be16 type = *(const __be16 *)&ip->label[1];
	__u16 version = bpf_ntohs(ip->payload) >> 12;

	if (ip->version != 0x60 || ip->label[0])
		return false;
	return is_vlan(type) || (type == bpf_htons(ETH_P_IP) && version == 4) ||
	       (type == bpf_htons(ETH_P_IPV6) && version == 6);
}

/*
 * Parses a frame without an Ethernet header. Anything but IPv4 and IPv6 is malformed: such links
 * need no other protocol, as Ethernet needs ARP.
 */
static __always_inline enum parsed parse_bare(struct packet *packet, union header_buffer *buffer)
{
	const struct ipv6_start *ip;

	packet->ip = 0;
	if (!packet_read(packet, 0, sizeof(*ip), buffer, (const void **)&ip))
		return packet_unread(packet);
	if (ip->version >> 4 == 4)
		return parse_ipv4(packet, buffer);
	if (ip->version >> 4 != 6 || (frame_kind == PC_FRAME_GRE && may_be_tagged(ip)))
		return PARSED_MALFORMED;
	return parse_ipv6(packet, buffer);
}

/* Parses the frame into `packet`. */
static __always_inline enum parsed packet_parse(struct packet *packet)
{
	union header_buffer buffer;
	const struct ethernet_header *ethernet;
	__be16 type;

	if (frame_kind != PC_FRAME_ETHERNET)
		return parse_bare(packet, &buffer);
	if (!packet_read(packet, 0, sizeof(*ethernet), &buffer, (const void **)&ethernet))
		return packet_unread(packet);
	type = ethernet->type;
	packet->ip = sizeof(*ethernet);
	if (is_vlan(type)) {
		__u32 word =
			packet->egress ? vlan_walk_egress(packet->ctx) : vlan_walk(packet->ctx);
		struct untagged untagged = untagged_unpack(word);

		if (!word)
			return PARSED_MALFORMED;
		type = untagged.type;
		packet->ip = untagged.at;
	}
	if (type == bpf_htons(ETH_P_IP))
		return parse_ipv4(packet, &buffer);
	if (type == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(packet, &buffer);
	return PARSED_NON_IP;
}

#endif
