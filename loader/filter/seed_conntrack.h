/* SPDX-License-Identifier: GPL-2.0 */
/* Enters connections of the table of tracked connections into the flow maps. */
#ifndef PORTCULLIS_FILTER_SEED_CONNTRACK_H
#define PORTCULLIS_FILTER_SEED_CONNTRACK_H

#include <stdbool.h>

#include "loader/filter/filter.h"

/*
 * Enters connections from conntrack: those of this host whose addresses or ports are translated,
 * UDP that it began, and of those that it forwards by the interface what the generation learns.
 * Returns true if none is left out: conntrack tracks both address families, and has forwarded
 * connections. A failed read is a warning.
 */
bool seed_conntrack(const struct filter *filter, unsigned int ifindex,
		    const struct pc_generation *generation);

#endif
