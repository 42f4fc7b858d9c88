/* SPDX-License-Identifier: GPL-2.0 */
/* Outgoing packets: counted by remote port, and filtered by the `out` services where enforced. */
#ifndef PORTCULLIS_OUTBOUND_H
#define PORTCULLIS_OUTBOUND_H

#include <stdbool.h>

#include "bpf/account.h"
#include "bpf/flow.h"
#include "bpf/fragment.h"
#include "bpf/icmp.h"
#include "bpf/learn.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/table.h"

/* `second`: PC_CELL_OUT + the remote port, or 0. */
static __always_inline struct verdict send(__u32 second)
{
	return (struct verdict){.cell = PC_CELL_EGRESS, .second = second};
}

/*
 * An open connection passes: it was decided at its SYN, maybe by another generation. In time-wait a
 * socket of the kernel's own sends, so the connection's is looked up. One that no lookup finds was
 * learned. A global function, which is verified once.
 */
__noinline int is_connected(struct __sk_buff *skb, __u32 where, __u32 ports, __u32 how)
{
	const struct bpf_sock *socket = sender(skb);
	struct packet packet = {};
	struct pc_flow flow;

	packet_init_egress(&packet, skb);
	flow_fill(&packet, where, ports, how);
	if (socket && socket->protocol == PROTOCOL_TCP && socket->src_port == packet.local_port)
		return true;
	return flow_key(&packet, &flow) && (flow_socket(skb, &flow) || flow_is_learned(&flow));
}

static __always_inline struct verdict judge_outbound_port(const struct packet *packet,
							  const struct pc_generation *generation,
							  struct __sk_buff *skb)
{
	__u32 port = PC_PORT(packet->transport, packet->remote_port);

	if (table_covers(packet, generation))
		return send(PC_CELL_OUT + port);
	if (generation->outbound == PC_OUTBOUND_TRACK)
		return send(0);
	if (!is_syn(packet) && table_admit(packet, generation) == ADMIT_PASS)
		return send(0);
	if (packet->transport == PC_TCP && !is_syn(packet) &&
	    is_connected(skb, flow_where_pack(packet), flow_ports_pack(packet),
			 flow_how_pack(packet)))
		return send(0);
	return (struct verdict){.cell = PC_CELL_REASON + PC_REASON_OUTBOUND,
				.second = PC_CELL_OUT_DROP + port,
				.drop = true};
}

/* A packet without a port passes, unless `out` rows are enforced and no rule admits it. */
static __always_inline struct verdict send_if(const struct pc_generation *generation, bool covered)
{
	return covered || generation->outbound == PC_OUTBOUND_TRACK ?
		       send(0) :
		       drop_reason(PC_REASON_OUTBOUND);
}

static __always_inline struct verdict judge_outbound(const struct packet *packet,
						     const struct pc_generation *generation,
						     enum parsed parsed, struct __sk_buff *skb)
{
	struct first_fragment first;

	switch (parsed) {
	case PARSED_NON_IP: return send(0);
	case PARSED_ELSEWHERE:
	case PARSED_MALFORMED: return send_if(generation, false);
	case PARSED_LATER_FRAGMENT:
		first = fragment_follow(packet);
		return first.known ? send(first.second) : send_if(generation, false);
	case PARSED_PORT: return judge_outbound_port(packet, generation, skb);
	case PARSED_PACKET: break;
	}
	return send_if(generation, is_icmp(packet) ||
					   (!packet->ipv6 && packet->protocol == PROTOCOL_IGMP) ||
					   generation->protocol[bounded(packet->protocol, 255)]);
}

#endif
