/* SPDX-License-Identifier: GPL-2.0 */
/* Warnings about an interface before a filter is attached to it. */
#ifndef PORTCULLIS_NET_LINK_ADVICE_H
#define PORTCULLIS_NET_LINK_ADVICE_H

#include <stdbool.h>
#include <linux/types.h>

/*
 * Warns if the interface carries traffic of other machines, or if the filter sees less there than
 * it seems. `forward`: PC_FORWARD_*, what of it is learned.
 */
void link_warn(const char *interface, unsigned int ifindex, __u8 forward);

/* Facts about an interface that change whose traffic its filter sees. */
enum link_matter {
	LINK_LOOPBACK, /* the interface is lo */
	LINK_BRIDGE,   /* it is one */
	LINK_PORT,     /* of the bridge `other` */
	LINK_MEMBER,   /* of the bond `other`, or its virtual function */
	LINK_CARRIES,  /* the macvlan or the like `other` */
};
typedef void link_tell(void *context, enum link_matter matter, const char *other, const char *text);

/* Tells each of these, as link_warn warns of it. */
void link_advise(unsigned int ifindex, link_tell *tell, void *context);

/* True if this host forwards IPv4 or IPv6. */
bool link_forwarding(void);

#endif
