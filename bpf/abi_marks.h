/* SPDX-License-Identifier: GPL-2.0 */
/* The layout of the map `marks`: for which local ports the kernel may have a connection. */
#ifndef PORTCULLIS_ABI_MARKS_H
#define PORTCULLIS_ABI_MARKS_H

#include <linux/types.h>

#include "bpf/abi_counters.h"

/*
 * The only value of `marks`. For a packet that no service admits, the kernel's sockets are looked
 * up only if its local port has a mark. A missing mark would cut a connection; an unneeded mark
 * costs a look-up (60 to 100 ns).
 *
 * Egress marks the port of every packet that this host sends, and so of every connection: a socket
 * without a sent packet has none, except a connected UDP socket that only receives. The loader
 * marks connections that existed before (loader/filter/marks.c). Connections that send without
 * passing the egress program are found by the look-ups that are made without a mark (struct
 * pc_spare); each of these marks what it finds.
 *
 * Marks are trusted only while every interface of the network namespace that is up has the egress
 * program. The kernel counts changes of its interfaces (struct pc_devices), and the loader notes
 * the counts before it checks the interfaces. If the counts differ from these, sockets are always
 * looked up.
 */
struct pc_devices {
	__u32 changes; /* interfaces that were added, removed or renamed; never 0 in the kernel */
	__u32 ups;     /* interfaces that were set up, and changes of IPv4 addresses */
	__u32 netns;   /* inode of the network namespace: an interface may be moved to another */
};

struct pc_marks {
	struct pc_devices devices; /* changes 0: marks are not trusted */
	__u32 any_ups;		   /* 1: `ups` does not matter, because no interface is down */
	__u32 looks;		   /* PC_SPARE_LOOKS */
	__u32 pad[11];
	__u8 port[PC_PORTS]; /* indexed by PC_PORT; not 0: marked */
};

/*
 * The look-ups that a CPU makes without a mark, in the word PC_CELL_SPARE. No connection may depend
 * on them to pass, because a flood uses them up.
 */
struct pc_spare {
	__u32 jiffy; /* the lower half of jiffies when `left` was last refilled */
	__u32 left;  /* look-ups left in this jiffy; PC_SPARE_ALL: marks are not trusted */
};
#define PC_SPARE_LOOKS 64 /* they take 0.1 to 0.5 % of a CPU */
#define PC_SPARE_ALL   0xffffffffu

#endif
