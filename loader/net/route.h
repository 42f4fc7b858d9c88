/* SPDX-License-Identifier: GPL-2.0 */
/* The route that the kernel would take for a packet, from rtnetlink. */
#ifndef PORTCULLIS_NET_ROUTE_H
#define PORTCULLIS_NET_ROUTE_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>

struct route {
	unsigned char type; /* RTN_*; RTN_UNSPEC: there is no route */
	unsigned int ifindex;
	bool has_source;
	unsigned char source[16]; /* the address that this host would send from */
	/* route_match alone: */
	unsigned char length; /* of the prefix of the route */
	bool gateway;	      /* by a router */
};

/*
 * Asks by a NETLINK_ROUTE socket for the route to an address of AF_INET or AF_INET6, without regard
 * to rules for sources, marks and VRFs. Returns 0, also if there is none, or -errno if it cannot be
 * asked for.
 */
int route_find(struct mnl_socket *socket, unsigned char family, const void *address,
	       struct route *route);

/* As route_find, with what is known of the route itself. */
int route_match(struct mnl_socket *socket, unsigned char family, const void *address,
		struct route *route);

/* True if the address is that of a neighbour on the link, whose link-layer address is known. */
bool route_neighbour(struct mnl_socket *socket, unsigned char family, const void *address,
		     unsigned int ifindex);

/* A route of the main table to one link. */
struct network {
	unsigned char family;
	unsigned char length;
	unsigned char address[16];
	unsigned int ifindex;
};

/* Lists the unicast routes of the main table but for default ones. The caller frees. 0 or -errno.
 */
int networks_read(struct network **network, size_t *count);

/*
 * The route of packets that a socket with this local address sends, because rules may depend on the
 * source. `device`: the device it is bound to (a VRF, a link for link-local addresses), 0: none.
 */
int route_back(struct mnl_socket *socket, unsigned char family, const void *remote,
	       const void *local, unsigned int device, struct route *route);

#endif
