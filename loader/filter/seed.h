/* SPDX-License-Identifier: GPL-2.0 */
/* Adds flows for connections that began before the filter could learn them. */
#ifndef PORTCULLIS_FILTER_SEED_H
#define PORTCULLIS_FILTER_SEED_H

#include <stdbool.h>

#include "loader/filter/filter.h"

/*
 * Adds flows for live connections that the program could not learn: those of sockets that are bound
 * to a device, and forwarded ones, from conntrack, as far as the generation learns them. Returns
 * true if conntrack has all of these; else attach waits and learns from their packets. A failed
 * read is a warning. The interface must be in the caller's network namespace.
 */
bool seed_live(const struct filter *filter, unsigned int ifindex,
	       const struct pc_generation *generation);

/*
 * Copies the flows of a filter of a layout with a single flow map to the maps of this layout. A
 * failed read is a warning.
 */
void seed_old(const struct filter *filter, const struct filter *old);

#endif
