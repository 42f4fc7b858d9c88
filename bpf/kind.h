/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kind of a parsed packet, in one word; and functions that make the verifier forget how the
 * word was computed, so that it follows the rules once, and not for each kind of packet.
 */
#ifndef PORTCULLIS_KIND_H
#define PORTCULLIS_KIND_H

#include <stdbool.h>

#include "bpf/flow.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/parse.h"

/* The kind of a parsed packet, as a word for the global functions. */
struct kind_word {
	__u64 ports : 32; /* struct flow_ports; of ICMP: the offset of its header */
	__u64 ip : 5;	  /* offset of the IP header */
	__u64 protocol : 8;
	__u64 tcp_flags : 8;
	__u64 parsed : 3; /* enum parsed */
	__u64 ipv6 : 1;
	__u64 whole : 1; /* there is a whole IP header */
	__u64 fragment : 1;
	__u64 echo : 1;	 /* an echo request */
	__u64 large : 1; /* is_large */
	__u64 unused : 3;
};

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
	};

	return bits_as(__u64, word);
}

/*
 * Fills a parsed packet again from kind_pack: the verifier forgets what tests have taught it about
 * the packet, and follows the code behind it once.
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

/* As packet_settle, for egress, which needs *kind (kind_pack) anyway. */
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

/* Fills a packet from kind_pack, except for the fields of ICMP. */
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

/* As packet_settle, for a packet that was settled before: forgets what tests have taught since. */
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
 * Makes the verifier forget on which path a packet was parsed (forgotten), so that it follows the
 * code behind it once, and not for each path. Returns `parsed`. Only the fields that distinguish
 * most paths are handled. The first pass does without it, to save instructions.
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

/*
 * A parsed frame, for the passes after the one that parses it. It uses the memory of the event,
 * because events are made only after the verdict. grant_key has the memory before it, because bans
 * and limits look up grants in between.
 */
struct noted_frame {
	__u8 before[36];
	__u32 length;
	__u32 at;
	__u32 end;
	__u32 tcp;
	__u16 remote_port;
	__u16 local_port;
	__u16 fragment_at;
	__u8 ip;
	__u8 ipv6;
	__u8 protocol;
	__u8 hop_limit;
	__u8 fragment;
	__u8 icmp_type;
};
_Static_assert(sizeof(struct noted_frame) <= sizeof(struct pc_event) &&
		       offsetof(struct noted_frame, length) >= sizeof(struct pc_grant_key),
	       "event_place");

static __always_inline struct noted_frame *noted_frame(void)
{
	return (struct noted_frame *)event_place();
}

static __always_inline void frame_note(const struct packet *packet)
{
	struct noted_frame *noted = noted_frame();

	if (noted) {
		noted->length = packet->length;
		noted->at = packet->at;
		noted->end = packet->end;
		noted->tcp = packet->tcp;
		noted->remote_port = packet->remote_port;
		noted->local_port = packet->local_port;
		noted->fragment_at = packet->fragment_at;
		noted->ip = packet->ip;
		noted->ipv6 = packet->ipv6;
		noted->protocol = packet->protocol;
		noted->hop_limit = packet->hop_limit;
		noted->fragment = packet->fragment;
		noted->icmp_type = packet->icmp_type;
	}
}

/*
 * Fills a packet of a frame that frame_parse has parsed. The verifier knows nothing about the noted
 * values, so that it follows the code behind this once, and not for each path through the parser.
 */
static __always_inline void packet_noted(struct packet *packet)
{
	const struct noted_frame *noted = noted_frame();

	if (noted) {
		packet->length = noted->length;
		packet->at = noted->at;
		packet->end = noted->end;
		packet->tcp = noted->tcp;
		packet->remote_port = noted->remote_port;
		packet->local_port = noted->local_port;
		packet->fragment_at = noted->fragment_at;
		packet->ip = bounded(noted->ip, 31);
		packet->ipv6 = noted->ipv6;
		packet->protocol = noted->protocol;
		packet->transport = transport_of(noted->protocol);
		packet->hop_limit = noted->hop_limit;
		packet->fragment = noted->fragment;
		packet->icmp_type = noted->icmp_type;
	}
}

/*
 * Parses a frame, and notes it for the passes after this one: returns enum parsed, which these
 * take. A global function, so that the verifier follows the parser once for all of them.
 */
__noinline __u32 frame_parse(struct xdp_md *ctx)
{
	struct packet packet = {.gather = true};
	enum parsed parsed;

	packet_init(&packet, ctx, frame_length(ctx));
	parsed = packet_parse(&packet);
	frame_note(&packet);
	return parsed;
}

/* kind_pack of a frame that frame_parse has parsed. */
__noinline __u64 noted_kind(__u32 parsed)
{
	struct packet packet = {.gather = true};

	packet_noted(&packet);
	return kind_pack(&packet, parsed);
}

/* The packet.tcp of a frame that frame_parse has parsed. A global function, for its stack. */
__noinline __u32 noted_tcp(void)
{
	const struct noted_frame *noted = noted_frame();

	return noted ? noted->tcp : 0;
}

/* The flow_ports_pack of a frame that frame_parse has parsed. */
__noinline __u32 noted_ports(void)
{
	const struct noted_frame *noted = noted_frame();
	struct flow_ports ports = {};

	if (noted)
		ports = (struct flow_ports){.local = noted->local_port,
					    .remote = noted->remote_port};
	return bits_as(__u32, ports);
}

#endif
