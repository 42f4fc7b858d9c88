/* SPDX-License-Identifier: GPL-2.0 */
/* The layout of listeners, which get packets with their verdicts as they happen, and of an event.
 */
#ifndef PORTCULLIS_ABI_EVENTS_H
#define PORTCULLIS_ABI_EVENTS_H

#include <linux/types.h>

#define PC_LISTENERS 8 /* at one filter, at the same time */

/*
 * An entry of `listeners`: what one listener wants. It writes the whole entry again each second,
 * and sets PC_FILTER_LISTENERS in pc_filter.flags. An entry whose lease has ended is free. The
 * program takes the flag away when no lease is left, so that a listener that was killed costs
 * nothing.
 */
struct pc_listener {
	__u32 until;   /* CLOCK_BOOTTIME seconds: the lease; 0: none */
	__u32 owner;   /* the process */
	__u32 reasons; /* bit n: drops for enum pc_reason n */
	__u32 rate;    /* events a second and CPU; 0: no limit */
	__u32 capture; /* bytes of the frame that an event has at most */
	__u32 port;    /* 1 + PC_PORT of the local port, at egress of the remote one; 0: any */
	/* Both in network byte order, as in pc_key: the remote address is in this prefix. */
	__be32 address[4];
	__be32 mask[4];
	__u8 family; /* of the prefix: 4 or 6; 0: any address */
	__u8 passed; /* 1: packets that pass too, by any rule */
	__u8 pad[6];
};
_Static_assert(sizeof(struct pc_listener) == 64, "pc_listener");

/* A CPU's part of a listener, in `heard`. The counts are since the filter was attached. */
struct pc_heard {
	__u64 events; /* sent */
	__u64 over;   /* not sent: more than `rate` */
	__u64 full;   /* not sent: the listener's buffer was full */
	__u32 second; /* CLOCK_BOOTTIME, in which `used` were sent */
	__u32 used;
};

/*
 * An event, or what `explain` is told by a program that only explains: that one stores nothing but
 * `explained`, of this type, with no frame. An event stands before `captured` bytes of the frame,
 * which begin as frames of the interface do. The remote side is the source of an incoming packet,
 * and the destination of an outgoing one. What could not be parsed is 0. The event of a listener's
 * slot on a CPU is sent to the index slot * pc_filter.event_cpus + CPU of `events`.
 */
struct pc_event {
	__u64 time;   /* CLOCK_BOOTTIME ns */
	__u32 cell;   /* of the verdict, as if enforced: PC_CELL_* */
	__u32 length; /* of the frame */
	__u32 captured;
	__be32 remote[4]; /* addresses; IPv4: the first word */
	__be32 local[4];
	__u16 remote_port; /* host order; 0: no port. ICMP: type << 8 | code is `local_port` */
	__u16 local_port;
	__u8 family; /* 4 or 6; 0: not IP */
	__u8 protocol;
	__u8 tcp_flags;
	__u8 how;	  /* PC_EVENT_* */
	__u32 generation; /* the lower half of pc_generation.number */
};
#define PC_EVENT_DROP	  1
#define PC_EVENT_WOULD	  2  /* the filter observes: a drop that passes */
#define PC_EVENT_OUT	  4  /* at egress */
#define PC_EVENT_FRAGMENT 8  /* a first fragment */
#define PC_EVENT_LATER	  16 /* a later fragment: no ports */
_Static_assert(sizeof(struct pc_event) == 64, "pc_event");

#endif
