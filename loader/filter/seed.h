/* SPDX-License-Identifier: GPL-2.0 */
/* Adds flows for connections that began before the filter could learn them. */
#ifndef PORTCULLIS_FILTER_SEED_H
#define PORTCULLIS_FILTER_SEED_H

#include "loader/filter/seed_conntrack.h"

/*
 * Adds flows for live connections that the programs could not learn: those of sockets that are bound
 * to a device, and forwarded ones, from conntrack, as far as the generations learn them. The kernel
 * lists them once for all filters. A failed read is a warning. The interfaces must be in the caller's
 * network namespace.
 */
void seed_live(struct seed *seed, size_t count);

/*
 * Copies the flows of a filter of a layout with a single flow map to the maps of this layout. A
 * failed read is a warning.
 */
void seed_old(const struct filter *filter, const struct filter *old);

#endif
