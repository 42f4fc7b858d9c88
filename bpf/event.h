/* SPDX-License-Identifier: GPL-2.0 */
/* Describes a packet for `drops`, listeners and `explain`, which get its verdict. */
#ifndef PORTCULLIS_EVENT_H
#define PORTCULLIS_EVENT_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/flow.h"
#include "bpf/kind.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/parse.h"

/*
 * The decision on a packet, as a word for the global functions. 0: there is no generation. (A
 * struct that inline functions pass by value costs the usual packet instructions: clang makes it a
 * word.)
 */
struct decided_word {
	__u64 generation : 32; /* the lower half of its number, which is never 0 */
	__u64 cell : 20;       /* cell of the verdict, as if enforced */
	__u64 how : 4;	       /* DECIDED_* */
	__u64 class : 7;       /* class of the machine on this side; 0: this host */
	/* Ingress: 0, as in struct icmp_error. Egress: 1 if an `out` service lists the remote
	 * port. */
	__u64 set : 1;
};
_Static_assert(PC_CELLS < 1 << 20, "decided_word.cell");
_Static_assert(PC_CLASSES < 1 << 7, "decided_word.class");

#define DECIDED_DROP   1u
#define DECIDED_WOULD  2u /* a drop that passes: the filter observes, or is being attached */
#define DECIDED_NOTE   4u /* a drop that is recorded, if the gate lets it */
#define DECIDED_SILENT 8u /* no listener gets the packet */

static __always_inline __u64 decided_pack(const struct packet *packet,
					  const struct pc_generation *generation, __u32 cell,
					  __u32 how)
{
	struct decided_word word = {.generation = generation->number,
				    .cell = cell,
				    .how = how,
				    .class = packet->behind ? packet_class(packet) : 0};

	return bits_as(__u64, word);
}

/* The word of a packet that is not reported. */
static __always_inline __u64 decided_silent(__u32 how)
{
	struct decided_word word = {.how = how};

	return bits_as(__u64, word);
}

static __always_inline struct decided_word decided_unpack(__u64 word)
{
	return bits_as(struct decided_word, word);
}

/* Whether a packet with this decision is dropped. */
static __always_inline bool is_dropped(__u32 how)
{
	return (how & (DECIDED_DROP | DECIDED_WOULD)) == DECIDED_DROP;
}

/* Reads the addresses. False: they cannot be read. */
static __always_inline bool event_addresses(const struct packet *packet, struct pc_event *event)
{
	__be32 *from = packet->outward ? event->local : event->remote;
	__be32 *to = packet->outward ? event->remote : event->local;
	/* If they have to be copied, then into the event, because the stack is short. */
	const __be32 *source;

	if (packet->ipv6) {
		if (!packet_read_ip(packet, offsetof(struct ipv6hdr, saddr), 16, from,
				    (const void **)&source))
			return false;
		__builtin_memcpy(from, source, 16);
		if (!packet_read_ip(packet, offsetof(struct ipv6hdr, daddr), 16, to,
				    (const void **)&source))
			return false;
		__builtin_memcpy(to, source, 16);
		return true;
	}
	if (!packet_read_ip(packet, offsetof(struct iphdr, saddr), 4, from, (const void **)&source))
		return false;
	from[0] = source[0];
	if (!packet_read_ip(packet, offsetof(struct iphdr, daddr), 4, to, (const void **)&source))
		return false;
	to[0] = source[0];
	return true;
}

/* Fills an event from a packet that has a whole IP header. */
static __always_inline void event_describe(const struct packet *packet, enum parsed parsed,
					   struct pc_event *event)
{
	if (event_addresses(packet, event))
		event->family = packet->ipv6 ? 6 : 4;
	event->protocol = packet->protocol;
	if (packet->fragment)
		event->how |= PC_EVENT_FRAGMENT;
	if (parsed == PARSED_LATER_FRAGMENT) {
		event->how |= PC_EVENT_LATER;
	} else if (parsed == PARSED_PORT) {
		event->how |= PC_EVENT_PORTS;
		event->remote_port = packet->remote_port;
		event->local_port = packet->local_port;
		event->tcp_flags = packet->tcp & TCP_FLAGS;
	} else if (parsed == PARSED_PACKET && is_icmp(packet)) {
		event->local_port = packet->icmp_type << 8 | packet->icmp_code;
	}
}

/* Begins an event of a verdict. */
static __always_inline void event_begin(struct pc_event *event, __u64 word)
{
	struct decided_word decided = decided_unpack(word);

	__builtin_memset(event, 0, sizeof(*event));
	event->cell = decided.cell;
	event->class = decided.class;
	event->generation = decided.generation;
	if (decided.how & DECIDED_DROP)
		event->how = PC_EVENT_DROP | (decided.how & DECIDED_WOULD ? PC_EVENT_WOULD : 0);
}

/* Fills an event. `kind`: kind_pack. */
static __always_inline void event_fill(struct packet *packet, struct pc_event *event, __u64 word,
				       __u64 kind)
{
	struct kind_word known = bits_as(struct kind_word, kind);
	enum parsed parsed;
	const __u8 *icmp;
	__u8 buffer[2];

	event_begin(event, word);
	if (packet->egress)
		event->how |= PC_EVENT_OUT;
	event->length = packet->length;
	if (!known.whole)
		return;
	parsed = kind_unpack(packet, kind);
	if (parsed == PARSED_PACKET && is_icmp(packet) &&
	    packet_fetch(packet, known.ports & 0x7fff, 2, buffer, (const void **)&icmp)) {
		packet->icmp_type = icmp[0];
		packet->icmp_code = icmp[1];
	}
	event_describe(packet, parsed, event);
}

/*
 * Makes the event of an incoming packet. `kind`: noted_kind of the frame. The frame is parsed
 * again, because keeping what is known of it would cost registers in the usual case. A function of
 * its own, for its stack.
 */
__noinline int event_of_ingress(struct xdp_md *ctx, __u64 word, __u64 kind)
{
	struct packet packet = {.gather = true};
	struct pc_event *event = event_place();

	if (!event)
		return 0;
	packet_init(&packet, ctx, frame_length(ctx));
	event_fill(&packet, event, word, kind);
	return 0;
}

/*
 * Makes the event of an outgoing packet. `sent`: kind_pack, which the egress program keeps until
 * the packet is decided, because there is no stack left to parse the packet again.
 */
__noinline int event_of_egress(struct __sk_buff *skb, __u64 word, __u64 sent)
{
	struct pc_event *event = event_place();
	struct packet packet = {};

	if (!event)
		return 0;
	packet_init_egress(&packet, skb);
	event_fill(&packet, event, word, sent);
	return 0;
}

#endif
