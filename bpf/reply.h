/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rule `reply`: whether a packet belongs to an open connection or live flow. The kernel's
 * sockets are looked up where they can answer; `flows`, `connections` and `streams` have the rest.
 */
#ifndef PORTCULLIS_REPLY_H
#define PORTCULLIS_REPLY_H

#include <stdbool.h>

#include "bpf/flow.h"
#include "bpf/maps.h"
#include "bpf/mark.h"
#include "bpf/packet.h"

/*
 * Notes in a flow what the remote side did. If another CPU does so at the same time, a flag may be
 * lost until the next packet.
 */
static __always_inline void flow_note_received(struct pc_flow_state *state, __u32 how)
{
	__u8 flags = state->flags | PC_FLOW_REPLIED;

	if (flow_how_unpack(how).fin)
		flags |= PC_FLOW_FIN_IN;
	if (flow_how_unpack(how).reset)
		flags |= PC_FLOW_RESET_IN;
	if (flags != state->flags)
		state->flags = flags;
}

/*
 * Whether a flow lives to which an incoming packet belongs; if so, notes the packet in it.
 * `sequence` is its tcp_word_sequence. `deep`: the stack has no room for another call.
 */
static __always_inline bool flow_answers(const struct pc_flow *flow, __u32 how, __u32 sequence,
					 bool deep)
{
	bool assured, stream;
	struct pc_flow_state *state = flow_find(flow, &assured);

	if (!state || !flow_touch(flow, state, assured))
		return false;
	stream = !assured && flow_is_stream(flow, state);
	flow_note_received(state, how);
	if (assured) {
		if (flow->protocol == PROTOCOL_TCP && pc_flow_closed(state->flags))
			deep ? flow_close_here(flow, state) : (void)flow_close(flow, state);
	} else if (flow->protocol == PROTOCOL_TCP) {
		state->slot = sequence;
	} else if (stream) {
		deep ? flow_assure_here(flow, state) : (void)flow_assure(flow, state);
	}
	return true;
}

/*
 * Whether a packet belongs to a learned flow. Neither a quoted packet nor a program that only
 * explains changes the flow.
 */
static __always_inline bool flow_learned(const struct pc_flow *flow, __u32 how, __u32 sequence,
					 const struct packet *packet)
{
	return packet->outward || is_explaining(packet) ?
		       flow_is_learned(flow) :
		       flow_answers(flow, how, sequence, packet->gather);
}

/* As flow_socket; the first pass marks the port of a socket that it finds, because it may lack a
 * mark. */
static __always_inline bool flow_socket_marked(const struct packet *packet, struct pc_flow *flow)
{
	if (!flow_socket(packet->ctx, flow))
		return false;
	if (packet->marks)
		mark_found(flow);
	return true;
}

/*
 * Whether a packet belongs to a socket or to a learned flow. TCP tries sockets first and UDP flows
 * first, because most are found there.
 */
static __always_inline bool flow_lookup(const struct packet *packet, __u32 how, __u32 sequence)
{
	struct pc_flow flow;

	if (packet->marks && !flow_possible(packet) &&
	    mark_skips(packet->ctx, PC_PORT(packet->transport, packet->local_port)))
		return false;
	if (!flow_key(packet, &flow))
		return false;
	if (flow.protocol == PROTOCOL_TCP && flow_socket_marked(packet, &flow))
		return true;
	if (flow_possible(packet) && flow_learned(&flow, how, sequence, packet))
		return true;
	return flow.protocol == PROTOCOL_UDP && flow_socket_marked(packet, &flow);
}

/* flow_lookup for an incoming packet. A global function, so that the verifier checks it once. */
__noinline int flow_live(struct xdp_md *ctx, __u32 where, __u32 ports, __u32 how, __u32 sequence)
{
	struct packet packet = {};

	flow_packet(&packet, ctx, where, ports, how);
	return flow_lookup(&packet, how, sequence);
}

/* flow_lookup for a packet that this host sent and an ICMP error quotes. */
__noinline int flow_quoted(struct xdp_md *ctx, __u32 where, __u32 ports, __u32 how)
{
	struct packet packet = {.outward = true};

	flow_packet(&packet, ctx, where, ports, how);
	return flow_lookup(&packet, how, 0);
}

/* Whether an open UDP port lately sent a large datagram to the tuple of the quoted packet. */
__noinline int flow_large_quoted(struct xdp_md *ctx, __u32 where, __u32 ports, __u32 how)
{
	struct packet packet = {.outward = true};
	struct pc_flow flow;
	const __u64 *seen;

	if (is_told())
		return told(PC_TOLD_LARGE);
	flow_packet(&packet, ctx, where, ports, how);
	if (!flow_key(&packet, &flow))
		return false;
	seen = bpf_map_lookup_elem(&large, &flow);
	return seen && (__s64)(now() - *seen) < (__s64)PC_LARGE_LIFETIME;
}

/* Whether a packet belongs to a live connection or flow. */
static __always_inline bool flow_of_packet(const struct packet *packet)
{
	if (packet->gather && is_told())
		return told(PC_TOLD_FLOW);
	if (packet->outward)
		return flow_quoted(packet->ctx, flow_where_pack(packet), flow_ports_pack(packet),
				   flow_how_pack(packet));
	/* The first pass has this in line, because a call costs 7 ns. */
	if (!packet->gather)
		return flow_lookup(packet, flow_how_pack(packet), tcp_word_sequence(packet->tcp));
	return flow_live(packet->ctx, flow_where_pack(packet), flow_ports_pack(packet),
			 flow_how_pack(packet), tcp_word_sequence(packet->tcp));
}

#endif
