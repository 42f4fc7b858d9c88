/* SPDX-License-Identifier: GPL-2.0 */
/* Enters connections into the flow maps that were there before the filter could learn them. */
#ifndef PORTCULLIS_FILTER_SEED_H
#define PORTCULLIS_FILTER_SEED_H

#include <stdbool.h>

#include "loader/filter/filter.h"

/*
 * Enters live connections whose packets at the interface the program would not know: of sockets
 * that are bound to a device, and with `forward` those that this host forwards as conntrack has
 * them. Returns whether conntrack knows all these; else what talks has to be waited for. What
 * cannot be read is warned of. The interface must be in the caller's network namespace.
 */
bool seed_live(const struct filter *filter, unsigned int ifindex, bool forward);

/*
 * Puts what a filter of a layout with a single map of flows has learned where this one's programs
 * look for it. What cannot be read is warned of.
 */
void seed_old(const struct filter *filter, const struct filter *old);

#endif
