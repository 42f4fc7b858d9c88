/* SPDX-License-Identifier: GPL-2.0 */
/* What the BPF programs and the loader share: the layout of every map, defined once. */
#ifndef PORTCULLIS_ABI_H
#define PORTCULLIS_ABI_H

#include <linux/types.h>

/* Changes with any change of the layouts below; kept at the head of every generation. */
#ifndef PC_ABI_VERSION /* another one is given to test two versions against each other */
#define PC_ABI_VERSION 4
#endif
#define PC_MAGIC 0x6c757043 /* "Cpul" */

/* Layout versions since which these maps are as they are now: they can be taken over. */
#define PC_COUNTERS_SINCE 4
#define PC_FLOWS_SINCE	  2
#define PC_DEADLINE_SINCE 3
#define PC_FRAMES_SINCE	  4 /* frames without an Ethernet header are read */

enum pc_transport {
	PC_TCP = 0,
	PC_UDP = 1,
	PC_TRANSPORTS,
};

/* A port's index in every per-port table: transport << 16 | port in host order. */
#define PC_PORTS	      (PC_TRANSPORTS << 16)
#define PC_PORT(transport, n) ((__u32)(transport) << 16 | (__u16)(n))

/* What an interface's frames begin with, as the hooks see them. */
enum pc_frame {
	PC_FRAME_ETHERNET,
	PC_FRAME_IP,  /* tun, WireGuard, ppp, ipip: the IP header, of either version */
	PC_FRAME_GRE, /* the same, but the far end may have sent a VLAN tag in its place */
};

/*
 * What is reserved has a place and a meaning, so that the maps which a takeover uses on need not
 * change with it. No program reads or writes it; whoever makes such a value leaves it 0.
 */

/*
 * Why a packet is dropped. The order is that of the verdict table; names in loader/counters.c. One
 * without a name there is reserved: no program counts it yet.
 */
enum pc_reason {
	PC_REASON_MALFORMED,
	PC_REASON_BANNED, /* reserved */
	PC_REASON_DENIED, /* reserved */
	PC_REASON_FRAGMENT,
	PC_REASON_ICMP,
	PC_REASON_LIMIT, /* reserved */
	PC_REASON_PROTOCOL,
	PC_REASON_SOURCE,
	PC_REASON_UNLISTED,
	PC_REASON_OUTBOUND, /* at egress, under outbound enforcement */
	PC_REASONS,
};

/* Why a packet passes that no port admits. */
enum pc_other {
	PC_OTHER_NON_IP,
	PC_OTHER_ICMP, /* ICMP, ICMPv6, IGMP */
	PC_OTHER_PROTOCOL,
	PC_OTHER_REPLY,
	PC_OTHERS,
};

/*
 * What a packet counts is a cell. Its number says what it means, and is the same in every filter
 * and after every swap.
 *
 * Ingress: a passed packet counts one cell, a reply also that of the remote port if an `out`
 * service lists it. A dropped one counts that of its reason and, if dropped at a port (`source`,
 * `unlisted`), that port's too. A sum over the reasons but `outbound` has every drop once.
 *
 * Egress: a passed packet counts PC_CELL_EGRESS and, if an `out` service lists it, its remote port.
 * A dropped one counts the reason `outbound` and its remote port.
 */
#define PC_CELL_PASS	     0u
#define PC_CELL_DROP	     (1u * PC_PORTS)
#define PC_CELL_WOULD_DROP   (2u * PC_PORTS)
#define PC_CELL_OUT	     (3u * PC_PORTS)	    /* by remote port: sent, and its replies */
#define PC_CELL_REASON	     (4u * PC_PORTS)	    /* + enum pc_reason, dropped */
#define PC_CELL_REASON_WOULD (PC_CELL_REASON + 16u) /* + enum pc_reason, would drop */
/*
 * Reserved, and no cell: the CPU's gate, which says whether a drop is recorded, in the cache line
 * of the commonest reason. Jiffies in bits 36 to 62, credit in bits 0 to 34, so that a reader never
 * takes the word for one that is being flushed.
 */
#define PC_CELL_GATE	     (PC_CELL_REASON + 15u)
#define PC_CELL_OTHER	     (PC_CELL_REASON + 32u) /* + enum pc_other, passed */
#define PC_CELL_EGRESS	     (PC_CELL_REASON + 48u) /* passed at egress */
#define PC_CELLS	     (PC_CELL_REASON + PC_PAGE_WORDS)

/* Cells that few ports ever count: always in the hash `rare`. */
#define PC_CELL_OUT_DROP       PC_CELLS /* by remote port */
#define PC_CELL_OUT_WOULD_DROP (PC_CELLS + 1u * PC_PORTS)
#define PC_CELLS_ALL	       (PC_CELLS + 2u * PC_PORTS)
/*
 * Reserved: cells of machines behind this host, from here on, one a verdict, machine and port;
 * which is which the loader knows. They stand on pages from PC_PAGE_LISTED on, like those of listed
 * ports, or in `rare`.
 */
#define PC_CELL_MACHINES       PC_CELLS_ALL
#define PC_RARE_SIZE	       32768 /* once full, only the reason counts */

/*
 * Where a cell is: on a page of the row of the CPU that counts, in the map `counters`. A CPU writes
 * its own row alone, by plain stores.
 *
 *	page PC_PAGE_WIDE	the cells from PC_CELL_REASON on, a wide word each
 *	page PC_PAGE_TOUCHED	a bit a page of this row: something was counted there
 *	from PC_PAGE_DROP on	drops and would-drops of all ports, which share a narrow word
 *	from PC_PAGE_LISTED on	the cells PC_CELL_PASS and PC_CELL_OUT, a narrow word each, of those
 *				pages of 256 ports of which a service ever listed one; the value of
 *				`filter` tells which page of the row each has
 *
 * A cell is one word, so that a packet and its bytes are counted by one add and read together:
 *
 *	narrow (32 bits)	bits 0-20 bytes, bits 21-30 packets; bit 31: of would-drops
 *	wide   (64 bits)	bits 0-35 bytes, bits 36-63 packets
 *
 * When the top bit of a field is set, or a narrow word has the drops of another policy, the program
 * flushes it: into its total, a wide word in the map `totals` that all CPUs add to. A full total
 * or wide word is flushed into the hash `carries`. Until the sum is right again, the word that is
 * being flushed has a top bit, which tells a reader to read again.
 *
 * A CPU without a row (one that came after the program was loaded) adds to the totals. A port
 * without a page (there was none left) counts in `rare`.
 */
#define PC_PAGE_CELLS	256u /* narrow words of a page */
#define PC_PAGE_WORDS	128u /* wide words of a page */
#define PC_PAGE_WIDE	0u
#define PC_PAGE_TOUCHED 1u
#define PC_PAGE_DROP	2u
#define PC_PAGE_LISTED	(PC_PAGE_DROP + PC_PORTS / PC_PAGE_CELLS)
#define PC_ROW_NONE \
	0xffff0000u /* of a CPU that has none: no page of `counters`, whatever is added */

/* The cells that share narrow words: one of them, and the one that it shares its word with. */
#define PC_CELL_IS_DROP(cell) ((cell)-PC_CELL_DROP < 2u * PC_PORTS)
#define PC_CELL_PARTNER(cell) ((cell) ^ (PC_CELL_DROP ^ PC_CELL_WOULD_DROP))
/* Bit 31 of a narrow word, as a cell has it. That of PC_CELL_OUT has it too, and that alone. */
#define PC_CELL_SIGN(cell)    (((cell)&PC_CELL_WOULD_DROP) << 13)

/* Pages of ports whose passes (the first half) or sent packets are counted: by PC_LISTED(cell). */
#define PC_LISTED(cell) ((cell) % (2u * PC_PORTS) / PC_PAGE_CELLS)
#define PC_LISTED_CELL(page)                                       \
	((page)*PC_PAGE_CELLS + ((page)*PC_PAGE_CELLS < PC_PORTS ? \
					 PC_CELL_PASS :            \
					 PC_CELL_OUT - PC_PORTS)) /* the first */
#define PC_LISTED_PAGES	 (2u * PC_PORTS / PC_PAGE_CELLS)
#define PC_LISTED_LEAST	 62u /* pages that a row has for them at least */
#define PC_LISTED_GROWTH 32u /* pages for what a swap may list in addition */

struct pc_page {
	union {
		__u64 word[PC_PAGE_WORDS];
		__u32 cell[PC_PAGE_CELLS];
	};
};
_Static_assert(sizeof(struct pc_page) == 1024, "pc_page");

#define PC_NARROW_PACKET       (1u << 21)
#define PC_NARROW_BYTES	       (PC_NARROW_PACKET - 1)
#define PC_NARROW_BYTES_CARRY  (1u << 20) /* a packet of GSO has at most half of that */
#define PC_NARROW_PACKET_CARRY (1u << 30)
#define PC_NARROW_WOULD	       (1u << 31)
_Static_assert(PC_CELL_SIGN(PC_CELL_WOULD_DROP) == PC_NARROW_WOULD, "PC_CELL_SIGN");
_Static_assert(!PC_CELL_SIGN(PC_CELL_DROP), "PC_CELL_SIGN");
#define PC_NARROW_PENDING (PC_NARROW_BYTES_CARRY | PC_NARROW_PACKET_CARRY)

struct pc_count {
	__u64 packets;
	__u64 bytes;
};

/*
 * What another filter counted that this one took the place of: the entries of the map `past`, which
 * never changes.
 */
struct pc_past {
	__u32 cell;
	__u32 pad;
	struct pc_count count;
};

#define PC_CELL_BYTES_BITS   36
#define PC_CELL_PACKET	     (1ULL << PC_CELL_BYTES_BITS)
#define PC_CELL_BYTES_CARRY  (1ULL << 35)
#define PC_CELL_PACKET_CARRY (1ULL << 63)
#define PC_CELL_PENDING	     (PC_CELL_BYTES_CARRY | PC_CELL_PACKET_CARRY)

/* Index of a cell's total: that of a listed port by its page in the row and its place there. */
#define PC_TOTAL_WIDE(cell) ((cell)-PC_CELL_REASON)
#define PC_TOTAL_PORT(cell) (PC_PAGE_WORDS + ((cell)-PC_CELL_DROP))
#define PC_TOTAL_LISTED(page, cell)                                                \
	(PC_PAGE_WORDS + 2u * PC_PORTS + ((page)-PC_PAGE_LISTED) * PC_PAGE_CELLS + \
	 (cell) % PC_PAGE_CELLS)
#define PC_TOTALS(listed_pages) PC_TOTAL_LISTED(PC_PAGE_LISTED + (listed_pages), 0)
#define PC_CARRIES		16384

#define PC_CPUS 8192u /* ids of CPUs that may have a row; NR_CPUS of x86 is at most that */

/* Reserved: pc_filter.flags, tested once a packet, as one word. */
#define PC_FILTER_BANS	    1  /* a source may be banned */
#define PC_FILTER_DENIED    2  /* pc_generation.denied is not empty */
#define PC_FILTER_LIMITS    4  /* a span has a limit */
#define PC_FILTER_MACHINES  8  /* pc_generation.machines is not empty */
#define PC_FILTER_DROPS	    16 /* drops are recorded */
#define PC_FILTER_LISTENERS 32 /* somebody listens to drops as they happen */

/*
 * The only value of `filter`: what belongs to a filter rather than to a generation of it, and so
 * stays over a swap. The first words share a cache line with the rows of the first CPUs.
 */
struct pc_filter {
	__u32 flags;		     /* reserved: PC_FILTER_* */
	__u32 rows;		     /* in `counters` */
	__u32 row_pages;	     /* a row has so many; a multiple of 4 KiB */
	__u32 listed;		     /* pages from PC_PAGE_LISTED on that are given out */
	__u32 reserved[4];	     /* 0 */
	__u32 row[PC_CPUS];	     /* first page of the row of a CPU, by its id, or PC_ROW_NONE */
	__u16 page[PC_LISTED_PAGES]; /* in a row, by PC_LISTED; 0: none. Never taken back */
};

/* Entry of a port in pc_generation.port; anything above is a rule: PC_PORT_RULE + its index. */
#define PC_PORT_CLOSED 0
#define PC_PORT_OPEN   1
#define PC_PORT_RULE   2

/* Who is admitted from one range of source ports (host order, both ends included). */
struct pc_span {
	__u16 first;
	__u16 last;
	__u8 anyone;
	__u8 link_local; /* fe80::/10 and 169.254.0.0/16 */
	__u8 limit;	 /* reserved: 1 + the index of what one source may begin; 0: no limit */
	__u8 classes;	 /* reserved: of which machines, an index of pc_generation.classes */
	__u64 groups;	 /* bit n: group n of the tries */
};
_Static_assert(sizeof(struct pc_span) == 16, "pc_span");

/* The restrictions of a port: `spans` disjoint spans in ascending order, from index `span` on. */
struct pc_rule {
	__u32 span;
	__u32 spans;
};

#define PC_RULES	 8192
#define PC_SPANS	 16384
#define PC_SPANS_OF_RULE 1024 /* a search takes at most 10 steps */
#define PC_SEARCH_STEPS	 10
#define PC_GROUPS	 64
#define PC_PREFIXES	 131072 /* of one address family */
#define PC_SLOTS	 4	/* generations, and tries, that may live at once */
#define PC_UPPERS	 8

enum pc_policy {
	PC_POLICY_ENFORCE,
	PC_POLICY_OBSERVE,
	PC_POLICY_START, /* while it is attached: drops nothing, and such packets leave no trace */
};

enum pc_outbound {
	PC_OUTBOUND_TRACK, /* count only */
	PC_OUTBOUND_ENFORCE,
};

/*
 * Reserved: prefixes of machines behind this host, a hash table by the address that a packet is
 * for, asked once for each length in use. Machines of one class have one recipe. Class 0 is this
 * host.
 */
struct pc_machine {
	__be32 address[4]; /* IPv4: the first word */
	__u8 family;	   /* 4 or 6; 0: no entry */
	__u8 length;	   /* of the prefix */
	__u8 class;
	__u8 pad;
	__u32 cells; /* index of its first cell from PC_CELL_MACHINES on */
};
#define PC_MACHINES   2048
#define PC_LENGTHS    8	  /* of prefixes, of one family */
#define PC_CLASSES    64  /* recipes */
#define PC_CLASS_SETS 256 /* different sets of classes that spans name */

#define PC_VERSION_TEXT	  13
#define PC_ECHO_LIMIT_MAX 1000000 /* echo requests a second on a CPU */

/*
 * One compiled state of an interface: the only value of an inner map of `generations`, which is
 * mmapable: to confirm it is one store of `deadline`. What stands before `made_at` is the same in
 * every layout version, and from version 3 on the words from `deadline` to `stand_in` are.
 */
struct pc_generation {
	__u32 magic;
	__u32 version;		/* PC_ABI_VERSION */
	__u64 number;		/* counts the generations of an interface, from 1 */
	__u64 attached_at;	/* CLOCK_REALTIME ns, when the filter was attached */
	__u64 made_at;		/* CLOCK_REALTIME ns, when this generation was */
	__u64 batch;		/* of the command that made it; one number for all its interfaces */
	__u64 tries_digest;	/* of the prefixes in the trie: an equal one is used again */
	__u32 tries_slot;	/* of `tries`; PC_SLOTS: no trie */
	__u32 prefixes;		/* in the trie */
	__u32 recipe_length;	/* bytes in the recipe map of this generation */
	__u32 echo_interval;	/* ns a CPU leaves between echo requests, on average; 0: no limit */
	__u32 upper[PC_UPPERS]; /* interfaces above this one (bridge, VLAN, bond); 0: no more */
	__u8 policy;		/* enum pc_policy */
	__u8 outbound;		/* enum pc_outbound */
	__u8 forward;		/* forwarded traffic is learned too */
	/* of the binary that loaded the program, NUL-ended */
	char program_version[PC_VERSION_TEXT];
	__u64 deadline; /* CLOCK_BOOTTIME ns: past it the fallback judges; 0: it is final */
	__u32 fallback; /* slot of `generations`; 0: none, which a deadline needs */
	__u8 stand_in;	/* made for attaching, and to fall back to: there was no filter before */
	__u8 pad[3];
	/* CLOCK_REALTIME ns: it judges again since then, as a fallback; 0: not so */
	__u64 reverted_at;
	__u32 program_id; /* of the XDP program that judges by it */
	/*
	 * Of link-local addresses: this interface, or the bridge or bond above it; 0: not told
	 * apart.
	 */
	__u32 link;
	/*
	 * CLOCK_MONOTONIC ns. Who began is not known of UDP that went on when it was attached.
	 * Until then a flow is learned although packets of it came in by observe, if this side
	 * sends twice without having been sent something just before: forwarded, or from a port
	 * that had a socket before the filter.
	 */
	__u64 grace;
	__u64 denied;	/* reserved: groups whose members are dropped, whatever they send */
	__u64 observed; /* reserved: bit n: machines of class n are only observed */
	__u64 held;	/* reserved: bit n: what machines of class n send is held to `out` */
	__u32 machines; /* reserved: entries of `machine` */
	__u32 limits;	/* reserved: that spans name */
	__u8 length4[PC_LENGTHS]; /* reserved: in use in `machine`, longest first; 0: no more */
	__u8 length6[PC_LENGTHS];
	__u8 protocol[256]; /* 1: further IP protocol that the profile names */
	struct pc_rule rule[PC_RULES];
	struct pc_span span[PC_SPANS];
	__u16 port[PC_PORTS]; /* `in`: by local port */
	__u16 out[PC_PORTS];  /* `out`: by remote port; its rules have one span of all ports */
	__u64 classes[PC_CLASS_SETS]; /* reserved: sets of classes, bit n: class n; 0: this host */
	struct pc_machine machine[PC_MACHINES];
};
_Static_assert(__builtin_offsetof(struct pc_generation, denied) == 152, "pc_generation header");

/*
 * Key of a trie, both families in one: a switch then waits for one outer update less than with two
 * tries (8 ms each). `length` counts the bits of `family` too. Network byte order.
 */
struct pc_key {
	__u32 length;
	__be32 family;	  /* 4 or 6 */
	__u8 address[16]; /* IPv4: the first 4 bytes */
};
#define PC_KEY_FAMILY_BITS 32

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

/*
 * A slot is 64 jiffies, 0.64 s at most. `slot` alone would come again after 12 days (HZ 1000), and
 * an old flow would be taken for one that was just looked at, so the bits above it are in `seen`.
 */
static inline __attribute__((always_inline)) int pc_looked(const struct pc_flow_state *state,
							   __u64 slot)
{
	return state->slot == (slot & PC_SLOT_MASK) &&
	       (state->seen & PC_SEEN_SPARE) == (slot >> PC_SLOT_BITS & PC_SEEN_SPARE);
}

/* Notes a look at the clock, by which the flow was seen at `seen`. */
static inline __attribute__((always_inline)) void pc_look(struct pc_flow_state *state, __u64 slot,
							  __u64 seen)
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
static inline __attribute__((always_inline)) __u64 pc_flow_lifetime(__u8 protocol, __u8 flags)
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
static inline __attribute__((always_inline)) int pc_flow_closed(__u8 flags)
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

static inline __attribute__((always_inline)) __u64 pc_mix(__u64 hash, __u32 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* Fills the indexes of a tuple's cells. */
static inline __attribute__((always_inline)) void
pc_came_cells(const struct pc_flow *flow, __u64 secret, __u32 *by_port, __u32 *by_tuple)
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
static inline __attribute__((always_inline)) __u16 pc_came_epoch(__u64 at)
{
	return (at >> PC_CAME_SHIFT) % 65535 + 1;
}

/* Whether a cell is so many epochs old at most. Another clock may be a little ahead. */
static inline __attribute__((always_inline)) int pc_came_within(__u16 cell, __u16 epoch,
								__u16 epochs)
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
static inline __attribute__((always_inline)) __u32 pc_learned_index(__u8 protocol, __u16 port)
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
