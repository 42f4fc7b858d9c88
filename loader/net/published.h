/* SPDX-License-Identifier: GPL-2.0 */
/* Ports that nf_tables translates to other addresses or ports: the published ports of containers,
 * and redirected ports. */
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
	bool redirected;      /* translated to another port of this host */
	unsigned int ifindex; /* the rule is only for what comes in by this interface; 0: by any */
};

/*
 * Lists the ports that rules with DNAT or REDIRECT name, each range once: the rule compares the
 * destination port with them, as Docker's rules do, or with a set or a map that has them. Rules for
 * a loopback address are left out: no packet for it comes in. 0 or -errno; the caller frees the
 * list.
 */
int published_read(struct published **list, size_t *count);

/* True if packets that the rule translates may come in by the interface. */
bool published_comes_by(const struct published *published, const struct links *links,
			unsigned int ifindex);

#endif
