/* SPDX-License-Identifier: GPL-2.0 */
/* Remembers the tuples of incoming packets whose answers must not be learned (pc_came_in). */
#ifndef PORTCULLIS_CAME_IN_H
#define PORTCULLIS_CAME_IN_H

#include <stdbool.h>

#include "bpf/flow.h"
#include "bpf/maps.h"
#include "bpf/packet.h"

static __always_inline struct pc_came_in *came_in_table(void)
{
	return only_of(&came_in);
}

/* Remembers an incoming packet. Its answer within PC_CAME_LATELY will not be learned. */
__noinline int flow_came_in(struct xdp_md *ctx, __u32 where, __u32 ports, __u32 how)
{
	struct pc_came_in *table = came_in_table();
	__u32 by_port, by_tuple;
	struct packet packet = {};
	struct pc_flow flow;
	__u16 epoch;

	if (!table)
		return 0;
	flow_packet(&packet, ctx, where, ports, how);
	if (!flow_key(&packet, &flow))
		return 0;
	pc_came_cells(&flow, flow_how_unpack(how).class, table->secret, &by_port, &by_tuple);
	by_port = bounded(by_port, PC_CAME_CELLS - 1);
	by_tuple = bounded(by_tuple, PC_CAME_CELLS - 1);
	epoch = pc_came_epoch(now());
	/* Skips a store without effect, which would take the cache line from other CPUs. */
	if (table->by_port[by_port] != epoch)
		table->by_port[by_port] = epoch;
	if (table->by_tuple[by_tuple] != epoch)
		table->by_tuple[by_tuple] = epoch;
	return 0;
}

enum came {
	CAME_NOT,
	CAME_LATELY,   /* remembered within PC_CAME_LATELY */
	CAME_JUST_NOW, /* remembered within PC_CAME_JUST */
};

/*
 * Whether an outgoing packet may answer a remembered one, and how long ago that came in. `behind`:
 * the remembered one was for a machine behind this host.
 */
static __always_inline enum came flow_came(const struct pc_flow *flow, bool behind, __u64 at)
{
	const struct pc_came_in *table = came_in_table();
	__u16 epoch = pc_came_epoch(at), one, other;
	__u32 by_port, by_tuple;

	if (!table)
		return CAME_JUST_NOW;
	pc_came_cells(flow, behind, table->secret, &by_port, &by_tuple);
	one = table->by_port[bounded(by_port, PC_CAME_CELLS - 1)];
	other = table->by_tuple[bounded(by_tuple, PC_CAME_CELLS - 1)];
	if (!pc_came_within(one, epoch, PC_CAME_LATELY) ||
	    !pc_came_within(other, epoch, PC_CAME_LATELY))
		return CAME_NOT;
	return pc_came_within(one, epoch, PC_CAME_JUST) &&
			       pc_came_within(other, epoch, PC_CAME_JUST) ?
		       CAME_JUST_NOW :
		       CAME_LATELY;
}

/*
 * Whether a UDP packet may belong to an exchange that began before the filter was attached: it is
 * forwarded, or its port had a socket then.
 */
static __always_inline bool is_from_before(const struct packet *packet,
					   const struct pc_generation *generation,
					   const struct __sk_buff *skb, __u64 at)
{
	const struct pc_came_in *table = came_in_table();

	if (packet->protocol != PROTOCOL_UDP || (__s64)(generation->grace - at) <= 0 || !table)
		return false;
	return skb->ingress_ifindex || pc_begun(table, packet->local_port);
}

/* Whether another interface has a filter. The answer to a passed packet may leave by it. */
static __always_inline bool has_other_filters(void)
{
	const struct pc_shared *namespace = only_of(&shared);

	return namespace && namespace->several;
}

#endif
