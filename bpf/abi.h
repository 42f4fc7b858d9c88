/* SPDX-License-Identifier: GPL-2.0 */
/* What the BPF programs and the loader share: the layout of every map, defined once. */
#ifndef PORTCULLIS_ABI_H
#define PORTCULLIS_ABI_H

#include <linux/types.h>

/* Changes with any change of the layouts below; kept at the head of every generation. */
#define PC_ABI_VERSION 1
#define PC_MAGIC       0x6c757043 /* "Cpul" */

enum pc_transport {
	PC_TCP = 0,
	PC_UDP = 1,
	PC_TRANSPORTS,
};

/* A port's index in every per-port table: transport << 16 | port in host order. */
#define PC_PORTS	      (PC_TRANSPORTS << 16)
#define PC_PORT(transport, n) ((__u32)(transport) << 16 | (__u16)(n))

/* Why a packet is dropped. The order is that of the verdict table; names in loader/counters.c. */
enum pc_reason {
	PC_REASON_MALFORMED,
	PC_REASON_FRAGMENT,
	PC_REASON_ICMP,
	PC_REASON_SOURCE,
	PC_REASON_PROTOCOL,
	PC_REASON_UNLISTED,
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
 * Counters: one row of cells a CPU, in one mmapable array of PC_CELLS * (possible CPUs).
 *
 * A cell is one word, so that a packet and its bytes are counted by one add and read together:
 *
 *	bits 0-35 bytes, bits 36-63 packets
 *
 * When the top bit of either field is set, the program moves it out to the `carries` array, a word
 * a cell shared by all CPUs: bits 0-31 count 2^35 bytes, bits 32-63 count 2^27 packets. Between the
 * two writes the cell keeps its top bit, which tells a reader to read again.
 *
 * A passed packet counts one cell. A dropped one counts that of its reason and, if dropped at a
 * port (`source`, `unlisted`), that port's too. A sum over the reasons has every drop once.
 */
#define PC_CELL_PASS	     0u
#define PC_CELL_DROP	     (1u * PC_PORTS)
#define PC_CELL_WOULD_DROP   (2u * PC_PORTS)
#define PC_CELL_REASON	     (3u * PC_PORTS)	     /* + enum pc_reason, dropped */
#define PC_CELL_REASON_WOULD (PC_CELL_REASON + 16u)  /* + enum pc_reason, would drop */
#define PC_CELL_OTHER	     (PC_CELL_REASON + 32u)  /* + enum pc_other, passed */
#define PC_CELLS	     (PC_CELL_REASON + 512u) /* a multiple of the page, in words */

#define PC_CELL_BYTES_BITS   36
#define PC_CELL_PACKET	     (1ULL << PC_CELL_BYTES_BITS)
#define PC_CELL_BYTES_CARRY  (1ULL << 35)
#define PC_CELL_PACKET_CARRY (1ULL << 63)
#define PC_CARRY_BYTES	     1ULL
#define PC_CARRY_PACKETS     (1ULL << 32)

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
	__u8 pad[2];
	__u64 groups; /* bit n: group n of the tries */
};
_Static_assert(sizeof(struct pc_span) == 16, "pc_span");

/* The restrictions of a port: `spans` disjoint spans in ascending order, from index `span` on. */
struct pc_rule {
	__u32 span;
	__u32 spans;
};

#define PC_RULES	 8192
#define PC_SPANS	 16384
#define PC_SPANS_OF_RULE 1024 /* a search takes at most 11 steps */
#define PC_SEARCH_STEPS	 11
#define PC_GROUPS	 64
#define PC_PREFIXES	 131072 /* of one address family */
#define PC_SLOTS	 4	/* generations, and tries, that may live at once */

enum pc_policy {
	PC_POLICY_ENFORCE,
	PC_POLICY_OBSERVE,
};

/* One compiled state of an interface: the only value of an inner map of `generations`. */
struct pc_generation {
	__u32 magic;
	__u32 version;	     /* PC_ABI_VERSION */
	__u64 number;	     /* counts the generations of an interface, from 1 */
	__u64 attached_at;   /* CLOCK_REALTIME ns, when the filter was attached */
	__u64 made_at;	     /* CLOCK_REALTIME ns, when this generation was */
	__u64 batch;	     /* of the command that made it; one number for all its interfaces */
	__u64 tries_digest;  /* of the prefixes in the trie: an equal one is used again */
	__u32 tries_slot;    /* of `tries`; PC_SLOTS: no trie */
	__u32 prefixes;	     /* in the trie */
	__u32 recipe_length; /* bytes in the recipe map of this generation */
	__u8 policy;	     /* enum pc_policy */
	char program_version[11]; /* of the binary that loaded the program, NUL-ended */
	__u8 protocol[256];	  /* 1: further IP protocol that the profile names */
	struct pc_rule rule[PC_RULES];
	struct pc_span span[PC_SPANS];
	__u16 port[PC_PORTS];
};
_Static_assert(__builtin_offsetof(struct pc_generation, protocol) == 72, "pc_generation header");

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

#endif
