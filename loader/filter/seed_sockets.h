/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Enters connections of live sockets that are bound to a device (the interface, a VRF, bridge or
 * VLAN above it): the program does not always find these sockets. A failed read is a warning.
 */
#ifndef PORTCULLIS_FILTER_SEED_SOCKETS_H
#define PORTCULLIS_FILTER_SEED_SOCKETS_H

#include <stdbool.h>

#include "loader/filter/filter.h"

/*
 * Enters connections of live sockets that are bound to a device (the interface, a VRF, bridge or
 * VLAN above it): the program does not always find these sockets. What cannot be read is warned of.
 */
void seed_sockets(const struct filter *filter, unsigned int ifindex);

/*
 * Notes which UDP ports have unconnected sockets: it is not known which side began what they send
 * and receive. Returns true if there are any. A failed read is a warning.
 */
bool seed_begun(const struct filter *filter);

#endif
