/* SPDX-License-Identifier: GPL-2.0 */
/* The layout of the map `drops`: what was dropped lately, by source, port and reason. */
#ifndef PORTCULLIS_ABI_DROPS_H
#define PORTCULLIS_ABI_DROPS_H

#include <linux/bpf.h>
#include <linux/types.h>

/* pc_drop.how */
#define PC_DROP_USED  1	 /* the entry is in use */
#define PC_DROP_IPV6  2	 /* `address` is one of IPv6 */
#define PC_DROP_OUT   4	 /* at egress: `address` and `port` are the destination's */
#define PC_DROP_WOULD 8	 /* the filter observed: they passed */
#define PC_DROP_AGAIN 16 /* it was dropped in more than one second */

/*
 * Packets that are dropped for one reason, between this host and one remote address, at one port.
 * Without an IP header that could be read, `address`, `port` and `protocol` are 0.
 */
struct pc_drop {
	__be32 address[4]; /* of the remote side; IPv4: the first word, the others are 0 */
	__u32 first, last; /* CLOCK_BOOTTIME seconds */
	__u64 packets, bytes;
	__u16 port; /* host order: the local one, at egress the remote one; ICMP: type << 8 | code
		     */
	__u8 protocol; /* of IP */
	__u8 reason;   /* enum pc_reason */
	__u8 how;      /* PC_DROP_* */
	__u8 class;    /* reserved: of the machine behind this host; 0: this host */
	__u16 pad;
};
_Static_assert(sizeof(struct pc_drop) == 48, "pc_drop");

/*
 * An entry stands in a bucket of its prefix's window: so many buckets from one that the prefix
 * hashes to, among which the whole key chooses. So no prefix, /24 of IPv4 and /64 of IPv6, can hold
 * more than 1/PC_DROP_SHARE of the table. A new entry takes a free place, else that of the entry
 * that was seen longest ago among those without PC_DROP_AGAIN, else among all: sources that are
 * forged at random do not push out one that came again.
 *
 * The table has two parts. From bucket PC_DROP_PEACE on are the entries of floods: while a CPU
 * drops more than its credit allows, it records one drop in PC_DROP_SAMPLE, which counts so many
 * times, until half of the credit is there again. A CPU's credit is in PC_CELL_GATE.
 */
#define PC_DROP_PLACES	8    /* entries of a bucket */
#define PC_DROP_PEACE	4096 /* buckets of the first part */
#define PC_DROP_FLOOD	512  /* buckets of the second part */
#define PC_DROP_BUCKETS (PC_DROP_PEACE + PC_DROP_FLOOD)
#define PC_DROP_SHARE	64
#define PC_DROP_SAMPLE	256
#define PC_DROP_CREDIT	512 /* drops that a CPU may record at once */
#define PC_DROP_REFILL	16  /* credit that comes each jiffy */

struct pc_drop_bucket {
	struct bpf_spin_lock lock;
	__u32 forgotten; /* entries that gave way to others */
	__u32 reached;	 /* CLOCK_BOOTTIME seconds: the latest `last` of those */
	__u32 pad;
	struct pc_drop drop[PC_DROP_PLACES];
};
_Static_assert(sizeof(struct pc_drop_bucket) == 400, "pc_drop_bucket");

#endif
