/* SPDX-License-Identifier: GPL-2.0 */
/* The interfaces of the caller's network namespace, and the graph of their lower links. */
#ifndef PORTCULLIS_NET_LINK_GRAPH_H
#define PORTCULLIS_NET_LINK_GRAPH_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct link {
	unsigned int ifindex;
	unsigned int flags; /* IFF_* */
	unsigned int master;
	unsigned int lower; /* IFLA_LINK; 0: none, or in another network namespace */
	bool lower_elsewhere;
	char name[IF_NAMESIZE];
	char kind[32];
};

struct link_address {
	unsigned int ifindex;
	__u8 family; /* AF_INET or AF_INET6 */
	__u8 scope;  /* RT_SCOPE_* */
	__u8 length; /* of the prefix of its network */
	__u8 address[16];
};

struct links {
	struct link *link;
	size_t count;
	struct link_address *address;
	size_t addresses;
};

const struct link *links_find(const struct links *links, unsigned int ifindex);

/*
 * True if a packet of `upper` may have come through `lower`, one step below it: a port of a bridge,
 * a member of a bond, the link of a VLAN. False for the member of a VRF: packets forwarded between
 * members come from the VRF, too.
 */
bool links_is_above(const struct link *upper, const struct link *lower);

/* True if packets of `upper` may have come through `lower`, any number of steps below. */
bool links_comes_by(const struct links *links, unsigned int upper, unsigned int lower);

/*
 * The interface that stands for the link of this one, for link-local addresses: its bridge or bond,
 * because an answer may come through another port; else itself.
 */
unsigned int links_zone(const struct links *links, unsigned int ifindex);

#define LINKS_WAY 17 /* the most interfaces on top of each other; the kernel allows fewer */

/*
 * Fills the interfaces that a packet passes from `lower` up to `upper`, both included, the lowest
 * first; only `lower` if `upper` is not above it. Returns how many; 0: there is no such interface.
 */
size_t links_way(const struct links *links, unsigned int lower, unsigned int upper,
		 const struct link *way[LINKS_WAY]);

/*
 * True if `upper` is a VLAN and all its packets pass `lower`. False if a bridge is between them:
 * packets may come through its other ports.
 */
bool links_is_vlan(const struct links *links, unsigned int upper, unsigned int lower);

void links_free(struct links *links);

#endif
