/* SPDX-License-Identifier: GPL-2.0 */
/* Hosts that this one depends on: gateways of its routes, name servers, DHCP servers. */
#ifndef PORTCULLIS_NET_GATEWAYS_H
#define PORTCULLIS_NET_GATEWAYS_H

#include <linux/types.h>

/* Takes an address: AF_INET with 4 bytes, AF_INET6 with 16. */
typedef void address_take(__u8 family, const void *address, void *context);

/* Gives the gateways of all routes of the network namespace, in every table. 0 or -errno. */
int gateways_each(address_take *take, void *context);

/* Gives the name servers of a resolv.conf(5). A file that is not there has none. */
void resolvers_each(const char *path, address_take *take, void *context);

/* Gives the addresses behind the word in files of a folder, as leases of DHCP clients have them. */
void leases_each(const char *folder, const char *word, address_take *take, void *context);

/* Gives the DHCP servers of the leases in a folder of dhcpcd(8): answers as they were received. */
void messages_each(const char *folder, address_take *take, void *context);

#endif
