/* SPDX-License-Identifier: GPL-2.0 */
/* Where the connections come from that lived before the filter, and how they enter `flows`. */
#ifndef PORTCULLIS_SEED_H
#define PORTCULLIS_SEED_H

#include <stdbool.h>

#include "loader/kernel.h"

/*
 * Enters a flow that is not there, or only as an old one that the program takes no more. Returns 0
 * or -errno.
 */
int seed_flow(const struct filter *filter, const struct pc_flow *key,
	      const struct pc_flow_state *state);

/*
 * Notes which UDP ports have sockets that are not connected: who began what these send and get is
 * not known. Returns whether there are any. What cannot be read is warned of.
 */
bool sockets_begun(const struct filter *filter);

/*
 * Puts what a filter of a layout with a single map of flows has learned where this one's programs
 * look for it. What cannot be read is warned of.
 */
void seed_old(const struct filter *filter, const struct filter *old);

/* Tells the programs that there may be flows of a local port. Returns 0 or -errno. */
int seed_mark(const struct filter *filter, const struct pc_flow *key);

/*
 * sockets.c: connections of live sockets that are bound to a device (the interface, a VRF, bridge
 * or VLAN above it): the program does not always find these sockets. What cannot be read is warned
 * of.
 */
int sockets_seed(const struct filter *filter, unsigned int ifindex);

/*
 * conntrack.c, where the kernel tracks connections: those of this host whose addresses or ports are
 * translated, UDP that it began, and with `forward` those that it forwards by the interface.
 * Returns whether that leaves none out: it tracks both address families, and some that are forwarded
 * were found. What cannot be read is warned of.
 */
bool conntrack_seed(const struct filter *filter, unsigned int ifindex, bool forward);

#endif
