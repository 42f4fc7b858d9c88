/* SPDX-License-Identifier: GPL-2.0 */
/* Finds the address of this host to which a remote host's packets are sent. */
#ifndef PORTCULLIS_NET_LOCAL_ADDRESS_H
#define PORTCULLIS_NET_LOCAL_ADDRESS_H

#include "loader/net/link_graph.h"
#include "loader/net/route.h"

/* The entry of `links` for an address of this host, or NULL. */
const struct link_address *local_find(const struct links *links, __u8 family,
				      const __u8 address[16]);

/*
 * Lists the addresses whose packets this host accepts: its own, and those that follow from its
 * networks: IPv4 broadcast addresses and the IPv6 anycast address of all routers (RFC 4291, 2.6.1).
 * The caller frees. Returns how many.
 */
size_t local_taken(const struct links *links, struct link_address **taken);

/* True for an address that several hosts share: multicast, and IPv4 broadcast. */
bool local_is_shared(__u8 family, const __u8 address[16]);

/*
 * Chooses the address of this host to which `remote` sends packets that come by an interface (0:
 * any). First choice is the source address of `route`, the route to `remote`, if the interface or
 * one above it has it; then the first address of these interfaces; then one of another interface.
 * NULL: this host has no address of the family.
 */
const struct link_address *local_choose(const struct links *links, unsigned int ifindex,
					__u8 family, const __u8 remote[16],
					const struct route *route);

#endif
