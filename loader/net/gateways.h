/* SPDX-License-Identifier: GPL-2.0 */
/* Hosts that this one depends on: gateways of its routes, name servers, DHCP servers. */
#ifndef PORTCULLIS_NET_GATEWAYS_H
#define PORTCULLIS_NET_GATEWAYS_H

#include <linux/types.h>

/* Takes an address: 4 bytes of AF_INET, 16 of AF_INET6. */
typedef void address_take(__u8 family, const void *address, void *context);

/* Passes the gateways of all routes of the network namespace, in every table. 0 or -errno. */
int gateways_each(address_take *take, void *context);

/* Passes the name servers of a resolv.conf(5). A missing file has none. */
void resolvers_each(const char *path, address_take *take, void *context);

/* Passes the addresses after `word` in files of a folder; for leases of DHCP clients. */
void leases_each(const char *folder, const char *word, address_take *take, void *context);

/* Passes the DHCP servers of the leases in a folder of dhcpcd(8), which stores messages as
 * received. */
void messages_each(const char *folder, address_take *take, void *context);

#endif
