/* SPDX-License-Identifier: GPL-2.0 */
/* Counts outgoing packets by remote port, and filters them by the `out` services if enforced. */
#ifndef PORTCULLIS_OUTBOUND_H
#define PORTCULLIS_OUTBOUND_H

#include <stdbool.h>

#include "bpf/account.h"
#include "bpf/flow.h"
#include "bpf/fragment.h"
#include "bpf/grant.h"
#include "bpf/icmp.h"
#include "bpf/learn.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/table.h"

/* Passes a packet at egress. `second`: PC_CELL_OUT + its remote port if listed, else 0. */
static __always_inline struct verdict pass_sent(__u32 second)
{
	return (struct verdict){.cell = PC_CELL_EGRESS, .second = second};
}

/*
 * Whether a TCP packet belongs to an open connection. Such a packet passes: the connection's SYN
 * was decided, perhaps by an earlier generation. In time-wait the kernel sends from a socket of its
 * own, so the tuple is looked up; if no socket has the tuple, a learned flow may. A global
 * function, so that the verifier checks it once.
 */
__noinline int is_connected(struct __sk_buff *skb, __u32 where, __u32 ports, __u32 how)
{
	const struct bpf_sock *socket = sending_socket(skb);
	struct packet packet = {};
	struct pc_flow flow;

	packet_init_egress(&packet, skb);
	flow_fill(&packet, where, ports, how);
	if (explains) {
		if (explained.sent_by_socket)
			return true;
		if (is_told())
			return told(PC_TOLD_FLOW);
	} else if (socket && socket->protocol == PROTOCOL_TCP &&
		   socket->src_port == packet.local_port)
		return true;
	return flow_key(&packet, &flow) && (flow_socket(skb, &flow) || flow_is_learned(&flow));
}

/*
 * is_connected for a packet of a machine, which has no sockets here. A function of its own, because
 * the stack is short.
 */
__noinline int machine_is_connected(struct __sk_buff *skb, __u32 where, __u32 ports, __u32 how)
{
	struct packet packet = {};
	struct pc_flow flow;

	if (is_told())
		return told(PC_TOLD_FLOW);
	packet_init_egress(&packet, skb);
	flow_fill(&packet, where, ports, how);
	return flow_key(&packet, &flow) && flow_is_learned(&flow);
}

static __always_inline struct verdict decide_outbound_port(const struct packet *packet,
							   const struct pc_generation *generation,
							   struct __sk_buff *skb)
{
	__u32 port = PC_PORT(packet->transport, packet->remote_port);

	if (table_covers(packet, generation))
		return pass_sent(PC_CELL_OUT + port);
	if (!outbound_enforced(packet, generation))
		return pass_sent(0);
	if (!is_syn(packet) && table_admit(packet, generation) >= ADMIT_PASS)
		return pass_sent(0);
	if (packet->transport == PC_TCP && !is_syn(packet) &&
	    (packet->behind ? machine_is_connected(skb, flow_where_pack(packet),
						   flow_ports_pack(packet), flow_how_pack(packet)) :
			      is_connected(skb, flow_where_pack(packet), flow_ports_pack(packet),
					   flow_how_pack(packet))))
		return pass_sent(0);
	if (has_grants() && packet_granted(packet, generation, true))
		return pass_sent(PC_CELL_OUT + port);
	if (has_grants() && !is_syn(packet) && packet_granted(packet, generation, false))
		return pass_sent(0);
	return (struct verdict){.cell = PC_CELL_REASON + PC_REASON_OUTBOUND,
				.second = PC_CELL_OUT_DROP + port,
				.drop = true};
}

/* Decides a packet without ports: dropped if `out` services are enforced and do not cover it. */
static __always_inline struct verdict
pass_sent_if(const struct packet *packet, const struct pc_generation *generation, bool covered)
{
	return covered || !outbound_enforced(packet, generation) ? pass_sent(0) :
								   drop_reason(PC_REASON_OUTBOUND);
}

static __always_inline struct verdict decide_outbound(const struct packet *packet,
						      const struct pc_generation *generation,
						      enum parsed parsed, struct __sk_buff *skb)
{
	struct first_fragment first;

	switch (parsed) {
	case PARSED_NON_IP: return pass_sent(0);
	case PARSED_ELSEWHERE:
	case PARSED_MALFORMED: return pass_sent_if(packet, generation, false);
	case PARSED_LATER_FRAGMENT:
		first = fragment_follow(packet);
		return first.known ? pass_sent(first.second) :
				     pass_sent_if(packet, generation, false);
	case PARSED_PORT: return decide_outbound_port(packet, generation, skb);
	case PARSED_PACKET: break;
	}
	return pass_sent_if(packet, generation,
			    is_icmp(packet) ||
				    (!packet->ipv6 && packet->protocol == PROTOCOL_IGMP) ||
				    protocol_named(packet, generation));
}

#endif
