/* SPDX-License-Identifier: GPL-2.0 */
/* What kind of interface it is, where that changes what the filter sees. */
#ifndef PORTCULLIS_LINK_H
#define PORTCULLIS_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <linux/types.h>

#include "bpf/abi.h"
#include "loader/links.h"
#include "loader/util.h"

/*
 * The interface of that name, also an alternative one (`ip link property`), in the caller's network
 * namespace, and its real name. 0: there is none. if_nametoindex would take "eth0:1" for eth0, and
 * no alternative name that is long.
 */
unsigned int link_find(const char *name, char real[IF_NAMESIZE]);

/* Names of interfaces that are there become the real ones. */
void link_real_names(struct names *names);

/*
 * Warns if traffic of others than this host comes by the interface, or if it sees less than it
 * seems. `forward`: the recipe learns forwarded traffic.
 */
void link_warn(const char *interface, unsigned int ifindex, bool forward);

/*
 * Fills the interfaces above one, as far as they are known: its bridge, bond or VRF, VLANs and
 * macvlans on it, what is above these; 0 after the last. More than there is room for are warned of.
 */
void link_uppers(unsigned int ifindex, __u32 upper[PC_UPPERS]);

/*
 * Lists the interfaces of the caller's network namespace and their addresses. Returns 0 or -errno;
 * links_free is due in both cases.
 */
int links_read(struct links *links);

#endif
