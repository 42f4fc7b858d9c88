/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's table of tracked connections (ctnetlink). */
#ifndef PORTCULLIS_NET_CONNTRACK_H
#define PORTCULLIS_NET_CONNTRACK_H

#include <netinet/in.h> /* before the next: both define struct in_addr */
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <stdbool.h>
#include <linux/types.h>

#include "bpf/abi.h"

/* An entry of the table. Both ways are keys as the program makes them of packets that come in. */
struct conntrack_entry {
	struct pc_flow way[IP_CT_DIR_MAX];
	__u32 status; /* IPS_* */
	__u32 left;   /* seconds until conntrack forgets it */
	__u8 state;   /* TCP_CONNTRACK_*, of TCP */
	__u8 flags[IP_CT_DIR_MAX];
};

/* Takes an entry. Returns 0 to go on, else what conntrack_each is to return. */
typedef int conntrack_take(const struct conntrack_entry *entry, void *context);

/* True if the kernel has the table; to ask for it would load the module. */
bool conntrack_loaded(void);

/*
 * Passes each entry of the table of the caller's network namespace to `take`. `*whole`: the kernel
 * tracks what this host sends, of both address families, so that no connection is missing; this is
 * tried by sending datagrams to itself. NULL: nothing is sent. Returns 0, -errno, or the result of
 * `take`.
 */
int conntrack_each(conntrack_take *take, void *context, bool *whole);

#endif
