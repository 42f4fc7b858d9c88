/* SPDX-License-Identifier: GPL-2.0 */
/* Ports that nf_tables hands on to other addresses or ports: the published ports of containers,
 * redirected ones. */
#ifndef PORTCULLIS_NET_PUBLISHED_H
#define PORTCULLIS_NET_PUBLISHED_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "loader/net/link_graph.h"

struct published {
	__u8 protocol;	      /* IPPROTO_TCP or IPPROTO_UDP */
	__u16 port, last;     /* a range */
	bool addressed;	      /* the rule is about one destination address */
	bool redirected;      /* to another port of this host */
	unsigned int ifindex; /* of what comes in by this interface alone; 0: by any */
};

/*
 * The ports that rules with DNAT or REDIRECT name, each range once, in a list that the caller
 * frees: those that a rule compares the destination port with, as Docker's do, or that a set or a
 * map has. A rule for a loopback address is left out: nothing comes in for that. 0 or -errno.
 */
int published_read(struct published **list, size_t *count);

/* True if packets that the rule hands on may come in by the interface. */
bool published_comes_by(const struct published *published, const struct links *links,
			unsigned int ifindex);

#endif
