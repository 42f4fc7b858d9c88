/* SPDX-License-Identifier: GPL-2.0 */
/* What the filters of one network namespace share: flows, what came in, fragments. */
#ifndef PORTCULLIS_ABI_FLOWS_H
#define PORTCULLIS_ABI_FLOWS_H

#include <linux/types.h>

#include "bpf/abi_counters.h"

/*
 * A flow that the kernel's sockets cannot answer for: key of `flows` and its like. The front
 * is what bpf_sock_tuple has for a packet from the remote side, so that it serves the socket
 * lookups. Network byte order. IPv4 leaves the rest of the addresses zero.
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
			__be16 remote_port; /* of an echo: 0 */
			__be16 local_port;  /* of an echo: its identifier */
		} ipv6;
	};
	__u8 protocol; /* TCP, UDP, ICMP, ICMPv6 (echo) */
	__u8 family;   /* 4 or 6 */
	/*
	 * IPv6 link-local: the lower half of pc_generation.link, in host order. fe80::1 of one link
	 * is another host than fe80::1 of the next (RFC 4007).
	 */
	__u16 link;
};
_Static_assert(sizeof(struct pc_flow) == 40, "pc_flow");

#define PC_FLOW_REPLIED	 1   /* the remote side has spoken */
#define PC_FLOW_FIN_OUT	 2   /* TCP: this side has closed */
#define PC_FLOW_FIN_IN	 4   /* TCP: the remote side says that it has */
#define PC_FLOW_RESET	 8   /* TCP: reset by this side, and nothing sent since */
#define PC_FLOW_RESET_IN 16  /* TCP: by the remote side, as it says, and nothing sent since */
#define PC_FLOW_ASSURED	 32  /* both sides have talked: see pc_flow_state */
#define PC_FLOW_MAYBE	 64  /* none yet: this side sent, and it may have been an answer */
#define PC_FLOW_MACHINE	 128 /* reserved: of a machine behind this host */

/*
 * A flow begins in `flows`, where it competes with all that anyone can begin: forged SYNs to an
 * open port of a gateway, queries that are over, local users. It moves to `connections` (TCP) or
 * `streams` (UDP) once it is assured, and back when it is closed:
 *
 *	TCP	this side acknowledges what the remote side sent, which a forger cannot know
 *	UDP	both sides have spoken, and it is two seconds old (as nf_conntrack_proto_udp.c)
 *
 * An echo stays, and so does TCP of users on this host, for a program could open any number of
 * connections: they are assured where they are.
 */
struct pc_flow_state {
	__u64 seen;	 /* CLOCK_MONOTONIC ns, to about a second; the lowest bits: see pc_looked */
	__u32 ifindex;	 /* whose egress learned it */
	__u32 flags : 8; /* PC_FLOW_* */
	/*
	 * Assured: when the program last looked at the clock (pc_looked); its own, 0: never. In
	 * `flows`: of TCP the sequence number that came in last, >> PC_HEARD_SHIFT, else when it
	 * began, ns >> PC_SINCE_SHIFT.
	 */
	__u32 slot : 24;
};

#define PC_SLOT_BITS   24
#define PC_SLOT_MASK   0xffffffu
#define PC_SEEN_SPARE  0xfffffULL /* bits of `seen` that are less than a millisecond */
#define PC_HEARD_SHIFT 8
#define PC_HEARD_AHEAD 256 /* an acknowledgment is at most 64 KiB past what was heard last */
#define PC_SINCE_SHIFT 28
#define PC_STREAM_AGE  8 /* 2.1 s */
_Static_assert(PC_SLOT_MASK == (1u << PC_SLOT_BITS) - 1, "pc_flow_state.slot");
_Static_assert(sizeof(struct pc_flow_state) == 16, "pc_flow_state");

/* When a flow began, as pc_flow_state.slot has it. */
pc_inline __u32 pc_since(__u64 at)
{
	return at >> PC_SINCE_SHIFT & PC_SLOT_MASK;
}

/*
 * A slot is 64 jiffies, 0.64 s at most. `slot` alone would come again after 12 days (HZ 1000), and
 * an old flow would be taken for one that was just looked at, so the bits above it are in `seen`.
 */
pc_inline int pc_looked(const struct pc_flow_state *state, __u64 slot)
{
	return state->slot == (slot & PC_SLOT_MASK) &&
	       (state->seen & PC_SEEN_SPARE) == (slot >> PC_SLOT_BITS & PC_SEEN_SPARE);
}

/* Notes a look at the clock, by which the flow was seen at `seen`. */
pc_inline void pc_look(struct pc_flow_state *state, __u64 slot, __u64 seen)
{
	state->slot = slot & PC_SLOT_MASK;
	state->seen = (seen & ~PC_SEEN_SPARE) | (slot >> PC_SLOT_BITS & PC_SEEN_SPARE);
}

/*
 * Default number of flows in all three together. Half of them are for `connections`, a quarter for
 * `streams`, the rest for `flows`; each has room for one at least.
 */
#define PC_FLOWS		    65536
#define PC_FLOWS_CONNECTIONS(flows) ((flows) / 2 ? (flows) / 2 : 1)
#define PC_FLOWS_STREAMS(flows)	    ((flows) / 4 ? (flows) / 4 : 1)
#define PC_FLOWS_REST(flows)	    ((flows) - (flows) / 2 - (flows) / 4)
#define PC_FLOWS_MAX		    16777216
#define PC_FRAGMENTS		    8192
#define PC_SECOND		    1000000000ULL

/*
 * How long a flow lives after its last packet, in ns: as the defaults of nf_conntrack
 * (Documentation/networking/nf_conntrack-sysctl.rst). No sequence number is checked, so a FIN or
 * RST from outside may be forged: alone it leaves a quiet connection two hours and four minutes,
 * time for a keepalive (RFC 5382, REQ-5).
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

/* Whether a TCP flow is over, as far as both sides say. */
pc_inline int pc_flow_closed(__u8 flags)
{
	const __u8 both = PC_FLOW_FIN_IN | PC_FLOW_FIN_OUT;

	return flags & (PC_FLOW_RESET | PC_FLOW_RESET_IN) || (flags & both) == both;
}

/*
 * Tuples of packets that came in, by observe alone or by an interface that lists their port: what
 * this host sends to them are answers, which teach nothing, from whichever of its addresses (a
 * socket that is bound to none takes that of the route). A tuple is in here if both of its cells
 * have an epoch of late, so it is never forgotten too early; but a flood can make others look like
 * it: those of `by_port` only if their ports share a part of it, and the ports of a flood have no
 * other.
 */
#define PC_CAME_CELLS  (1u << 18)
#define PC_CAME_PART   (1u << 11) /* cells of `by_port` that a port has */
#define PC_CAME_PARTS  (PC_CAME_CELLS / PC_CAME_PART)
#define PC_CAME_SHIFT  27  /* an epoch is 134 ms, and one comes again after 2.4 hours */
#define PC_CAME_LATELY 380 /* 51 s: longer than a server takes to answer */
#define PC_CAME_JUST   1   /* longer than it mostly takes */

struct pc_came_in {
	__u64 secret;
	__u64 begun[65536 / 64]; /* by local UDP port: a socket had it before the filter */
	__u16 by_port[PC_CAME_CELLS];
	__u16 by_tuple[PC_CAME_CELLS];
};

/* Whether a socket had a local UDP port before the filter was attached; and that one had it. */
pc_inline int pc_begun(const struct pc_came_in *table, __u16 port)
{
	return table->begun[port / 64] >> port % 64 & 1;
}

pc_inline void pc_begun_set(struct pc_came_in *table, __u16 port)
{
	table->begun[port / 64] |= 1ULL << port % 64;
}

pc_inline __u64 pc_mix(__u64 hash, __u32 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* Fills the indexes of a tuple's cells. */
pc_inline void pc_came_cells(const struct pc_flow *flow, __u64 secret, __u32 *by_port,
			     __u32 *by_tuple)
{
	__u64 hash = secret ^ flow->protocol ^ (__u32)flow->link << 16;
	__u16 port;

	if (flow->family == 4) {
		port = flow->ipv4.local_port;
		hash = pc_mix(hash, flow->ipv4.remote);
		hash = pc_mix(hash, (__u32)flow->ipv4.remote_port << 16 | port);
	} else {
		port = flow->ipv6.local_port;
		hash = pc_mix(hash, flow->ipv6.remote[0]);
		hash = pc_mix(hash, flow->ipv6.remote[1]);
		hash = pc_mix(hash, flow->ipv6.remote[2]);
		hash = pc_mix(hash, flow->ipv6.remote[3]);
		hash = pc_mix(hash, (__u32)flow->ipv6.remote_port << 16 | port);
	}
	hash = pc_mix(hash, 0);
	*by_port = ((port ^ port >> 8) % PC_CAME_PARTS) * PC_CAME_PART + hash % PC_CAME_PART;
	*by_tuple = (hash >> 16) % PC_CAME_CELLS;
}

/* Never 0, which a cell begins with. */
pc_inline __u16 pc_came_epoch(__u64 at)
{
	return (at >> PC_CAME_SHIFT) % 65535 + 1;
}

/* Whether a cell is so many epochs old at most. Another clock may be a little ahead. */
pc_inline int pc_came_within(__u16 cell, __u16 epoch, __u16 epochs)
{
	__u16 ago = epoch - cell + 1;

	return cell && ago <= epochs + 1;
}

/*
 * A forged "fragmentation needed" lowers the path MTU of any address, where a socket without a peer
 * has the quoted port. So an open UDP port takes that error only for what it sent in large
 * datagrams of late, and not for an MTU that no link has.
 */
#define PC_LARGE	  1200 /* bytes of UDP payload, above which a datagram may be too big */
#define PC_LARGES	  4096
#define PC_LARGE_LIFETIME (5 * PC_SECOND)
#define PC_MTU4		  552  /* the least that the kernel takes (net.ipv4.route.min_pmtu) */
#define PC_MTU6		  1280 /* RFC 8200, 5 */

/* The only value of `shared`. */
struct pc_shared {
	__u64 netns;   /* inode of the network namespace whose flows these are */
	__u32 several; /* more than one of its interfaces has a filter, or had */
	__u32 flags;   /* reserved: features of the namespace */
};

/*
 * The only value of `learned`: not 0 where `flows` has had a flow of one of the local ports that
 * share the byte. Most packets that belong to nothing then need no look into `flows`, which costs
 * 40 ns, and 200 where a flood over all ports empties the caches. A mark stays.
 */
#define PC_LEARNED_PORTS 16384u /* ports that far apart share a byte */
struct pc_learned {
	__u8 port[PC_TRANSPORTS * PC_LEARNED_PORTS];
};
pc_inline __u32 pc_learned_index(__u8 protocol, __u16 port)
{
	return (protocol == 6 ? PC_TCP : PC_UDP) * PC_LEARNED_PORTS + port % PC_LEARNED_PORTS;
}

/*
 * A datagram whose first fragment passed, and what its later fragments count. Network byte order.
 */
struct pc_fragment {
	__be32 source[4]; /* IPv4: the first word */
	__be32 destination[4];
	__be32 id;	 /* IPv4: as a 16-bit number in the first two bytes */
	__u8 protocol;	 /* IPv6: 0 */
	__u8 family : 7; /* 4 or 6 */
	__u8 egress : 1;
	/* As in pc_flow, where the destination is link-local or multicast: the kernel puts those
	 * together by interface (net/ipv6/reassembly.c). */
	__u16 link;
};
_Static_assert(sizeof(struct pc_fragment) == 40, "pc_fragment");

struct pc_fragment_state {
	__u64 seen;   /* CLOCK_MONOTONIC ns */
	__u32 cell;   /* PC_CELL_* */
	__u32 second; /* counted too; 0: none; or PC_FRAGMENT_ECHO */
};
/*
 * Reserved, in `cell`: of a machine behind this host. The cell is what it would be of the host:
 * each filter knows by the destination which of its own that means.
 */
#define PC_FRAGMENT_MACHINE  0x80000000u
#define PC_FRAGMENT_ECHO     0x7fffffffu      /* of an echo request: each asks the limit */
#define PC_FRAGMENT_LIFETIME (30 * PC_SECOND) /* net.ipv4.ipfrag_time */

#endif
