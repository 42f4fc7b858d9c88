/* SPDX-License-Identifier: GPL-2.0 */
/* Tells what else of this host decides about a packet: behind the filter, or before it. */
#ifndef PORTCULLIS_HOST_BEHIND_H
#define PORTCULLIS_HOST_BEHIND_H

#include "loader/base/names.h"
#include "loader/net/frame_make.h"
#include "loader/net/link_graph.h"
#include "loader/net/nft_walk.h"

struct mnl_socket;

struct behind {
	const struct links *links;
	struct mnl_socket *routes; /* NETLINK_ROUTE */
	unsigned int ifindex;	   /* of the filter; 0: none */
	__u32 egress;		   /* id of its own program at egress; 0: none */
	const struct made_packet *packet;
	bool out; /* this host sends it */
	enum nft_state state;
	struct names next; /* a sentence each, in the order of the packet's way */
	bool drops;	   /* the last one is certain to drop it */
	bool translated;   /* the last one gives it another destination */
};

/*
 * Fills `next`: other programs at the TC hooks, the base chains of nftables, tables of
 * iptables-legacy, the reverse path filter, the socket. Ends at the first that drops the packet, or
 * gives it another destination.
 */
void behind_find(struct behind *behind);

#endif
