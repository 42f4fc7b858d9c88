/* SPDX-License-Identifier: GPL-2.0 */
/* Adds flows for connections of sockets that are bound to a device. */
#ifndef PORTCULLIS_FILTER_SEED_SOCKETS_H
#define PORTCULLIS_FILTER_SEED_SOCKETS_H

#include <stdbool.h>

#include "loader/filter/seed_conntrack.h"

/* Adds the flows of these sockets for each filter. */
void seed_sockets(const struct seed *seed, size_t count);

/*
 * Notes which UDP ports have unconnected sockets: for their packets it is unknown which side began.
 * Returns true if there are any. A failed read is a warning.
 */
bool seed_begun(const struct filter *filter);

#endif
