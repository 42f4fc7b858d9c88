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
	/* only route_match fills these: */
	unsigned char length; /* of the route's prefix */
	bool gateway;	      /* the route goes through a router */
};

/*
 * Asks by a NETLINK_ROUTE socket for the route to an address of AF_INET or AF_INET6, without regard
 * to rules for sources, marks and VRFs. Returns 0, also if there is none, or -errno if it cannot be
 * asked for.
 */
int route_find(struct mnl_socket *socket, unsigned char family, const void *address,
	       struct route *route);

/* As route_find, and fills the fields about the route itself. */
int route_match(struct mnl_socket *socket, unsigned char family, const void *address,
		struct route *route);

/* True if the address is a neighbour on the link whose link-layer address is known. */
bool route_neighbour(struct mnl_socket *socket, unsigned char family, const void *address,
		     unsigned int ifindex);

/* A route of the main table to a directly connected network. */
struct network {
	unsigned char family;
	unsigned char length;
	unsigned char address[16];
	unsigned int ifindex;
};

/* Lists the unicast routes of the main table, except default ones. The caller frees. 0 or -errno.
 */
int networks_read(struct network **network, size_t *count);

/*
 * The route for packets that a socket with this local address sends: rules may depend on the
 * source. `device`: the device that the socket is bound to (a VRF, a link for link-local
 * addresses), 0: none.
 */
int route_back(struct mnl_socket *socket, unsigned char family, const void *remote,
	       const void *local, unsigned int device, struct route *route);

#endif
