/* SPDX-License-Identifier: GPL-2.0 */
/* The layout of the maps that filters of one network namespace share: flows, fragments, marks. */
#ifndef PORTCULLIS_ABI_FLOWS_H
#define PORTCULLIS_ABI_FLOWS_H

#include <linux/types.h>

#include "bpf/abi_counters.h"

/*
 * The key of `flows`, `connections` and `streams`, in network byte order: a flow for which the
 * kernel has no socket that is found. The key begins like the bpf_sock_tuple of a packet from the
 * remote side, so that it can be used for socket look-ups, too. With IPv4 the rest of the addresses
 * is 0.
 */
struct pc_flow {
	union {
		struct {
			__be32 remote;
			__be32 local;
			__be16 remote_port;
			__be16 local_port;
		} ipv4;
		struct {
			__be32 remote[4];
			__be32 local[4];
			__be16 remote_port; /* echo: 0 */
			__be16 local_port;  /* echo: its identifier */
		} ipv6;
	};
	__u8 protocol; /* TCP, UDP, ICMP, ICMPv6 (echo) */
	__u8 family;   /* 4 or 6 */
	/*
	 * With an IPv6 link-local address: the lower half of pc_generation.link, in host order. Two
	 * links may have different hosts with the address fe80::1 (RFC 4007).
	 */
	__u16 link;
};
_Static_assert(sizeof(struct pc_flow) == 40, "pc_flow");

/* Flags of a flow. The remote side's FIN and RST may be forged. */
#define PC_FLOW_REPLIED	 1  /* the remote side has sent */
#define PC_FLOW_FIN_OUT	 2  /* TCP: this side has sent a FIN */
#define PC_FLOW_FIN_IN	 4  /* TCP: a FIN came in */
#define PC_FLOW_RESET	 8  /* TCP: this side has sent a RST, and nothing since */
#define PC_FLOW_RESET_IN 16 /* TCP: a RST came in, and this side has sent nothing since */
#define PC_FLOW_ASSURED	 32 /* both sides have talked: see pc_flow_state */
/* no flow yet: this side has sent once, which may have been an answer */
#define PC_FLOW_MAYBE	 64

/*
 * The state of a flow. A flow begins in `flows`, where it competes with all flows that a stranger
 * or a local user can begin: forged SYNs to an open port of a gateway, queries that are over. It
 * moves to `connections` (TCP) or `streams` (UDP) when it is assured, and back when it is closed. A
 * flow is assured when
 *
 *	TCP	this side acknowledges what the remote side sent, which a forger cannot know
 *	UDP	both sides have sent, and the flow is two seconds old (as nf_conntrack_proto_udp.c)
 *
 * Echo flows are never assured. TCP flows of users other than root are assured but stay in `flows`,
 * because a program could open any number of them.
 */
struct pc_flow_state {
	/* CLOCK_MONOTONIC ns, exact to about a second. pc_looked has the lowest bits. */
	__u64 seen;
	/* The interface whose egress learned the flow. */
	__u32 ifindex;
	/* PC_FLOW_*. */
	__u32 flags : 8;
	/*
	 * In `connections` and `streams`: the slot in which the program last looked at the clock
	 * (pc_looked); 0: never. In `flows`, TCP: the last sequence number that came in, without
	 * its last byte; others: when the flow began (pc_since).
	 */
	__u32 slot : 24;
};

#define PC_SLOT_BITS   24
#define PC_SLOT_MASK   0xffffffu
#define PC_SEEN_SPARE  0xfffffULL /* the bits of `seen` below a millisecond */
#define PC_HEARD_SHIFT 8	  /* sequence number to `slot` */
#define PC_HEARD_AHEAD 256	  /* acknowledged bytes beyond the last sequence number: 64 KiB */
#define PC_SINCE_SHIFT 28	  /* ns to `slot` */
#define PC_STREAM_AGE  8	  /* in units of `slot`: 2.1 s */
_Static_assert(PC_SLOT_MASK == (1u << PC_SLOT_BITS) - 1, "pc_flow_state.slot");
_Static_assert(sizeof(struct pc_flow_state) == 16, "pc_flow_state");

/* A time as pc_flow_state.slot has it. */
pc_inline __u32 pc_since(__u64 at)
{
	return at >> PC_SINCE_SHIFT & PC_SLOT_MASK;
}

/*
 * Whether the program has looked at the clock in this slot. A slot is 64 jiffies, at most 0.64 s.
 * Its lower bits are in `slot`. These repeat after 12 days (HZ 1000), so the higher bits are in
 * `seen`: otherwise an old flow would look like one of this slot.
 */
pc_inline int pc_looked(const struct pc_flow_state *state, __u64 slot)
{
	return state->slot == (slot & PC_SLOT_MASK) &&
	       (state->seen & PC_SEEN_SPARE) == (slot >> PC_SLOT_BITS & PC_SEEN_SPARE);
}

/* Notes that the program has looked at the clock in this slot, and the time. */
pc_inline void pc_look(struct pc_flow_state *state, __u64 slot, __u64 seen)
{
	state->slot = slot & PC_SLOT_MASK;
	state->seen = (seen & ~PC_SEEN_SPARE) | (slot >> PC_SLOT_BITS & PC_SEEN_SPARE);
}

/*
 * The default number of flows in the three maps together. Half of them are for `connections`, a
 * quarter for `streams`, the rest for `flows`. Each map has room for at least one.
 */
#define PC_FLOWS		    65536
#define PC_FLOWS_CONNECTIONS(flows) ((flows) / 2 ? (flows) / 2 : 1)
#define PC_FLOWS_STREAMS(flows)	    ((flows) / 4 ? (flows) / 4 : 1)
#define PC_FLOWS_REST(flows)	    ((flows) - (flows) / 2 - (flows) / 4)
#define PC_FLOWS_MAX		    16777216
#define PC_FRAGMENTS		    8192
#define PC_SECOND		    1000000000ULL

/*
 * The ns that a flow lives after its last packet: the defaults of nf_conntrack
 * (Documentation/networking/nf_conntrack-sysctl.rst). Sequence numbers are not checked, so a FIN or
 * RST that came in may be forged. After such a packet alone, a quiet connection lives for two hours
 * and four minutes, which is enough for a keepalive (RFC 5382, REQ-5).
 */
pc_inline __u64 pc_flow_lifetime(__u8 protocol, __u8 flags)
{
	if (flags & PC_FLOW_MAYBE)
		return 0;
	if (protocol != 6)
		return (flags & PC_FLOW_ASSURED ? 120 : 30) * PC_SECOND;
	if (flags & PC_FLOW_RESET)
		return 10 * PC_SECOND;
	if (!(flags & PC_FLOW_ASSURED) || flags & PC_FLOW_FIN_OUT)
		return 120 * PC_SECOND;
	if (flags & (PC_FLOW_FIN_IN | PC_FLOW_RESET_IN))
		return 7440 * PC_SECOND;
	return 432000 * PC_SECOND;
}

/* Whether a TCP flow is over: both sides sent a FIN, or one side a RST. */
pc_inline int pc_flow_closed(__u8 flags)
{
	const __u8 both = PC_FLOW_FIN_IN | PC_FLOW_FIN_OUT;

	return flags & (PC_FLOW_RESET | PC_FLOW_RESET_IN) || (flags & both) == both;
}

/*
 * The only value of `came_in`: tuples of packets that passed only because of observe, or because
 * another interface with a filter lists their port. Packets of this host to these tuples are
 * answers, from which no flow is learned. The local address is not in the tuple, because a socket
 * that is not bound to an address sends from that of the route.
 *
 * A tuple is in the table if both of its cells have a recent epoch. So the table never forgets a
 * tuple too early, but a flood can make other tuples look as if they were in it: in `by_port` only
 * tuples whose local port shares its part of the cells with a port of the flood. pc_came_cells
 * tells what is different for machines behind this host.
 */
#define PC_CAME_CELLS	 (1u << 18)
#define PC_CAME_PART	 (1u << 11) /* cells of `by_port` for a local port */
#define PC_CAME_PARTS	 (PC_CAME_CELLS / PC_CAME_PART)
/* The parts of machines behind this host. */
#define PC_CAME_MACHINE	 (1u << 9)
#define PC_CAME_MACHINES (PC_CAME_CELLS / PC_CAME_MACHINE)
/* ns to epochs: an epoch has 134 ms, and its number repeats after 2.4 hours */
#define PC_CAME_SHIFT	 27
#define PC_CAME_LATELY	 380 /* epochs, 51 s: servers answer within this time */
#define PC_CAME_JUST	 1   /* epochs: servers mostly answer within this time */

struct pc_came_in {
	/* The key of the hash that chooses the cells. */
	__u64 secret;
	/* A bit for each local UDP port: a socket had it before the filter was attached. */
	__u64 begun[65536 / 64];
	/* Epochs; 0: the cell is unused. */
	__u16 by_port[PC_CAME_CELLS];
	__u16 by_tuple[PC_CAME_CELLS];
};

/* Whether a socket had that local UDP port before the filter was attached. */
pc_inline int pc_begun(const struct pc_came_in *table, __u16 port)
{
	return table->begun[port / 64] >> port % 64 & 1;
}

pc_inline void pc_begun_set(struct pc_came_in *table, __u16 port)
{
	table->begun[port / 64] |= 1ULL << port % 64;
}

/* Mixes a word into a hash. */
pc_inline __u64 pc_mix(__u64 hash, __u32 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/*
 * Sets the indexes of the two cells of a tuple. `behind`: the local address is that of a machine
 * behind this host. The address is part of the tuple, because a machine's packets always have it.
 * Its keyed hash, not the port, chooses one of PC_CAME_MACHINES parts, so that a flood to one
 * machine affects tuples of another machine only if both have the same part.
 */
pc_inline void pc_came_cells(const struct pc_flow *flow, int behind, __u64 secret, __u32 *by_port,
			     __u32 *by_tuple)
{
	__u64 hash = secret;
	__u32 part;
	__u16 port = flow->family == 4 ? flow->ipv4.local_port : flow->ipv6.local_port;

	if (behind && flow->family == 4)
		hash = pc_mix(hash, flow->ipv4.local);
	else if (behind)
		hash = pc_mix(pc_mix(pc_mix(pc_mix(hash, flow->ipv6.local[0]), flow->ipv6.local[1]),
				     flow->ipv6.local[2]),
			      flow->ipv6.local[3]);
	part = behind ? hash % PC_CAME_MACHINES * PC_CAME_MACHINE :
			((port ^ port >> 8) % PC_CAME_PARTS) * PC_CAME_PART;
	hash ^= flow->protocol ^ (__u32)flow->link << 16;
	if (flow->family == 4) {
		hash = pc_mix(hash, flow->ipv4.remote);
		hash = pc_mix(hash, (__u32)flow->ipv4.remote_port << 16 | port);
	} else {
		hash = pc_mix(hash, flow->ipv6.remote[0]);
		hash = pc_mix(hash, flow->ipv6.remote[1]);
		hash = pc_mix(hash, flow->ipv6.remote[2]);
		hash = pc_mix(hash, flow->ipv6.remote[3]);
		hash = pc_mix(hash, (__u32)flow->ipv6.remote_port << 16 | port);
	}
	hash = pc_mix(hash, 0);
	*by_port = part + hash % (behind ? PC_CAME_MACHINE : PC_CAME_PART);
	*by_tuple = (hash >> 16) % PC_CAME_CELLS;
}

/* The epoch of a time: never 0, which marks an unused cell. */
pc_inline __u16 pc_came_epoch(__u64 at)
{
	return (at >> PC_CAME_SHIFT) % 65535 + 1;
}

/* Whether a cell is at most `epochs` old. The clock of another CPU may be one epoch ahead. */
pc_inline int pc_came_within(__u16 cell, __u16 epoch, __u16 epochs)
{
	__u16 ago = epoch - cell + 1;

	return cell && ago <= epochs + 1;
}

/*
 * A forged ICMP "fragmentation needed" lowers the path MTU of any address, if a socket without a
 * peer has the quoted port. So that error passes for an open UDP port only if the port sent a large
 * datagram to the quoted address in the last 5 s (the map `large`), and the MTU is one that links
 * have.
 */
#define PC_LARGE	  1200 /* bytes of UDP payload: larger datagrams are noted */
#define PC_LARGES	  4096 /* entries of `large` */
#define PC_LARGE_LIFETIME (5 * PC_SECOND)
/* the smallest MTU that the kernel accepts (net.ipv4.route.min_pmtu) */
#define PC_MTU4		  552
#define PC_MTU6		  1280 /* RFC 8200, 5 */

/* The only value of `shared`. */
struct pc_shared {
	__u64 netns;   /* inode of the network namespace */
	__u32 several; /* 1: more than one interface of the namespace has a filter, or once had */
	__u32 flags;   /* reserved: features of the namespace */
};

/*
 * The only value of `learned`: a mark for each local port that ever had a flow. Ports that are
 * PC_LEARNED_PORTS apart share a byte. A packet to a port without a mark needs no look-up in
 * `flows`, which costs 40 ns, or 200 ns in a flood to all ports that empties the caches. A mark is
 * never cleared.
 */
#define PC_LEARNED_PORTS 16384u
struct pc_learned {
	__u8 port[PC_TRANSPORTS * PC_LEARNED_PORTS];
};

pc_inline __u32 pc_learned_index(__u8 protocol, __u16 port)
{
	return (protocol == 6 ? PC_TCP : PC_UDP) * PC_LEARNED_PORTS + port % PC_LEARNED_PORTS;
}

/* The key of `fragments`, in network byte order: a datagram whose first fragment passed. */
struct pc_fragment {
	__be32 source[4]; /* IPv4: the first word */
	__be32 destination[4];
	__be32 id;	 /* IPv4: its 16 bits are the first two bytes */
	__u8 protocol;	 /* IPv6: 0 */
	__u8 family : 7; /* 4 or 6 */
	__u8 egress : 1; /* 1: the datagram is an outgoing one */
	/*
	 * As in pc_flow, if the destination is IPv6 link-local or multicast: the kernel reassembles
	 * such datagrams by interface (net/ipv6/reassembly.c).
	 */
	__u16 link;
};
_Static_assert(sizeof(struct pc_fragment) == 40, "pc_fragment");

/*
 * The cells in which the later fragments of a datagram count. For a machine behind this host they
 * are the cells of this host: each filter finds its own cells by the address.
 */
struct pc_fragment_state {
	__u64 seen;   /* CLOCK_MONOTONIC ns */
	__u32 cell;   /* PC_CELL_* */
	__u32 second; /* the second cell, 0, or PC_FRAGMENT_ECHO */
};

/* The datagram is an echo request. Each of its fragments uses up the limit of echo requests. */
#define PC_FRAGMENT_ECHO     0x7fffffffu
#define PC_FRAGMENT_LIFETIME (30 * PC_SECOND) /* net.ipv4.ipfrag_time */

#endif
