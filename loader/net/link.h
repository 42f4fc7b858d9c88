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
 * The interface of that name, also an alternative one (`ip link property`), in the caller's network
 * namespace, and its real name. 0: there is none; -errno. if_nametoindex would take "eth0:1" for
 * eth0, and no alternative name that is long.
 */
int link_find(const char *name, char real[IF_NAMESIZE]);

/*
 * The end of a message about a name that link_find does not find: "; there are eth0, eth1, lo and
 * 12 more", the nearest ones first. Empty if they cannot be listed. The caller frees.
 */
char *links_there(const char *name);

/*
 * Reports what failed at an interface: "eth0: WHAT: strerror", or that the interface is gone, if
 * `err` (-errno) says so: it can go at any moment. Returns `err`; -ENODEV for a gone one.
 */
int link_failed(const char *interface, int err, const char *what);

/* Names of interfaces that are there become the real ones. */
void link_real_names(struct names *names);

struct link_facts {
	char kind[32];	/* of rtnetlink: "vlan"; empty: a NIC, as a rule */
	char lower[16]; /* the interface below a VLAN or the like; empty: none is known */
	bool up;
	bool vlans; /* VLAN interfaces are on it */
};

/* 0, or -ENODEV: there is none of that index. */
int link_facts(unsigned int ifindex, struct link_facts *facts);

/*
 * Fills the interfaces above one: its bridge, bond or VRF, VLANs and macvlans on it, the interfaces
 * above these; 0 after the last. Warns if there are more than fit.
 */
void link_uppers(unsigned int ifindex, __u32 upper[PC_UPPERS]);

/* links_zone, of the interfaces as they are now. */
unsigned int link_zone(unsigned int ifindex);

/*
 * Lists the interfaces of the caller's network namespace; links_read: and their addresses. Returns
 * 0 or -errno; links_free is due in both cases.
 */
int links_list(struct links *links);
int links_read(struct links *links);

#endif
