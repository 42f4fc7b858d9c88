/* SPDX-License-Identifier: GPL-2.0 */
/* Adds flows for connections of sockets that are bound to a device. */
#ifndef PORTCULLIS_FILTER_SEED_SOCKETS_H
#define PORTCULLIS_FILTER_SEED_SOCKETS_H

#include <stdbool.h>

#include "loader/filter/filter.h"

/*
 * Adds flows for connections of live sockets that are bound to a device (the interface, a VRF,
 * bridge or VLAN above it), because the program does not always find these sockets. A failed read
 * is a warning.
 */
void seed_sockets(const struct filter *filter, unsigned int ifindex);

/*
 * Notes which UDP ports have unconnected sockets: for their packets it is unknown which side began.
 * Returns true if there are any. A failed read is a warning.
 */
bool seed_begun(const struct filter *filter);

#endif
