/* SPDX-License-Identifier: GPL-2.0 */
/* The rule `icmp`: which ICMP and ICMPv6 passes. */
#ifndef PORTCULLIS_ICMP_H
#define PORTCULLIS_ICMP_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/flow.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/reply.h"
#include "bpf/table.h"

static __always_inline bool is_echo_reply(const struct packet *packet)
{
	return is_icmp(packet) && packet->icmp_type == (packet->ipv6 ? 129 : 0);
}

/* Errors quote a packet: RFC 792; RFC 4443. */
static __always_inline bool is_icmp_error(const struct packet *packet)
{
	__u8 type = packet->icmp_type;

	if (packet->ipv6)
		return packet->protocol == PROTOCOL_ICMPV6 && type >= 1 && type <= 4;
	return packet->protocol == PROTOCOL_ICMP && (type == 3 || type == 11 || type == 12);
}

/*
 * Whether the limit of echo requests on this CPU admits one more. Each admitted request moves the
 * due time of the next one by `interval`. The due time is never more than a second ago, so that at
 * most one second's requests pass in a burst. A global function, because the stack of its caller is
 * full.
 */
__noinline int echo_due(__u32 interval)
{
	__u64 *next, at, due;

	if (is_told())
		return told(PC_TOLD_ECHO);
	next = only_of(&echo);
	if (!next)
		return false;
	at = now();
	due = *next;
	if ((__s64)(due - at) < -(__s64)PC_SECOND)
		due = at - PC_SECOND;
	due += interval;
	if ((__s64)(due - at) > 0)
		return false;
	if (!explains)
		*next = due;
	return true;
}

/* Whether an echo request passes. */
static __always_inline bool echo_admitted(const struct pc_generation *generation)
{
	return !generation->echo_interval || echo_due(generation->echo_interval);
}

/*
 * Whether an ICMP packet that is not an error passes. Neighbour discovery must come from the link
 * itself, which a hop limit of 255 proves (RFC 4861).
 */
static __always_inline bool icmp_admitted(const struct packet *packet,
					  const struct pc_generation *generation)
{
	__u8 type = packet->icmp_type;

	if (is_echo(packet))
		return echo_admitted(generation);
	if (is_echo_reply(packet))
		return flow_of_packet(packet);
	if (!packet->ipv6)
		return false;
	if (type >= 133 && type <= 136)
		return packet->hop_limit == 255 && !packet->fragment;
	return (type >= 130 && type <= 132) || type == 143;
}

/* The first 8 bytes behind the quoted IP header. An error must quote that many (RFC 792). */
struct quoted_transport {
	__be16 source; /* for an echo its type and code */
	__be16 destination;
	__be16 echo_id;
	__be16 rest;
};

/* Whether the source of the quoted packet is the destination of the error (RFC 5508, 4.2). */
static __always_inline bool quote_turns_back(const struct packet *error, const void *quoted_source)
{
	const __be32 *to, *from = quoted_source;
	__be32 buffer[4];

	if (error->ipv6)
		return packet_fetch(error, error->ip + offsetof(struct ipv6hdr, daddr), 16, buffer,
				    (const void **)&to) &&
		       to[0] == from[0] && to[1] == from[1] && to[2] == from[2] && to[3] == from[3];
	return packet_fetch(error, error->ip + offsetof(struct iphdr, daddr), 4, buffer,
			    (const void **)&to) &&
	       to[0] == from[0];
}

/* One buffer for the quoted headers, because the stack is short. */
union quoted_header {
	struct iphdr ipv4;
	struct ipv6hdr ipv6;
	struct quoted_transport transport;
};

/* Reads the quoted IP header. Returns the offset of the header behind it, or 0. */
static __always_inline __u32 quote_read_ipv4(const struct packet *error, struct packet *quote,
					     union quoted_header *buffer)
{
	const struct iphdr *ip;

	if (quote->ip + sizeof(*ip) > error->end ||
	    !packet_fetch(error, quote->ip, sizeof(*ip), buffer, (const void **)&ip) ||
	    ip->version != 4 || ip->ihl < 5 || ip->frag_off & bpf_htons(IP_FRAGMENT_AT) ||
	    !quote_turns_back(error, &ip->saddr))
		return 0;
	quote->protocol = ip->protocol;
	return quote->ip + ip->ihl * 4;
}

static __always_inline __u32 quote_read_ipv6(const struct packet *error, struct packet *quote,
					     union quoted_header *buffer)
{
	__u32 at = quote->ip + sizeof(struct ipv6hdr);
	const struct ipv6hdr *ip;
	struct walked walked;
	__u64 word;

	if (quote->ip + sizeof(*ip) > error->end ||
	    !packet_fetch(error, quote->ip, sizeof(*ip), buffer, (const void **)&ip) ||
	    ip->version != 6 || !quote_turns_back(error, &ip->saddr))
		return 0;
	quote->protocol = ip->nexthdr;
	if (!is_extension(quote->protocol))
		return at;
	word = extension_walk(error->ctx, at, error->end, quote->protocol);
	walked = walked_unpack(word);
	if (!word || walked.units)
		return 0;
	quote->protocol = walked.next;
	return walked.at;
}

/*
 * Reads the packet that an ICMP error quotes into `quote`, as an outgoing packet. False: it cannot
 * be read, it is a later fragment, or its source is not the destination of the error.
 */
static __always_inline bool quote_read(const struct packet *error, struct packet *quote)
{
	const struct quoted_transport *transport;
	union quoted_header buffer;
	__u32 at = error->ipv6 ? quote_read_ipv6(error, quote, &buffer) :
				 quote_read_ipv4(error, quote, &buffer);

	if (!at || at + sizeof(*transport) > error->end ||
	    !packet_fetch(error, at, sizeof(*transport), &buffer, (const void **)&transport))
		return false;
	if (is_icmp(quote)) {
		quote->icmp_type = *(const __u8 *)transport;
		quote->local_port = bpf_ntohs(transport->echo_id);
	} else {
		quote->local_port = bpf_ntohs(transport->source);
		quote->remote_port = bpf_ntohs(transport->destination);
	}
	return true;
}

/*
 * The path MTU in an ICMP error (RFC 1191, 4; RFC 4443, 3.2). 0: the error gives no value.
 * NO_PATH_MTU: the error is about something else.
 */
#define NO_PATH_MTU (-1LL)

static __always_inline __s64 path_mtu(const struct packet *error)
{
	const struct icmp_header *icmp;
	struct icmp_header buffer;

	if (!packet_fetch(error, error->at, sizeof(*icmp), &buffer, (const void **)&icmp))
		return 0;
	if (error->ipv6)
		return icmp->type == 2 ?
			       (__u32)bpf_ntohs(icmp->id) << 16 | bpf_ntohs(icmp->sequence) :
			       NO_PATH_MTU;
	return icmp->type == 3 && icmp->code == 4 ? bpf_ntohs(icmp->sequence) : NO_PATH_MTU;
}

/* Whether an open UDP port sent a datagram that such a path MTU may stop. */
static __always_inline bool sent_too_large(const struct packet *quote, __u32 mtu)
{
	return mtu >= (quote->ipv6 ? PC_MTU6 : PC_MTU4) &&
	       flow_large_quoted(quote->ctx, flow_where_pack(quote), flow_ports_pack(quote),
				 flow_how_pack(quote));
}

/*
 * Whether the kernel checks that this host sent the quoted packet before it lowers a path MTU. It
 * does so for tunnels, IPsec and SCTP. For other protocols a stranger could lower the path MTU of a
 * raw socket.
 */
static __always_inline bool kernel_checks_sender(__u8 protocol)
{
	return protocol == IPPROTO_IPIP || protocol == IPPROTO_IPV6 || protocol == IPPROTO_GRE ||
	       protocol == IPPROTO_ESP || protocol == IPPROTO_AH || protocol == IPPROTO_COMP ||
	       protocol == IPPROTO_SCTP;
}

/*
 * Whether this host sent the quoted packet, as far as ingress can tell. An echo reply leaves no
 * state to check, so an error that quotes one is refused: the kernel would lower the path MTU of
 * any address.
 */
static __always_inline bool quote_was_sent(const struct packet *quote,
					   const struct pc_generation *generation, __s64 mtu)
{
	if (quote->protocol == PROTOCOL_TCP ||
	    (quote->protocol == PROTOCOL_UDP && mtu == NO_PATH_MTU))
		return table_admit(quote, generation) >= ADMIT_PASS || flow_of_packet(quote);
	if (quote->protocol == PROTOCOL_UDP)
		return flow_of_packet(quote) || sent_too_large(quote, mtu);
	if (!is_icmp(quote))
		return protocol_named(quote, generation) &&
		       (mtu == NO_PATH_MTU || kernel_checks_sender(quote->protocol));
	return is_echo(quote) && flow_of_packet(quote);
}

/* Whether an ICMP error passes. */
static __always_inline bool icmp_error_admitted(const struct packet *error,
						const struct pc_generation *generation)
{
	struct packet quote = {
		.ctx = error->ctx,
		.data = error->data,
		.data_end = error->data_end,
		.ip = error->at + sizeof(struct icmp_header),
		.length = error->length,
		.link = error->link,
		.machine = error->machine,
		.behind = error->behind,
		.ipv6 = error->ipv6,
		.gather = true,
		.outward = true,
	};

	/* Real errors are too short to be fragmented, or to have this many extension headers. */
	if (error->fragment || quote.ip > WALK_FROM / 2)
		return false;
	if (!quote_read(error, &quote))
		return false;
	quote.transport = transport_of(quote.protocol);
	quote.remote_port = forgotten(quote.remote_port, quote.length);
	quote.local_port = forgotten(quote.local_port, quote.length);
	packet_settle_kind(&quote, PARSED_PORT);
	return quote_was_sent(&quote, generation, path_mtu(error));
}

#endif
