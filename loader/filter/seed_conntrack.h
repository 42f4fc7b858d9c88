/* SPDX-License-Identifier: GPL-2.0 */
/* Adds flows for connections of the conntrack table. */
#ifndef PORTCULLIS_FILTER_SEED_CONNTRACK_H
#define PORTCULLIS_FILTER_SEED_CONNTRACK_H

#include <stdbool.h>

#include "loader/filter/filter.h"

/*
 * Adds flows from conntrack: connections of this host whose addresses or ports are translated, UDP
 * that this host began, and connections forwarded through the interface, as far as the generation
 * learns them. Returns true if the table is complete: conntrack tracks both address families, and
 * has forwarded connections. A failed read is a warning.
 */
bool seed_conntrack(const struct filter *filter, unsigned int ifindex,
		    const struct pc_generation *generation);

#endif
