/* SPDX-License-Identifier: GPL-2.0 */
/* What the BPF programs and the loader share: the layout of every map, defined once. */
#ifndef PORTCULLIS_ABI_H
#define PORTCULLIS_ABI_H

#include <linux/types.h>

#include "bpf/abi_counters.h"
#include "bpf/abi_flows.h"

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

#endif
