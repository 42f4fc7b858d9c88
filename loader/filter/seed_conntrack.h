/* SPDX-License-Identifier: GPL-2.0 */
/* Adds flows for connections of the conntrack table. */
#ifndef PORTCULLIS_FILTER_SEED_CONNTRACK_H
#define PORTCULLIS_FILTER_SEED_CONNTRACK_H

#include <stdbool.h>

#include "loader/filter/filter.h"

/* A filter that live connections are entered for. */
struct seed {
	const struct filter *filter;
	unsigned int ifindex;
	const struct pc_generation *generation; /* decides what is learned */
	/*
	 * Set by seed_conntrack: the table is complete, because conntrack tracks both address
	 * families, and has forwarded connections.
	 */
	bool whole;
};

/*
 * Adds flows from conntrack: connections of this host whose addresses or ports are translated, UDP
 * that this host began, and connections forwarded through an interface, as far as its generation
 * learns them. A failed read is a warning.
 */
void seed_conntrack(struct seed *seed, size_t count);

#endif
