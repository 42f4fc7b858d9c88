/* SPDX-License-Identifier: GPL-2.0 */
/* Warnings about an interface before a filter is attached to it. */
#ifndef PORTCULLIS_NET_LINK_ADVICE_H
#define PORTCULLIS_NET_LINK_ADVICE_H

#include <stdbool.h>
#include <linux/types.h>

/*
 * Warns if the interface carries traffic of other machines, or if its filter sees less than
 * expected. `forward`: PC_FORWARD_*, which forwarded traffic is learned.
 */
void link_warn(const char *interface, unsigned int ifindex, __u8 forward);

/* Facts about an interface that change whose traffic its filter sees. */
enum link_matter {
	LINK_LOOPBACK, /* the interface is lo */
	LINK_BRIDGE,   /* the interface is a bridge */
	LINK_PORT,     /* it is a port of the bridge `other` */
	LINK_MEMBER,   /* it is a member of the bond `other`, or its virtual function */
	LINK_CARRIES,  /* it carries the macvlan or the like `other` */
};
typedef void link_tell(void *context, enum link_matter matter, const char *other, const char *text);

/* Passes each of these facts to `tell`, with the warning that link_warn prints. */
void link_advise(unsigned int ifindex, link_tell *tell, void *context);

/* True if this host forwards IPv4 or IPv6. */
bool link_forwarding(void);

#endif
