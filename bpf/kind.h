/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a parsed packet is, in one word; and how the verifier is made to forget by which way it was
 * found, so that it follows the rules once and not for each kind of packet.
 */
#ifndef PORTCULLIS_KIND_H
#define PORTCULLIS_KIND_H

#include <stdbool.h>

#include "bpf/flow.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/parse.h"

/* What a parsed packet is, as a word for the global functions. */
struct kind_word {
	__u64 ports : 32; /* struct flow_ports; of ICMP: the offset of its header */
	__u64 ip : 5;	  /* offset of the IP header */
	__u64 protocol : 8;
	__u64 tcp_flags : 8;
	__u64 parsed : 3; /* enum parsed */
	__u64 ipv6 : 1;
	__u64 whole : 1; /* there is a whole IP header */
	__u64 fragment : 1;
	__u64 echo : 1;	     /* an echo request */
	__u64 large : 1;     /* is_large */
	__u64 neighbour : 1; /* is_neighbour_discovery; not at egress */
	__u64 unused : 2;
};

/* Neighbour discovery of the link itself (RFC 4861): without it a banned gateway would be lost. */
static __always_inline bool is_neighbour_discovery(const struct packet *packet, enum parsed parsed)
{
	return parsed == PARSED_PACKET && packet->ipv6 && is_icmp(packet) &&
	       packet->hop_limit == 255 && packet->icmp_type >= 133 && packet->icmp_type <= 136;
}

/* Whether a UDP datagram is so large that an ICMP error about the path MTU may follow. */
static __always_inline bool is_large(const struct packet *packet)
{
	return packet->protocol == PROTOCOL_UDP &&
	       packet->end - packet->at > PC_LARGE + sizeof(struct udphdr);
}

static __always_inline __u64 kind_pack(const struct packet *packet, enum parsed parsed)
{
	struct kind_word word = {
		.ports = parsed == PARSED_PORT ? flow_ports_pack(packet) : packet->at,
		.ip = packet->ip,
		.protocol = packet->protocol,
		.tcp_flags = packet->tcp & TCP_FLAGS,
		.parsed = parsed,
		.ipv6 = packet->ipv6,
		.whole = parsed != PARSED_NON_IP && packet->end,
		.fragment = packet->fragment,
		.echo = parsed == PARSED_PACKET && is_echo(packet),
		.large = parsed == PARSED_PORT && is_large(packet),
		.neighbour = !packet->egress && is_neighbour_discovery(packet, parsed),
	};

	return bits_as(__u64, word);
}

/*
 * Fills a parsed packet from kind_pack once more: the verifier forgets what tests have taught it
 * about the packet, and follows what comes after once.
 */
static __always_inline enum parsed kind_again(struct packet *packet, __u64 kind)
{
	struct kind_word known = bits_as(struct kind_word, opaque(kind));

	packet->ip = known.ip;
	packet->ipv6 = known.ipv6;
	packet->protocol = known.protocol;
	packet->transport = transport_of(known.protocol);
	packet->fragment = known.fragment;
	packet->remote_port = flow_ports_unpack(known.ports).remote;
	packet_again(packet);
	return known.parsed;
}

/* As packet_settle, at egress, which needs *kind anyway: kind_pack. */
static __always_inline enum parsed kind_settle(struct packet *packet, enum parsed parsed,
					       __u64 *kind)
{
	__u64 any = packet_any(packet);

	*kind = forgotten(kind_pack(packet, parsed), any | any << 32);
	packet->tcp = forgotten(packet->tcp, any);
	packet->local_port = forgotten(packet->local_port, any);
	packet->fragment_at = forgotten(packet->fragment_at, any);
	return kind_again(packet, *kind);
}

/* Fills a packet from kind_pack, but for what only ICMP has. */
static __always_inline enum parsed kind_unpack(struct packet *packet, __u64 kind)
{
	struct kind_word known = bits_as(struct kind_word, kind);

	packet->ip = known.ip;
	packet->ipv6 = known.ipv6;
	packet->protocol = known.protocol;
	packet->fragment = known.fragment;
	packet->tcp = known.tcp_flags;
	packet->transport = transport_of(known.protocol);
	if (known.parsed == PARSED_PORT) {
		packet->local_port = flow_ports_unpack(known.ports).local;
		packet->remote_port = flow_ports_unpack(known.ports).remote;
	}
	return known.parsed;
}

/*
 * What a frame is: kind_pack. For passes that need no more of it: a global function, so that the
 * verifier follows the parser once for all of them.
 */
__noinline __u64 packet_kind(struct xdp_md *ctx)
{
	struct packet packet = {.gather = true};
	enum parsed parsed;

	packet_init(&packet, ctx, frame_length(ctx));
	parsed = packet_parse(&packet);
	return kind_pack(&packet, parsed);
}

/* packet_settle of a packet that was settled before: what tests have taught the verifier since. */
static __always_inline enum parsed packet_settle_kind(struct packet *packet, enum parsed parsed)
{
	__u32 any = packet_any(packet);

	if (!packet->gather)
		return parsed;
	packet->ipv6 = forgotten(packet->ipv6, any);
	packet->protocol = forgotten(packet->protocol, any);
	packet->transport = forgotten(packet->transport, any);
	packet->fragment = forgotten(packet->fragment, any);
	packet_again(packet);
	return forgotten(parsed, any);
}

/*
 * Has the verifier forget by which way a packet was parsed (forgotten): it follows what comes after
 * once, not for each of these ways. Not in the first pass, which is to do nothing more. Returns
 * `parsed`. Of the fields, those by which it found the most ways.
 */
static __always_inline enum parsed packet_settle(struct packet *packet, enum parsed parsed)
{
	__u32 any = packet_any(packet);

	if (!packet->gather)
		return parsed;
	packet->ip = bounded(forgotten(packet->ip, any), 31);
	packet->remote_port = forgotten(packet->remote_port, any);
	packet->local_port = forgotten(packet->local_port, any);
	packet->fragment_at = forgotten(packet->fragment_at, any);
	return packet_settle_kind(packet, parsed);
}

#endif
