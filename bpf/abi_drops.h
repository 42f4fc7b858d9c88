/* SPDX-License-Identifier: GPL-2.0 */
/* The layout of the map `drops`: recent drops by source, port and reason. */
#ifndef PORTCULLIS_ABI_DROPS_H
#define PORTCULLIS_ABI_DROPS_H

#include <linux/bpf.h>
#include <linux/types.h>

#include "bpf/abi_counters.h"
#include "bpf/abi_flows.h"

/* pc_drop.how */
#define PC_DROP_USED  1	 /* the entry is in use */
#define PC_DROP_IPV6  2	 /* `address` is one of IPv6 */
#define PC_DROP_OUT   4	 /* at egress: `address` and `port` are the destination's */
#define PC_DROP_WOULD 8	 /* the filter observed: they passed */
#define PC_DROP_AGAIN 16 /* dropped in more than one second: the entry is kept for PC_DROP_KEPT */

/*
 * Packets that are dropped for one reason, between this host or a machine behind it and one remote
 * address, at one port. Without an IP header that could be read, `address`, `port` and `protocol`
 * are 0.
 */
struct pc_drop {
	__be32 address[4]; /* of the remote side; IPv4: the first word, the others are 0 */
	__u32 first, last; /* CLOCK_BOOTTIME seconds */
	__u64 packets, bytes;
	__u16 port; /* host order: the local one, at egress the remote one; ICMP: type << 8 | code
		     */
	__u8 protocol; /* IP protocol */
	__u8 reason;   /* enum pc_reason */
	__u32 how : 8; /* PC_DROP_* */
	/*
	 * The first tally of the machine behind this host at that time (pc_machine.tallies), which
	 * no other machine ever gets. 0: this host.
	 */
	__u32 machine : 24;
};
_Static_assert(sizeof(struct pc_drop) == 48, "pc_drop");
#define PC_DROP_MACHINE_UNKNOWN 0xffffffu /* of a machine without tallies */
_Static_assert(PC_TALLIES < PC_DROP_MACHINE_UNKNOWN, "pc_drop.machine");

/*
 * An entry is in a bucket of its prefix's window. A window is a row of buckets that begins where
 * the prefix hashes to; the rest of the key chooses one of them, neighbouring ports neighbouring
 * buckets. So no prefix (/24 of IPv4, /64 of IPv6) can use more than 1/PC_DROP_SHARE of the table.
 * The windows of a /48 are within one that has 1/PC_DROP_SHARE_48 of it.
 *
 * A new entry takes a free place, else it replaces the entry without PC_DROP_AGAIN that was last
 * seen longest ago; PC_DROP_AGAIN ends PC_DROP_KEPT seconds after the last packet. So randomly
 * forged sources do not replace one that came again. Sources that are forged twice do not either:
 * one place of a bucket is for new entries, and gets PC_DROP_AGAIN only by chance, one in
 * PC_DROP_CHANCE. If a bucket has no such place, any of its entries may be replaced.
 *
 * The table has two parts. From bucket PC_DROP_PEACE on are the entries of floods: while a CPU
 * drops more than its credit allows, it records one drop in PC_DROP_SAMPLE, which counts for as
 * many, until half of the credit is back. After PC_DROP_FAST drops in a jiffy it records one in
 * PC_DROP_COARSE, because recording one costs as much as deciding several packets. A CPU's credit
 * is in PC_CELL_GATE.
 */
#define PC_DROP_PLACES	 8    /* entries of a bucket */
#define PC_DROP_PEACE	 4096 /* buckets of the first part */
#define PC_DROP_FLOOD	 512  /* buckets of the second part */
#define PC_DROP_BUCKETS	 (PC_DROP_PEACE + PC_DROP_FLOOD)
#define PC_DROP_SHARE	 64
#define PC_DROP_SHARE_48 16
#define PC_DROP_CHANCE	 16
#define PC_DROP_KEPT	 86400
#define PC_DROP_SAMPLE	 256
#define PC_DROP_COARSE	 1024
#define PC_DROP_FAST	 (2 * PC_DROP_CREDIT)
#define PC_DROP_CREDIT	 512 /* drops that a CPU may record at once */
#define PC_DROP_REFILL	 16  /* credit that a CPU gets back each jiffy */

/*
 * The gate of a CPU, in the word PC_CELL_GATE: its credit, and what it does not record. The word
 * has two halves, so that the usual drop of a flood needs no 64-bit constant.
 */
struct pc_gate {
	__u32 state; /* PC_GATE_* */
	__u32 jiffy; /* the lower half of jiffies at the last drop */
};

/* Credit that is spent; in a jiffy of a flood, more than the CPU has. */
#define PC_GATE_SPENT	   0x7ffffu
#define PC_GATE_COARSE	   (1u << 19) /* the next recorded drop stands for PC_DROP_COARSE */
/*
 * In a flood: how many drops are skipped before the next one that is recorded. It is a random
 * number, chosen anew each time; with the recorded drop it is PC_DROP_SAMPLE or PC_DROP_COARSE on
 * average.
 */
#define PC_GATE_SKIP_SHIFT 20
#define PC_GATE_SKIP	   (0x7ffu << PC_GATE_SKIP_SHIFT)
#define PC_GATE_FLOOD	   (1u << 31)
_Static_assert(sizeof(struct pc_gate) == 8, "PC_CELL_GATE");
_Static_assert(PC_DROP_COARSE / 2 * 3 <= PC_GATE_SKIP >> PC_GATE_SKIP_SHIFT, "PC_GATE_SKIP");

struct pc_drop_bucket {
	struct bpf_spin_lock lock;
	__u32 forgotten; /* entries that were replaced by others */
	__u32 reached;	 /* the latest `last` of those, in CLOCK_BOOTTIME seconds */
	__u32 pad;
	struct pc_drop drop[PC_DROP_PLACES];
};
_Static_assert(sizeof(struct pc_drop_bucket) == 400, "pc_drop_bucket");

/* The index of the bucket in which a drop has its entry. `flood`: in the part of floods. */
pc_inline __u32 pc_drop_bucket_of(const struct pc_drop *drop, __u32 secret, int flood)
{
	const __u32 buckets = flood ? PC_DROP_FLOOD : PC_DROP_PEACE;
	const __u32 share = buckets / PC_DROP_SHARE, share_48 = buckets / PC_DROP_SHARE_48;
	const __u8 *byte = (const __u8 *)drop->address;
	__u64 hash = pc_mix(secret, drop->how & PC_DROP_IPV6);
	__u32 window;

	/* The prefix: three bytes or eight, in network byte order. */
	hash = pc_mix(hash, byte[0] | byte[1] << 8 | byte[2] << 16);
	if (drop->how & PC_DROP_IPV6) {
		hash = pc_mix(pc_mix(hash, drop->address[0]), byte[4] | byte[5] << 8);
		window = hash % buckets;
		hash = pc_mix(hash, byte[6] | byte[7] << 8);
		window += hash % (share_48 - share + 1);
	} else {
		window = hash % buckets;
	}
	hash = pc_mix(hash, drop->address[0]);
	hash = pc_mix(hash, drop->address[2]);
	hash = pc_mix(hash, drop->address[3]);
	hash = pc_mix(hash, drop->protocol << 8 | drop->reason);
	hash = pc_mix(hash, (__u32)(drop->how & ~PC_DROP_AGAIN) << 24 | drop->machine);
	return (flood ? PC_DROP_PEACE : 0) +
	       (window + ((__u32)hash + drop->port) % share) % buckets;
}

#endif
