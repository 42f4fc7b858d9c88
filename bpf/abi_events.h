/* SPDX-License-Identifier: GPL-2.0 */
/* The layout of listeners, which get packets with their verdicts as they happen, and of an event.
 */
#ifndef PORTCULLIS_ABI_EVENTS_H
#define PORTCULLIS_ABI_EVENTS_H

#include <linux/types.h>

#include "bpf/abi_drops.h"

#define PC_LISTENERS 8 /* listeners at one filter at a time */

/*
 * The conditions of one listener: an entry of the array that is the only value of `listeners`. An
 * entry whose lease has ended is free: the process that changes `until` from that value by an
 * atomic exchange owns it. A listener first fills the rest of the entry, under a lease that has
 * ended. Then it renews `until` each second, and after that sets pc_filter.listeners. The program
 * clears that flag when no lease is left, so that a listener that was killed costs nothing.
 */
struct pc_listener {
	__u32 until;   /* the lease holds until this CLOCK_BOOTTIME second begins; 0: none */
	__u32 owner;   /* the process */
	__u32 reasons; /* bit n: drops for enum pc_reason n */
	__u32 rate;    /* events a second and CPU; 0: no limit */
	__u32 capture; /* bytes of the frame that an event has: at most PC_CAPTURE_MAX */
	__u32 port;    /* 1 + PC_PORT of the local port, at egress of the remote one; 0: any */
	/* Both in network byte order, as in pc_key: the remote address is in this prefix. */
	__be32 address[4];
	__be32 mask[4];
	__u8 family; /* of the prefix: 4 or 6; 0: any address */
	__u8 passed; /* 1: also passed packets, by any rule */
	__u8 pad[6];
};
_Static_assert(sizeof(struct pc_listener) == 64, "pc_listener");

/* Larger frames are cut: a record of the perf ring buffer has less than 64 KiB. */
#define PC_CAPTURE_MAX 60000

/*
 * The drops that no listener gets on a CPU, in the word PC_CELL_DEAF. In a flood, this word alone
 * decides about most drops. It is valid while the gate (struct pc_gate) skips, a jiffy at most.
 */
struct pc_deaf {
	__u32 reasons; /* bit n: no listener gets drops for enum pc_reason n */
	__u16 skipped; /* number of such drops that are not in pc_heard.over yet */
	__u8 slots;    /* bit n: they are events that the listener of slot n lost by its rate */
	__u8 pad;
};
_Static_assert(sizeof(struct pc_deaf) == 8, "PC_CELL_DEAF");
_Static_assert(PC_LISTENERS <= 8, "pc_deaf.slots");
_Static_assert(PC_REASONS <= 32, "pc_deaf.reasons");
_Static_assert(PC_GATE_SKIP >> PC_GATE_SKIP_SHIFT < 1 << 16, "pc_deaf.skipped");

/* The counts of a CPU for the listeners of a slot, since the filter was attached. */
struct pc_heard {
	__u64 events; /* sent */
	__u64 over;   /* not sent: more than `rate` */
	__u64 full;   /* not sent: no room in the listener's buffer, or it has none for this CPU */
	__u32 second; /* CLOCK_BOOTTIME second in which `used` events were sent */
	__u32 used;
};

/*
 * An event. After it come `captured` bytes of the frame, from the frame's start. The remote side is
 * the source of an incoming packet, and the destination of an outgoing one. Fields that could not
 * be parsed are 0. The event of a listener's slot on a CPU is sent to the index slot *
 * pc_filter.event_cpus + CPU of `events`.
 */
struct pc_event {
	__u64 time;   /* CLOCK_BOOTTIME ns */
	__u32 cell;   /* cell of the verdict, as if enforced: PC_CELL_* */
	__u32 length; /* bytes of the frame */
	__u16 captured;
	__u8 class; /* class of the machine on this side, in that generation; 0: this host */
	__u8 pad;
	__be32 remote[4]; /* addresses; IPv4: the first word */
	__be32 local[4];
	__u16 remote_port; /* host order. ICMP: type << 8 | code is `local_port` */
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
#define PC_EVENT_PORTS	  32 /* TCP or UDP whose ports could be read */
_Static_assert(sizeof(struct pc_event) == 64, "pc_event");

_Static_assert(PC_CAPTURE_MAX < 1 << 16, "pc_event.captured");

/* A CPU's only value of `heard`. */
struct pc_heard_cpu {
	struct pc_event event; /* the event that is being made: the stack has no room for it */
	__u64 jiffy;	       /* jiffy in which the clock was last read */
	__u32 second;	       /* the CLOCK_BOOTTIME second that was read then */
	__u32 pad;
	struct pc_gate gate; /* PC_CELL_GATE of a CPU that has no row in `counters` */
	__u64 ban_jiffy;     /* jiffy in which `ban_used` packets of banned sources came */
	__u32 ban_used;
	__u32 pad_ban;
	struct pc_heard slot[PC_LISTENERS];
};

/*
 * The only value of `explained`: the answer of a program that only explains
 * (filter_load_explaining) about the last frame that it was run with. That program stores nothing
 * else.
 */
struct pc_explained {
	struct pc_event event; /* `captured` is 0 */
	/*
	 * Set by the caller. 1: a TCP socket of this host with that source port sent the outgoing
	 * packet, which a program cannot see in BPF_PROG_TEST_RUN.
	 */
	__u8 sent_by_socket;
	/* The rest is for a replay. Set by the caller: PC_TOLD_*. */
	__u8 told;
	__u8 asked_limit; /* set by the program: it asked a limit about the packet */
	__u8 pad;
	/* The CLOCK_BOOTTIME second at which bans and grants are tested. */
	__u32 second;
	/* With PC_TOLD_FRAGMENT: the cells that the first fragment of the datagram counted. */
	__u32 first_cell, first_second;
	__u64 at; /* the packet's time in ns, which is the clock of limits */
};
/*
 * The state that earlier packets of a replay left. The caller supplies it, not maps and sockets,
 * because a capture is of another time. Only limits are counted by the program, in cells of the
 * replay's own.
 */
#define PC_TOLD_FLOW	 1 /* a live flow has the packet, or the packet that it quotes */
#define PC_TOLD_LARGE	 2 /* an open UDP port lately sent a large datagram like the quoted one */
#define PC_TOLD_ECHO	 4 /* the limit of echo requests admits one more */
#define PC_TOLD_FRAGMENT 8 /* the datagram's first fragment passed */

#endif
