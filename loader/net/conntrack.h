/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's table of tracked connections (ctnetlink). */
#ifndef PORTCULLIS_NET_CONNTRACK_H
#define PORTCULLIS_NET_CONNTRACK_H

#include <netinet/in.h> /* must come first: both define struct in_addr */
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <stdbool.h>
#include <linux/types.h>

#include "bpf/abi.h"

/* An entry of the table. Both directions are flow keys as the BPF program makes them of incoming
 * packets. */
struct conntrack_entry {
	struct pc_flow way[IP_CT_DIR_MAX];
	__u32 status; /* IPS_* */
	__u32 left;   /* seconds until conntrack forgets it */
	__u8 state;   /* TCP_CONNTRACK_*; only of TCP */
	__u8 flags[IP_CT_DIR_MAX];
};

/* Takes an entry. Returns 0 for the next entry; another value ends conntrack_each, which returns
 * it. */
typedef int conntrack_take(const struct conntrack_entry *entry, void *context);

/* True if the kernel has the table. Does not load the module, as opening the table would. */
bool conntrack_loaded(void);

/*
 * Passes each entry of the table of the caller's network namespace to `take`. `*whole`: the table
 * has every connection, because the kernel tracks both address families; the test sends datagrams
 * from this process to itself. NULL: no test. Returns 0, -errno, or the result of `take`.
 */
int conntrack_each(conntrack_take *take, void *context, bool *whole);

#endif
