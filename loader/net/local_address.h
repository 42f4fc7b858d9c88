/* SPDX-License-Identifier: GPL-2.0 */
/* Tells which address of this host a packet of a remote host is for. */
#ifndef PORTCULLIS_NET_LOCAL_ADDRESS_H
#define PORTCULLIS_NET_LOCAL_ADDRESS_H

#include "loader/net/link_graph.h"
#include "loader/net/route.h"

/* The entry of an address of this host, or NULL. */
const struct link_address *local_find(const struct links *links, __u8 family,
				      const __u8 address[16]);

/*
 * Lists the addresses whose packets this host takes: its own, and those that its networks make,
 * which are broadcast of IPv4 and the anycast address of all routers of IPv6 (RFC 4291, 2.6.1). The
 * caller frees. Returns how many.
 */
size_t local_taken(const struct links *links, struct link_address **taken);

/* True for an address that several hosts have: multicast, and broadcast of IPv4. */
bool local_is_shared(__u8 family, const __u8 address[16]);

/*
 * Chooses the address of this host to which packets of `remote` come by an interface (0: by any):
 * that from which `route`, the route to it, would send, if the interface or one above it has it;
 * else the first one of these; else one of another interface. NULL: this host has none of the
 * family.
 */
const struct link_address *local_choose(const struct links *links, unsigned int ifindex,
					__u8 family, const __u8 remote[16],
					const struct route *route);

#endif
