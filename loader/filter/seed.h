/* SPDX-License-Identifier: GPL-2.0 */
/* Enters connections into the flow maps that were there before the filter could learn them. */
#ifndef PORTCULLIS_FILTER_SEED_H
#define PORTCULLIS_FILTER_SEED_H

#include <stdbool.h>

#include "loader/filter/filter.h"

/*
 * Enters live connections that the program could not learn: of sockets that are bound to a device,
 * and what this host forwards that the generation learns, from conntrack. Returns true if conntrack
 * knows all these; else attach waits to learn from their packets. A failed read is a warning. The
 * interface must be in the caller's network namespace.
 */
bool seed_live(const struct filter *filter, unsigned int ifindex,
	       const struct pc_generation *generation);

/*
 * Copies the flows of a filter of a layout with a single flow map to the maps of this layout. A
 * failed read is a warning.
 */
void seed_old(const struct filter *filter, const struct filter *old);

#endif
