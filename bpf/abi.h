/* SPDX-License-Identifier: GPL-2.0 */
/* The layout of every map, for the BPF programs and the loader. This part: the generation and the
 * filter. */
#ifndef PORTCULLIS_ABI_H
#define PORTCULLIS_ABI_H

#include <linux/types.h>

#include "bpf/abi_bans.h"
#include "bpf/abi_counters.h"
#include "bpf/abi_drops.h"
#include "bpf/abi_events.h"
#include "bpf/abi_flows.h"
#include "bpf/abi_grants.h"
#include "bpf/abi_limits.h"
#include "bpf/abi_marks.h"

/*
 * The version of all layouts; every generation begins with it. A build that tests two versions
 * against each other sets another one.
 */
#ifndef PC_ABI_VERSION
#define PC_ABI_VERSION 4
#endif
#define PC_MAGIC 0x6c757043 /* "Cpul" */

/*
 * The versions since which these layouts have not changed. A takeover continues to use maps of
 * these versions and later ones. Since PC_FRAMES_SINCE, the programs read frames without an
 * Ethernet header.
 */
#define PC_COUNTERS_SINCE 4
#define PC_FLOWS_SINCE	  2
#define PC_DEADLINE_SINCE 3
#define PC_FRAMES_SINCE	  4

/* The header with which the frames of an interface begin, as the hooks see them. */
enum pc_frame {
	PC_FRAME_ETHERNET,
	/* An IPv4 or IPv6 header: tun, WireGuard, ppp, ipip. */
	PC_FRAME_IP,
	/* An IPv4 or IPv6 header, or a VLAN tag that the far end of a GRE tunnel sent. */
	PC_FRAME_GRE,
};

/*
 * "Reserved" marks a field with a meaning that is not used yet, so that using it will not change a
 * layout that takeovers continue to use. No program reads or writes it, and it is 0.
 */

/*
 * pc_filter.flags. A packet tests them once, as one word. The program clears the flag for
 * listeners. Each flag is a byte of its own, so that this store cannot undo the store of another
 * flag.
 */
#define PC_FILTER_BANS	 1 /* `bans` has a table */
#define PC_FILTER_DENIED 2 /* pc_generation.denied is not empty */
#define PC_FILTER_LIMITS 4 /* a generation had limits */
#define PC_FILTER_GRANTS 8 /* `grants` may have a grant that has not ended */

/*
 * The only value of `filter`. It belongs to the filter and not to a generation, so a swap keeps it.
 * The first words share a cache line with the rows of the first CPUs.
 */
struct pc_filter {
	union {
		__u32 flags;
		struct {
			__u8 flag;	/* PC_FILTER_* */
			__u8 listeners; /* 1: a command listens (abi_events.h) */
			__u8 reserved_flags[2];
		};
	};
	/* Rows in `counters`. */
	__u32 rows;
	/* Pages in a row. A row is a multiple of 4 KiB. */
	__u32 row_pages;
	/* Pages from PC_PAGE_LISTED on that are in use. */
	__u32 listed;
	/* CPUs for which each listener has a buffer in the map `events`. */
	__u32 event_cpus;
	/* The key by which `drops` is hashed. Never 0. */
	__u32 drops_secret;
	/* CLOCK_BOOTTIME second from which on `drops` is complete: when the filter was attached, or
	 * `drops` cleared. */
	__u32 drops_since;
	__u32 reserved;
	/* The first page of the row of a CPU, by the CPU's id, or PC_ROW_NONE. */
	__u32 row[PC_CPUS];
	/* The page of a row for each PC_LISTED; 0: none. A page once given is kept. */
	__u16 page[PC_LISTED_PAGES + PC_MACHINE_PAGES];
};

/*
 * An entry of pc_generation.port and .out. Larger values are PC_PORT_RULE + the index of a rule,
 * with PC_PORT_LIMITED if a span of the rule has a limit.
 */
#define PC_PORT_CLOSED	0
#define PC_PORT_OPEN	1
#define PC_PORT_RULE	2
#define PC_PORT_LIMITED 0x8000

/* The sources that a rule admits from one range of source ports. */
struct pc_span {
	/* Host order; both are in the range. */
	__u16 first;
	__u16 last;
	__u8 anyone;
	/* fe80::/10 and 169.254.0.0/16. */
	__u8 link_local;
	/* 1 + the index of the limits of what it admits, in pc_generation.limit_set; 0: none. */
	__u8 limit;
	/* The word of struct pc_groups that `groups` means. */
	__u8 word;
	/* Bit n: group n of that word. */
	__u64 groups;
};
_Static_assert(sizeof(struct pc_span) == 16, "pc_span");

/* The rule of a port: `spans` disjoint spans in ascending order, from index `span` on. */
struct pc_rule {
	__u32 span;
	__u32 spans;
};

#define PC_RULES	 8192
#define PC_SPANS	 16384
#define PC_SPANS_OF_RULE 1024
#define PC_SEARCH_STEPS	 10 /* in the spans of a rule */
#define PC_GROUPS	 64 /* of one recipe */
#define PC_GROUP_WORDS	 4
#define PC_PREFIXES	 131072 /* of one address family */
#define PC_SLOTS	 4	/* of `generations`, and of `tries` */
#define PC_UPPERS	 8
_Static_assert(PC_SPANS_OF_RULE <= 1 << PC_SEARCH_STEPS, "PC_SEARCH_STEPS");

enum pc_policy {
	PC_POLICY_ENFORCE,
	PC_POLICY_OBSERVE,
	/* While a filter is being attached: no packet is dropped, and no drop is counted. */
	PC_POLICY_START,
};

enum pc_outbound {
	PC_OUTBOUND_TRACK, /* count only */
	PC_OUTBOUND_ENFORCE,
};

#define PC_FORWARD_MACHINES 1 /* learn the connections that machines behind this host begin */
#define PC_FORWARD_OTHERS   2 /* learn the connections that others begin */
#define PC_FORWARD_ALL	    (PC_FORWARD_MACHINES | PC_FORWARD_OTHERS)

/*
 * The groups of a prefix in the trie. All groups of one recipe are in one word, so that its spans
 * need one.
 */
struct pc_groups {
	__u64 word[PC_GROUP_WORDS];
};

/*
 * A prefix of machines behind this host. The prefixes are a perfect hash table by local address,
 * with one look-up for each prefix length in use: pc_machine_hash.
 */
struct pc_machine {
	__u64 address[2]; /* in the packet's byte order; IPv4: the lower half of the first word */
	union {
		struct {
			__u8 length; /* length of the prefix */
			__u8 family; /* 4 or 6; 0: no entry */
		};
		__u16 kind; /* family and length */
	};
	__u16 class;   /* machines of one class have one recipe; 0: this host */
	__u32 tallies; /* its first tally (PC_CELL_MACHINE); 0: it has none */
};
_Static_assert(sizeof(struct pc_machine) == 24, "pc_machine");

/* A prefix length in use; lengths of a family are in descending order. */
struct pc_length {
	__u64 mask[2]; /* of pc_machine.address */
	__u64 salt;    /* of pc_machine_hash */
	union {
		struct {
			__u8 length; /* 0: no more */
			__u8 family;
		};
		__u16 kind; /* as that of pc_machine */
	};
	__u16 pad[3];
};

#define PC_MACHINES	    4096 /* places of the hash table */
#define PC_MACHINE_PREFIXES 2048 /* about half of them are used, so that each entry finds a place */
#define PC_MACHINE_BUCKETS  1024
#define PC_LENGTHS	    9  /* prefix lengths of one address family */
#define PC_CLASSES	    64 /* different recipes of machines */

/* A port of a class: its entry as in pc_generation.port, and its number among a machine's
 * tallies. */
struct pc_class_port {
	__u16 entry;
	__u16 tally;
};

/* The ports of a class are on pages. Classes share equal pages. Page 0 has only closed ports. */
#define PC_CLASS_PAGE_PORTS 64u
#define PC_CLASS_PAGES	    4096
struct pc_class_page {
	struct pc_class_port port[PC_CLASS_PAGE_PORTS];
};

/* The tallies for ports that no service of a machine lists. */
#define PC_TALLY_IN  0u /* drops at local ports */
#define PC_TALLY_OUT 1u /* drops at remote ports */

/* The recipe of machines behind this host: what pc_generation has for this host. */
struct pc_class {
	__u8 policy;   /* enum pc_policy */
	__u8 outbound; /* enum pc_outbound */
	__u16 tallies; /* of each machine */
	__u32 pad;
	__u8 protocol[256];
	/* Pages of local ports, of `in` services; then of remote ports, of `out` services. */
	__u16 page[2][PC_PORTS / PC_CLASS_PAGE_PORTS];
};

/*
 * The hash of a prefix, for the table of machines. The loader chooses the factors and the salt of
 * each length so that the table is perfect: they need not be secret, because the address is
 * compared after the look-up. The upper 10 bits are the bucket of the prefix in
 * pc_generation.displace; its place is the next 12 bits plus the displacement of its bucket.
 */
pc_inline __u64 pc_machine_hash(__u64 first, __u64 second, const __u64 factor[2], __u64 salt)
{
	return first * factor[0] + second * factor[1] + salt;
}

#define PC_MACHINE_BUCKET(hash)		 ((__u32)((hash) >> 54))
#define PC_MACHINE_PLACE(hash, displace) (((__u32)((hash) >> 42) + (displace)) % PC_MACHINES)
_Static_assert(PC_MACHINE_BUCKETS == 1 << 10, "PC_MACHINE_BUCKET");

#define PC_VERSION_TEXT	  13
#define PC_ECHO_LIMIT_MAX 1000000 /* echo requests a second on a CPU */

/*
 * One compiled state of an interface: the only value of an inner map of `generations`. The map can
 * be mmapped, so one store of `deadline` confirms the generation. The fields before `made_at` are
 * the same in every layout version, those from `deadline` to `stand_in` since PC_DEADLINE_SINCE.
 */
struct pc_generation {
	__u32 magic;   /* PC_MAGIC */
	__u32 version; /* PC_ABI_VERSION */
	/* Generations of an interface are counted from 1. */
	__u64 number;
	/* CLOCK_REALTIME ns when the filter was attached. */
	__u64 attached_at;
	/* CLOCK_REALTIME ns when this generation was made. */
	__u64 made_at;
	/* The command that made it: one number for all interfaces of the command. */
	__u64 batch;
	/* Digest of the prefixes in the trie. Generations with equal prefixes share one trie. */
	__u64 tries_digest;
	/* Slot of `tries`; PC_SLOTS: no trie. */
	__u32 tries_slot;
	/* Number of prefixes in the trie. */
	__u32 prefixes;
	/* Bytes in the recipe map of this generation. */
	__u32 recipe_length;
	/* Average ns between two echo requests that a CPU admits; 0: no limit. */
	__u32 echo_interval;
	/* Interfaces above this one (bridge, VLAN, bond); 0: no more. */
	__u32 upper[PC_UPPERS];
	__u8 policy;   /* enum pc_policy */
	__u8 outbound; /* enum pc_outbound */
	/* PC_FORWARD_*: which forwarded traffic is learned too. */
	__u8 forward;
	/* Version of the binary that loaded the programs, NUL-ended. */
	char program_version[PC_VERSION_TEXT];
	/* CLOCK_BOOTTIME ns, past which the fallback is active; 0: the generation is final. */
	__u64 deadline;
	/* Slot of `generations`. A deadline needs one; 0: none. */
	__u32 fallback;
	/* 1: a stand-in, made for attaching; it is the fallback of an attach, which has no former
	 * generation. */
	__u8 stand_in;
	__u8 pad[3];
	/* CLOCK_REALTIME ns at which it became active again as a fallback; 0: it did not. */
	__u64 reverted_at;
	/* Id of the XDP program that uses it. */
	__u32 program_id;
	/*
	 * The link of link-local addresses: this interface, or the bridge or bond above it. 0:
	 * links are not distinguished.
	 */
	__u32 link;
	/*
	 * CLOCK_MONOTONIC ns. UDP that was live when the filter was attached does not show which
	 * side began. Until this time, a flow is learned even if its packets came in only because
	 * of observe, on these conditions: this side sends twice, not just after a packet came in;
	 * and the packets are forwarded, or are sent from a port that had a socket before the
	 * filter.
	 */
	__u64 grace;
	/*
	 * Groups in the first word of struct pc_groups whose members are always dropped. Their
	 * networks have marks in pc_bans.
	 */
	__u64 denied;
	/* Groups in that word whose members are never banned: the loader has them in pc_bans. */
	__u64 never_ban;
	/* Number of prefixes in `machine`. */
	__u32 machines;
	/* Number of entries of `limit_set`. */
	__u32 limits;
	/* Part of the hash of `machine`. */
	__u64 machines_factor[2];
	/* pc_group_id of the group of each bit of struct pc_groups; 0: grants do not apply to
	 * it. */
	__u64 group[PC_GROUP_WORDS][PC_GROUPS];
	/* 1: the profile names this IP protocol. */
	__u8 protocol[256];
	struct pc_rule rule[PC_RULES];
	struct pc_span span[PC_SPANS];
	/* `in` services, by local port. */
	__u16 port[PC_PORTS];
	/* `out` services, by remote port. Their rules have one span of all ports. */
	__u16 out[PC_PORTS];
	/* Prefix lengths of machines: of IPv4, then of IPv6. */
	struct pc_length length[2][PC_LENGTHS];
	__u16 displace[PC_MACHINE_BUCKETS];
	struct pc_machine machine[PC_MACHINES];
	struct pc_class class[PC_CLASSES]; /* class n is class[n - 1] */
	struct pc_class_page class_page[PC_CLASS_PAGES];
	struct pc_limit limit[PC_LIMITS];
	struct pc_limit_set limit_set[PC_LIMITS];
};
_Static_assert(__builtin_offsetof(struct pc_generation, denied) == 152, "pc_generation header");

/*
 * The key of a trie, in network byte order. One trie has both address families, which saves a
 * switch one update of an outer map (8 ms). `length` counts the bits of `family` too.
 */
struct pc_key {
	__u32 length;
	__be32 family;	  /* 4 or 6 */
	__u8 address[16]; /* IPv4: the first 4 bytes */
};
#define PC_KEY_FAMILY_BITS 32

#endif
