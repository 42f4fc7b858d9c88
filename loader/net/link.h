/* SPDX-License-Identifier: GPL-2.0 */
/* Kinds of interfaces that change what the filter sees. */
#ifndef PORTCULLIS_NET_LINK_H
#define PORTCULLIS_NET_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <linux/types.h>

#include "bpf/abi.h"
#include "loader/base/names.h"
#include "loader/net/link_graph.h"

/*
 * The interface of that name in the caller's network namespace, and its real name; `name` may be an
 * alternative one (`ip link property`). 0: there is none; -errno. if_nametoindex would take
 * "eth0:1" for eth0, and fails for a long alternative name.
 */
int link_find(const char *name, char real[IF_NAMESIZE]);

/*
 * The end of a message about a name that link_find does not find: "; there are eth0, eth1, lo and
 * 12 more", the nearest ones first. Empty if they cannot be listed. The caller frees.
 */
char *links_there(const char *name);

/*
 * Reports a failure at an interface: "eth0: WHAT: strerror"; or that the interface is gone, if
 * `err` (-errno) means that: an interface can disappear at any moment. Returns `err`; -ENODEV for a
 * gone one.
 */
int link_failed(const char *interface, int err, const char *what);

/* Replaces the names of existing interfaces by their real names. */
void link_real_names(struct names *names);

struct link_facts {
	char kind[32];	/* as rtnetlink names it: "vlan"; empty: usually a NIC */
	char lower[16]; /* the interface below a VLAN or the like; empty: none is known */
	bool up;
	bool vlans; /* VLAN interfaces are on it */
};

/* Returns 0, or -ENODEV if there is no interface of that index. */
int link_facts(unsigned int ifindex, struct link_facts *facts);

/*
 * Fills the interfaces above one: its bridge, bond or VRF, VLANs and macvlans on it, and the
 * interfaces above these; 0 after the last. Warns if there are more than fit.
 */
void link_uppers(unsigned int ifindex, __u32 upper[PC_UPPERS]);

/* As links_zone, with the interfaces as they are at this moment. */
unsigned int link_zone(unsigned int ifindex);

/*
 * Lists the interfaces of the caller's network namespace; links_read also lists their addresses.
 * Returns 0 or -errno; call links_free in both cases.
 */
int links_list(struct links *links);
int links_read(struct links *links);

#endif
